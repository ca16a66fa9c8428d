"""What a team types about its test set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from agents.audience_fields import AudiencesFormField
from agents.audiences import in_use
from agents.forms import LinesField
from chat.models import Expectation

if TYPE_CHECKING:
    ExpectationModelForm = forms.ModelForm[Expectation]
else:  # not generic at run time
    ExpectationModelForm = forms.ModelForm

MAX_PHRASES = 10


class PhrasesField(LinesField):
    """Words to look for in an answer, one phrase on each line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea({"rows": 2}), **kwargs)

    def clean(self, value: Any) -> Any:
        phrases = super().clean(value)
        if len(phrases) > MAX_PHRASES or any(len(phrase) > 200 for phrase in phrases):
            raise forms.ValidationError(f"Write up to {MAX_PHRASES} phrases of up to 200 characters each.")
        return phrases


class ExpectationForm(ExpectationModelForm):
    """A test question and what holds of a right answer."""

    must = PhrasesField(
        label="Must say", help_text="Words that a right answer contains, one phrase on each line."
    )
    must_not = PhrasesField(label="Must not say", help_text="Words that a right answer never contains.")

    audiences = AudiencesFormField(
        label="Asked by a visitor of",
        help_text="Audiences that the visitor belongs to, parted by commas. Empty: somebody of no audience.",
    )
    known_audiences = staticmethod(in_use)

    class Meta:
        model = Expectation
        fields = ("question", "outcome", "source", "must", "must_not", "facts", "audiences")
        labels: ClassVar = {"outcome": "A right agent", "source": "From the source", "facts": "Facts"}
        widgets: ClassVar = {"facts": forms.Textarea({"rows": 3})}
        help_texts: ClassVar = {
            "facts": "What a right answer states, in your own words. Only the judge reads it; empty if it need not.",
            "source": "Part of the title or address of the source that has the answer; empty if any will do.",
        }


class SheetForm(forms.Form):
    """A sheet of test questions."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput({"accept": ".csv"}),
        help_text="Columns: question, and if you like must contain, must not contain, source, outcome, facts,"
        " audiences.",
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="import_%s")
