"""How the widget looks and what it offers, as stored with the agent and as told to pages."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NotRequired, TypedDict

from django.conf import settings

from agents.models import Agent

RADIUS_MOST, OFFSET_MOST = 32, 200  # px
NUDGES_MOST = 10
SCHEMES = [
    ("auto", "As the visitor’s system"),
    ("light", "Light"),
    ("dark", "Dark"),
    ("host", "As the page"),
]
LAUNCHERS = [("bubble", "Bubble"), ("text", "Bubble with a text"), ("hidden", "None: my own button opens it")]
FONTS = [("system", "The system’s"), ("inherit", "The page’s")]
FREQUENCIES = [("session", "Once a visit"), ("day", "Once a day"), ("once", "Once ever")]


class Offset(TypedDict):
    """Distance from the window's edges, in px."""

    x: int
    y: int


class Look(TypedDict):
    """How bubble and panel look; kept in `Agent.look`, where what is missing takes the default."""

    radius: int
    scheme: str
    launcher: str
    launcher_text: str
    offset: Offset
    font: str


class Trigger(TypedDict):
    """All that are given must hold. `url` is a pattern with `*`; `scroll` a percentage."""

    url: NotRequired[str]
    seconds: NotRequired[int]
    scroll: NotRequired[int]
    exit: NotRequired[bool]


class Nudge(TypedDict):
    """A message that the widget shows by itself; kept in `Agent.proactive`."""

    id: str
    text: str
    when: Trigger
    frequency: str


class LeadField(TypedDict):
    """One question of the contact form."""

    name: str
    label: NotRequired[str]
    type: str
    required: bool


class LeadForm(TypedDict):
    """When the widget asks for contact details, and for which; kept in `Agent.lead_form`."""

    when: str
    title: NotRequired[str]
    fields: NotRequired[list[LeadField]]
    consent: NotRequired[str]
    consent_required: NotRequired[bool]


def look_of(agent: Agent) -> Look:
    """The agent's look, whole."""
    default: Look = {
        "radius": 18,
        "scheme": "auto",
        "launcher": "bubble",
        "launcher_text": "",
        "offset": {"x": 20, "y": 20},
        "font": "system",
    }
    default.update(agent.look)
    return default


def lead_form_of(agent: Agent) -> LeadForm:
    """The contact form, whether it is switched on or not."""
    form: LeadForm = {"when": "offer"}
    form.update(agent.lead_form)
    return form


@lru_cache(maxsize=1)
def text_keys() -> dict[str, str]:
    """The widget's own texts in English by key: what an agent may say otherwise."""
    path = settings.BASE_DIR / "widget" / "src" / "locales" / "en.json"
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return {key: text for key, text in texts.items() if isinstance(text, str)}
