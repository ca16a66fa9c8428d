"""Test sets: an agent's questions asked without a visitor, and checked against what is expected of the answers.

Every check is arithmetic on words, so that the same answer always gets the same verdict. A run that tries a change
asks each question twice, as the agent is and as it would be, and tells what breaks. Runs are not billed.

Runs inside the workspace.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from agents.gates import Deed
from agents.models import Agent, ChangeGate, Judge
from chat import deeds, judging, rehearsal, verdicts
from chat.answers import Answer
from chat.deeds import Seen
from chat.judging import Judged, Judgement
from chat.models import Expectation, Outcome, Trial
from chat.quality_models import Expected, TrialState, Verdict
from knowledge import proposals, recall
from netvexa.lib.errors import AppError, Invalid, NotFound
from tenants import closing

logger = logging.getLogger(__name__)

STALLED_AFTER = timedelta(minutes=10)  # without a result: no question takes so long
KEPT_RUNS = 20
TEXT_CHARS = 800
_COMPARED = ("agent_version", "knowledge_version", "model")  # of a run's basis


class NotTried(AppError):
    """The agent's own model did not answer: what another one says tells nothing about a change."""

    code = "not_tried"
    status = 503


class Side(TypedDict):
    """One answer to a test question. `failed` are sentences; none of them is a pass.

    `cited` are the passages that the judge still has to read, `judge` is its verdict.
    """

    text: str
    outcome: str
    sources: list[str]
    failed: list[str]
    cited: NotRequired[list[str]]
    judge: NotRequired[Judged]


class Result(TypedDict):
    """What came of one question; `before` is the answer that it is compared with."""

    expectation: str
    question: str
    now: Side
    before: Side | None


def broke(result: Result) -> bool:
    before = result["before"]
    return before is not None and not before["failed"] and bool(result["now"]["failed"])


# Checks


def side_of(expected: Expectation, answer: Answer) -> Side:
    """The answer as a run keeps it, with what is wrong with it."""
    cited = [_named(citation["title"], citation.get("url", "")) for citation in answer.citations]
    return {
        "text": answer.text[:TEXT_CHARS],
        "outcome": answer.outcome.value,
        "sources": list(dict.fromkeys(citation["title"] for citation in answer.citations)),
        "failed": _wrong_outcome(expected, answer)
        or [*_wrong_source(expected, answer, cited), *_wrong_words(expected, answer)],
    }


def _wrong_outcome(expected: Expectation, answer: Answer) -> list[str]:
    abstained = answer.outcome == Outcome.ABSTAINED
    asked_back = "asked_back" in answer.receipt
    if expected.outcome == Expected.ABSTAINED:
        did = "asked back" if asked_back else "answered"
        return [] if abstained else [f"It {did}; it should have said that it does not know."]
    if answer.outcome == Outcome.ANSWERED:
        return []
    if asked_back:
        return ["It asked back; it should have answered."]
    return ["It said that it does not know." if abstained else f"It ended as “{answer.outcome.label}”."]


def _wrong_source(expected: Expectation, answer: Answer, cited: list[str]) -> list[str]:
    wanted = plain(expected.source)
    if not wanted or expected.outcome == Expected.ABSTAINED or "curated" in answer.receipt:
        return []
    if any(wanted in name for name in cited):
        return []
    found = (plain(row["title"]) for row in answer.receipt.get("candidates", []))
    if any(wanted in name for name in found):
        return [f"It found “{expected.source}” but did not cite it."]
    return [f"It did not find “{expected.source}”."]


def _wrong_words(expected: Expectation, answer: Answer) -> list[str]:
    said = plain(answer.text)
    missing = [f"“{words}” is missing." for words in expected.must if not _says(said, words)]
    return missing + [f"“{words}” must not be said." for words in expected.must_not if _says(said, words)]


def _says(said: str, words: str) -> bool:
    """Whether the words stand there; "5 days" does not stand in "15 days", nor "20" in "20.50" or "1,200"."""
    wanted = plain(words)
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else ""
    return re.search(f"{before}{re.escape(wanted)}{after}", said) is not None


def _named(title: str, url: str) -> str:
    return f"{plain(title)} {plain(url)}"


def plain(text: str) -> str:
    """Words as they are compared: case and spaces do not count."""
    return " ".join(text.casefold().split())


# Runs


def begin(
    agent: Agent, *, by: UUID | None, change: dict[str, Any] | None = None, judge: Judge | None = None
) -> Trial:
    """A run that waits for a worker; of the agent as it is, or with these settings. Raises Invalid.

    `judge` is the agent's own setting where it is None.
    """
    total = agent.expectations.count()
    if not total:
        raise Invalid("Add a question to the test set first.")
    trial: Trial = Trial.objects.create(
        agent=agent,
        change=change or {},
        verdict=Verdict.PENDING if change else Verdict.NONE,
        total=total,
        basis=_basis(agent, change or {}),
        judge=agent.judge if judge is None else judge,
        created_by=by,
    )
    surplus = Trial.objects.filter(agent=agent).exclude(state=TrialState.RUNNING).order_by("-created_at")
    Trial.objects.filter(pk__in=list(surplus.values_list("pk", flat=True)[KEPT_RUNS:])).delete()
    return trial


def again(trial: Trial) -> Trial:
    """Another run of a change that was held back, which waits for that one now; while `deciding`. Raises Invalid."""
    new = begin(trial.agent, by=trial.created_by, change=trial.change, judge=Judge(trial.judge))
    verdicts.close(trial)
    return new


def begin_content(agent_id: UUID) -> Trial | None:
    """One run of all content of an agent that was read and waits; none while more comes or a run is under way."""
    with verdicts.deciding(agent_id) as agent:
        waiting = proposals.waiting(agent_id)
        if agent is None or not waiting:
            return None
        if agent.change_gate == ChangeGate.OFF or not agent.expectations.exists():
            proposals.let_serve(waiting)
            return None
        undecided = agent.trials.filter(verdict__in=(Verdict.PENDING, Verdict.HELD))
        for before in undecided.filter(change__has_key=Deed.CONTENT.value):
            if before.verdict == Verdict.PENDING or set(before.change[Deed.CONTENT]) == set(waiting):
                return None
            verdicts.close(before)
        return begin(agent, by=None, change={Deed.CONTENT.value: waiting})


def _basis(agent: Agent, change: dict[str, Any]) -> dict[str, Any]:
    """What a run tries: the agent's state, and what the change would replace."""
    return {
        "agent_version": agent.version,
        "knowledge_version": recall.version_of(agent.pk),
        "model": agent.model or "the plan’s own choice",
        "before": {} if deeds.deed_of(change) else {name: getattr(agent, name) for name in change},
        "told": deeds.told(change),
    }


def run(trial_id: UUID) -> None:
    """Ask every question, keep each result as it comes, and decide about the change at the end."""
    trial = Trial.objects.filter(pk=trial_id, state=TrialState.RUNNING).select_related("agent").first()
    if trial is None:
        return
    known = {result["expectation"] for result in trial.results}
    try:
        earlier = {} if trial.change else _earlier(trial)
        seen = deeds.seen(trial.agent, trial.change)
        for expected in trial.agent.expectations.all():
            if not closing.is_open():
                return  # the run rests, and is taken up when the workspace is open again
            if str(expected.pk) not in known:
                trial.results.append(_tried(trial, expected, earlier, seen))
                trial.save(update_fields=["results", "updated_at"])
        if trial.judge != Judge.OFF:
            _judge(trial)
    except AppError as refused:
        _fail(trial, why=refused.detail)
    except Exception:
        logger.exception("A test run failed")
        _fail(trial)
    else:
        _finish(trial)


def _fail(trial: Trial, *, why: str = "") -> None:
    """The change stays out of use until it is tried again or dropped, unless it goes on whatever the run says."""
    trial.state = TrialState.FAILED
    trial.verdict = Verdict.HELD if trial.change else Verdict.NONE
    trial.basis["failed"] = why
    with verdicts.deciding(trial.agent_id):
        trial.save(update_fields=["state", "verdict", "basis", "updated_at"])
        if verdicts.goes_on(trial):
            verdicts.apply(trial)


def stalled() -> list[UUID]:
    """The runs whose worker is gone, each told once in a while: they go on where they were."""
    now = timezone.now()
    rows = Trial.objects.filter(state=TrialState.RUNNING, updated_at__lt=now - STALLED_AFTER)
    ids = list(rows.values_list("pk", flat=True))
    Trial.objects.filter(pk__in=ids).update(updated_at=now)
    return ids


def _tried(trial: Trial, expected: Expectation, earlier: dict[str, Side], seen: Seen) -> Result:
    agent = trial.agent
    before = earlier.get(str(expected.pk))
    if trial.change:
        before = _asked(trial, agent, expected, Seen())
        agent = verdicts.with_change(agent, trial.change)
    now = _asked(trial, agent, expected, seen)
    return {"expectation": str(expected.pk), "question": expected.question, "now": now, "before": before}


def _asked(trial: Trial, agent: Agent, expected: Expectation, seen: Seen) -> Side:
    """One answer of this run; where it is judged, with the passages that the judge reads. Raises NotTried."""
    answer = rehearsal.rehearse(
        agent, expected.question, audiences=expected.audiences, overlay=seen.overlay, exact=seen.exact
    )
    if trial.change and "why" in answer.receipt:
        raise NotTried(answer.receipt["why"])
    side = side_of(expected, answer)
    if trial.judge != Judge.OFF and answer.outcome == Outcome.ANSWERED:
        side["cited"] = [citation["snippet"] for citation in answer.citations]
    return side


def _judge(trial: Trial) -> None:
    """Have what is not judged yet judged: both answers of a change, since a fault that was there before breaks nothing.

    What is stored is what was booked: a run that goes on later asks the rest.
    """
    known = {str(row.pk): row for row in trial.agent.expectations.all()}
    sides = [
        (result, side)
        for result in trial.results
        for side in (result["now"], result["before"])
        if side and "cited" in side and result["expectation"] in known
    ]
    cases = [
        judging.Case(
            question=result["question"],
            expected=judging.expected_of(known[result["expectation"]]),
            answer=side["text"],
            cited=side["cited"],
            failed=bool(side["failed"]),
        )
        for result, side in sides
    ]

    def keep(verdicts: dict[int, Judged | None], judgement: Judgement) -> None:
        for place, verdict in verdicts.items():
            _keep(sides[place][1], verdict, counts=trial.judge == Judge.COUNT)
        trial.judgement = judgement
        trial.save(update_fields=["results", "judgement", "updated_at"])

    trial.judgement = judging.judge(trial.agent, cases, so_far=trial.judgement, keep=keep)
    for _, side in sides:
        side.pop("cited", None)


def _keep(side: Side, verdict: Judged | None, *, counts: bool) -> None:
    del side["cited"]
    if verdict is None:
        return
    side["judge"] = verdict
    if counts and verdict["faulted"]:
        side["failed"].append(f"The judge: {verdict['reason']}")


def _earlier(trial: Trial) -> dict[str, Side]:
    """The answers of the run before, of the agent as it was."""
    before = previous(trial)
    return {result["expectation"]: result["now"] for result in before.results} if before else {}


def previous(trial: Trial) -> Trial | None:
    """The last finished run whose state was or came into use."""
    rows = Trial.objects.filter(agent=trial.agent, state=TrialState.DONE, created_at__lt=trial.created_at)
    return rows.filter(verdict__in=(Verdict.NONE, Verdict.APPLIED)).order_by("-created_at").first()


def _finish(trial: Trial) -> None:
    """Once: a task that was delivered twice waits here, and finds the run done."""
    trial.passed = sum(not result["now"]["failed"] for result in trial.results)
    trial.broken = sum(map(broke, trial.results))
    trial.state, trial.total = TrialState.DONE, len(trial.results)
    if trial.change:
        trial.verdict = Verdict.HELD
    with verdicts.deciding(trial.agent_id):
        if not Trial.objects.filter(pk=trial.pk, state=TrialState.RUNNING).exists():
            return
        trial.save()
        if trial.change and (not trial.broken or verdicts.goes_on(trial)):
            verdicts.apply(trial)


def earlier_runs(trial: Trial) -> QuerySet[Trial]:
    """Finished runs of the same test set that it can be compared with, newest first."""
    return Trial.objects.filter(
        agent=trial.agent, state=TrialState.DONE, created_at__lt=trial.created_at
    ).order_by("-created_at")


def earlier_run(trial: Trial, run_id: UUID | None) -> Trial | None:
    """The one with this id; None where none is asked for. Raises NotFound where it is none of `earlier_runs`."""
    if run_id is None:
        return None
    found = earlier_runs(trial).filter(pk=run_id).first()
    if found is None:
        raise NotFound("There is no such earlier run of this test set.")
    return found


def compared(trial: Trial, other: Trial | None) -> list[Result]:
    """Its results beside those of another run, or else of what it was made to be compared with."""
    results: list[Result] = trial.results
    if other is None:
        return results
    sides: dict[str, Side] = {result["expectation"]: result["now"] for result in other.results}
    return [
        {
            "expectation": result["expectation"],
            "question": result["question"],
            "now": result["now"],
            "before": sides.get(result["expectation"]),
        }
        for result in results
    ]


class Difference(TypedDict):
    """One thing in which a run differs from what it is compared with."""

    name: str
    before: str | None  # None where that tells nothing, as of what is new
    now: str


def changes_of(trial: Trial, other: Trial | None = None) -> list[Difference]:
    """What changed: what the run tries, or what is other than at another run, or else the run before."""
    if trial.basis.get("told"):
        return [Difference(name=name, before=old, now=new) for name, old, new in trial.basis["told"]]
    if trial.change:
        live = trial.basis.get("before", {})
        pairs = [(name, live.get(name, ""), now) for name, now in trial.change.items()]
    elif (before := other or previous(trial)) is not None:
        pairs = [(name, _compared(before, name), _compared(trial, name)) for name in _COMPARED]
    else:
        return []
    return [
        Difference(name=name.replace("_", " ").capitalize(), before=str(old), now=str(new))
        for name, old, new in pairs
        if old != new
    ]


def _compared(trial: Trial, name: str) -> str:
    stands = str(trial.basis.get(name, ""))
    return recall.told_version(stands) if stands and name == "knowledge_version" else stands
