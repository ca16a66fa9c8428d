"""A workspace with an agent, and paragraphs in its index by the product's own path from chunk to index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from django.core.management import call_command

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import Tier
from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.chunking import ChunkDraft
from knowledge.ingest import drafts_of, publish, store
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version
from knowledge.profiles import profile_of_first
from netvexa.lib.ids import short_id
from tenants.context import in_tenant, platform
from tenants.models import Domain, Workspace, schema_name_of
from tenants.provisioning import provision


@dataclass
class Library:
    """`paragraph_of` says which paragraph a chunk came from."""

    agent: Agent
    paragraph_of: dict[UUID, int] = field(default_factory=dict)

    def add(self, title: str, paragraphs: Iterable[tuple[int, str]], *, language: str = "en") -> None:
        """Index one document; each paragraph is chunked by itself, so that chunks lie within paragraphs."""
        parts = [
            (number, ParsedDocument(title, language, (Block(BlockKind.PARAGRAPH, text),), "text/plain"))
            for number, text in paragraphs
        ]
        self._index(title, parts, language=language)

    def add_parsed(self, parsed: ParsedDocument, number: int) -> None:
        """Index one document as it was parsed; all of its chunks count as one paragraph."""
        self._index(parsed.title, [(number, parsed)], language=parsed.language)

    def _index(self, title: str, parts: Sequence[tuple[int, ParsedDocument]], *, language: str) -> None:
        """The first document's language decides, as in the product, which model reads this agent's knowledge."""
        profile = profile_of_first(self.agent, language=language)
        source = Source.objects.create(agent=self.agent, kind=SourceKind.TEXT, title=title or "Untitled")
        document = Document.objects.create(source=source, title=title, status=DocumentStatus.WORKING)
        drafts: list[ChunkDraft] = []
        owners: list[int] = []
        for number, parsed in parts:
            found = drafts_of(parsed, profile)
            drafts.extend(found)
            owners.extend([number] * len(found))
        version = Version.objects.create(document=document, number=1, title=title, language=language)
        store(document, version, drafts, profile)
        publish(document, version)
        for chunk_id, ordinal in version.chunks.values_list("id", "ordinal"):
            self.paragraph_of[chunk_id] = owners[ordinal]


@contextmanager
def workspace() -> Iterator[Workspace]:
    """A fresh workspace on the servers that the environment names; stands in it."""
    call_command("migrate_schemas", shared=True, verbosity=0)
    key = short_id()
    with platform():
        made: Workspace = Workspace.objects.create(
            key=key, slug=f"bench-{key}", name="Benchmark", schema_name=schema_name_of(key)
        )
    provision(made)
    with in_tenant(made):
        yield made


def library(data: dict[str, Any], *, chunks: int, threshold: float) -> Agent:
    """An agent that knows so many chunks; the paragraphs come round again, numbered, if they are too few."""
    agent: Agent = Agent.objects.create(name="Benchmark", evidence_threshold=threshold)
    known = Library(agent)
    paragraphs = [(paragraph["id"], paragraph["text"]) for paragraph in data["paragraphs"]]
    for round_ in count(1):
        for start in range(0, len(paragraphs), 100):
            if len(known.paragraph_of) >= chunks:
                return agent
            part = [(number, f"{text} ({round_})") for number, text in paragraphs[start : start + 100]]
            known.add(f"Part {round_}.{start}", part)
    raise AssertionError("unreachable")


def open_to_visitors(made: Workspace) -> None:
    """Give the workspace a host and a plan without limits."""
    with platform():
        Domain.objects.create(domain=f"{made.slug}.localhost", tenant=made, is_primary=True)
        Entitlement.objects.create(workspace=made, tier=Tier.ENTERPRISE)
