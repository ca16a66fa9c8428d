"""make bench-extractive: does the built-in model's answer hold what was asked for? SQuAD v2 (CC BY-SA 4.0).

Questions go through the product's own retrieval in PostgreSQL and the built-in model. An answer is right when
a reference answer stands in it word for word. Off-topic questions (CLINC150) should get none; in the product
most of them are stopped by retrieval's evidence before they come here. An argument is how many questions to
ask (700). Last line: one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")
django.setup()

from agents.models import Agent  # noqa: E402  after setup
from agents.providers import Passage, Sentence  # noqa: E402
from agents.providers.extractive import compose  # noqa: E402
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import Library, workspace  # noqa: E402
from knowledge import retrieval  # noqa: E402

PASSAGES = 5
Row = TypeVar("Row")


def main() -> None:
    data = shared("squad_v2.json.gz")
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 700
    asked = _sample([question for question in data["questions"] if question["a"]], wanted)
    off_topic = _sample([row[0] for row in shared("clinc150_out_of_scope.json.gz")["oos"]], wanted // 3)
    with workspace():
        library = Library(Agent.objects.create(name="Bench"))
        for title, paragraphs in groupby(data["paragraphs"], key=lambda paragraph: paragraph["title"]):
            library.add(title.replace("_", " "), [(p["id"], p["text"]) for p in paragraphs])
        answers = [(_answer(question["q"], library.agent), question["a"]) for question in asked]
        strays = [_answer(question, library.agent) for question in off_topic]
    said = [(text, references) for text, references in answers if text]
    right = sum(_holds(text, references) for text, references in said)
    print(f"{len(answers)} questions, {len(said)} answered, {right} of these hold the reference answer")
    figures = {
        "answered": round(len(said) / len(answers), 4),
        "right_of_answered": round(right / len(said), 4),
        "mean_characters": round(sum(len(text) for text, _ in said) / len(said)),
        "off_topic_answered": round(sum(map(bool, strays)) / len(strays), 4),
    }
    print(json.dumps(figures))


def _sample(rows: Sequence[Row], wanted: int) -> Sequence[Row]:
    return rows[:: max(1, len(rows) // wanted)]


def _answer(question: str, agent: Agent) -> str:
    found = retrieval.search(question, agent_id=agent.pk, limit=PASSAGES)
    return compose(_passage(n, passage) for n, passage in enumerate(found.passages, start=1))


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
    )


def _holds(text: str, references: Sequence[str]) -> bool:
    plain = _plain(text)
    return any(_plain(reference) in plain for reference in references)


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "").lower().split())


if __name__ == "__main__":
    main()
