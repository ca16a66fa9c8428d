"""What people set about the widget, a group at a time: look, switches, contact form, hours, messages, texts.

Each form reads an agent (`initial_of`) and writes to it (`apply`); the row is saved by whoever asked.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from agents.appearance import (
    FONTS,
    LAUNCHERS,
    OFFSET_MOST,
    RADIUS_MOST,
    SCHEMES,
    LeadField,
    lead_form_of,
    look_of,
    text_keys,
)
from agents.forms import LinesField
from agents.hours import BEHAVIOURS, Hours, hours_of
from agents.models import Agent, Position, colour_validator
from agents.publishing import set_avatar
from netvexa.lib.pictures import PictureRefused, check_picture

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SPANS = (1, 2)  # openings of a day, such as before and after lunch
CONTACT_FIELDS = {"name": "text", "email": "email", "phone": "tel", "company": "text"}
_ASKED = [("", "Not asked"), ("optional", "Optional"), ("required", "Required")]
_LOCALE = re.compile(r"[a-z]{2}")


class WidgetForm(forms.Form):
    """A group of settings of one agent."""

    def __init__(self, data: Any = None, files: Any = None, *, agent: Agent, white_label: bool) -> None:
        super().__init__(data, files, initial=self.initial_of(agent))
        self.agent, self.white_label = agent, white_label

    @classmethod
    def initial_of(cls, agent: Agent) -> dict[str, Any]:
        """What the form shows of the agent; where the names are the agent's own, nothing more is needed."""
        return {name: getattr(agent, name) for name in cls.base_fields if hasattr(agent, name)}

    def apply(self, agent: Agent) -> None:
        """Write what was typed to the agent."""
        for name, value in self.cleaned_data.items():
            setattr(agent, name, value)


class LookForm(WidgetForm):
    """How bubble and panel look."""

    colour = forms.CharField(
        validators=[colour_validator],
        widget=forms.TextInput({"type": "color"}),
        help_text="Text on it is black or white, whichever reads better.",
    )
    position = forms.ChoiceField(choices=Position.choices, widget=forms.RadioSelect)
    picture = forms.FileField(
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text="PNG, JPEG, GIF or WebP, at most 1 MB.",
    )
    remove_picture = forms.BooleanField(required=False, label="Remove the picture")
    scheme = forms.ChoiceField(choices=SCHEMES, label="Light or dark")
    font = forms.ChoiceField(choices=FONTS)
    launcher = forms.ChoiceField(choices=LAUNCHERS, label="What opens the chat", widget=forms.RadioSelect)
    launcher_text = forms.CharField(
        required=False, max_length=40, label="Text beside the bubble", help_text="Such as “Ask us”."
    )
    radius = forms.IntegerField(
        min_value=0,
        max_value=RADIUS_MOST,
        label="Round corners",
        widget=forms.NumberInput({"type": "range", "min": "0", "max": str(RADIUS_MOST)}),
        help_text="Square at the left, round at the right.",
    )
    offset_x = forms.IntegerField(min_value=0, max_value=OFFSET_MOST, label="Pixels from the side")
    offset_y = forms.IntegerField(min_value=0, max_value=OFFSET_MOST, label="Pixels from the bottom")
    branding = forms.BooleanField(required=False, label="Show “NETVEXA” at the foot of the chat")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.agent.avatar:
            del self.fields["remove_picture"]
        if not self.white_label:
            self.fields["branding"].disabled = True
            self.fields["branding"].help_text = "The Professional plan and those above it can leave it out."

    @classmethod
    def initial_of(cls, agent: Agent) -> dict[str, Any]:
        look = look_of(agent)
        offset = {"offset_x": look["offset"]["x"], "offset_y": look["offset"]["y"]}
        return {**super().initial_of(agent), **look, **offset}

    def clean_picture(self) -> UploadedFile[bytes] | None:
        upload: UploadedFile[bytes] | None = self.cleaned_data["picture"]
        if upload is not None:
            try:
                check_picture(upload)
            except PictureRefused as error:
                raise ValidationError(error.detail) from None
        return upload

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("launcher") == "text" and not given.get("launcher_text"):
            self.add_error("launcher_text", "Give the text that stands beside the bubble.")
        return given

    def apply(self, agent: Agent) -> None:
        given = self.cleaned_data
        agent.colour, agent.position = given["colour"], given["position"]
        if self.white_label:
            agent.branding = given["branding"]
        names = ("scheme", "font", "launcher", "launcher_text", "radius")
        agent.look = {name: given[name] for name in names}
        agent.look["offset"] = {"x": given["offset_x"], "y": given["offset_y"]}
        if given["picture"]:
            set_avatar(agent, given["picture"])
        elif given.get("remove_picture"):
            agent.avatar = ""


class FeaturesForm(WidgetForm):
    """What visitors can do in the panel."""

    attachments_enabled = forms.BooleanField(
        required=False,
        label="Files from visitors",
        help_text="Pictures, PDF and plain text of up to 10 MB. Your team reads them, the agent does not.",
    )
    rating_enabled = forms.BooleanField(
        required=False, label="Rating at the end", help_text="One to five, with a comment."
    )
    transcript_enabled = forms.BooleanField(
        required=False, label="Transcript by e-mail", help_text="Visitors have the conversation sent to them."
    )
    sound_enabled = forms.BooleanField(
        required=False, label="Sound switch", help_text="Visitors may switch a sound on. It is off at first."
    )
    privacy_enabled = forms.BooleanField(
        required=False,
        label="Privacy panel",
        help_text="Visitors download or delete what is kept of them, without asking you.",
    )
    privacy_url = forms.URLField(
        required=False, assume_scheme="https", max_length=500, label="Address of your privacy policy"
    )


class ContactForm(WidgetForm):
    """The form that asks for contact details."""

    leads_enabled = forms.BooleanField(
        required=False, label="Ask for contact details", help_text="What visitors leave stands under Leads."
    )
    when = forms.ChoiceField(
        choices=[
            ("offer", "When the agent has no answer, or in the menu"),
            ("before", "Before the first message"),
        ],
        widget=forms.RadioSelect,
    )
    title = forms.CharField(required=False, max_length=120, help_text="Stands above the fields.")
    consent = forms.CharField(
        required=False,
        max_length=400,
        widget=forms.Textarea({"rows": 2}),
        label="What the visitor agrees to",
        help_text="Such as “We use your details to answer you, and for nothing else.”",
    )
    consent_required = forms.BooleanField(required=False, label="A box to tick before sending")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CONTACT_FIELDS:
            label = "E-mail" if name == "email" else name.capitalize()
            self.fields[f"ask_{name}"] = forms.ChoiceField(choices=_ASKED, required=False, label=label)

    @classmethod
    def initial_of(cls, agent: Agent) -> dict[str, Any]:
        form = lead_form_of(agent)
        default: list[LeadField] = [
            {"name": "name", "type": "text", "required": False},
            {"name": "email", "type": "email", "required": True},
        ]
        asked = {
            f"ask_{field['name']}": "required" if field["required"] else "optional"
            for field in form.get("fields", default)
        }
        return {**super().initial_of(agent), **form, **asked}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("leads_enabled") and not (given.get("ask_email") or given.get("ask_phone")):
            self.add_error(
                "ask_email", "Ask for an e-mail address or a telephone number, or nobody can answer."
            )
        if given.get("consent_required") and not given.get("consent"):
            self.add_error("consent", "Say what the visitor agrees to by ticking the box.")
        return given

    def apply(self, agent: Agent) -> None:
        given = self.cleaned_data
        fields = [
            {"name": name, "type": kind, "required": given[f"ask_{name}"] == "required"}
            for name, kind in CONTACT_FIELDS.items()
            if given[f"ask_{name}"]
        ]
        agent.leads_enabled = given["leads_enabled"]
        agent.lead_form = {"when": given["when"], "fields": fields}
        for name in ("title", "consent"):
            if given[name]:
                agent.lead_form[name] = given[name]
        agent.lead_form["consent_required"] = given["consent_required"]


class HoursForm(WidgetForm):
    """When people of the team are there: two openings a day at most."""

    has_hours = forms.BooleanField(
        required=False,
        label="Business hours",
        help_text="Without them, the chat says nothing of when people are there.",
    )
    time_zone = forms.ChoiceField(choices=[(zone, zone) for zone in sorted(available_timezones())])
    closed = LinesField(
        required=False,
        label="Closed days",
        widget=forms.Textarea({"rows": 3, "placeholder": "2026-12-24"}),
        help_text="Holidays, one on each line, such as 2026-12-24.",
    )
    away = forms.CharField(
        required=False,
        max_length=300,
        label="What visitors read while you are away",
        help_text="When you are back is added to it. Empty takes a sentence of ours, in the visitor’s language.",
    )
    behaviour = forms.ChoiceField(
        choices=BEHAVIOURS, widget=forms.RadioSelect, label="Outside of these hours"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clock = forms.TimeInput({"type": "time"}, format="%H:%M")
        for name in (name for day in range(7) for span in SPANS for name in _names(day, span)):
            self.fields[name] = forms.TimeField(required=False, widget=clock, label=name)

    @classmethod
    def initial_of(cls, agent: Agent) -> dict[str, Any]:
        hours = hours_of(agent)
        shown = hours or _usual_week()
        given: dict[str, Any] = {**shown, "has_hours": hours is not None}
        for day, spans in enumerate(shown["week"]):
            for span, (start, end) in enumerate(spans[: len(SPANS)], start=1):
                names = _names(day, span)
                given |= {names[0]: start, names[1]: "00:00" if end == "24:00" else end}
        return given

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row of the grid for each day."""
        return [
            {"day": DAYS[day], "spans": [[self[name] for name in _names(day, span)] for span in SPANS]}
            for day in range(7)
        ]

    def clean_closed(self) -> list[str]:
        days: list[str] = self.cleaned_data["closed"]
        for day in days:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValidationError(f"“{day}” is not a day. Write it like 2026-12-24.") from None
        if len(days) > 100:
            raise ValidationError("At most 100 days.")
        return sorted(date.fromisoformat(day).isoformat() for day in days)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("has_hours") and not self.errors:
            given["week"] = [self._spans_of(day, given) for day in range(7)]
            if not any(given["week"]):
                self.add_error(None, "Give the hours of at least one day, or switch business hours off.")
        return given

    def _spans_of(self, day: int, given: dict[str, Any]) -> list[tuple[str, str]]:
        spans: list[tuple[str, str]] = []
        for span in SPANS:
            start, end = (given.get(name) for name in _names(day, span))
            if start is None and end is None:
                continue
            if start is None or end is None:
                self.add_error(None, f"{DAYS[day]}: give both ends, or neither.")
                continue
            pair = f"{start:%H:%M}", "24:00" if f"{end:%H:%M}" == "00:00" else f"{end:%H:%M}"
            if pair[0] >= pair[1] or (spans and pair[0] < spans[-1][1]):
                self.add_error(
                    None, f"{DAYS[day]}: an opening ends after it begins, and before the next one."
                )
                continue
            spans.append(pair)
        return spans

    def apply(self, agent: Agent) -> None:
        given = self.cleaned_data
        names = ("time_zone", "week", "closed", "away", "behaviour")
        agent.hours = {name: given[name] for name in names} if given["has_hours"] else None


def _names(day: int, span: int) -> tuple[str, str]:
    return f"day{day}_start{span}", f"day{day}_end{span}"


def _usual_week() -> Hours:
    weekday = [("09:00", "17:00")]
    return {
        "time_zone": "UTC",
        "week": [weekday] * 5 + [[], []],
        "closed": [],
        "away": "",
        "behaviour": "answer",
    }


class TextsForm(WidgetForm):
    """Other words for the widget's own."""

    strings = forms.CharField(
        required=False,
        max_length=20_000,
        label="Texts",
        widget=forms.Textarea(
            {"rows": 8, "spellcheck": "false", "placeholder": "placeholder: Ask us anything"}
        ),
        help_text="One on each line: a name of the list below, a colon, your words."
        " For one language only, put its code ahead, such as de.placeholder.",
    )

    @classmethod
    def initial_of(cls, agent: Agent) -> dict[str, Any]:
        lines: list[str] = []
        for key, text in agent.strings.items():
            for name, words in text.items() if isinstance(text, dict) else [("", text)]:
                lines.append(f"{key}.{name}: {words}" if name else f"{key}: {words}")
        return {"strings": "\n".join(lines)}

    def clean_strings(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["strings"].splitlines())):
            name, colon, words = (part.strip() for part in line.partition(":"))
            language, dot, key = name.rpartition(".")
            if not colon or not words or key not in text_keys() or (dot and not _LOCALE.fullmatch(language)):
                raise ValidationError(f"“{line[:60]}” is not a name of the list, a colon and a text.")
            if len(words) > 300:
                raise ValidationError(f"{name}: keep each text within 300 characters.")
            (found.setdefault(language, {}) if language else found)[key] = words
        return found
