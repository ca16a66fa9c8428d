"""make bench-search: does a search stay quick and exact in a workspace of 100,000 chunks, with 200 others beside it?

Embedding 100,000 chunks takes hours here, so they are varied from real ones (SQuAD v2's paragraphs, embedded by the
product's model). A chunk's text is four sentences of its article, with their real terms and word vectors, and an
order number of its own now and then, so that the vocabulary keeps growing. Its vector is that of a real chunk plus
half the difference of two others of the same article: differences of real vectors keep the directions in which real
vectors spread, which noise would not.

Times are of `retrieval.search` without the model's part, warm, one question after another; growth compares their
medians with a workspace of 1,000 chunks. Recall is that of the index's ten nearest, with the product's settings,
against the exact ten. The same is asked of an agent that has FEW chunks in the large workspace. Arguments: chunks
(100000), workspaces beside (200). Last line: one JSON object.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import django
import numpy as np
from pgvector import HalfVector

django.setup()

from django.db import connection, transaction  # noqa: E402  after setup

from agents.models import Agent  # noqa: E402
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import workspace  # noqa: E402
from benchmarks.provision import make  # noqa: E402
from knowledge import candidates, index, retrieval  # noqa: E402
from knowledge.blocks import Block, BlockKind, ParsedDocument  # noqa: E402
from knowledge.embedding import DEFAULT_PROFILE, EmbeddingInput, embed_texts, encoder_for  # noqa: E402
from knowledge.embedding.pooling import Floats, unit  # noqa: E402
from knowledge.fields import DISTANCE, quoted_lexeme  # noqa: E402
from knowledge.ingest import passages_of  # noqa: E402
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version  # noqa: E402
from knowledge.terms import content_terms  # noqa: E402
from netvexa.lib.ids import new_id  # noqa: E402
from tenants.context import current_workspace, owner  # noqa: E402

PER_DOCUMENT = 1000
SMALL = 1000
FEW = 100  # chunks of an agent beside the large one
SENTENCES = 4
QUESTIONS = 200
COLUMNS = (
    "id, version_id, agent_id, ordinal, heading_path, page, page_label, anchor, text, spans, tokens, content_hash,"
    " profile, embedding, words, lexical, search"
)


@dataclass(frozen=True)
class Article:
    """`sentences` are (text, hexadecimal word vectors, number of words, terms); `vectors` those of whole chunks."""

    title: str
    sentences: list[tuple[str, str, int, list[str]]]
    vectors: Floats


def main() -> None:
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    beside = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    data = shared("squad_v2.json.gz")
    articles = [
        _article(title, [p["text"] for p in group][:20])
        for title, group in groupby(data["paragraphs"], key=lambda paragraph: paragraph["title"])
    ]
    asked = [q["q"] for q in data["questions"]]
    asked = asked[:: len(asked) // QUESTIONS][:QUESTIONS]
    for _ in range(beside):
        make()
    with workspace():
        (agent,) = _filled(articles, SMALL)
        small = _times(agent, asked)
    with workspace():
        agent, lesser = _filled(articles, chunks, FEW)
        large, beside_it = _times(agent, asked), _times(lesser, asked)
        settings = candidates.settings_for(chunks)
        recall, recall_beside = (_recall(one, asked, settings=settings) for one in (agent, lesser))
    print(f"{'chunks':>10}{'p50 ms':>10}{'p95 ms':>10}   ({beside} workspaces beside)")
    for count, times in ((SMALL, small), (chunks, large)):
        print(f"{count:10}{statistics.median(times):10.1f}{_p95(times):10.1f}")
    print(
        f"{FEW:10}{statistics.median(beside_it):10.1f}{_p95(beside_it):10.1f}   (beside the {chunks} of another agent)"
    )
    figures = {
        "p95_ms": round(_p95(large), 1),
        "hnsw_recall_10": round(recall, 4),
        "growth": round(statistics.median(large) / statistics.median(small), 2),
        "p50_ms": round(statistics.median(large), 1),
        "small_agent_p95_ms": round(_p95(beside_it), 1),
        "small_agent_recall_10": round(recall_beside, 4),
    }
    print(json.dumps(figures))


def _article(title: str, paragraphs: list[str]) -> Article:
    name = title.replace("_", " ")
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in paragraphs)
    passages = passages_of(ParsedDocument(name, "en", blocks, "text/plain"), DEFAULT_PROFILE)
    coming = embed_texts([passage.reading for passage in passages], profile=DEFAULT_PROFILE)
    embedded = [vectors.result() for vectors in coming]
    sentences = []
    for passage, vectors in zip(passages, embedded, strict=True):
        at = len(vectors.words) - sum(passage.spans[3::4])
        for start, end, _, count in zip(*(iter(passage.spans),) * 4, strict=True):
            text = passage.draft.text[start:end]
            terms = [term.text for term in content_terms(text, language="en")]
            sentences.append((text, vectors.words[at : at + count].tobytes().hex(), count, terms))
            at += count
    return Article(name, sentences, np.stack([vectors.vector for vectors in embedded]))


def _filled(articles: list[Article], *sizes: int) -> list[Agent]:
    """Agents with so many chunks each, copied in; the graph is built afterwards, which is quicker and the same."""
    agents = [Agent.objects.create(name=f"Agent of {size}") for size in sizes]
    versions = [_versions(agent, size) for agent, size in zip(agents, sizes, strict=True)]
    # Only the owner of tables may take an index away and build it anew.
    with owner(current_workspace().schema_name), connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'chunk_embedding_hnsw'"
            " AND schemaname = current_schema()"
        )
        definition = cursor.fetchone()[0]
        cursor.execute("DROP INDEX chunk_embedding_hnsw")
        with cursor.copy(f"COPY knowledge_chunk ({COLUMNS}) FROM STDIN") as copy:
            for agent, size, its in zip(agents, sizes, versions, strict=True):
                for row in _rows(articles, size, agent, its):
                    copy.write_row(row)
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(definition)
        cursor.execute("ANALYZE knowledge_chunk")
    for version in chain.from_iterable(versions):
        index.count_in(version)
    return agents


def _versions(agent: Agent, chunks: int) -> list[Version]:
    """Those that serve, with room for so many chunks."""
    source = Source.objects.create(agent=agent, kind=SourceKind.TEXT, title=agent.name)
    versions = []
    for number in range(-(-chunks // PER_DOCUMENT)):
        document = Document.objects.create(source=source, title=f"Part {number}", status=DocumentStatus.READY)
        version = Version.objects.create(document=document, number=1, language="en", chunk_count=PER_DOCUMENT)
        document.live = version
        document.save()
        versions.append(version)
    return versions


def _rows(
    articles: list[Article], chunks: int, agent: Agent, versions: list[Version]
) -> Iterator[list[object]]:
    chance = random.Random(1)
    for number in range(chunks):
        article = articles[
            min(len(articles) - 1, int(chance.paretovariate(1.1)) - 1)
        ]  # some subjects are common
        parts = chance.choices(article.sentences, k=SENTENCES)
        order = f"Reference {number}." if number % 3 == 0 else ""
        text, spans, terms = "", [], [*content_terms_of(article.title), str(number)] if order else []
        for sentence, _, count, words in parts:
            text += " " if text else ""
            spans += [len(text), len(text) + len(sentence), 0, count]
            text += sentence
            terms += words
        base, one, other = (chance.randrange(len(article.vectors)) for _ in range(3))
        vector = unit(article.vectors[base] + (article.vectors[one] - article.vectors[other]) / 2)
        yield [
            new_id(), versions[number // PER_DOCUMENT].pk, agent.pk, number % PER_DOCUMENT, [article.title], None, "",
            "", f"{text} {order}".strip(), spans, 150, f"{number:064x}", DEFAULT_PROFILE.id,
            HalfVector(vector).to_text(), "\\x" + "".join(part[1] for part in parts),
            index.document_weights(terms).to_text(), " ".join(map(quoted_lexeme, sorted(set(terms)))),
        ]  # fmt: skip


def content_terms_of(title: str) -> list[str]:
    return [term.text for term in content_terms(title, language="en")]


def _times(agent: Agent, asked: list[str]) -> list[float]:
    """Milliseconds of each search without the model's part, in the second round: the first warms the caches."""
    for question in asked:
        retrieval.search(question, agent_id=agent.pk)
    found = [retrieval.search(question, agent_id=agent.pk).timings for question in asked]
    return [times.find + times.score for times in found]


def _recall(agent: Agent, asked: list[str], *, settings: str) -> float:
    """The mean share of the ten nearest that the index finds, as the product asks it."""
    encoder = encoder_for(DEFAULT_PROFILE.id)
    shares = []
    for embedded in encoder.embed([EmbeddingInput(question) for question in asked[:100]]):
        values = {
            "agent": agent.pk,
            "profile": DEFAULT_PROFILE.id,
            "audiences": [""],
            "vector": HalfVector(embedded.vector).to_text(),
        }
        exact = _nearest("SET LOCAL enable_indexscan = off", values)
        shares.append(len(exact & _nearest(settings, values)) / 10)
    return statistics.fmean(shares)


def _nearest(setting: str, values: dict[str, Any]) -> set[object]:
    """The ten nearest of the neighbours that a search takes; relaxed order may return them a little mixed."""
    distance = f"c.embedding {DISTANCE} %(vector)s::halfvec"
    order = f"ORDER BY {distance} LIMIT {candidates.EACH_SIDE}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(setting)
        cursor.execute(
            f"WITH {candidates.READABLE} SELECT {distance}, c.id {candidates.SCOPE} {order}",
            values,
        )
        return {row[1] for row in sorted(cursor.fetchall())[:10]}


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[18]


if __name__ == "__main__":
    main()
