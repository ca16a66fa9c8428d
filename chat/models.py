"""Conversations, messages and leads of one workspace."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from agents.models import Agent
from chat.quality_models import CuratedAnswer as CuratedAnswer
from chat.quality_models import CuratedQuestion as CuratedQuestion
from chat.quality_models import Expectation as Expectation
from chat.quality_models import Gap as Gap
from chat.quality_models import Trial as Trial
from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id
from tenants.sealed import SealedField, SealedJSONField, blind_index_of


class Visitor(models.Model):
    """Somebody who opened the widget; known by name only if they or the site said so."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=200, blank=True, db_index=True)
    name = SealedField(max_length=120, blank=True)
    email = SealedField(max_length=254, blank=True, is_searchable=True)
    locale = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [blind_index_of("email", name="visitor_by_email")]

    def __str__(self) -> str:
        return self.name or self.email or f"Visitor {str(self.id)[-6:]}"


class ConversationState(models.TextChoices):
    """As the protocol says it."""

    BOT = "bot"
    WAITING = "waiting"
    HUMAN = "human"
    CLOSED = "closed"


class Owner(models.TextChoices):
    """Who answers; changed only under the row's lock, with its version."""

    AI = "ai"
    HUMAN = "human"
    NOBODY = "nobody"


class Channel(models.TextChoices):
    """Which door the conversation came through; PREVIEW is the team's own trying and is never billed."""

    WIDGET = "widget"
    API = "api"
    PREVIEW = "preview"


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """The doors to conversations."""

    def get_or_404(self, conversation_id: UUID | str) -> Conversation:
        """The conversation with this id in the current workspace. Raises NotFound."""
        conversation = self.filter(pk=conversation_id).select_related("agent", "visitor").first()
        if conversation is None:
            raise NotFound("There is no such conversation.")
        return conversation

    def of_visitor(self, conversation_id: UUID | str, visitor_id: UUID | str) -> Conversation | None:
        """The conversation if it is this visitor's own."""
        return self.filter(pk=conversation_id, visitor_id=visitor_id).select_related("agent").first()


class Conversation(models.Model):
    """A visitor and an agent (or a person of the team) talking."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="conversations")
    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="conversations")
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.WIDGET)
    state = models.CharField(
        max_length=8, choices=ConversationState.choices, default=ConversationState.BOT, db_index=True
    )
    owner = models.CharField(max_length=8, choices=Owner.choices, default=Owner.AI)
    version = models.PositiveIntegerField(default=0, help_text="Grows with every change of owner.")
    assignee = models.UUIDField(null=True, blank=True, help_text="The user's id.")
    last_seq = models.PositiveBigIntegerField(default=0)
    visitor_read_seq = models.PositiveBigIntegerField(default=0, help_text="What the visitor has seen.")
    team_read_seq = models.PositiveBigIntegerField(default=0, help_text="What the team has seen.")
    title = models.CharField(max_length=200, blank=True, help_text="The visitor's own first words.")
    topic = models.CharField(max_length=120, blank=True, help_text="The team's title; no visitor sees it.")
    topic_is_own = models.BooleanField(default=False, help_text="A person wrote the topic.")
    summary = SealedField(max_length=800, blank=True)
    digested_at = models.DateTimeField(
        null=True, blank=True, help_text="The last_message_at that topic, summary and scores know of."
    )
    digest_model = models.CharField(max_length=80, blank=True, help_text="Who wrote topic and summary.")
    digest_until = models.DateTimeField(null=True, blank=True, help_text="Only while a worker makes them.")
    digest_tries = models.PositiveSmallIntegerField(default=0, help_text="Of this state, by a hosted model.")
    page_url = models.CharField(max_length=2000, blank=True)
    page_title = models.CharField(max_length=300, blank=True)
    referrer = models.CharField(max_length=2000, blank=True)
    locale = models.CharField(max_length=16, blank=True)
    context = models.JSONField(
        default=dict, help_text="Plain facts that the site's page gave; proof of nothing."
    )
    handoff_reason = models.CharField(max_length=500, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    rating_comment = models.CharField(max_length=1000, blank=True)
    resolved = models.BooleanField(null=True, blank=True, help_text="What the visitor says at the end.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_message_at = models.DateTimeField(default=timezone.now, db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-last_message_at"]

    def __str__(self) -> str:
        return self.heading or str(self.id)

    @property
    def heading(self) -> str:
        """What the team reads as its title."""
        return self.topic or self.title


class Author(models.TextChoices):
    """Who wrote a message."""

    VISITOR = "visitor"
    AI = "ai"
    HUMAN = "human"
    SYSTEM = "system"


class MessageState(models.TextChoices):
    """A visitor's message is COMPLETE at once; an answer is WRITING while its run is on."""

    WRITING = "writing"
    COMPLETE = "complete"


class Outcome(models.TextChoices):
    """How a turn ended; a turn never ends without one."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    ABSTAINED = "abstained"
    HANDOFF = "handoff"
    ERROR = "error"


RUNGS = {
    "primary": "first choice",
    "fallback": "fallback model",
    "curated": "exact answer",
    "cached": "kept answer",
    "extractive": "built-in model",
    "links": "links only",
    "lead_form": "asked for contact details",
}


class Message(models.Model):
    """One message; for an answer also what it rests on, what it cost, and the lease of who writes it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    ordinal = models.PositiveIntegerField(
        help_text="Its place in the conversation, given under the row's lock."
    )
    seq = models.PositiveBigIntegerField(
        null=True, help_text="Of the frame that first showed it: ack, start or message. Empty until sent."
    )
    author = models.CharField(max_length=8, choices=Author.choices)
    author_id = models.UUIDField(null=True, blank=True, help_text="The user's id, for a person of the team.")
    author_name = models.CharField(max_length=120, blank=True)
    client_id = models.UUIDField(null=True, blank=True)
    reply_to = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="answer"
    )
    text = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=MessageState.choices, default=MessageState.COMPLETE)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    citations = models.JSONField(default=list)
    grounded = models.BooleanField(default=False)
    cached = models.BooleanField(default=False)
    evidence = models.FloatField(null=True, help_text="0 to 1: how well the passages answer the question.")
    stopped = models.CharField(max_length=8, blank=True)
    feedback = models.SmallIntegerField(null=True, blank=True)
    feedback_comment = models.CharField(max_length=1000, blank=True)
    model = models.CharField(max_length=80, blank=True)
    rung = models.CharField(
        max_length=16, blank=True, help_text="Which step of the fallback ladder answered."
    )
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)
    usage_estimated = models.BooleanField(default=False)
    price = models.JSONField(
        default=dict, help_text="USD per million tokens when it was written: input, cached, output."
    )
    first_token_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField(null=True)
    receipt = models.JSONField(default=dict, help_text="Candidates with scores, timings, attempts.")
    reservation_id = models.UUIDField(null=True, help_text="Of the usage that was reserved for this answer.")
    lease_until = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="Only while it is written."
    )
    writer = models.CharField(max_length=64, blank=True, help_text="Which run may store the answer.")
    attempts = models.PositiveSmallIntegerField(default=1, help_text="How many runs have tried to write it.")
    version = models.PositiveIntegerField(default=0, help_text="The conversation's, when the run began.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["ordinal"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_client_id_once"),
            models.UniqueConstraint(fields=["conversation", "ordinal"], name="message_place_once"),
        ]
        indexes: ClassVar = [  # few rows each: what `chat.gaps` and `chat.curated` look for
            models.Index(
                fields=["created_at"],
                name="message_in_vain",
                condition=models.Q(outcome="abstained") | models.Q(feedback=-1),
            ),
            models.Index(fields=["created_at"], name="message_curated", condition=models.Q(rung="curated")),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def question(self) -> str:
        """What it answers: where the visitor took a choice ("the second"), the question that this completed."""
        if self.receipt.get("chosen"):
            return str(self.receipt["query"])
        return self.reply_to.text if self.reply_to else ""

    @property
    def rung_in_words(self) -> str:
        """Which step of the ladder answered, as people read it."""
        return RUNGS.get(self.rung, self.rung)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """The doors to attachments."""

    def waiting(self, visitor_id: UUID, agent: Agent) -> AttachmentQuerySet:
        """What this visitor has uploaded and not yet sent."""
        return self.filter(visitor_id=visitor_id, agent=agent, message=None)


class Attachment(models.Model):
    """A file in a conversation. Until its message is sent it hangs on the visitor only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    visitor_id = models.UUIDField(null=True, db_index=True, help_text="Who uploaded it; empty for the team.")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, related_name="attachments"
    )
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="attachments")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    file = models.FileField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


RIPE, WARM = 60, 30  # of a lead's score, at least


class Lead(models.Model):
    """Contact details that a visitor left, and in which conversation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="leads",
        null=True,
        help_text="Empty when the workspace keeps leads longer than conversations.",
    )
    name = SealedField(max_length=120, blank=True)
    email = SealedField(max_length=254, blank=True, is_searchable=True)
    phone = SealedField(max_length=40, blank=True)
    company = SealedField(max_length=120, blank=True)
    extra = SealedJSONField(default=dict)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="0 to 100: how ripe it is. Empty until its conversation was read."
    )
    score_reason = SealedField(max_length=600, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [blind_index_of("email", name="lead_by_email")]

    def __str__(self) -> str:
        return self.name or self.email or self.phone

    @property
    def ripeness(self) -> str:
        """The score as people say it; empty until there is one."""
        if self.score is None:
            return ""
        return "Ripe" if self.score >= RIPE else "Warm" if self.score >= WARM else "Cold"


class CacheState(models.TextChoices):
    """LIVE ends with its time; PINNED does not; REJECTED had a thumb down; BANNED is never kept again."""

    LIVE = "live"
    PINNED = "pinned"
    REJECTED = "rejected"
    BANNED = "banned"


class CachedAnswerQuerySet(models.QuerySet["CachedAnswer"]):
    """The doors to kept answers."""

    def get_or_404(self, entry_id: UUID | str) -> CachedAnswer:
        """The entry with this id in the current workspace. Raises NotFound."""
        entry = self.filter(pk=entry_id).select_related("agent").first()
        if entry is None:
            raise NotFound("There is no such answer in the cache.")
        return entry

    def reject(self, message_id: UUID | str) -> None:
        """A visitor's thumb down on this answer: neither it nor what it was taken from is given again."""
        source = Message.objects.filter(pk=message_id).values_list("receipt__cache__entry", flat=True).first()
        rows = self.filter(models.Q(message_id=message_id) | models.Q(pk=source or None))
        rows.filter(state=CacheState.LIVE).update(state=CacheState.REJECTED)


class CachedAnswer(models.Model):
    """A question of this agent and its answer, to be given again as long as everything it rests on holds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="Of language, audience and the question's words.")
    question = models.TextField()
    language = models.CharField(max_length=16)
    audience = models.CharField(max_length=64, blank=True)
    agent_version = models.PositiveIntegerField()
    knowledge_version = models.CharField(max_length=80)
    profile = models.CharField(max_length=40, help_text="The embedding profile its vector belongs to.")
    embedding = HalfVectorField()
    text = models.TextField()
    citations = models.JSONField(default=list)
    chunks = ArrayField(models.UUIDField(), default=list, help_text="It dies with any of these.")
    evidence = models.FloatField(null=True)
    model = models.CharField(max_length=80, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="+", help_text="The answer it was taken from."
    )
    cost_micro_usd = models.PositiveBigIntegerField(default=0, help_text="What a hit saves.")
    took_ms = models.PositiveIntegerField(default=0, help_text="What the answer took to write.")
    hits = models.PositiveIntegerField(default=0)
    saved_ms = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=CacheState.choices, default=CacheState.LIVE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_hit_at = models.DateTimeField(null=True, blank=True)

    objects = CachedAnswerQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-hits", "-created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "key"], name="cached_answer_once")]

    def __str__(self) -> str:
        return self.question[:60]

    @property
    def saved_micro_usd(self) -> int:
        return self.hits * self.cost_micro_usd


class SpendingDay(models.Model):
    """What an agent's answers cost on one day, UTC; the team's own tries stand in a row of their own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    is_test = models.BooleanField(default=False)
    answers = models.PositiveIntegerField(default=0)
    cached = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)
    estimated_micro_usd = models.PositiveBigIntegerField(
        default=0, help_text="The part of the cost that rests on our own count of tokens."
    )
    saved_micro_usd = models.PositiveBigIntegerField(default=0)
    saved_ms = models.PositiveBigIntegerField(default=0)
    # What models did beside answers: titles, summaries and lead scores; in the row of the team's tries, judging.
    background_items = models.PositiveIntegerField(default=0, db_default=0)
    background_calls = models.PositiveIntegerField(default=0, db_default=0)
    background_input_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    background_output_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    background_micro_usd = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "day", "is_test"], name="spending_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.cost_micro_usd}"
