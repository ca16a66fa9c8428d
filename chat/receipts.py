"""How an answer came about: what its receipt holds, in the order in which it happened, for a page and the API.

What is stored stands on the message itself, in the statement that stores the answer: see `chat.recording`. It is
bounded: at most eight candidates with their best words and what was chosen of them, and the attempts of a handful of
models.
"""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

from chat.answers import Answer
from chat.models import RUNGS, Author, CuratedAnswer, Message, MessageState, Outcome
from chat.recording import Span
from knowledge import recall
from knowledge.evidence import FEATURES
from netvexa.lib.errors import NotFound


class CandidateEntry(TypedDict):
    """A passage that was found. `spans` are the sentences that were chosen of it; `cited` is its mark in the answer, or
    null; `version` the document's then; `audience` whom its source is meant for now.
    """

    chunk: str
    title: str
    score: float
    vector: float | None
    lexical: float | None
    rerank: float | None
    quote: str
    spans: list[Span]
    page: str
    cited: int | None
    document: str | None
    version: int | None
    still_serves: bool | None
    audience: str


class Step(TypedDict):
    """A part of the way, in milliseconds."""

    name: str
    ms: float


class ReceiptEntry(TypedDict):
    """A receipt as people and programs read it; amounts in micro-USD. `profile` is the embedding model's, `features`
    are what made up the evidence.
    """

    question: str
    searched: str
    rewritten: bool
    outcome: str
    evidence: float | None
    features: dict[str, float]
    profile: str
    threshold: float | None
    agent_version: int | None
    audiences: list[str]
    choices: list[str]
    chosen: str
    rules: list[str]
    candidates: list[CandidateEntry]
    rung: str
    why: str
    model: str
    attempts: list[dict[str, Any]]
    cached: bool
    cache: dict[str, Any] | None
    curated: dict[str, Any] | None
    input_tokens: int
    output_tokens: int
    usage_estimated: bool
    cost_micro_usd: int
    steps: list[Step]


def answer_or_404(message_id: UUID, *, conversation_id: UUID | None = None) -> Message:
    """An agent's whole answer in the current workspace. Raises NotFound."""
    rows = Message.objects.filter(pk=message_id, author=Author.AI, state=MessageState.COMPLETE)
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    message = rows.select_related("conversation__agent", "reply_to").first()
    if message is None:
        raise NotFound("There is no such answer.")
    return message


def receipt_of(message: Message) -> ReceiptEntry:
    """The receipt of a stored answer."""
    return receipt_for(Answer.of(message), question=message.reply_to.text if message.reply_to else "")


def receipt_for(answer: Answer, *, question: str) -> ReceiptEntry:
    """The receipt of any answer. Call inside the workspace."""
    stored = answer.receipt
    searched, weighed = str(stored.get("query", question)), stored.get("features", {})
    return {
        "question": question,
        "searched": searched,
        "rewritten": searched != question,
        "outcome": answer.outcome.value,
        "evidence": answer.evidence,
        "features": {name: weighed[name] for name in FEATURES if name in weighed},
        "profile": stored.get("profile", ""),
        "threshold": stored.get("threshold"),
        "agent_version": stored.get("agent_version"),
        "audiences": list(stored.get("audiences", [])),
        "choices": list(stored.get("asked_back", {}).get("choices", [])),
        "chosen": stored.get("chosen", ""),
        "rules": _rules(answer),
        "candidates": _candidates(answer),
        "rung": RUNGS.get(answer.rung, answer.rung),
        "why": stored.get("why", ""),
        "model": answer.model,
        "attempts": stored.get("attempts", []),
        "cached": answer.cached,
        "cache": stored.get("cache"),
        "curated": stored.get("curated"),
        "input_tokens": answer.usage.input_tokens,
        "output_tokens": answer.usage.output_tokens,
        "usage_estimated": answer.usage.estimated,
        "cost_micro_usd": answer.usage.cost_micro_usd,
        "steps": _steps(answer),
    }


def audience_of(message: Message) -> str:
    """Whom a correction of this answer should be meant for: the audience of the exact answer that was given, or of
    the first restricted source that it cites. A kept answer's passages may stand on no receipt any more.
    """
    if exact := message.receipt.get("curated"):
        return (
            CuratedAnswer.objects.filter(pk=exact["answer"]).values_list("audience", flat=True).first() or ""
        )
    cited = (found["audience"] for found in receipt_of(message)["candidates"] if found["cited"])
    chunks = [UUID(citation["chunk"]) for citation in message.citations if "chunk" in citation]
    return next(filter(None, cited), "") or recall.restricted_to(chunks)


def _rules(answer: Answer) -> list[str]:
    """What decided, in sentences."""
    stored, rules = answer.receipt, list[str]()
    threshold = stored.get("threshold")
    if (
        answer.evidence is not None
        and threshold is not None
        and "curated" not in stored
        and not answer.cached
    ):
        rules += _weighed(answer, answer.evidence, threshold)
    if "curated" in stored:
        rules.append(f"Matched the exact answer to “{stored['curated']['asked']}”.")
    if cache := stored.get("cache"):
        rules.append(f"Kept from “{cache['asked']}”.")
    if stored.get("why"):
        rules.append(str(stored["why"]))
    if links := stored.get("links_removed"):
        rules.append(f"Links to hosts that are not allowed were taken out: {', '.join(links)}.")
    if unsupported := stored.get("unsupported"):
        quoted = " ".join(f"“{sentence}”" for sentence in unsupported)
        rules.append(f"Not supported by the passages cited: {quoted}")
    if answer.stopped:
        rules.append(f"The answer ended early: {answer.stopped}.")
    return rules


def _weighed(answer: Answer, evidence: float, threshold: float) -> list[str]:
    """What the evidence decided, and what a question back or its choice did."""
    stored, passed = answer.receipt, evidence >= threshold
    weighed = f"Evidence {evidence:.2f} against {threshold:.2f} asked for"
    if asked_back := stored.get("asked_back"):
        is_unsure = not passed or "attempts" in stored
        why = "nothing answered it for sure" if is_unsure else "it names nothing itself"
        fit = f"{len(asked_back['choices'])} sections fit the short question about as well"
        return [f"{weighed}; {why}, and {fit}, so the agent asked which is meant."]
    rules, abstained = list[str](), answer.outcome == Outcome.ABSTAINED
    if chosen := stored.get("chosen"):
        rules.append(f"The visitor chose “{chosen}” of what the agent had asked back.")
    if not passed and not abstained:
        rules.append(f"{weighed}, but what was chosen is answered all the same.")
    else:
        said = "so the agent answered" if passed else "so the agent said that it does not know"
        rules.append(f"{weighed}, {said}.")
    if passed and abstained:
        rules.append("The model found no answer in the passages.")
    return rules


def _candidates(answer: Answer) -> list[CandidateEntry]:
    found = _found(answer)
    ids = [UUID(row["version"]) for row in found if row.get("version")]
    versions = recall.versions_by_id(ids) if ids else {}
    marks = {citation["chunk"]: citation["n"] for citation in answer.citations if "chunk" in citation}
    return [_candidate(row, versions, marks) for row in found]


def _found(answer: Answer) -> list[dict[str, Any]]:
    """The passages as they were recorded; those of a kept answer on the receipt of the one that was kept."""
    receipt = answer.receipt
    if first := receipt.get("cache", {}).get("answer"):
        kept = Message.objects.filter(pk=first).values_list("receipt", flat=True).first()
        receipt = kept or receipt
    found: list[dict[str, Any]] = receipt.get("candidates", [])
    return found


def _candidate(
    row: dict[str, Any], versions: dict[UUID, recall.VersionThen], marks: dict[str, int]
) -> CandidateEntry:
    version = versions.get(UUID(row["version"])) if row.get("version") else None
    return {
        "chunk": row["chunk"],
        "title": row["title"],
        "score": row["score"],
        "vector": row.get("vector"),
        "lexical": row.get("lexical"),
        "rerank": row.get("rerank"),
        "quote": row.get("quote", ""),
        "spans": row.get("spans", []),
        "page": row.get("page", ""),
        "cited": marks.get(row["chunk"]),
        "document": str(version.document) if version else None,
        "version": version.number if version else None,
        "still_serves": version.serves if version else None,
        "audience": version.audience if version else "",
    }


def _steps(answer: Answer) -> list[Step]:
    times = answer.receipt.get("retrieval_ms", {})
    names = {
        "embed": "Reading the question",
        "find": "Finding passages",
        "score": "Comparing passages",
        "rerank": "Reranking passages",
    }
    steps = [Step(name=name, ms=times[key]) for key, name in names.items() if key in times]
    if answer.first_token_ms is not None:
        steps.append(Step(name="Until the first word", ms=answer.first_token_ms))
    if answer.total_ms is not None:
        steps.append(Step(name="The whole answer", ms=answer.total_ms))
    return steps
