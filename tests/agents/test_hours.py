"""When the team is there: weeks, breaks, holidays, midnight, and the change of the clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agents.hours import Hours, is_open, next_opening

VIENNA = ZoneInfo("Europe/Vienna")
DAY = [("09:00", "12:00"), ("13:00", "24:00")]


def hours(**changed: object) -> Hours:
    week = [DAY, DAY, DAY, DAY, [("09:00", "12:00")], [], []]
    base = {"time_zone": "Europe/Vienna", "week": week, "closed": ["2026-12-24"], "away": ""}
    return {**base, "behaviour": "answer", **changed}  # type: ignore[typeddict-item]


def at(text: str, zone: ZoneInfo = VIENNA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        ("2026-12-07T09:00", True),
        ("2026-12-07T08:59:59", False),
        ("2026-12-07T12:00", False),
        ("2026-12-07T23:59", True),
        ("2026-12-08T00:00", False),
        ("2026-12-12T10:00", False),
        ("2026-12-24T10:00", False),
    ],
)
def test_the_week_has_openings_breaks_and_closed_days(moment: str, there: bool) -> None:
    assert is_open(hours(), at(moment)) is there


def test_the_hours_are_those_of_the_teams_zone() -> None:
    assert is_open(hours(), at("2026-12-07T08:30", ZoneInfo("UTC")))
    assert not is_open(hours(), at("2026-12-07T18:30", ZoneInfo("America/New_York")))


@pytest.mark.parametrize(
    ("now", "back"),
    [
        ("2026-12-07T12:30", "2026-12-07T13:00"),
        ("2026-12-11T18:00", "2026-12-14T09:00"),
        ("2026-12-23T23:59", "2026-12-25T09:00"),
    ],
)
def test_the_next_opening_passes_breaks_and_weekends(now: str, back: str) -> None:
    assert next_opening(hours(), at(now)) == at(back)


def test_a_team_that_never_opens_promises_nothing() -> None:
    assert next_opening(hours(week=[[]] * 7), at("2026-12-07T12:30")) is None


def test_nine_is_nine_after_the_clock_was_changed() -> None:
    sunday = [[("09:00", "12:00")]] * 7
    opening = next_opening(hours(week=sunday), at("2026-03-28T12:00"))
    assert opening is not None
    assert opening.isoformat() == "2026-03-29T09:00:00+02:00"
