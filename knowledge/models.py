"""What a workspace's agents know: sources, documents, chunks and the terms in them."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone
from pgvector.django import HnswIndex, SparseVectorField, VectorField

from agents.models import Agent
from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id

EMBEDDING_DIMENSION = 384
LEXICAL_DIMENSION = 1 << 24


class SourceKind(models.TextChoices):
    """Where knowledge comes from."""

    FILE = "file"
    URL = "url", "Web page"
    TEXT = "text", "Pasted text"


class SourceQuerySet(models.QuerySet["Source"]):
    """The doors to sources."""

    def get_or_404(self, source_id: UUID | str) -> Source:
        """The source with this id in the current workspace. Raises NotFound."""
        source = self.filter(pk=source_id).select_related("agent").first()
        if source is None:
            raise NotFound("There is no such source.")
        return source


class Source(models.Model):
    """One thing a person added: a file, a web page, a pasted text. It yields one or more documents."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=8, choices=SourceKind.choices)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=2000, blank=True)
    added_by = models.UUIDField(null=True, help_text="The user's id; no constraint crosses into public.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.title


class DocumentStatus(models.TextChoices):
    """How far a document is."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


class Document(models.Model):
    """One file or page, and how far its ingestion is. Its chunks serve until newer ones replace them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=300)
    url = models.URLField(max_length=2000, blank=True)
    file = models.FileField(max_length=300, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=8, blank=True)
    status = models.CharField(
        max_length=8, choices=DocumentStatus.choices, default=DocumentStatus.WAITING, db_index=True
    )
    step = models.CharField(max_length=16, blank=True)
    done = models.PositiveIntegerField(default=0, help_text="Of this step's items, how many are done.")
    total = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=32, blank=True)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    indexed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.title


class Chunk(models.Model):
    """A passage of a document, as it is searched and cited."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    agent_id = models.UUIDField(
        db_index=True, help_text="Of the document's source; saves two joins a search."
    )
    ordinal = models.PositiveIntegerField()
    heading_path = models.JSONField(default=list)
    page = models.CharField(max_length=16, blank=True)
    anchor = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    sentences = models.JSONField(default=list, help_text="[start, end] of each sentence in the text.")
    tokens = models.PositiveSmallIntegerField()
    content_hash = models.CharField(max_length=64, db_index=True)
    profile = models.CharField(max_length=40, help_text="The embedding profile its vectors belong to.")
    embedding = VectorField(dimensions=EMBEDDING_DIMENSION)
    sentence_vectors = models.BinaryField(null=True)
    lexical = SparseVectorField(dimensions=LEXICAL_DIMENSION)
    search = SearchVectorField(null=True)

    class Meta:
        ordering: ClassVar = ["document_id", "ordinal"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "ordinal"], name="chunk_place_once")
        ]
        indexes: ClassVar = [
            HnswIndex(
                name="chunk_embedding_hnsw",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["vector_cosine_ops"],
            ),
            GinIndex(name="chunk_search_gin", fields=["search"]),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}#{self.ordinal}"
