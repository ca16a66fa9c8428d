"""What a workspace's agents know: sources, documents, their versions, the chunks in them and how common
terms are.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex, SparseVectorField

from agents.models import Agent
from knowledge.fields import EMBEDDING_DIMENSION, EMBEDDING_OPERATORS, LexemesField
from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id
from tenants.context import current_workspace

# Term ids are hashes of the terms; this is the widest sparse vector that pgvector stores.
LEXICAL_DIMENSION = 1_000_000_000
# Under which the workspace's canary stands (`knowledge.canary`): no agent has this id.
CANARY_AGENT = UUID("00000000-0000-0000-0000-00000000ca7a")


class SourceKind(models.TextChoices):
    """Where knowledge comes from."""

    FILE = "file"
    URL = "url", "Web page"
    TEXT = "text", "Pasted text"
    SITE = "site", "Website"
    SITEMAP = "sitemap", "Sitemap"
    QUESTIONS = "qa", "Questions and answers"
    PUSH = "push", "Pushed by the API"


REFUSED = "document_refused"  # the error, or the warning, of a document whose content a person kept out

DEAD_AFTER = 2  # looks in a row, so that a passing fault is no finding

WEB_KINDS = (SourceKind.URL, SourceKind.SITE, SourceKind.SITEMAP)


class SyncState(models.TextChoices):
    """What the watching of a web source does just now."""

    IDLE = "idle"
    RUNNING = "running"


class SourceQuerySet(models.QuerySet["Source"]):
    """The doors to sources."""

    def audiences(self) -> list[str]:
        """Whom some source is meant for."""
        return list(self.exclude(audience="").order_by().values_list("audience", flat=True).distinct())

    def get_or_404(self, source_id: UUID | str) -> Source:
        """The source with this id in the current workspace. Raises NotFound."""
        source = self.filter(pk=source_id).select_related("agent").first()
        if source is None:
            raise NotFound("There is no such source.")
        return source


class Source(models.Model):
    """One thing a person added: a file, a website, a pasted text. It yields one or more documents.

    `scope` is a `knowledge.scope.Scope` as JSON. `interval_hours` of None means as often as the plan allows,
    0 never. A sync holds `lease_until`; `found` counts what the last one did.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=8, choices=SourceKind.choices)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=2000, blank=True)
    audience = models.CharField(
        max_length=40,
        blank=True,
        help_text="Only visitors of this audience get answers from it; empty: everybody.",
    )
    audience_since = models.DateTimeField(null=True, help_text="When the audience was last changed.")
    added_by = models.UUIDField(null=True, help_text="The user's id; no constraint crosses into public.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    scope = models.JSONField(default=dict, blank=True)
    interval_hours = models.PositiveIntegerField(null=True, blank=True)
    sync_state = models.CharField(max_length=8, choices=SyncState.choices, default=SyncState.IDLE)
    sync_started_at = models.DateTimeField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True, help_text="When the last sync ended.")
    sync_error = models.CharField(max_length=500, blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    found = models.JSONField(default=dict, blank=True)
    hook = models.PositiveIntegerField(default=0, help_text="Generation of the secret address; 0 is none.")

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
    HELD = "held", "Waits for a person's review"
    DRAFT = "draft", "Not published yet"
    STAGED = "staged", "Waits for the tests"
    GONE = "gone", "No longer at its address"


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

    def present(self) -> DocumentQuerySet:
        """Those that were not taken off the site."""
        return self.exclude(status=DocumentStatus.GONE)

    def leaving(self) -> DocumentQuerySet:
        """Those that are to go and serve until that was tested: the error says why."""
        return self.filter(status=DocumentStatus.STAGED).exclude(error_code="")


class Document(models.Model):
    """One file or page, and how far the ingestion of its newest version is.

    `live` is the version that answers are taken from; it changes in one step when a newer one is whole.
    `key` tells documents of one source apart: the canonical address, the path in an archive, or the caller's
    own id. `warning` says why the last look at the original failed while what is live goes on serving.
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
    key = models.CharField(max_length=2000, blank=True)
    depth = models.PositiveSmallIntegerField(default=0, help_text="Links away from where the crawl began.")
    found_on = models.URLField(max_length=2000, blank=True, help_text="The page that links to it.")
    fetch_due = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="Last look at the original.")
    good_at = models.DateTimeField(null=True, blank=True, help_text="Last look that went well.")
    warning_code = models.CharField(max_length=40, blank=True)
    warning = models.CharField(max_length=500, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    misses = models.PositiveSmallIntegerField(default=0, help_text="Syncs in a row that did not find it.")
    pinned = models.BooleanField(default=False, help_text="A person chose the version: syncs leave it alone.")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "key"], condition=~models.Q(key=""), name="document_key_once"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_leaving(self) -> bool:
        """Whether it is to go, and serves until that was tested."""
        return self.status == DocumentStatus.STAGED and bool(self.error_code)

    @property
    def is_unread(self) -> bool:
        """Whether its newest content could not be read; what a person refused at review was read."""
        return self.status == DocumentStatus.FAILED and self.error_code != REFUSED


class Version(models.Model):
    """The content of a document as it was at one time. The file stays; chunks exist while it serves."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    file = models.FileField(max_length=300, blank=True)
    name = models.CharField(max_length=200, blank=True, help_text="The file's own name.")
    charset = models.CharField(max_length=40, blank=True, help_text="As the web server declared it.")
    address = models.TextField(blank=True, help_text="Where the page's redirects ended.")
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
    text_file = models.FileField(max_length=300, blank=True, help_text="What was read, as plain text.")
    text_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    links = ArrayField(models.TextField(), default=list, blank=True)
    external_links = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        help_text="Where its text leads beside the source's pages.",
    )
    draft = models.BooleanField(default=False, help_text="Kept back until a person publishes it.")
    findings = models.JSONField(default=list, blank=True, help_text="Why it waits for a review.")
    approved_by = models.UUIDField(null=True, blank=True)
    author = models.UUIDField(null=True, blank=True, help_text="Who wrote or chose it; none for a sync.")
    remark = models.CharField(max_length=200, blank=True)

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
    version = models.ForeignKey(
        Version, on_delete=models.CASCADE, related_name="chunks", null=True, help_text="None: the canary."
    )
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
            # While an agent changes its embedding profile, the old chunks serve beside the new ones.
            models.UniqueConstraint(
                fields=["version", "ordinal", "profile"], name="chunk_place_once_a_profile"
            ),
            models.CheckConstraint(
                condition=models.Q(version__isnull=False) | models.Q(agent_id=CANARY_AGENT),
                name="chunk_has_a_version",
            ),
        ]
        indexes: ClassVar = [
            HnswIndex(
                name="chunk_embedding_hnsw",
                fields=["embedding"],
                m=16,
                # With 128, one search in fifty of 100,000 chunks misses all of a small cluster; 400 costs an insert
                # half a millisecond more, beside some fifteen of embedding.
                ef_construction=400,
                opclasses=[EMBEDDING_OPERATORS],
            ),
            GinIndex(name="chunk_search_gin", fields=["search"], fastupdate=False),
            # A small agent's vectors are read one by one: a walk through a large workspace's graph would end before
            # it has met enough of them.
            models.Index(name="chunk_agent_profile", fields=["agent_id", "profile"]),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}#{self.ordinal}"


class ExternalLinkQuerySet(models.QuerySet["ExternalLink"]):
    """The door to what was found of links."""

    def dead(self) -> ExternalLinkQuerySet:
        """Those that lead nowhere, and did so at several looks."""
        return self.filter(misses__gte=DEAD_AFTER)


class ExternalLink(models.Model):
    """An address to which documents that serve lead: looked at once for all of them (`knowledge.external_links`).

    `misses` counts the looks in a row that found nothing there, `dead_since` is when the first of them was.
    """

    url = models.CharField(primary_key=True, max_length=2000)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    misses = models.PositiveSmallIntegerField(default=0)
    dead_since = models.DateTimeField(null=True, blank=True)

    objects = ExternalLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return self.url


class FindingKind(models.TextChoices):
    """What the radar looks for."""

    CONTRADICTION = "contradiction", "Contradiction"
    STALE = "stale", "Stale"
    DEAD_LINK = "dead_link", "Dead link"
    DUPLICATE = "duplicate", "Duplicate"
    HELD = "held", "Held for review"


class FindingState(models.TextChoices):
    """What became of a finding."""

    OPEN = "open"
    DISMISSED = "dismissed"
    GONE = "gone", "No longer found"


class Finding(models.Model):
    """Something in the knowledge that a person should look at. `key` is the same as long as the cause is.

    `detail` holds what the page shows: see `knowledge.radar`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=FindingKind.choices)
    key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, choices=FindingState.choices, default=FindingState.OPEN)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="findings")
    other = models.ForeignKey(
        Document, on_delete=models.CASCADE, null=True, blank=True, related_name="other_findings"
    )
    sentence = models.CharField(max_length=500)
    detail = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-found_at"]

    def __str__(self) -> str:
        return self.sentence


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


def counted_pages() -> int:
    """The pages that the plan's limit counts: those of every document that serves, and one for each that waits.

    A PDF has as many as it has pages, a web page or a text has one.
    """
    pages = Coalesce("live__pages", Value(1), output_field=models.IntegerField())
    each = Greatest(Value(1), pages, output_field=models.IntegerField())
    return int(Document.objects.present().aggregate(sum=models.Sum(each))["sum"] or 0)
