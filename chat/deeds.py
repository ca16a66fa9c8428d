"""What a change of knowledge or of exact answers means to a run: what would be seen, how it is done, and its name.

Runs inside the workspace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agents.gates import Deed
from agents.models import Agent
from chat import curated_changes
from chat.answers import ExactAnswers
from knowledge import proposals
from knowledge.candidates import Overlay
from netvexa.lib.errors import Invalid, NotFound

Change = dict[str, Any]  # of a run: settings by name, or one deed with what it needs
# What changes, for people: a label, what stood before where that tells something, and what stands after.
Told = tuple[str, str | None, str]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a rehearsal sees instead of what holds."""

    overlay: Overlay | None = None
    exact: ExactAnswers | None = None


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """`told` is for people. `do` returns the ids of versions that may serve by it, or False where it cannot be done any
    more. `drop` does what follows from not doing it.
    """

    told: Callable[[Any], list[Told]]
    seen: Callable[[Agent, Any], Seen]
    do: Callable[[Agent, Any, UUID | None], object]
    drop: Callable[[Agent, Any], None] = lambda _agent, _value: None


def _over(overlay_of: Callable[[Any], Overlay]) -> Callable[[Agent, Any], Seen]:
    return lambda _agent, value: Seen(overlay=overlay_of(value))


def _exact(exact_of: Callable[[Agent, Any], ExactAnswers]) -> Callable[[Agent, Any], Seen]:
    return lambda agent, value: Seen(exact=exact_of(agent, value))


def _new(label: str, name_of: Callable[[Any], str]) -> Callable[[Any], list[Told]]:
    return lambda value: [(label, None, name_of(value))]


def _gone(label: str, name_of: Callable[[Any], str]) -> Callable[[Any], list[Told]]:
    return lambda value: [(label, name_of(value), "deleted")]


def _content(ids: list[str]) -> list[Told]:
    changed, new = (proposals.names_of_new(ids, replacing=replacing) for replacing in (True, False))
    return [
        *(("Changed content", None, name) for name in changed),
        *(("New content", None, name) for name in new),
        *(("Page or file", name, "taken away") for name in proposals.names_of_leaving(ids)),
    ]


_KINDS = {
    Deed.PUBLISH: _Kind(
        told=_new("Document", proposals.name_of_version),
        seen=_over(proposals.overlay_of),
        do=lambda _agent, value, _by: proposals.publish(value),
    ),
    Deed.RESTORE: _Kind(
        told=_new("Document", proposals.name_of_version),
        seen=_over(proposals.overlay_of),
        do=lambda _agent, value, by: proposals.restore(value, by=by),
    ),
    Deed.DELETE_SOURCE: _Kind(
        told=_gone("Source", proposals.name_of_source),
        seen=_over(proposals.without_source),
        do=lambda _agent, value, _by: proposals.delete_source(value),
    ),
    Deed.DELETE_DOCUMENT: _Kind(
        told=_gone("Document", proposals.name_of_document),
        seen=_over(proposals.without_document),
        do=lambda _agent, value, _by: proposals.delete_document(value),
    ),
    Deed.AUDIENCE: _Kind(
        told=lambda value: [proposals.told_of_audience(value)],
        seen=_over(proposals.meant_for),
        do=lambda _agent, value, _by: proposals.mean_for(value),
    ),
    Deed.PUSH: _Kind(
        told=lambda value: [proposals.told_of_pushed(value)],
        seen=_over(proposals.with_pushed),
        do=lambda agent, value, by: proposals.push(agent, value, by=by),
    ),
    Deed.EXACT_ANSWER: _Kind(
        told=_new("Exact answer", curated_changes.name_of_wanted),
        seen=_exact(curated_changes.with_answer),
        do=curated_changes.do_save,
    ),
    Deed.DELETE_EXACT_ANSWER: _Kind(
        told=_gone("Exact answer", curated_changes.name_of),
        seen=_exact(lambda _agent, value: curated_changes.without_answer(value)),
        do=curated_changes.do_delete,
    ),
    Deed.IMPORT_EXACT_ANSWERS: _Kind(
        told=_new("Exact answers", curated_changes.name_of_import),
        seen=_exact(curated_changes.with_pairs),
        do=curated_changes.do_import,
    ),
    Deed.CONTENT: _Kind(
        told=_content,
        seen=_over(proposals.with_content),
        do=lambda _agent, value, _by: proposals.let_serve(value),
        drop=lambda _agent, value: proposals.keep_out(value),
    ),
    Deed.PROFILE: _Kind(
        told=_new("Embedding model", str),
        seen=_over(proposals.with_profile),
        do=lambda agent, value, _by: proposals.turn_to(agent.pk, value),
        drop=lambda agent, _value: proposals.stay(agent.pk),
    ),
}


def deed_of(change: Change) -> Deed | None:
    """None where it is of settings, or nothing."""
    return next((deed for deed in Deed if deed.value in change), None)


def is_triable(change: Change) -> bool:
    """Whether a run can see it; what cannot be seen before it is read is tried then."""
    deed = deed_of(change)
    return deed not in (Deed.PUBLISH, Deed.RESTORE) or proposals.is_triable(change[deed])


def seen(agent: Agent, change: Change) -> Seen:
    """Raises NotFound where what it is about is gone."""
    deed = deed_of(change)
    return _KINDS[deed].seen(agent, change[deed]) if deed else Seen()


def told(change: Change) -> list[Told]:
    """What changes, as people read it."""
    deed = deed_of(change)
    return _KINDS[deed].told(change[deed]) if deed else []


def do(agent: Agent, change: Change, *, by: UUID | None) -> list[str] | None:
    """Do it; the versions that may serve by it, or None where it cannot be done any more."""
    if (deed := deed_of(change)) is None:
        raise ValueError("a change of settings is no deed")
    try:
        done = _KINDS[deed].do(agent, change[deed], by)
    except (NotFound, Invalid):  # it is gone, or stands in another state by now
        return None
    if done is False:
        return None
    return done if isinstance(done, list) else []


def drop(agent: Agent, change: Change) -> None:
    """Do what follows from not doing it."""
    if (deed := deed_of(change)) is not None:
        _KINDS[deed].drop(agent, change[deed])
