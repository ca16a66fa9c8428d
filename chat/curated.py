"""Exact answers: what the team has written is given as it stands, before anything is searched or generated.

The same words always count. Otherwise a wording has to lie within THRESHOLD of the question and say the same by
`knowledge.recall.difference` (numbers, negation, kind, direction, content words), and no other answer's wording
may fit as well: then the question stands between two answers, and is answered from the sources.

Runs inside the workspace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from agents.models import Agent
from chat.answers import Answer, ExactAnswers
from chat.cache import words_in
from chat.models import Channel, Message, Outcome
from chat.protocol import Citation
from chat.quality_models import MAX_ANSWER, MAX_QUESTION, CuratedAnswer, CuratedQuestion
from chat.turns import Turn
from knowledge import recall
from knowledge.fields import Distance
from knowledge.questions import pairs_of_csv
from netvexa.lib.errors import Invalid

THRESHOLD = 0.85  # likeness, on one scale for all profiles; the comparison of words is the stricter judge
NEIGHBOURS = 8
MAX_WORDINGS = 20  # of one answer
MAX_QUESTIONS = 2_000  # of one agent
AT_ONCE = 20  # vectors that a page waits for; more are made by a task
SNIPPET_CHARS = 240


class AlreadyThere(Invalid):
    """Another exact answer of this agent has the same question."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A wording that was asked. `similarity` is 1 for the same words."""

    question: CuratedQuestion
    similarity: float

    def answer(self) -> Answer:
        """The answer as it was written, with its link as a citation."""
        row = self.question.answer
        text, citations = row.answer, list[Citation]()
        if row.link:
            text = f"{text} [1]"
            title = urlsplit(row.link).hostname or row.link
            citations = [{"n": 1, "title": title, "url": row.link, "snippet": row.answer[:SNIPPET_CHARS]}]
        return Answer(
            text=text,
            outcome=Outcome.ANSWERED,
            citations=citations,
            grounded=True,
            evidence=1.0,
            rung="curated",
            receipt={"curated": self._receipt()},
        )

    def _receipt(self) -> dict[str, object]:
        return {
            "answer": str(self.question.answer_id),
            "asked": self.question.text,
            "similarity": round(self.similarity, 4),
        }


def look_up(turn: Turn) -> Hit | None:
    """The exact answer to this question, counted as a hit unless the team tries it."""
    hit = _find(turn)
    if hit is not None and turn.channel != Channel.PREVIEW:
        CuratedAnswer.objects.filter(pk=hit.question.answer_id).update(
            hits=F("hits") + 1, last_hit_at=timezone.now()
        )
    return hit


def _find(turn: Turn) -> Hit | None:
    exact = turn.exact or ExactAnswers()
    rows = CuratedQuestion.objects.filter(
        agent_id=turn.agent.id, answer__is_active=True, audience__in=["", *turn.audiences]
    )
    rows = rows.exclude(pk__in=exact.without) if exact.without else rows
    proposed = [row for row in exact.questions if row.audience in ("", *turn.audiences)]
    key = key_of(turn.question)
    # One look: the row with the same words (one that is meant for this visitor first), else any row, which tells
    # that a closer look is worth its cost.
    stored = rows.defer("embedding").select_related("answer").annotate(same=Q(key=key))
    found = [*stored.order_by("-same", "-audience")[:1], *proposed]
    if not found:
        return None
    first = max(found, key=lambda row: (row.key == key, row.audience))
    if first.key == key and not (turn.history and recall.refers_back(turn.question)):
        return Hit(question=first, similarity=1.0)
    said = [spoken.text for spoken in turn.history]
    if len(turn.question) > MAX_QUESTION or not recall.stands_alone(turn.question, history=said):
        return None
    return _nearest(rows, turn, proposed)


def _nearest(rows: QuerySet[CuratedQuestion], turn: Turn, proposed: Sequence[CuratedQuestion]) -> Hit | None:
    mark = recall.fingerprint(turn.question, agent_id=turn.agent.id)
    near = rows.filter(profile=mark.profile).defer("embedding").select_related("answer")
    near = near.annotate(distance=Distance("embedding", mark.vector))
    near = near.filter(distance__lte=1 - mark.cosine(THRESHOLD)).order_by("distance")[:NEIGHBOURS]
    found: list[tuple[CuratedQuestion, float]] = [(row, 1 - row.distance) for row in near]
    found += [
        (row, cosine) for row in proposed if (cosine := mark.to(row.embedding)) >= mark.cosine(THRESHOLD)
    ]
    same = [
        Hit(question=row, similarity=mark.likeness(cosine))
        for row, cosine in sorted(found, key=lambda pair: -pair[1])[:NEIGHBOURS]
        if recall.difference(turn.question, row.text, language=turn.language) is None
    ]
    same = [hit for hit in same if hit.question.audience] or same  # what is meant for this visitor goes first
    if len({hit.question.answer_id for hit in same}) != 1:
        return None
    return same[0]


def key_of(question: str) -> str:
    return hashlib.sha256(words_in(question).encode()).hexdigest()


def hits_of(answer: CuratedAnswer) -> QuerySet[Message]:
    """The log: the messages in which it was given, newest first."""
    given = Message.objects.filter(rung="curated", receipt__curated__answer=str(answer.pk))
    return given.select_related("conversation", "reply_to").order_by("-created_at")


def check(answer: CuratedAnswer, wordings: Sequence[str]) -> dict[str, str]:
    """Key to wording, as they would be stored. Raises Invalid, AlreadyThere."""
    wanted = _checked(answer, wordings)
    same = CuratedQuestion.objects.filter(agent=answer.agent, audience=answer.audience, key__in=wanted)
    if (other := same.exclude(answer=answer.pk).first()) is not None:
        raise AlreadyThere(f"Another exact answer has the question “{other.text}” already. Change that one.")
    check_room(answer.agent, adding=len(wanted))
    return wanted


def save(answer: CuratedAnswer, wordings: Sequence[str]) -> CuratedAnswer:
    """Store an answer with exactly these wordings of its question. Raises Invalid, AlreadyThere."""
    with transaction.atomic():
        wanted = check(answer, wordings)
        answer.save()
        answer.questions.exclude(key__in=wanted).delete()
        answer.questions.update(audience=answer.audience)
        known = set(answer.questions.values_list("key", flat=True))
        CuratedQuestion.objects.bulk_create(
            CuratedQuestion(agent=answer.agent, answer=answer, audience=answer.audience, text=text, key=key)
            for key, text in wanted.items()
            if key not in known
        )
    make_vectors(answer.agent_id, limit=AT_ONCE)
    return answer


def _checked(answer: CuratedAnswer, wordings: Sequence[str]) -> dict[str, str]:
    """Key to wording. Raises Invalid."""
    answer.answer = answer.answer.strip()
    if not answer.answer or len(answer.answer) > MAX_ANSWER:
        raise Invalid(f"Write an answer of up to {MAX_ANSWER:,} characters.")
    wanted = {key_of(text): text for wording in wordings if words_in(text := " ".join(wording.split()))}
    if not wanted or len(wanted) > MAX_WORDINGS:
        raise Invalid(f"Write one to {MAX_WORDINGS} questions, one on each line.")
    if any(len(text) > MAX_QUESTION for text in wanted.values()):
        raise Invalid(f"Keep each question within {MAX_QUESTION} characters.")
    return wanted


def check_room(agent: Agent, *, adding: int) -> None:
    if CuratedQuestion.objects.filter(agent=agent).count() + adding > MAX_QUESTIONS:
        raise Invalid(
            f"An agent has up to {MAX_QUESTIONS:,} questions with exact answers. Remove some first."
        )


def pairs_in(data: bytes) -> list[tuple[str, str]]:
    """The questions of a CSV file with their answers. Raises Invalid."""
    pairs = [(pair.question, pair.answer) for pair in pairs_of_csv(data)]
    too_long = next((question for question, answer in pairs if len(answer) > MAX_ANSWER), None)
    if too_long is not None:
        raise Invalid(f"The answer to “{too_long}” is longer than {MAX_ANSWER:,} characters.")
    return pairs


def import_pairs(
    agent: Agent, pairs: Sequence[tuple[str, str]], *, by: UUID | None, audience: str = ""
) -> None:
    """Store questions with their answers; a question that is there gets the new answer. Raises Invalid.

    All are meant for `audience`; what others get on the same question stays. Rows with the same answer become its
    wordings.
    """
    with transaction.atomic():
        check_room(agent, adding=len(pairs))
        for question, text in pairs:
            _import(agent, question, text, by, audience)
        CuratedAnswer.objects.filter(agent=agent, questions=None).delete()


def _import(agent: Agent, question: str, text: str, by: UUID | None, audience: str) -> None:
    rows = CuratedAnswer.objects.filter(agent=agent, audience=audience, answer=text)
    answer = rows.first() or CuratedAnswer.objects.create(
        agent=agent, audience=audience, answer=text, created_by=by
    )
    CuratedQuestion.objects.update_or_create(
        agent=agent,
        audience=audience,
        key=key_of(question),
        defaults={"answer": answer, "text": question, "profile": "", "embedding": None},
    )


def make_vectors(agent_id: UUID, *, limit: int | None = None) -> bool:
    """Make the vectors that are missing or of another embedding profile; whether none is left to make."""
    profile = recall.reading_of(agent_id).profile
    rows = CuratedQuestion.objects.filter(agent_id=agent_id).exclude(profile=profile.id)
    for row in rows.all()[:limit]:
        mark = recall.fingerprint(row.text, agent_id=agent_id)
        row.profile, row.embedding = mark.profile, mark.vector
        row.save(update_fields=["profile", "embedding"])
    return not rows.exists()
