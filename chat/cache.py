"""Answers kept for the next who asks the same: which are kept, and which question gets one again.

The same words first, then the same meaning: a kept question within the agent's similarity, in which
`knowledge.recall.difference` finds nothing that differs, and beside which no other kept question that means the
same rests on other passages (then the question is between two answers, and a model has to look).

Kept in the workspace's schema: entries live and die with the chunks, conversations and agents beside them, are
in the workspace's backup and go with its deletion. An agent has at most MAX_ENTRIES. Over so many an exact scan
took 7.9 ms (median, two busy cores) where a Redis vector set took 4.1: not worth a second store that would have to
be kept in step with all of that.

Runs inside the workspace.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from agents import audiences
from agents.providers import Usage, tier_table
from chat.answers import Answer
from chat.models import CachedAnswer, CachedAnswerQuerySet, CacheState, Channel, Outcome
from chat.statements import defaults_of
from chat.turns import Turn
from knowledge import recall
from knowledge.fields import DISTANCE
from netvexa.lib.ids import new_id
from netvexa.lib.masking import is_personal
from tenants.postgresql.prepared import row_of, rows_of

MAX_ENTRIES = 2_000  # of one agent, about: what is too much is taken away now and then
TIDIED_EVERY = 64  # new entries
MAX_QUESTION = 500  # characters; longer ones tell a story of their own
NEIGHBOURS = 8
AMBIGUITY = 0.15  # how much less alike another kept question may be and still count as meaning the same
STALE_FOR = timedelta(days=1)  # an outage may be bridged with answers that ended this recently
# Numbers whole and with their minus, and every sign that is no punctuation: currencies, "C++", "<", "°".
_WORD = re.compile(
    r"(?:(?<![^\s(])[-−])?\d+(?:[.,:/]\d+)*\w*|\w+|[^\w\s.,;:!?¿¡…'\"`´“”„‘’‚«»‹›()\[\]{}\-−–—/\\]"
)
_REFUSED = (CacheState.REJECTED, CacheState.BANNED)
# Asked for nearly every question: the ORM takes several times as long to write them as the database to answer.
_STANDS = """
     WHERE agent_id = %(agent)s AND language = %(language)s AND audience = %(audience)s
       AND (state IN ('rejected', 'banned', 'pinned')
            OR state = 'live' AND expires_at > %(now)s AND agent_version = %(agent_version)s
               AND knowledge_version = %(knowledge_version)s)
"""
_KEPT = (
    "id", "question", "language", "audience", "agent_version", "knowledge_version", "profile", "embedding", "text",
    "citations", "chunks", "evidence", "model", "message_id", "cost_micro_usd", "took_ms", "state", "created_at",
    "expires_at",
)  # fmt: skip
_ENTRY = """
    SELECT id, question, state, text, citations::text AS citations, chunks, evidence, model, cost_micro_usd, took_ms,
           message_id
"""
_SAME_WORDS = f"{_ENTRY} FROM chat_cachedanswer {_STANDS} AND key = %(key)s LIMIT 1"
_MEANS_THE_SAME = f"""
    SELECT * FROM ({_ENTRY}, embedding {DISTANCE} %(vector)s::halfvec AS distance FROM chat_cachedanswer {_STANDS}
                   AND profile = %(profile)s) AS kept
     WHERE distance <= %(farthest)s ORDER BY distance LIMIT {NEIGHBOURS}
"""  # noqa: S608  only our own words are put in; values are parameters


@dataclass(frozen=True, slots=True)
class Entry:
    """What is read of a kept answer; `citations` are JSON, `message_id` is where it was first given."""

    id: UUID
    question: str
    state: str
    text: str
    citations: str
    chunks: list[UUID]
    evidence: float | None
    model: str
    cost_micro_usd: int
    took_ms: int
    message_id: UUID


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A kept answer that fits. `similarity` is 1 for the same words."""

    entry: Entry
    similarity: float

    def answer(self, *, rung: str = "cached") -> Answer:
        """The same answer object as when it was first given, at no cost."""
        entry = self.entry
        return Answer(
            text=entry.text,
            outcome=Outcome.ANSWERED,
            citations=json.loads(entry.citations),
            grounded=True,
            cached=True,
            evidence=entry.evidence,
            model=entry.model,
            rung=rung,
            usage=Usage(),
            receipt={"cache": self._receipt()},
        )

    def _receipt(self) -> dict[str, Any]:
        return {
            "entry": str(self.entry.id),
            "answer": str(self.entry.message_id),
            "asked": self.entry.question,
            "similarity": round(self.similarity, 4),
            "saved_micro_usd": self.entry.cost_micro_usd,
            "saved_ms": self.entry.took_ms,
        }


def is_shareable(turn: Turn) -> bool:
    """Whether this question's answer may be another visitor's: nothing personal, no file, nothing said before it."""
    return (
        turn.agent.cache_enabled
        and turn.channel != Channel.PREVIEW
        and not turn.has_files
        and _seconds(turn) > 0
        and len(turn.question) <= MAX_QUESTION
        and not is_personal(turn.question)
        and recall.stands_alone(turn.question, history=[spoken.text for spoken in turn.history])
    )


def look_up(turn: Turn, *, reading: recall.Reading | None = None, stale: bool = False) -> Hit | None:
    """The kept answer to this question. `stale` also takes what ended within STALE_FOR.

    `reading` is looked up where the caller has not done so.
    """
    if not is_shareable(turn):
        return None
    reading = reading or recall.reading_of(turn.agent.id)
    hit = _find(turn, reading, now=timezone.now() - (STALE_FOR if stale else timedelta()))
    if hit is None:
        return None
    if not recall.all_there(hit.entry.chunks, agent_id=turn.agent.id, audiences=turn.audiences):
        CachedAnswer.objects.filter(pk=hit.entry.id).delete()
        return None
    return hit


def count(answer: Answer) -> None:
    """Note that a kept answer was given."""
    given = answer.receipt["cache"]
    CachedAnswer.objects.filter(pk=given["entry"]).update(
        hits=F("hits") + 1, saved_ms=F("saved_ms") + given["saved_ms"], last_hit_at=timezone.now()
    )


def _find(turn: Turn, reading: recall.Reading, *, now: datetime) -> Hit | None:
    values = {
        "agent": turn.agent.pk,
        "language": turn.language,
        "audience": audiences.key_of(turn.audiences),
        "agent_version": turn.agent.version,
        "knowledge_version": reading.version,
        "now": now,
    }
    row = row_of(_SAME_WORDS, {**values, "key": key_of(turn)})
    if row is not None:
        same_words = Entry(*row)
        return None if same_words.state in _REFUSED else Hit(entry=same_words, similarity=1.0)
    if turn.agent.cache_similarity >= 1:
        return None
    return chosen(_near(turn, reading, values), threshold=turn.agent.cache_similarity)


def _near(turn: Turn, reading: recall.Reading, values: dict[str, Any]) -> list[Hit]:
    """The kept questions that mean the same, nearest first."""
    mark = recall.fingerprint(turn.question, agent_id=turn.agent.id, reading=reading)
    farthest = 1 - mark.cosine(turn.agent.cache_similarity - AMBIGUITY)
    near = {"profile": mark.profile, "vector": mark.text, "farthest": farthest}
    found = ((Entry(*row), distance) for *row, distance in rows_of(_MEANS_THE_SAME, {**values, **near}))
    return [
        Hit(entry=entry, similarity=mark.likeness(1 - distance))
        for entry, distance in found
        if recall.difference(turn.question, entry.question, language=turn.language) is None
    ]


def chosen(near: list[Hit], *, threshold: float) -> Hit | None:
    """The nearest, if it is near enough, was not refused, and all others rest on what it rests on."""
    if not near or near[0].similarity < threshold:
        return None
    best = near[0].entry
    if any(hit.entry.state in _REFUSED for hit in near if hit.similarity >= threshold):
        return None
    if any(set(best.chunks).isdisjoint(hit.entry.chunks) for hit in near[1:]):
        return None
    return near[0]


def key_of(turn: Turn) -> str:
    """A question's words, whatever their case and punctuation, in its language, of visitors of the same audiences."""
    parts = (turn.language, audiences.key_of(turn.audiences), words_in(turn.question))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def words_in(question: str) -> str:
    """A question's words, whatever their case and punctuation."""
    return " ".join(_WORD.findall(question.casefold()))


def keep(turn: Turn, answer: Answer, *, reading: recall.Reading | None = None) -> bool:
    """Keep the answer for the next who asks; whether it was kept. `reading` is the one it was found with.

    Only what was answered whole, from passages, without what was said before, and by the model that usually
    answers: what a fallback wrote in a bad minute is not repeated for an hour.
    """
    complete = answer.outcome == Outcome.ANSWERED and answer.grounded and answer.stopped is None
    if not complete or answer.cached or not _is_usual(answer) or turn.history or not is_shareable(turn):
        return False
    reading, key = reading or recall.reading_of(turn.agent.id), key_of(turn)
    values = {"agent_id": turn.agent.pk, "key": key, **_fields(turn, answer, reading)}
    is_kept = row_of(_keep_statement(), values) is not None
    if is_kept and int(key[:4], 16) % TIDIED_EVERY == 0:
        _tidy(CachedAnswer.objects.filter(agent_id=turn.agent.id))
    return is_kept


@lru_cache(maxsize=1)
def _keep_statement() -> str:
    """What was banned, pinned or rejected stands; what was rejected of another agent's version or of other
    knowledge gets a new try.
    """
    rest, empty = defaults_of(CachedAnswer, ("agent_id", "key", *_KEPT))
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in _KEPT if name != "id")
    given = ", ".join(f"%({name})s" for name in ("agent_id", "key", *_KEPT))
    return f"""
        INSERT INTO chat_cachedanswer AS kept (agent_id, key, {", ".join(_KEPT)}, {rest})
        VALUES ({given}, {empty})
        ON CONFLICT (agent_id, key) DO UPDATE SET {changed}
         WHERE kept.state = 'live' OR kept.state = 'rejected'
           AND (kept.agent_version, kept.knowledge_version)
               IS DISTINCT FROM (EXCLUDED.agent_version, EXCLUDED.knowledge_version)
        RETURNING kept.id
    """  # noqa: S608  our own columns; values are parameters


def _is_usual(answer: Answer) -> bool:
    """Whether the model wrote it that answers when all is well: nothing above it was tried."""
    return not answer.receipt.get("why") and len(answer.receipt.get("attempts", ())) == 1


def _fields(turn: Turn, answer: Answer, reading: recall.Reading) -> dict[str, Any]:
    now, mark = timezone.now(), recall.fingerprint(turn.question, agent_id=turn.agent.id, reading=reading)
    return {
        "id": new_id(),
        "question": turn.question,
        "language": turn.language,
        "audience": audiences.key_of(turn.audiences),
        "agent_version": turn.agent.version,
        "knowledge_version": reading.version,
        "profile": mark.profile,
        "embedding": mark.text,
        "text": answer.text,
        "citations": json.dumps(answer.citations),
        "chunks": list(dict.fromkeys(UUID(citation["chunk"]) for citation in answer.citations)),
        "evidence": answer.evidence,
        "model": answer.model,
        "message_id": turn.answer_id,
        "cost_micro_usd": answer.usage.cost_micro_usd,
        "took_ms": answer.total_ms or 0,
        "state": CacheState.LIVE.value,
        "created_at": now,
        "expires_at": now + timedelta(seconds=_seconds(turn)),
    }


def _tidy(rows: CachedAnswerQuerySet) -> None:
    """Take away what nothing needs any more, and the oldest beyond MAX_ENTRIES."""
    live = rows.filter(state=CacheState.LIVE)
    live.filter(expires_at__lt=timezone.now() - STALE_FOR).delete()
    surplus = live.order_by("-created_at").values_list("pk", flat=True)[MAX_ENTRIES:]
    live.filter(pk__in=list(surplus)).delete()


def _seconds(turn: Turn) -> int:
    return tier_table().tier(turn.tier).cache_seconds
