"""An audience as people and programs give it: fields of forms and of the API."""

from __future__ import annotations

from typing import Any

from django import forms
from rest_framework import serializers

from agents import audiences
from netvexa.lib.errors import Invalid


class AudienceFormField(forms.CharField):
    """One audience, or empty for everybody. The page offers those in use by `parts/audiences.html`."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"list": "audiences", "placeholder": "everybody", "autocomplete": "off"})
        super().__init__(
            **{"required": False, "label": "For the audience", "help_text": audiences.EXPLAINED, **kwargs},
            widget=widget,
        )

    def clean(self, value: Any) -> str:
        try:
            return audiences.checked(super().clean(value) or "")
        except Invalid as refused:
            raise forms.ValidationError(refused.detail) from None


class AudiencesFormField(forms.CharField):
    """Several audiences, parted by commas."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"list": "audiences", "placeholder": "nobody known", "autocomplete": "off"})
        super().__init__(**{"required": False, **kwargs}, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        try:
            return audiences.checked_all(str(value or "").split(","))
        except Invalid as refused:
            raise forms.ValidationError(refused.detail) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or []) != (data or ""))


class AudienceField(serializers.CharField):
    """One audience, or empty for everybody."""

    def __init__(self, **kwargs: Any) -> None:
        explained = "Only visitors of this audience get it; empty: everybody."
        super().__init__(**{"allow_blank": True, "max_length": 200, "help_text": explained, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        try:
            return audiences.checked(super().to_internal_value(data))
        except Invalid as refused:
            raise serializers.ValidationError(refused.detail) from None
