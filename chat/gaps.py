"""Questions asked in vain: found among the answers, brought together by meaning, kept until the team handles them
or the last conversation in which they were asked is deleted: a visitor's words are kept nowhere else.

An answer is in vain when the agent did not know, or a visitor gave it a thumb down. Its question joins the
nearest gap that means about the same, or begins one. Gathering is bounded and can be repeated: an answer is
counted once.

Runs inside the workspace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.models import Agent
from chat.models import Channel, Gap, Message, MessageState, Outcome
from chat.quality_models import GapState
from chat.turns import audiences_of
from knowledge import recall, retrieval
from knowledge.fields import Distance

LOOKS_BACK = timedelta(days=30)
AT_ONCE, AT_NIGHT = 50, 1_000  # answers that a page gathers, and that the nightly task does
MAX_ANSWERS = 500  # of one gap that are read; it keeps the ids of more while they could be counted again
SAME = (
    0.6  # how alike questions are that belong together (`recall.alike`); paraphrases stand at 0.7 and above
)
WORDINGS = 5
DRAFTABLE = 0.3  # evidence below which the nearest passage is no draft of an answer


class Closest(TypedDict):
    """The passage that comes nearest to answering."""

    title: str
    quote: str
    url: str
    evidence: float


class Suggestion(TypedDict):
    """What could close a gap: the wordings that were asked, a draft of an answer, whom the source that it was
    drawn from is meant for, and the passage.
    """

    questions: list[str]
    draft: str
    audience: str
    closest: Closest | None


@dataclass(frozen=True)
class Asking:
    """One time that a gap's question was asked."""

    message: Message
    question: str


def gather(agent_id: UUID, *, limit: int = AT_NIGHT) -> int:
    """Take up what was answered in vain since the last time; how many answers."""
    with transaction.atomic():
        # One at a time, or an answer would be counted twice; writing of conversations goes on meanwhile.
        Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).first()
        taken = Gap.objects.filter(agent_id=agent_id).values_list("answers", flat=True)
        known = {answer_id for answers in taken for answer_id in answers}
        in_vain = {row.pk: row for row in _in_vain(agent_id)}
        new = [row for pk, row in in_vain.items() if pk not in known][:limit]
        for message in new:
            _take_up(agent_id, message, in_vain=in_vain.keys())
    return len(new)


def _in_vain(agent_id: UUID) -> QuerySet[Message]:
    rows = Message.objects.filter(
        Q(outcome=Outcome.ABSTAINED) | Q(feedback=-1),
        conversation__agent_id=agent_id,
        state=MessageState.COMPLETE,
        created_at__gt=timezone.now() - LOOKS_BACK,
        reply_to__isnull=False,
    )
    own = rows.exclude(conversation__channel=Channel.PREVIEW).exclude(reply_to__text="")
    return own.select_related("reply_to").order_by("created_at")


def _take_up(agent_id: UUID, message: Message, *, in_vain: Set[UUID]) -> None:
    mark = recall.fingerprint(asked_in(message), agent_id=agent_id)
    gap = _nearest(agent_id, mark) or Gap(
        agent_id=agent_id,
        profile=mark.profile,
        embedding=mark.vector,
        first_at=message.created_at,
        last_at=message.created_at,
    )
    older, newest = gap.answers[: 1 - MAX_ANSWERS], gap.answers[1 - MAX_ANSWERS :]
    gap.answers = [*(pk for pk in older if pk in in_vain), *newest, message.pk]
    gap.asked += 1
    gap.disliked += message.outcome != Outcome.ABSTAINED
    gap.last_at = max(gap.last_at, message.created_at)
    if gap.state == GapState.HANDLED and gap.handled_at and message.created_at > gap.handled_at:
        gap.state = GapState.OPEN
    gap.save()


def _nearest(agent_id: UUID, mark: recall.Fingerprint) -> Gap | None:
    rows = Gap.objects.filter(agent_id=agent_id, profile=mark.profile)
    row = rows.annotate(distance=Distance("embedding", mark.vector)).order_by("distance").first()
    if row is None or recall.alike(mark, 1 - row.distance) < SAME:  # type: ignore[attr-defined]  # annotated
        return None
    return row


def asked_in(message: Message) -> str:
    """What an answer's question asked, completed where it leaned on the one before."""
    own = message.reply_to.text if message.reply_to else ""
    return str(message.receipt.get("query") or own)


def prune() -> None:
    """Forget the gaps whose conversations are all gone."""
    for gap in Gap.objects.only("pk", "answers"):
        if not Message.objects.filter(pk__in=gap.answers).exists():
            gap.delete()


def askings_of(gaps: Iterable[Gap]) -> dict[UUID, list[Asking]]:
    """Gap to the times it was asked, newest first; what was deleted since is left out."""
    wanted = list(gaps)
    newest = {gap.pk: set(gap.answers[-MAX_ANSWERS:]) for gap in wanted}
    ids = set[UUID]().union(*newest.values())
    rows = (
        Message.objects.filter(pk__in=ids).select_related("reply_to", "conversation").order_by("-created_at")
    )
    found = {row.pk: Asking(row, asked_in(row)) for row in rows}
    order = {pk: place for place, pk in enumerate(found)}
    return {
        gap.pk: [found[pk] for pk in sorted(newest[gap.pk] & found.keys(), key=order.__getitem__)]
        for gap in wanted
    }


def open_gaps(agent: Agent, *, state: GapState = GapState.OPEN) -> QuerySet[Gap]:
    return Gap.objects.filter(agent=agent, state=state).order_by("-asked", "-last_at")


def suggestion_for(gap: Gap) -> Suggestion:
    """The wordings, and a draft from the closest passage where that says something to the point."""
    askings = askings_of([gap])[gap.pk]
    questions = wordings_of(askings)
    nothing = Suggestion(questions=questions, draft="", audience="", closest=None)
    if not questions:
        return nothing
    everyone = _shared_audiences(askings)
    found = retrieval.search(questions[0], agent_id=gap.agent_id, limit=1, audiences=everyone)
    if not found.passages:
        return nothing
    best = found.passages[0]
    closest: Closest = {
        "title": best.title,
        "quote": best.best,
        "url": best.url,
        "evidence": round(found.evidence, 3),
    }
    draft = best.best if found.evidence >= DRAFTABLE else ""
    audience = recall.versions_by_id([best.version_id])[best.version_id].audience
    return {"questions": questions, "draft": draft, "audience": audience, "closest": closest}


def _shared_audiences(askings: Sequence[Asking]) -> list[str]:
    """Those that every asker belonged to: what only some of them may read is no answer to the others."""
    return sorted(set.intersection(*(set(audiences_of(asking.message)) for asking in askings)))


def wordings_of(askings: Sequence[Asking]) -> list[str]:
    """The different ways it was asked, newest first."""
    return list(dict.fromkeys(" ".join(asking.question.split())[:300] for asking in askings))[:WORDINGS]


def settle(gap: Gap, state: GapState, *, by: UUID | None) -> None:
    """Handled, dismissed, or open again."""
    gap.state, gap.handled_by = state, by
    gap.handled_at = None if state == GapState.OPEN else timezone.now()
    gap.save(update_fields=["state", "handled_by", "handled_at"])
