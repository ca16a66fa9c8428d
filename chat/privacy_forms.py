"""What an owner types about people's data."""

from __future__ import annotations

from django import forms

from chat.retention import KINDS
from tenants.models import PrivacySettings


class PersonForm(forms.Form):
    """Whose data it is about."""

    subject = forms.CharField(
        max_length=254,
        label="Person",
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "ada@example.com"}),
        help_text="Their e-mail address, their visitor id, or the id that your site knows them by.",
    )


class EraseForm(PersonForm):
    """The same, meant in earnest."""

    confirm = forms.CharField()

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip().lower() != "erase":
            raise forms.ValidationError("Type “erase” to confirm. Nothing was erased.")
        return "erase"


class RetentionForm(forms.Form):
    """Days for each kind; empty leaves it to the plan."""

    masks_contacts = forms.BooleanField(
        required=False,
        label="Do not store e-mail addresses and telephone numbers that visitors write in messages",
        help_text="They are replaced before a message is stored. Card numbers always are. The contact form stays.",
    )

    def __init__(self, data: object = None, *, chosen: PrivacySettings) -> None:
        super().__init__(data, initial={**chosen.retention, "masks_contacts": chosen.masks_contacts})  # type: ignore[arg-type]
        for kind, label in KINDS.items():
            self.fields[kind] = forms.IntegerField(
                label=label,
                required=False,
                min_value=1,
                max_value=3650,
                widget=forms.NumberInput({"placeholder": "As long as the plan"}),
            )

    def days(self) -> dict[str, int | None]:
        return {kind: self.cleaned_data[kind] for kind in KINDS}
