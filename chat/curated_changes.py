"""Changes of exact answers: made at once, or tried on the agent's test set first.

What is wanted is kept as plain JSON until it is done. Each of `save`, `delete` and `import_pairs` returns the run that
it waits for, or None where it is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict
from uuid import UUID

from agents.gates import Change, Deed, held
from agents.models import Agent
from chat import curated, gaps
from chat.answers import ExactAnswers
from chat.models import CuratedAnswer, CuratedQuestion, Gap, Message
from chat.quality_models import GapState
from knowledge import recall


class Wanted(TypedDict):
    """An exact answer as it is to be. `answer` is the id of one that is there, which was last changed at `since`."""

    answer: str
    since: str
    wordings: list[str]
    text: str
    link: str
    audience: str
    is_active: bool
    message: str
    gap: str


class Imported(TypedDict):
    """Questions with their answers, all of them for one audience."""

    pairs: list[tuple[str, str]]
    audience: str


def save(
    row: CuratedAnswer, wordings: Sequence[str], *, by: UUID | None, gap: Gap | None = None
) -> UUID | None:
    """Store an exact answer with these wordings; `gap` is then handled. Raises Invalid, AlreadyThere."""
    curated.check(row, wordings)
    is_new = row._state.adding
    wanted: Wanted = {
        "answer": "" if is_new else str(row.pk),
        "since": "" if is_new else _since(row),
        "wordings": list(wordings),
        "text": row.answer,
        "link": row.link,
        "audience": row.audience,
        "is_active": row.is_active,
        "message": str(row.message_id or ""),
        "gap": str(gap.pk) if gap else "",
    }
    run = held(Change(row.agent, by, deed=Deed.EXACT_ANSWER, value=wanted))
    if run is None:
        _store(row, wordings, gap=gap, by=by)
    return run


def delete(row: CuratedAnswer, *, by: UUID | None) -> UUID | None:
    run = held(Change(row.agent, by, deed=Deed.DELETE_EXACT_ANSWER, value=str(row.pk)))
    if run is None:
        row.delete()
    return run


def import_pairs(
    agent: Agent, pairs: Sequence[tuple[str, str]], *, by: UUID | None, audience: str = ""
) -> UUID | None:
    """Raises Invalid where there is no room for them."""
    curated.check_room(agent, adding=len(pairs))
    wanted: Imported = {"pairs": list(pairs), "audience": audience}
    run = held(Change(agent, by, deed=Deed.IMPORT_EXACT_ANSWERS, value=wanted))
    if run is None:
        curated.import_pairs(agent, pairs, by=by, audience=audience)
    return run


# As it would be


def with_answer(agent: Agent, wanted: Wanted) -> ExactAnswers:
    answer = CuratedAnswer(
        agent=agent, answer=wanted["text"], link=wanted["link"], audience=wanted["audience"]
    )
    given = [(wording, answer) for wording in wanted["wordings"]] if wanted["is_active"] else []
    without = frozenset[UUID]()
    if wanted["answer"]:
        without = without_answer(wanted["answer"]).without
    return ExactAnswers(without=without, questions=tuple(_questions(agent, given)))


def without_answer(answer_id: str) -> ExactAnswers:
    questions = CuratedAnswer.objects.get_or_404(answer_id).questions
    return ExactAnswers(without=frozenset(questions.values_list("pk", flat=True)))


def with_pairs(agent: Agent, wanted: Imported) -> ExactAnswers:
    audience, pairs = wanted["audience"], dict(wanted["pairs"])
    known = CuratedQuestion.objects.filter(agent=agent, audience=audience, key__in=map(curated.key_of, pairs))
    given = [
        (question, CuratedAnswer(agent=agent, answer=text, audience=audience))
        for question, text in pairs.items()
    ]
    return ExactAnswers(
        without=frozenset(known.values_list("pk", flat=True)), questions=tuple(_questions(agent, given))
    )


def _questions(agent: Agent, given: Sequence[tuple[str, CuratedAnswer]]) -> Iterator[CuratedQuestion]:
    for text, answer in given:
        mark = recall.fingerprint(text, agent_id=agent.pk)
        yield CuratedQuestion(
            agent=agent,
            answer=answer,
            audience=answer.audience,
            text=text,
            key=curated.key_of(text),
            profile=mark.profile,
            embedding=mark.vector,
        )


# Done after the test; each tells whether it still can be, or raises Invalid or NotFound


def do_save(agent: Agent, wanted: Wanted, by: UUID | None) -> bool:
    row = _to_save(agent, wanted, by)
    if row is None:
        return False
    row.answer, row.link = wanted["text"], wanted["link"]
    row.audience, row.is_active = wanted["audience"], wanted["is_active"]
    gap = Gap.objects.filter(pk=wanted["gap"]).first() if wanted["gap"] else None
    _store(row, wanted["wordings"], gap=gap, by=by)
    return True


def _to_save(agent: Agent, wanted: Wanted, by: UUID | None) -> CuratedAnswer | None:
    """None where it was changed or deleted meanwhile."""
    if not wanted["answer"]:
        wrong = Message.objects.filter(pk=wanted["message"]).first() if wanted["message"] else None
        return CuratedAnswer(agent=agent, created_by=by, message=wrong)
    row = CuratedAnswer.objects.get_or_404(wanted["answer"])
    return row if _since(row) == wanted["since"] else None


def do_delete(_agent: Agent, answer_id: str, _by: UUID | None) -> bool:
    CuratedAnswer.objects.get_or_404(answer_id).delete()
    return True


def do_import(agent: Agent, wanted: Imported, by: UUID | None) -> bool:
    curated.import_pairs(agent, wanted["pairs"], by=by, audience=wanted["audience"])
    return True


def name_of_wanted(wanted: Wanted) -> str:
    return f"{wanted['wordings'][0]}: {wanted['text']}"


def name_of(answer_id: str) -> str:
    return CuratedAnswer.objects.get_or_404(answer_id).wordings[0]


def name_of_import(wanted: Imported) -> str:
    return f"{len(wanted['pairs'])} questions of a sheet"


def _store(row: CuratedAnswer, wordings: Sequence[str], *, gap: Gap | None, by: UUID | None) -> None:
    curated.save(row, wordings)
    if gap is not None:
        gaps.settle(gap, GapState.HANDLED, by=by)


def _since(row: CuratedAnswer) -> str:
    return row.updated_at.isoformat()
