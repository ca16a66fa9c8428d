"""What answers a question, best first, so that the visitor always reads something useful:

    exact answer → kept answer → primary → fallback → an answer that has just ended → built-in model → links
    → lead form

The rung that spoke and why the ones above it did not stand on the message. Money decides too: a budget that is
used up leaves out the hosted models, never the answer.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agents import keys
from agents.models import ModelSettings, UnsupportedClaims
from agents.providers import Attempt, Finished, ModelPlan, NoModelAnswered, Prompt, plan_for, stream
from chat import cache, clarifying, curated, prompts, recording, spending, statements, wording
from chat.answers import Answer
from chat.citations import Marks, citation_of, says_something
from chat.claims import KEPT, Claims, Showing
from chat.links import Links
from chat.models import Channel, Outcome
from chat.protocol import Stopped
from chat.small_talk import small_talk
from chat.turns import Turn
from chat.wording import Say, said
from knowledge import ambiguity, recall, retrieval
from tenants.context import run_in_tenant
from tenants.postgresql.prepared import fetch

if TYPE_CHECKING:
    from chat.answering import Writing

PASSAGES = 8
LINKS = 3
_STOPPED: dict[str, Stopped] = {"length": "length", "budget": "budget", "interrupted": "error"}


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What there is to answer with: a kept answer, or passages, a plan, and what may be linked to."""

    exact: curated.Hit | None = None
    hit: cache.Hit | None = None
    reading: recall.Reading | None = None
    found: retrieval.SearchResult | None = None
    plan: ModelPlan | None = None
    budget: spending.Budget | None = None
    known: spending.Known | None = None
    hosts: frozenset[str] = frozenset()
    masks_contacts: bool = False
    own_keys: bool = False


@dataclass
class Climb:
    """One way down the ladder: the prompt, and what is noted on the way."""

    writing: Writing
    prompt: Prompt
    found: retrieval.SearchResult
    plan: ModelPlan
    hosts: frozenset[str]
    receipt: dict[str, Any] = field(default_factory=dict)


async def answer_to(writing: Writing) -> Answer:
    """The answer to a turn's question, shown while it is written; its receipt says by which settings."""
    writing.turn = turn = writing.turn.completed()
    made = await _answer_to(writing)
    return replace(made, usage=writing.tally.usage, receipt={**_basis(turn), **made.receipt})


def cut_short(writing: Writing) -> dict[str, Any]:
    """What is kept of an answer that ended before its end: what it was made from, by whom, and what that has cost."""
    receipt = {**_basis(writing.turn), **writing.receipt}
    attempts = writing.tally.attempts
    if not attempts or writing.plan is None:
        return {"receipt": receipt}
    receipt["attempts"] = [recording.of_attempt(attempt) for attempt in attempts]
    last = attempts[-1]
    return {
        "model": f"{last.provider}:{last.model}",
        "rung": last.rung,
        "usage": writing.tally.usage,
        "price": writing.plan.price_of(last.rung).snapshot(last.usage.input_tokens),
        "receipt": receipt,
    }


def _basis(turn: Turn) -> dict[str, Any]:
    basis: dict[str, Any] = {
        "agent_version": turn.agent.version,
        "threshold": turn.agent.evidence_threshold,
    }
    if turn.audiences:
        basis["audiences"] = list(turn.audiences)
    if turn.chosen:
        basis |= {"query": turn.question, "chosen": turn.chosen}
    return basis


async def _answer_to(writing: Writing) -> Answer:
    turn = writing.turn
    if (reply := _without_knowledge(turn)) is not None:
        writing.add(reply)
        return Answer(text=reply, outcome=Outcome.CLARIFY)
    looked = await run_in_tenant(turn.workspace, _look, turn)
    if looked is None:  # before this process could be told of it
        writing.drop()
        raise asyncio.CancelledError
    writing.reading, writing.known = looked.reading, looked.known
    if looked.exact is not None:
        return _exact(writing, looked.exact)
    if looked.hit is not None:
        return _kept(writing, looked.hit)
    if looked.found is None or looked.plan is None:
        raise RuntimeError("neither a kept answer nor a search")
    found, receipt = looked.found, recording.of_search(looked.found)
    if looked.own_keys:
        receipt["own_key"] = True
    writing.plan, writing.receipt = looked.plan, receipt
    if not _is_enough(turn, found):
        return _unanswered(writing, found, receipt)
    if _names_nothing(writing, found) and (asking := _asking_back(writing, found, receipt)) is not None:
        return asking
    prompt = prompts.build(
        turn.agent,
        turn.question,
        history=turn.history,
        passages=found.passages,
        masks_contacts=looked.masks_contacts,
    )
    climb = Climb(writing, prompt, found, looked.plan, looked.hosts, receipt)
    return await _down(climb, looked.budget)


def _without_knowledge(turn: Turn) -> str | None:
    """The reply to what no document answers: a greeting, thanks, a file without a word."""
    if not turn.question:
        return said(Say.FILE, language=turn.language)
    return small_talk(turn.question, language=turn.language)


def _look(turn: Turn) -> Looked | None:
    """Everything that is read from the database before a model is asked, in one go; None where somebody has taken
    the conversation over since.
    """
    is_test = turn.channel == Channel.PREVIEW
    worth = statements.prospect_of(turn.agent.pk, turn.conversation_id, version=turn.version)
    state, row = recall.reading_asked(turn.agent.id), ModelSettings.asked()
    spent = spending.spent_asked(turn.agent, is_test=is_test)
    fetch(worth, state, row, spent)
    prospect, reading, settings = worth.found, state.found, row.found
    if not prospect.is_the_agents:
        return None
    if (prospect.curated or turn.exact) and (exact := curated.look_up(turn)) is not None:
        return Looked(exact=exact)
    if prospect.kept and (hit := cache.look_up(turn, reading=reading)) is not None:
        return Looked(hit=hit)
    found = retrieval.search(
        turn.question,
        agent_id=turn.agent.id,
        limit=PASSAGES,
        history=turn.earlier_questions,
        audiences=turn.audiences,
        reading=reading,
        overlay=turn.overlay,
    )
    known = spending.Known(settings=settings, spent=spent.found)
    budget = spending.tightest(turn.agent, known, tier=turn.tier, spent_here=prospect.spent)
    plan = plan_for(
        turn.tier,
        configured=turn.agent.model or None,
        own_credentials=keys.credentials_of(settings),
        budget_micro_usd=budget.left if budget else None,
    )
    hosts = recall.source_hosts(turn.agent.id, version=reading.version, audiences=turn.audiences)
    return Looked(
        reading=reading,
        found=found,
        plan=plan,
        budget=budget,
        known=known,
        hosts=hosts | frozenset(turn.agent.link_hosts),
        masks_contacts=settings.masks_contacts,
        own_keys=bool(settings.keys),
    )


def _exact(writing: Writing, hit: curated.Hit) -> Answer:
    made = hit.answer()
    writing.add(made.text)
    return replace(made, first_token_ms=writing.first_token_ms)


def _kept(writing: Writing, hit: cache.Hit, *, receipt: dict[str, Any] | None = None) -> Answer:
    made = hit.answer()
    writing.add(made.text)
    return replace(made, first_token_ms=writing.first_token_ms, receipt={**made.receipt, **(receipt or {})})


async def _down(climb: Climb, budget: spending.Budget | None) -> Answer:
    hosted = climb.plan.hosted
    if hosted is None:
        return await _from_model(climb, climb.plan)
    try:
        if budget is not None and not budget.left:
            climb.receipt["why"] = f"The budget of {budget.name} is used up."
        else:
            return await _from_model(climb, hosted)
    except NoModelAnswered as failed:
        climb.receipt["why"] = _why(failed.attempts)
        climb.receipt["attempts"] = [recording.of_attempt(attempt) for attempt in failed.attempts]
    return await _without_hosted_models(climb)


async def _without_hosted_models(climb: Climb) -> Answer:
    writing, turn = climb.writing, climb.writing.turn
    if (stale := await run_in_tenant(turn.workspace, lambda: cache.look_up(turn, stale=True))) is not None:
        return _kept(writing, stale, receipt=climb.receipt)
    made = await _from_model(climb, climb.plan.built_in, stands_in=True)
    return made if made.outcome != Outcome.ABSTAINED else _links(climb, made)


def _why(attempts: tuple[Attempt, ...]) -> str:
    tried = "; ".join(
        f"{attempt.model}: {attempt.outcome.replace('_', ' ')}" for attempt in attempts if attempt.detail
    )
    return f"No hosted model answered ({tried or 'what came was empty'})."


async def _from_model(climb: Climb, plan: ModelPlan, *, stands_in: bool = False) -> Answer:
    """The models' answer. `stands_in`: an abstention is not shown, since another rung follows."""
    writing, showing = climb.writing, _showing(climb, plan)
    writing.marks = showing.marks
    finished, held = None, ""
    events_of = stream(climb.prompt, plan=plan, tally=writing.tally, breaker=writing.feed.breaker())
    async with aclosing(events_of) as events:
        async for event in events:
            if isinstance(event, Finished):
                finished = event
                continue
            held += event.text
            if writing.text or not _may_be_nothing(held):
                writing.add(await showing.feed(held))
                held = ""
    if finished is None:
        raise RuntimeError("the stream ended without saying how")
    climb.receipt["attempts"] = [recording.of_attempt(attempt) for attempt in finished.attempts]
    made_by = _made_by(finished, plan)
    abstained = finished.reason == "abstained" or _is_no_answer(held.strip())
    last = "" if abstained else await showing.rest(held)
    if showing.unsupported:
        climb.receipt["unsupported"] = showing.unsupported[:KEPT]
    if not abstained and (writing.text or says_something(last)):
        writing.add(last)
        return replace(_worded(climb, showing, finished), **made_by)
    if stands_in:
        return Answer(text="", outcome=Outcome.ABSTAINED, **made_by)
    if not abstained and plan.hosted is not None and not showing.unsupported:
        raise NoModelAnswered(finished.attempts)  # what came was empty
    return replace(_unanswered(writing, climb.found, climb.receipt), **made_by)


def _worded(climb: Climb, showing: Showing, finished: Finished) -> Answer:
    """The answer that a model has written and the visitor has read."""
    writing = climb.writing
    if showing.links.removed:
        climb.receipt["links_removed"] = showing.links.removed[:20]
    shows_unsupported = bool(showing.unsupported) and (
        writing.turn.agent.unsupported_claims == UnsupportedClaims.FLAG
    )
    if shows_unsupported:
        writing.add(f"\n\n_{said(Say.UNCONFIRMED, language=writing.turn.language)}_")
    citations = [one for one in showing.marks.citations(writing.text) if f"[{one['n']}]" in writing.text]
    quoted = showing.marks.quoted(writing.text)
    climb.receipt["candidates"] = recording.with_quotes(climb.receipt["candidates"], quoted)
    return Answer(
        text=writing.text,
        outcome=Outcome.ANSWERED if finished.reason != "interrupted" else Outcome.ERROR,
        citations=citations,
        grounded=bool(citations) and not shows_unsupported,
        stopped=_STOPPED.get(finished.reason),
        evidence=climb.found.evidence,
        first_token_ms=writing.first_token_ms,
        receipt=climb.receipt,
    )


def _showing(climb: Climb, plan: ModelPlan) -> Showing:
    """What a model's words pass; the built-in model quotes, so that its sentences need no check."""
    turn, marks = climb.writing.turn, Marks(climb.prompt.passages)
    claims = Claims(
        marks=marks,
        passages=climb.found.passages,
        known=f"{turn.question}\n{turn.agent.name}",
        profile=climb.found.profile,
        policy=turn.agent.unsupported_claims,
    )
    return Showing(Links(climb.hosts), marks, claims if plan.hosted is not None else None)


def _is_no_answer(text: str) -> bool:
    """A model's word for "no answer", or one that was cut off in it."""
    return text.startswith(prompts.NO_ANSWER) or (len(text) > 3 and prompts.NO_ANSWER.startswith(text))


def _may_be_nothing(text: str) -> bool:
    """Whether what a model has sent may still be no answer: its word for that, or marks and spaces only."""
    begun = text.strip()[: len(prompts.NO_ANSWER)]
    return prompts.NO_ANSWER.startswith(begun) or not says_something(text)


def _made_by(finished: Finished, plan: ModelPlan) -> dict[str, Any]:
    return {
        "model": f"{finished.provider}:{finished.model}",
        "rung": finished.rung,
        "usage": finished.usage,
        "price": plan.price_of(finished.rung).snapshot(finished.usage.input_tokens),
    }


def _links(climb: Climb, made: Answer) -> Answer:
    """The best pages, or where there are none, the way to a person."""
    writing, turn = climb.writing, climb.writing.turn
    pages = {passage.url: passage for passage in climb.prompt.passages if passage.url}
    shown = list(pages.values())[:LINKS]
    if shown:
        lines = [f"- [{_plain(passage.title)}]({passage.url}) [{n}]" for n, passage in enumerate(shown, 1)]
        text = "\n".join((said(Say.LINKS, language=turn.language), "", *lines))
    else:
        text = wording.abstention(turn.agent, language=turn.language, what=Say.LATER)
    writing.add(text)
    return replace(
        made,
        text=text,
        citations=[citation_of(n, passage) for n, passage in enumerate(shown, 1)],
        rung="links" if shown else "lead_form",
        evidence=climb.found.evidence,
        first_token_ms=writing.first_token_ms,
        receipt=climb.receipt,
    )


def _plain(title: str) -> str:
    return title.replace("[", "(").replace("]", ")")


def _unanswered(writing: Writing, found: retrieval.SearchResult, receipt: dict[str, Any]) -> Answer:
    """What is said where nothing answers: a question back if there is one to ask, or that the agent does not know."""
    asking = _asking_back(writing, found, receipt)
    if asking is not None:
        return asking
    text = wording.abstention(writing.turn.agent, language=writing.turn.language)
    writing.add(text)
    return Answer(text=text, outcome=Outcome.ABSTAINED, evidence=found.evidence, receipt=receipt)


def _is_enough(turn: Turn, found: retrieval.SearchResult) -> bool:
    """Whether there is something to answer from: enough evidence, or the section that the visitor has chosen."""
    is_chosen = any(clarifying.is_of(passage, turn.chosen) for passage in found.passages)
    return is_chosen or (bool(found.passages) and found.evidence >= turn.agent.evidence_threshold)


def _names_nothing(writing: Writing, found: retrieval.SearchResult) -> bool:
    """Whether nobody could tell what is asked, however well the passages fit."""
    is_first = not writing.turn.chosen and not writing.turn.earlier_questions
    return is_first and ambiguity.names_nothing(found, languages=_languages(writing))


def _asking_back(writing: Writing, found: retrieval.SearchResult, receipt: dict[str, Any]) -> Answer | None:
    """Which of several things is meant; None where the question means one, and never twice in a row."""
    if clarifying.asked_back(writing.turn.history) is not None:
        return None
    fitting = ambiguity.competing(found, languages=_languages(writing))
    choices = clarifying.choices_of(found.query, fitting)
    if choices is None:
        return None
    text = clarifying.worded(choices, language=writing.turn.language)
    writing.add(text)
    return Answer(
        text=text,
        outcome=Outcome.CLARIFY,
        evidence=found.evidence,
        first_token_ms=writing.first_token_ms,
        receipt={**receipt, "asked_back": choices},
    )


def _languages(writing: Writing) -> tuple[str, ...]:
    return writing.reading.languages if writing.reading else ()
