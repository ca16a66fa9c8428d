"""make eval: is what was asked found, is the answer right and its citation true, and does the agent know when not
to answer? Everything goes through the product's own index, retrieval, evidence and built-in model.

SQuAD v2 (English, Wikipedia; answerable, adversarially unanswerable, and asked of an agent that knows other
articles), XQuAD (the same paragraphs in six languages), CLINC150's out-of-scope questions, and our own help centre
with the questions of docs/help/questions.json, some of which it does not answer. What is found and quoted is counted
over every answerable question of SQuAD; an argument is how many of a kind are asked for the rest (600). Last line:
one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import django
import numpy as np

django.setup()

from agents.models import Agent  # noqa: E402  after setup
from agents.providers import Passage, Sentence  # noqa: E402
from agents.providers.extractive import compose  # noqa: E402
from benchmarks.data import PROJECT, shared  # noqa: E402
from benchmarks.evidence import auc  # noqa: E402
from benchmarks.knowledge_workspace import Library, workspace  # noqa: E402
from benchmarks.retrieval import rank  # noqa: E402
from knowledge import retrieval  # noqa: E402
from knowledge.parsing import parse  # noqa: E402

EACH = 600
PASSAGES = 8  # as many as an answer is written from
XQUAD_ARTICLE = 5  # paragraphs
THRESHOLD = 0.5  # an agent's default strictness
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A question and what came of it. `paragraph` and `answers` are the reference; none where there is no answer."""

    question: str
    paragraph: int
    answers: Sequence[str]
    evidence: float
    ranking: Sequence[int]
    text: str
    cited: Sequence[tuple[int, str]]

    @property
    def is_answered(self) -> bool:
        return self.evidence >= THRESHOLD and bool(self.text)

    @property
    def rank(self) -> int:
        return rank(self.ranking, self.paragraph)


def main() -> None:
    each = int(sys.argv[1]) if len(sys.argv) > 1 else EACH
    figures: dict[str, float] = {}
    with workspace():
        figures |= squad(each)
        figures |= manual()
        figures |= xquad(each // 2)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def squad(each: int) -> dict[str, float]:
    data = shared("squad_v2.json.gz")
    outside = [text for text, _ in shared("clinc150_out_of_scope.json.gz")["oos"]]
    whole, *halves = (Library(Agent.objects.create(name=name)) for name in ("All", "Even", "Odd"))
    half_of: dict[int, int] = {}
    for number, (title, group) in enumerate(
        groupby(data["paragraphs"], key=lambda paragraph: paragraph["title"])
    ):
        paragraphs = [(paragraph["id"], paragraph["text"]) for paragraph in group]
        for library in (whole, halves[number % 2]):  # embedded once: the same content is known by its hash
            library.add(title.replace("_", " "), paragraphs)
        half_of |= {paragraph: number % 2 for paragraph, _ in paragraphs}
    every = [q for q in data["questions"] if q["a"]]
    answerable = _sample(every, each)
    adversarial = _sample([q for q in data["questions"] if q["imp"]], each)
    found = [ask(whole, q["q"], q["p"], q["a"]) for q in every]
    kinds = {
        "answerable": [ask(halves[half_of[q["p"]]], q["q"], q["p"], q["a"]) for q in answerable],
        "unanswerable": [ask(halves[half_of[q["p"]]], q["q"]) for q in adversarial],
        "off topic": [ask(halves[1 - half_of[q["p"]]], q["q"]) for q in answerable],
        "chit-chat": [ask(halves[0], text) for text in _sample(outside, each)],
    }
    return _report_search("SQuAD v2", found) | _report_answers(found) | _report_evidence(kinds)


def xquad(each: int) -> dict[str, float]:
    """Evidence is asked about the articles on which it was not fitted (docs/models.md), of an agent that knows half of
    all articles.
    """
    recalls: dict[str, float] = {}
    evidence: list[dict[str, float]] = []
    for language, data in shared("xquad.json.gz")["lang"].items():
        whole, half = (Library(Agent.objects.create(name=f"XQuAD {language}")) for _ in range(2))
        paragraphs, questions = list(enumerate(data["paragraphs"])), _sample(data["questions"], each)
        whole.add("", paragraphs, language=language)
        half.add("", [(n, text) for n, text in paragraphs if _is_in_half(n)], language=language)
        asked = [ask(whole, question, paragraph, [answer]) for question, paragraph, answer in questions]
        recalls[language] = _report_search(f"XQuAD {language}", asked)["recall_5"]
        held_out = [(question, paragraph) for question, paragraph, _ in questions if _is_held_out(paragraph)]
        known = [ask(half, question) for question, paragraph in held_out if _is_in_half(paragraph)]
        unknown = [ask(half, question) for question, paragraph in held_out if not _is_in_half(paragraph)]
        evidence.append(_report_one_language(known, unknown))
    return {
        "xquad_recall_5_min": min(recalls.values()),
        "xquad_off_topic_auc_min": min(row["auc"] for row in evidence),
        "xquad_answerable_min": min(row["answerable"] for row in evidence),
        "xquad_off_topic_max": max(row["off topic"] for row in evidence),
    } | {f"xquad_recall_5_{k}": v for k, v in recalls.items()}


def _is_in_half(paragraph: int) -> bool:
    return paragraph // XQUAD_ARTICLE % 2 == 0


def _is_held_out(paragraph: int) -> bool:
    return paragraph // (2 * XQUAD_ARTICLE) % 2 == 1


def _report_one_language(answerable: Sequence[Asked], off_topic: Sequence[Asked]) -> dict[str, float]:
    known, unknown = (np.array([one.evidence for one in asked]) for asked in (answerable, off_topic))
    figures = {
        "answerable": float((known >= THRESHOLD).mean()),
        "off topic": float((unknown >= THRESHOLD).mean()),
        "auc": auc(known, unknown),
    }
    print(f"{'':14}let through: " + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    return figures


def manual() -> dict[str, float]:
    """The help centre, page by page; a question's reference is its page and words that stand on it."""
    folder = PROJECT / "docs" / "help"
    library = Library(Agent.objects.create(name="Help centre"))
    numbers: dict[str, int] = {}
    for path in sorted(folder.glob("*.md")):
        numbers[path.name] = len(numbers)
        library.add_parsed(parse(path.read_bytes(), name=path.name), numbers[path.name])
    rows = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    known = [
        ask(library, row["question"], numbers[row["page"]], [row["must_contain"]])
        for row in rows
        if row["page"]
    ]
    unknown = [ask(library, row["question"]) for row in rows if not row["page"]]
    figures = _report_search("Help centre", known)
    right = sum(_holds(asked.text, asked.answers) for asked in known if asked.is_answered)
    answered = sum(asked.is_answered for asked in known)
    refused = sum(not asked.is_answered for asked in unknown)
    print(
        f"{'':14}{answered} answered, {right} of them hold the words asked for; {refused} of {len(unknown)} that it"
    )
    print(f"{'':14}does not answer were refused")
    return {
        "manual_recall_5": figures["recall_5"],
        "manual_answered": answered / len(known),
        "manual_right": right / max(1, answered),
        "manual_refused": refused / max(1, len(unknown)),
    }


def ask(library: Library, question: str, paragraph: int = -1, answers: Sequence[str] = ()) -> Asked:
    found = retrieval.search(question, agent_id=library.agent.pk, limit=30)
    paragraphs = [library.paragraph_of[passage.chunk_id] for passage in found.passages]
    shown = found.passages[:PASSAGES]
    text = compose(_passage(n, passage) for n, passage in enumerate(shown, start=1))
    cited = [
        (paragraphs[n - 1], passage.text) for n, passage in enumerate(shown, start=1) if f"[{n}]" in text
    ]
    return Asked(question, paragraph, answers, found.evidence, paragraphs, text, cited)


def _passage(n: int, found: retrieval.Passage) -> Passage:
    return Passage(
        n=n,
        chunk_id=str(found.chunk_id),
        title=found.title,
        url=found.url,
        page=found.page_label,
        heading_path=found.heading_path,
        text=found.text,
        score=found.score,
        sentences=tuple(Sentence(s.text, s.start, s.end, s.score) for s in found.sentences),
        heading_score=found.heading_score,
    )


def _report_search(name: str, asked: Sequence[Asked]) -> dict[str, float]:
    ranks = [one.rank for one in asked]
    figures = {f"recall_{k}": _mean(r <= k for r in ranks) for k in (1, 5, 10)}
    figures["mrr"] = _mean(1 / r if r <= 10 else 0.0 for r in ranks)
    row = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
    print(f"{name:14}{len(asked):5} questions  {row}", flush=True)
    return figures


def _report_answers(asked: Sequence[Asked]) -> dict[str, float]:
    said = [one for one in asked if one.is_answered]
    figures = {
        "answered": len(said) / len(asked),
        "citation_span": _mean(_holds(one.text, one.answers) for one in said),
        "cited_passage_span": _mean(any(_holds(text, one.answers) for _, text in one.cited) for one in said),
        "citation_precision": _mean(p == one.paragraph for one in said for p, _ in one.cited),
        "answer_characters": _mean(len(one.text) for one in said),
    }
    print("Built-in model " + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    return figures


def _report_evidence(kinds: dict[str, list[Asked]]) -> dict[str, float]:
    scores = {kind: np.array([one.evidence for one in asked]) for kind, asked in kinds.items()}
    print(f"{'threshold':>14}" + "".join(f"{kind:>14}" for kind in scores) + "   let through")
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
        print(f"{threshold:14}" + "".join(f"{(part >= threshold).mean():14.3f}" for part in scores.values()))
    refused = {kind: sum(not one.is_answered for one in asked) for kind, asked in kinds.items()}
    should = sum(count for kind, count in refused.items() if kind != "answerable")
    return {
        "off_topic_auc": auc(scores["answerable"], scores["off topic"]),
        "chit_chat_auc": auc(scores["answerable"], scores["chit-chat"]),
        "unanswerable_auc": auc(scores["answerable"], scores["unanswerable"]),
        "abstention_precision": should / max(1, sum(refused.values())),
        "abstention_recall": should
        / sum(len(asked) for kind, asked in kinds.items() if kind != "answerable"),
    }


def _sample(rows: Sequence[T], wanted: int) -> Sequence[T]:
    return rows[:: max(1, len(rows) // wanted)]


def _mean(values: Iterable[float]) -> float:
    listed = [float(value) for value in values]
    return sum(listed) / max(1, len(listed))


def _holds(text: str, references: Iterable[str]) -> bool:
    plain = _plain(text)
    return any(_plain(reference) in plain for reference in references)


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "").lower().split())


if __name__ == "__main__":
    main()
