"""What a team does about its agents' answers: exact answers of its own, and the questions that still lack one.
Read by `chat.models`.
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
    """One wording of a question. `profile` is empty until its vector is made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    answer = models.ForeignKey(CuratedAnswer, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(max_length=MAX_QUESTION)
    key = models.CharField(max_length=64, help_text="Of its words, whatever their case and punctuation.")
    profile = models.CharField(max_length=40, blank=True)
    embedding = HalfVectorField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "key"], name="curated_question_once")
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
