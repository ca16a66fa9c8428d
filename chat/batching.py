"""Many pieces of work in one request to a model: numbered texts go in, one JSON object for each comes out.

What comes out is checked strictly, piece by piece. Those without a valid reply are asked again alone; where nothing
of a reply can be used, its halves are asked, so that a piece that spoils a request is soon alone and the others have
theirs. The texts are data, fenced as passages are (`agents.providers`).

The providers' own batch interfaces are not used. They halve the price and answer within a day, where a person who
takes a conversation over wants its summary within seconds; they differ with every vendor, keep what visitors wrote
at the vendor for up to a month, and compatible servers have none. What a batch of ours saves is measured by
`make bench-background`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from asgiref.sync import async_to_sync
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.providers import (
    Breaker,
    Delta,
    Finished,
    ModelPlan,
    NoModelAnswered,
    Passage,
    Prompt,
    Tally,
    Usage,
    shut_down,
    stream,
)
from agents.providers.messages import estimate_tokens
from chat.feed import Feed

MOST_ITEMS = 16  # of one request
MOST_TOKENS = 12_000  # of its texts
MOST_CALLS = 12  # for one batch, with everything that is asked again
_SPOILT = {
    "filtered",
    "context_length",
    "invalid_request",
    "truncated",
}  # by what was asked, not by the provider


class Reply(BaseModel):
    """What a model says of one piece. Further fields that it thinks of are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, str_strip_whitespace=True)
    n: int


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, kw_only=True)
class Job(Generic[R]):
    """A kind of work. `is_right` looks at a reply beside the text that it is about."""

    system: str
    label: str
    reply: type[R]
    is_right: Callable[[R, str], bool]


@dataclass
class Done(Generic[R]):
    """What came of a batch: replies by the place of their text, who wrote them, and what all requests took.

    `failed` are the places that no model could do; those that stand in neither were not asked to the end, and may be
    asked another time.
    """

    replies: dict[int, R] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    model: str = ""
    calls: int = 0
    usage: Usage = field(default_factory=Usage)


def first_batch(texts: Sequence[str]) -> int:
    """How many of these texts, from the first on, go into one request; at least one."""
    count, room = 0, MOST_TOKENS
    for text in texts[:MOST_ITEMS]:
        room -= estimate_tokens(text)
        if room < 0 and count:
            break
        count += 1
    return count


def ask_now(job: Job[R], texts: Sequence[str], *, plan: ModelPlan) -> Done[R]:
    """`ask` for synchronous code, with what all processes know of the providers' health."""
    return async_to_sync(_ask_and_close)(job, texts, plan)


async def _ask_and_close(job: Job[R], texts: Sequence[str], plan: ModelPlan) -> Done[R]:
    lines = Feed()  # of its own: nothing is shown
    try:
        return await ask(job, texts, plan=plan, breaker=lines.breaker())
    finally:
        await lines.close()
        await shut_down()


async def ask(
    job: Job[R], texts: Sequence[str], *, plan: ModelPlan, breaker: Breaker | None = None
) -> Done[R]:
    """Have a model do these pieces. A provider that is away ends it early; this raises nothing."""
    done: Done[R] = Done()
    waiting = [list(range(len(texts)))]
    while waiting and done.calls < MOST_CALLS:
        places = waiting.pop(0)
        try:
            said = await _said(job, [texts[place] for place in places], done, plan, breaker)
        except NoModelAnswered as failed:
            if not any(attempt.outcome in _SPOILT for attempt in failed.attempts):
                return done
            said = ""
        replies = dict(_valid(job, said, [texts[place] for place in places]))
        done.replies |= {places[number]: reply for number, reply in replies.items()}
        left = [place for number, place in enumerate(places) if number not in replies]
        if len(places) == 1:
            done.failed.update(left)
        elif left:
            waiting += [[place] for place in left] if replies else _halves(left)
    done.failed.update(*waiting)
    return done


def _halves(places: list[int]) -> list[list[int]]:
    middle = len(places) // 2
    return [places[:middle], places[middle:]]


async def _said(
    job: Job[R], texts: list[str], done: Done[R], plan: ModelPlan, breaker: Breaker | None
) -> str:
    """What a model says to one request; what it took is added to `done`, also when it fails."""
    budget = plan.limits.budget_micro_usd
    if budget is not None:
        left = max(0, budget - done.usage.cost_micro_usd)
        plan = replace(plan, limits=replace(plan.limits, budget_micro_usd=left))
    tally, said = Tally(), ""
    done.calls += 1
    try:
        async with aclosing(stream(_prompt(job, texts), plan=plan, breaker=breaker, tally=tally)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    said += event.text
                elif isinstance(event, Finished):
                    done.model = f"{event.provider}:{event.model}"
    finally:
        done.usage += tally.usage
    return said


def _prompt(job: Job[R], texts: list[str]) -> Prompt:
    passages = tuple(
        Passage(
            n=number, chunk_id="", title=job.label, url=None, page=None, heading_path=(), text=text, score=1.0
        )
        for number, text in enumerate(texts, start=1)
    )
    return Prompt(system=job.system, question="Reply with the JSON array now.", passages=passages)


def _valid(job: Job[R], said: str, texts: list[str]) -> Iterator[tuple[int, R]]:
    """The replies that hold, by the place of their text in the request. Two for one text: neither counts."""
    found: dict[int, list[R]] = {}
    for thing in _objects(said):
        try:
            reply = job.reply.model_validate_json(json.dumps(thing))
        except ValidationError:
            continue
        if 1 <= reply.n <= len(texts) and job.is_right(reply, texts[reply.n - 1]):
            found.setdefault(reply.n - 1, []).append(reply)
    yield from ((place, replies[0]) for place, replies in found.items() if len(replies) == 1)


def _objects(said: str) -> Iterator[Any]:
    """The objects of a JSON array, one after the other, as far as it is one: a reply may have been cut off."""
    decoder, at = json.JSONDecoder(), said.find("[") + 1
    if not at:
        return
    while at < len(said):
        while at < len(said) and said[at] in ", \t\r\n":
            at += 1
        try:
            thing, at = decoder.raw_decode(said, at)
        except (ValueError, RecursionError):
            return
        yield thing
