"""Answers that a team puts right, kept as knowledge: pairs in a set of the agent's own questions and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from agents.audiences import checked
from agents.models import Agent
from knowledge import documents
from knowledge.models import DocumentStatus, Source, SourceKind
from knowledge.parsing.qa import Pair, dump
from knowledge.questions import checked_pairs, pairs_of
from knowledge.room import check_limits
from tenants.context import current_workspace

TITLE = "Corrected answers"
_SERVING = (DocumentStatus.READY, DocumentStatus.WAITING, DocumentStatus.WORKING)


@dataclass(frozen=True, slots=True)
class Kept:
    """The set that holds a correction now, and whether it was made for it."""

    source: Source
    is_new: bool


def keep(
    agent: Agent, questions: Sequence[str], answer: str, *, audience: str = "", by: UUID | None = None
) -> Kept:
    """Let this answer each of these questions, from as soon as it is read. A question that the set holds gets the new
    answer. Raises Invalid, Closed, LimitReached.
    """
    pairs = checked_pairs([Pair(question, answer) for question in questions])
    audience = checked(audience)
    with transaction.atomic():
        Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)  # one correction at a time
        source = _set_of(agent, audience)
        if source is None:
            check_limits(current_workspace(), adding=len(dump(pairs)))
            made = documents.add_questions(agent, title=TITLE, pairs=pairs, audience=audience, added_by=by)
            return Kept(made, is_new=True)
        documents.update_file(source, dump(checked_pairs([*pairs_of(source), *pairs])), author=by)
        return Kept(source, is_new=False)


def _set_of(agent: Agent, audience: str) -> Source | None:
    """The agent's newest set for this audience; none that has a draft, which would be published with the correction."""
    rows = Source.objects.filter(agent=agent, kind=SourceKind.QUESTIONS, audience=audience)
    rows = rows.filter(documents__status__in=_SERVING).order_by("-created_at")
    return next((source for source in rows if not _has_draft(source)), None)


def _has_draft(source: Source) -> bool:
    newest = source.documents.get().versions.order_by("-number").first()
    return newest is None or newest.draft
