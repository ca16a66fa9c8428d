"""What is left empty or has another type is refused with a sentence, and not guessed at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("conversations/", "agent"),
        ("conversations/", "state"),
        ("curated-answers/", "agent"),
        ("documents/", "source"),
        ("documents/", "status"),
        ("gaps/", "agent"),
        ("gaps/", "state"),
        ("leads/", "order"),
        ("sources/", "agent"),
        ("test-questions/", "agent"),
        ("test-runs/", "agent"),
        ("versions/", "agent"),
        ("versions/", "at"),
        ("versions/", "document"),
    ],
)
@pytest.mark.parametrize("value", ["", "x"])
def test_a_filter_that_is_empty_or_no_such_thing_is_refused(
    api: Integrator, path: str, name: str, value: str
) -> None:
    found = api.get(path, **{name: value})

    assert (found.status_code, found.json()["code"]) == (400, "invalid")
    assert found.json()["detail"].startswith(f"{name} ")
    assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "name", "value", "sentence"),
    [
        ("auth/token/", "code", 0, "This must be a text."),
        ("people/export/", "person", 0, "This must be a text."),
        ("people/erase/", "person", 1.5, "This must be a text."),
        ("agents/", "suggestions", ["Hello?", 1], "This must be a text."),
        ("agents/", "is_active", 0, "This must be true or false."),
        ("agents/", "is_active", "yes", "This must be true or false."),
        ("agents/", "evidence_threshold", "0.5", "This must be a number."),
        ("agents/", "evidence_threshold", True, "This must be a number."),
    ],
)
def test_a_value_of_another_type_is_refused(
    api: Integrator, path: str, name: str, value: Any, sentence: str
) -> None:
    found = api.post(path, {"name": "Ada", name: value} if path == "agents/" else {name: value})

    assert found.status_code == 400
    assert found.json()["fields"] == {name: [sentence]}


def test_a_whole_number_is_a_number_and_nothing_is_left_to_the_field(api: Integrator) -> None:
    found = api.post("agents/", {"name": "Ada", "evidence_threshold": 0, "is_active": None})

    assert found.json()["fields"] == {"is_active": ["This field may not be null."]}
