"""A workspace with an agent, and paragraphs in its index by the product's own path from chunk to index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from knowledge.embedding import DEFAULT_PROFILE
from knowledge.ingest import passages_of, publish, store
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version
from netvexa.lib.ids import short_id
from tenants.context import in_tenant, platform
from tenants.models import Domain, Workspace, schema_name_of
from tenants.provisioning import provision


@dataclass
class Library:
    """`paragraph_of` says which paragraph a chunk came from."""

    agent: Agent
    paragraph_of: dict[UUID, int] = field(default_factory=dict)

    def add(self, title: str, paragraphs: Iterable[tuple[int, str]]) -> None:
        """Index one document; each paragraph is chunked by itself, so that chunks lie within paragraphs."""
        source = Source.objects.create(agent=self.agent, kind=SourceKind.TEXT, title=title)
        document = Document.objects.create(source=source, title=title, status=DocumentStatus.WORKING)
        passages, owners, language = [], [], ""
        for number, text in paragraphs:
            parsed = ParsedDocument(title, "en", (Block(BlockKind.PARAGRAPH, text),), "text/plain")
            found = passages_of(parsed, DEFAULT_PROFILE)
            passages.extend(found)
            owners.extend([number] * len(found))
            language = parsed.language
        version = Version.objects.create(document=document, number=1, title=title, language=language)
        store(document, version, passages, DEFAULT_PROFILE)
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
