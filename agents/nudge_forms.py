"""Messages that the widget shows by itself: a small form for each, and an empty one for the next."""

from __future__ import annotations

from typing import Any

from django import forms

from agents.appearance import FREQUENCIES, NUDGES_MOST, Nudge, Trigger
from agents.models import Agent
from netvexa.lib.ids import short_id


class NudgeForm(forms.Form):
    """One message and when it shows; without its text it is left out."""

    id = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    text = forms.CharField(
        required=False, max_length=200, label="Message", help_text="Empty it to take the message away."
    )
    url = forms.CharField(
        required=False,
        max_length=300,
        label="On pages",
        widget=forms.TextInput({"placeholder": "*/pricing*", "spellcheck": "false"}),
        help_text="A part of the address, with * for anything. Empty means every page.",
    )
    seconds = forms.IntegerField(
        required=False, min_value=0, max_value=3600, label="After so many seconds on the page"
    )
    scroll = forms.IntegerField(
        required=False, min_value=1, max_value=100, label="After so many per cent of it were scrolled"
    )
    exit = forms.BooleanField(required=False, label="When the pointer leaves the window")
    frequency = forms.ChoiceField(choices=FREQUENCIES, initial="session", required=False, label="How often")

    def nudge(self) -> Nudge | None:
        """What was typed; None where the message is to go."""
        given = self.cleaned_data
        if not given.get("text"):
            return None
        when: Trigger = {}
        if given["url"]:
            when["url"] = given["url"]
        if given["seconds"] is not None:
            when["seconds"] = given["seconds"]
        if given["scroll"] is not None:
            when["scroll"] = given["scroll"]
        if given["exit"]:
            when["exit"] = True
        return {
            "id": given["id"] or short_id(8),
            "text": given["text"],
            "when": when,
            "frequency": given["frequency"] or "session",
        }


_Nudges = forms.formset_factory(NudgeForm, extra=1, max_num=NUDGES_MOST, absolute_max=NUDGES_MOST + 1)


class NudgesForm(_Nudges):  # type: ignore[misc, valid-type]  # a class made at run time
    """All messages of an agent."""

    def __init__(self, *args: Any, agent: Agent, white_label: bool, **kwargs: Any) -> None:
        super().__init__(*args, initial=self.initial_of(agent), **kwargs)

    @staticmethod
    def initial_of(agent: Agent) -> list[dict[str, Any]]:
        rows: list[Nudge] = agent.proactive
        return [
            {**row["when"], "id": row["id"], "text": row["text"], "frequency": row["frequency"]}
            for row in rows
        ]

    def apply(self, agent: Agent) -> None:
        agent.proactive = [nudge for form in self.forms if (nudge := form.nudge())]
