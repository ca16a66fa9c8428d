"""What a team types about its exact answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import TextChoices

from agents.audience_fields import AudienceFormField
from agents.audiences import in_use
from agents.forms import LinesField
from chat import curated_changes
from chat.models import CuratedAnswer, Gap
from knowledge import corrections
from netvexa.lib.errors import AppError, Invalid

if TYPE_CHECKING:
    AnswerModelForm = forms.ModelForm[CuratedAnswer]
else:  # not generic at run time
    AnswerModelForm = forms.ModelForm


class CuratedForm(AnswerModelForm):
    """An answer with the wordings of its question."""

    wordings = LinesField(
        label="Questions",
        widget=forms.Textarea({"rows": 3}),
        help_text="How visitors may ask it, one wording on each line. The first is its name here.",
    )
    audience = AudienceFormField(
        help_text="Only visitors whom your site signs in for this audience get it, before any answer that is meant for"
        " everybody. Empty: everybody."
    )
    known_audiences = staticmethod(in_use)
    field_order = ("wordings", "answer", "link", "audience", "is_active")

    class Meta:
        model = CuratedAnswer
        fields: ClassVar[tuple[str, ...]] = ("answer", "link", "audience", "is_active")
        widgets: ClassVar = {"answer": forms.Textarea({"rows": 6})}
        labels: ClassVar = {"link": "Page that says more", "is_active": "In use"}
        help_texts: ClassVar = {
            "answer": "Visitors read it exactly as it stands here. Markdown works.",
            "link": "Optional. Stands under the answer as its source.",
            "is_active": "Switched off, these questions are answered from your sources.",
        }

    def store(self, *, by: UUID, gap: Gap | None = None) -> UUID | None:
        """Save a valid form, or begin the run that it waits for. An error is put on it where the answer is refused."""
        try:
            return curated_changes.save(self.instance, self.cleaned_data["wordings"], by=by, gap=gap)
        except Invalid as refused:
            self.add_error("wordings", refused.detail)
        return None


class Place(TextChoices):
    """Where an answer is kept that was put right."""

    KNOWLEDGE = "knowledge", "In the knowledge: found, worded and cited like your other sources"
    EXACT = "exact", "As an exact answer: given word for word to whoever asks the same"


class FixForm(CuratedForm):
    """An answer that the team puts right, and where it is kept; without a place, as an exact answer."""

    place = forms.ChoiceField(
        choices=Place.choices,
        initial=Place.KNOWLEDGE,
        required=False,
        widget=forms.RadioSelect,
        label="Keep it",
    )
    field_order = ("place", "wordings", "answer", "link", "audience")

    class Meta(CuratedForm.Meta):
        fields: ClassVar[tuple[str, ...]] = ("answer", "link", "audience")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("place") == Place.KNOWLEDGE and given.get("link"):
            self.add_error("link", "Only an exact answer has a link. Write the address into the answer.")
        return given

    @property
    def is_knowledge(self) -> bool:
        """Whether a valid form is kept in the knowledge."""
        return bool(self.cleaned_data["place"] == Place.KNOWLEDGE)

    def keep(self, *, by: UUID) -> corrections.Kept | None:
        """Keep a valid form in the agent's knowledge; None, with an error on it, where it is refused."""
        given = self.cleaned_data
        try:
            return corrections.keep(
                self.instance.agent, given["wordings"], given["answer"], audience=given["audience"], by=by
            )
        except AppError as refused:
            self.add_error("wordings", refused.detail)
            return None


class ImportForm(forms.Form):
    """A sheet of questions and answers."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput({"accept": ".csv,.tsv"}),
        help_text="Two columns, question and answer. A question that is there already gets the new answer.",
    )

    audience = AudienceFormField(help_text="Of all answers in the file. Empty: everybody.")
    known_audiences = staticmethod(in_use)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="import_%s")
