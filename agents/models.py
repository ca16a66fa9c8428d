"""What a support agent is and how it behaves: one workspace's schema."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id, short_id
from tenants.context import current_workspace
from tenants.postgresql.prepared import Asked, columns_of, instance_of
from tenants.sealed import SealedField, SealedJSONField

colour_validator = RegexValidator(r"^#[0-9a-fA-F]{6}$", "Use a colour such as #4f46e5.")


class Tone(models.TextChoices):
    """How the agent speaks."""

    FRIENDLY = "friendly"
    NEUTRAL = "neutral"
    FORMAL = "formal"


class Position(models.TextChoices):
    """The corner of the page in which the widget's bubble stands."""

    RIGHT = "right", "Bottom right"
    LEFT = "left", "Bottom left"


class KnowledgeLanguages(models.TextChoices):
    """What the agent's knowledge is written in: it decides the model that reads it."""

    AUTOMATIC = "", "Automatic"
    ENGLISH = "english", "English"
    MULTILINGUAL = "multilingual", "Several languages"


class UnsupportedClaims(models.TextChoices):
    """What becomes of a sentence that a model wrote and no cited passage supports."""

    FLAG = "flag", "Show it, and say that a part could not be confirmed"
    DROP = "drop", "Leave it out"


class ChangeGate(models.TextChoices):
    """What happens to a change that breaks questions of the agent's test set."""

    OFF = "off", "Use changes at once, without a test"
    WARN = "warn", "Test first; what breaks is shown, and you decide"
    BLOCK = "block", "Test first; a change that breaks something waits"


class Judge(models.TextChoices):
    """Whether a model reads the answers of test runs, beside the deterministic checks."""

    OFF = "off", "No judge"
    ADVISE = "advise", "A model judges each answer; its verdicts are shown and decide nothing"
    COUNT = "count", "A model judges each answer; an answer that it faults has failed"


def new_public_id() -> str:
    """A public id: the workspace's immutable key, so that one look-up finds the schema, and a random part."""
    return f"{current_workspace().key}-{short_id(12)}"


def new_identity_secret() -> str:
    """The key with which a customer's server vouches for its users (HMAC-SHA256 of the user's id)."""
    return secrets.token_urlsafe(32)


def workspace_key_of(public_id: str) -> str:
    """The key of the workspace that an agent's public id names. Raises NotFound if it is none."""
    key, dash, rest = public_id.partition("-")
    if not (key and dash and rest):
        raise NotFound("There is no such agent.")
    return key


@dataclass(frozen=True)
class Strictness:
    """How sure an agent has to be, as people read it."""

    name: str
    meaning: str


# By the least threshold; the shares stand in `knowledge.evidence`.
STRICTNESS = (
    (0.8, Strictness("Strict", "answers only what stands in your sources nearly as it was asked")),
    (0.6, Strictness("Careful", "declines when in doubt, also some questions that your sources answer")),
    (0.4, Strictness("Balanced", "answers what your sources answer, and declines most of what they do not")),
    (
        0.0,
        Strictness(
            "Relaxed", "also answers when your sources only touch the question; may be beside the point"
        ),
    ),
)


class AgentQuerySet(models.QuerySet["Agent"]):
    """The doors to agents."""

    def get_or_404(self, agent_id: UUID | str) -> Agent:
        """The agent with this id in the current workspace. Raises NotFound."""
        agent = self.filter(pk=agent_id).first()
        if agent is None:
            raise NotFound("There is no such agent.")
        return agent

    def published(self, public_id: str) -> Agent:
        """The active agent with this public id; a paused one looks like none. Raises NotFound."""
        agent = self.filter(public_id=public_id, is_active=True).first()
        if agent is None:
            raise NotFound("There is no such agent.")
        return agent


class Agent(models.Model):
    """A support agent: its voice, its look on a page, and how strict it is about evidence."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    public_id = models.CharField(max_length=40, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=60)
    tone = models.CharField(max_length=16, choices=Tone.choices, default=Tone.FRIENDLY)
    instructions = models.TextField(
        blank=True, max_length=4000, help_text="Guidance in plain words: what to stress, what to avoid."
    )
    greeting = models.CharField(max_length=300, default="Hi! How can I help?")
    suggestions = models.JSONField(
        default=list, blank=True, help_text="Questions offered before the first message, at most six."
    )
    language = models.CharField(
        max_length=8, blank=True, help_text="Answer always in this language; empty follows the visitor."
    )
    model = models.CharField(max_length=80, blank=True, help_text="Empty takes the plan's model.")
    evidence_threshold = models.FloatField(
        default=0.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="How sure the evidence must be before the agent answers: 0 relaxed, 1 strict.",
    )
    unsupported_claims = models.CharField(
        max_length=8, choices=UnsupportedClaims.choices, default=UnsupportedClaims.FLAG
    )
    change_gate = models.CharField(max_length=8, choices=ChangeGate.choices, default=ChangeGate.WARN)
    judge = models.CharField(max_length=8, choices=Judge.choices, default=Judge.OFF)
    knowledge_languages = models.CharField(
        max_length=16, choices=KnowledgeLanguages.choices, blank=True, default=KnowledgeLanguages.AUTOMATIC
    )
    knowledge_profile = models.CharField(
        max_length=40, blank=True, editable=False, help_text="The embedding profile that searches use now."
    )
    allowed_origins = models.JSONField(
        default=list, blank=True, help_text="Sites that may show the widget; empty allows every site."
    )
    identity_secret = SealedField(max_length=64, default=new_identity_secret, editable=False)
    contact_email = models.EmailField(blank=True, help_text="Who is told when a visitor asks for a person.")
    handoff_enabled = models.BooleanField(default=True)
    leads_enabled = models.BooleanField(default=True)
    colour = models.CharField(max_length=7, default="#4f46e5", validators=[colour_validator])
    position = models.CharField(max_length=8, choices=Position.choices, default=Position.RIGHT)
    avatar = models.FileField(upload_to="avatars", blank=True)
    cache_enabled = models.BooleanField(default=True, help_text="Answer a question that was asked before.")
    cache_similarity = models.FloatField(
        default=0.95,
        validators=[MinValueValidator(0.8), MaxValueValidator(1.0)],
        help_text="How alike two questions must be to share an answer; at 1 only the same words do.",
    )
    daily_budget_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    monthly_budget_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    link_hosts = models.JSONField(
        default=list, blank=True, help_text="Hosts that answers may link to, beside those of the sources."
    )
    look = models.JSONField(default=dict, blank=True, help_text="See `agents.appearance.Look`.")
    hours = models.JSONField(null=True, blank=True, help_text="See `agents.hours`; empty is always open.")
    proactive = models.JSONField(default=list, blank=True, help_text="See `agents.appearance.Nudge`.")
    lead_form = models.JSONField(default=dict, blank=True, help_text="See `agents.appearance.LeadForm`.")
    strings = models.JSONField(
        default=dict, blank=True, help_text="Texts of the widget by key, or by language and key."
    )
    attachments_enabled = models.BooleanField(default=False)
    rating_enabled = models.BooleanField(default=True)
    transcript_enabled = models.BooleanField(default=True)
    privacy_enabled = models.BooleanField(default=True)
    sound_enabled = models.BooleanField(default=False)
    privacy_url = models.URLField(blank=True, max_length=500)
    branding = models.BooleanField(default=True, help_text="Plans with white label may switch it off.")
    retired_secret = SealedField(max_length=64, blank=True, editable=False)
    retired_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    secret_shown_at = models.DateTimeField(null=True, blank=True, editable=False)
    seen_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a page of a customer's site last loaded it."
    )
    seen_origin = models.CharField(max_length=200, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change of its settings.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def strictness(self) -> Strictness:
        """The evidence that it asks for, in words."""
        return next(words for least, words in STRICTNESS if self.evidence_threshold >= least)


class ModelSettings(models.Model):
    """What holds for all agents of the workspace: one row, made when it is first written."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    daily_budget_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    monthly_budget_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    conversation_budget_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    masks_contacts = models.BooleanField(
        default=False, help_text="E-mail addresses and telephone numbers never reach a provider."
    )
    keys = SealedJSONField(default=dict, help_text="Provider to its key, its last four characters.")
    background_enabled = models.BooleanField(
        default=True, help_text="Hosted models write titles and summaries; otherwise built-in rules do."
    )
    alerts = models.JSONField(
        default=dict, help_text="Budget and period to the level that was told, 50 to 100."
    )

    def __str__(self) -> str:
        return "Model settings"

    @classmethod
    def current(cls) -> ModelSettings:
        """The row, or one with the defaults that is not stored yet."""
        return cls.asked().found

    @classmethod
    def asked(cls) -> Asked[ModelSettings]:
        """`current`, to be fetched together with others."""
        statement = f"SELECT {columns_of(cls)} FROM agents_modelsettings WHERE id = 1"  # noqa: S608  our own words
        return Asked(statement, (), lambda rows: instance_of(cls, rows) or cls())
