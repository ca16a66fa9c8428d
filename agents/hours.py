"""When the team is there: a week of opening hours in a time zone, with closed days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal, TypedDict, cast
from zoneinfo import ZoneInfo

from agents.models import Agent

Behaviour = Literal["answer", "form", "hide"]
BEHAVIOURS: list[tuple[Behaviour, str]] = [
    ("answer", "The agent still answers; people are away"),
    ("form", "Only the contact form"),
    ("hide", "No chat at all"),
]
_LOOK_AHEAD = 60  # days in which an opening is looked for


class Hours(TypedDict):
    """`week` has seven lists, Monday first, of ("09:00", "17:00") pairs that do not overlap; an end may be
    "24:00". `closed` has dates as "2026-12-24". `away` is what the team says of its absence, or "".
    """

    time_zone: str
    week: list[list[tuple[str, str]]]
    closed: list[str]
    away: str
    behaviour: Behaviour


def hours_of(agent: Agent) -> Hours | None:
    """The agent's hours; None where the team has set none, which means it is always there."""
    return cast("Hours | None", agent.hours or None)


def is_open(hours: Hours, now: datetime) -> bool:
    """Whether the team is there at this (aware) moment."""
    return any(start <= now < end for start, end in _spans(hours, _day(hours, now)))


def next_opening(hours: Hours, now: datetime) -> datetime | None:
    """When the team is back, in its own time zone; None if that is more than two months ahead."""
    today = _day(hours, now)
    for ahead in range(_LOOK_AHEAD):
        for start, _ in _spans(hours, today + timedelta(days=ahead)):
            if start > now:
                return start
    return None


def is_away(agent: Agent, now: datetime) -> bool:
    """Whether the agent has hours and they are over."""
    hours = hours_of(agent)
    return hours is not None and not is_open(hours, now)


def _day(hours: Hours, now: datetime) -> date:
    return now.astimezone(ZoneInfo(hours["time_zone"])).date()


def _spans(hours: Hours, day: date) -> list[tuple[datetime, datetime]]:
    if day.isoformat() in hours["closed"]:
        return []
    return [
        (_moment(hours, day, start), _moment(hours, day, end))
        for start, end in sorted(hours["week"][day.weekday()])
    ]


def _moment(hours: Hours, day: date, clock: str) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(hours["time_zone"]))
