"""What a workspace's agents know: sources, documents, their versions, the chunks in them and how common
terms are.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex, SparseVectorField

from agents.models import Agent
from knowledge.fields import LexemesField
from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id
from tenants.context import current_workspace

# The one place that knows the vectors' shape. Half precision: half the space and the same neighbours.
EMBEDDING_DIMENSION = 384
EMBEDDING_OPERATORS = "halfvec_cosine_ops"
# Term ids are hashes of the terms; this is the widest sparse vector that pgvector stores.
LEXICAL_DIMENSION = 1_000_000_000


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
    """How far the newest version of a document is. An older one may serve meanwhile."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


class DocumentQuerySet(models.QuerySet["Document"]):
    """The doors to documents, and what the workers look for."""

    def get_or_404(self, document_id: UUID | str) -> Document:
        """The document with this id in the current workspace. Raises NotFound."""
        document = self.filter(pk=document_id).select_related("source").first()
        if document is None:
            raise NotFound("There is no such document.")
        return document

    def unfinished(self) -> DocumentQuerySet:
        return self.filter(status__in=[DocumentStatus.WAITING, DocumentStatus.WORKING])


class Document(models.Model):
    """One file or page, and how far the ingestion of its newest version is.

    `live` is the version that answers are taken from; it changes in one step when a newer one is whole.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=300)
    url = models.URLField(max_length=2000, blank=True)
    live = models.OneToOneField(
        "Version", on_delete=models.SET_NULL, null=True, blank=True, related_name="serves"
    )
    status = models.CharField(
        max_length=8, choices=DocumentStatus.choices, default=DocumentStatus.WAITING, db_index=True
    )
    step = models.CharField(max_length=16, blank=True)
    done = models.PositiveIntegerField(default=0, help_text="Of this step's items, how many are done.")
    total = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then one worker has it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.title


class Version(models.Model):
    """The content of a document as it was at one time. The file stays; chunks exist while it serves."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    file = models.FileField(max_length=300, blank=True)
    name = models.CharField(max_length=200, blank=True, help_text="The file's own name.")
    charset = models.CharField(max_length=40, blank=True, help_text="As the web server declared it.")
    content_type = models.CharField(max_length=100, blank=True, help_text="As found in the bytes.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=300, blank=True, help_text="As the content says.")
    language = models.CharField(max_length=8, blank=True)
    pages = models.PositiveIntegerField(default=0)
    characters = models.PositiveIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list, help_text="Sentences for the owner: what was left out, and why.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    valid_from = models.DateTimeField(null=True, blank=True, help_text="Since when answers came from it.")
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["document_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "number"], name="version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.document_id} v{self.number}"


class Chunk(models.Model):
    """A passage of a version, as it is searched and cited.

    `spans` are the sentences, four numbers each: start and end in the text, the page (0 for none), and how
    many rows of `words` are theirs. `words` holds int8 word vectors row by row; the rows before the first
    sentence's belong to the headings. `lexical` holds the document's side of BM25, `search` the same terms
    for the
    index.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="chunks")
    agent_id = models.UUIDField(help_text="Of the document's source; saves two joins a search.")
    ordinal = models.PositiveIntegerField()
    heading_path = ArrayField(models.CharField(max_length=300), default=list)
    page = models.PositiveIntegerField(null=True, help_text="Counted from 1.")
    page_label = models.CharField(max_length=16, blank=True, help_text="As printed, where it differs.")
    anchor = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    spans = ArrayField(models.IntegerField(), default=list)
    tokens = models.PositiveSmallIntegerField()
    content_hash = models.CharField(max_length=64, db_index=True)
    profile = models.CharField(max_length=40, help_text="The embedding profile its vectors belong to.")
    embedding = HalfVectorField(dimensions=EMBEDDING_DIMENSION)
    words = models.BinaryField(default=bytes)
    lexical = SparseVectorField(dimensions=LEXICAL_DIMENSION)
    search = LexemesField()

    class Meta:
        ordering: ClassVar = ["version_id", "ordinal"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "ordinal"], name="chunk_place_once")
        ]
        indexes: ClassVar = [
            HnswIndex(
                name="chunk_embedding_hnsw",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=[EMBEDDING_OPERATORS],
            ),
            GinIndex(name="chunk_search_gin", fields=["search"]),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}#{self.ordinal}"


class Term(models.Model):
    """In how many chunks that serve a term stands: the document frequency of BM25.

    The row of the empty lexeme counts all chunks.
    """

    lexeme = models.CharField(primary_key=True, max_length=64)
    chunks = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.lexeme}: {self.chunks}"


def storage_folder() -> str:
    """Where this workspace's uploads stand in the storage: under its immutable key, never its address."""
    return f"workspaces/{current_workspace().key}/knowledge"


def stored_bytes() -> int:
    """What the documents of this workspace take up; older versions keep their file."""
    return int(Version.objects.aggregate(bytes=models.Sum("size"))["bytes"] or 0)
