"""What a team does about its agents' answers: exact answers of its own, the questions that still lack one,
and what it tests. Read by `chat.models`.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from agents.models import Agent
from netvexa.lib.errors import NotFound
from netvexa.lib.ids import new_id

MAX_ANSWER = 4_000
MAX_QUESTION = 300


class CuratedAnswerQuerySet(models.QuerySet["CuratedAnswer"]):
    """The doors to exact answers."""

    def audiences(self) -> list[str]:
        """Whom some exact answer is meant for."""
        return list(self.exclude(audience="").order_by().values_list("audience", flat=True).distinct())

    def get_or_404(self, answer_id: UUID | str) -> CuratedAnswer:
        """The answer with this id in the current workspace. Raises NotFound."""
        answer = self.filter(pk=answer_id).select_related("agent").first()
        if answer is None:
            raise NotFound("There is no such exact answer.")
        return answer


class CuratedAnswer(models.Model):
    """An answer in the team's own words, given as it stands to whoever asks one of its questions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="curated_answers")
    answer = models.TextField(max_length=MAX_ANSWER)
    link = models.URLField(max_length=2000, blank=True, help_text="A page that says more; optional.")
    audience = models.CharField(
        max_length=40, blank=True, help_text="Only visitors of this audience get it; empty: everybody."
    )
    is_active = models.BooleanField(default=True)
    hits = models.PositiveIntegerField(default=0, editable=False)
    last_hit_at = models.DateTimeField(null=True, blank=True, editable=False)
    message = models.ForeignKey(
        "chat.Message",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="The answer that it puts right.",
    )
    created_by = models.UUIDField(null=True, editable=False, help_text="The user's id.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CuratedAnswerQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-updated_at"]

    def __str__(self) -> str:
        return self.answer[:60]

    @property
    def wordings(self) -> list[str]:
        """Its questions, in the order they were written."""
        return [question.text for question in self.questions.all()]


class CuratedQuestion(models.Model):
    """One wording of a question; each audience may have an answer of its own to it.

    `profile` is empty until its vector is made.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    answer = models.ForeignKey(CuratedAnswer, on_delete=models.CASCADE, related_name="questions")
    audience = models.CharField(max_length=40, blank=True, help_text="That of its answer.")
    text = models.CharField(max_length=MAX_QUESTION)
    key = models.CharField(max_length=64, help_text="Of its words, whatever their case and punctuation.")
    profile = models.CharField(max_length=40, blank=True)
    embedding = HalfVectorField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "audience", "key"], name="curated_question_once_an_audience"
            )
        ]

    def __str__(self) -> str:
        return self.text


class GapState(models.TextChoices):
    """OPEN waits for the team; HANDLED opens again when it is asked again in vain; DISMISSED does not."""

    OPEN = "open"
    HANDLED = "handled"
    DISMISSED = "dismissed"


class GapQuerySet(models.QuerySet["Gap"]):
    """The doors to gaps."""

    def get_or_404(self, gap_id: UUID | str) -> Gap:
        """The gap with this id in the current workspace. Raises NotFound."""
        gap = self.filter(pk=gap_id).select_related("agent").first()
        if gap is None:
            raise NotFound("There is no such gap.")
        return gap


class Gap(models.Model):
    """Something visitors ask in vain: answers that were none, or not helpful, whose questions mean about the same.

    It holds no words of visitors: `answers` are ids of messages, so what is deleted there is gone here too.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="gaps")
    state = models.CharField(max_length=10, choices=GapState.choices, default=GapState.OPEN)
    answers = ArrayField(models.UUIDField(), default=list, help_text="The newest last.")
    asked = models.PositiveIntegerField(default=0)
    disliked = models.PositiveIntegerField(default=0, help_text="Of these, answered, with a thumb down.")
    profile = models.CharField(max_length=40, help_text="The embedding profile its vector belongs to.")
    embedding = HalfVectorField()
    handled_by = models.UUIDField(null=True, help_text="The user's id.")
    handled_at = models.DateTimeField(null=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = GapQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked", "-last_at"]

    def __str__(self) -> str:
        return f"{self.asked} times"


class Expected(models.TextChoices):
    """How a test question should end."""

    ANSWERED = "answered", "Answers it"
    ABSTAINED = "abstained", "Says that it does not know"


class ExpectationQuerySet(models.QuerySet["Expectation"]):
    """The doors to test questions."""

    def get_or_404(self, expectation_id: UUID | str) -> Expectation:
        """The test question with this id in the current workspace. Raises NotFound."""
        expectation = self.filter(pk=expectation_id).select_related("agent").first()
        if expectation is None:
            raise NotFound("There is no such test question.")
        return expectation


class Expectation(models.Model):
    """A question of an agent's test set, and what holds of a right answer. Empty parts are not checked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="expectations")
    question = models.CharField(max_length=500)
    outcome = models.CharField(max_length=10, choices=Expected.choices, default=Expected.ANSWERED)
    source = models.CharField(
        max_length=300,
        blank=True,
        help_text="Part of the title or address of the source that has the answer.",
    )
    must = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    must_not = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    audiences = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Of the visitor who asks."
    )
    facts = models.CharField(
        max_length=1000,
        blank=True,
        help_text="What a right answer states, in your own words. Only the judge reads it.",
    )
    message = models.ForeignKey(
        "chat.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ExpectationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.question


class TrialState(models.TextChoices):
    """How far a run of a test set is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Verdict(models.TextChoices):
    """What became of the change that a run tried."""

    NONE = "", "No change"
    PENDING = "pending", "Waits for the run"
    HELD = "held", "Held back"
    APPLIED = "applied", "In use"
    DROPPED = "dropped", "Dropped"


class TrialQuerySet(models.QuerySet["Trial"]):
    """The doors to runs of test sets."""

    def get_or_404(self, trial_id: UUID | str) -> Trial:
        """The run with this id in the current workspace. Raises NotFound."""
        trial = self.filter(pk=trial_id).select_related("agent").first()
        if trial is None:
            raise NotFound("There is no such test run.")
        return trial


class Trial(models.Model):
    """A run of an agent's test set: as the agent is, or with a change that is not in use yet.

    `results` are `chat.trials.Result`, one a question; `basis` says what was tried, `change` what differs from it:
    settings by name.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="trials")
    state = models.CharField(max_length=8, choices=TrialState.choices, default=TrialState.RUNNING)
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, default=Verdict.NONE)
    change = models.JSONField(default=dict)
    basis = models.JSONField(default=dict)
    results = models.JSONField(default=list)
    judge = models.CharField(max_length=8, default="off", help_text="See `agents.models.Judge`.")
    judgement = models.JSONField(default=dict, help_text="See `chat.judging.Judgement`; of the whole run.")
    total = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)
    broken = models.PositiveIntegerField(default=0, help_text="Passed before, failed now.")
    created_by = models.UUIDField(null=True, help_text="The user's id.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.passed} of {self.total}"

    @property
    def done(self) -> int:
        return len(self.results)

    @property
    def is_of_what_holds(self) -> bool:
        """Whether it is a finished run of the agent as it is, or has become since."""
        return self.state == TrialState.DONE and self.verdict in (Verdict.NONE, Verdict.APPLIED)
