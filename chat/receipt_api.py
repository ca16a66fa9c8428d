"""The receipt of an answer in the API."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import receipts, rehearsal
from chat.answers import Answer
from chat.api import CitationSerializer
from chat.receipts import ReceiptEntry
from tenants.api import WorkspaceAPI
from tenants.keys import Scope


class StepSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    ms = serializers.FloatField()


class SpanSerializer(serializers.Serializer[Any]):
    """A sentence that was chosen of a passage."""

    start = serializers.IntegerField(help_text="Where it begins in the passage's text as it was read.")
    end = serializers.IntegerField()
    text = serializers.CharField(help_text="Its first 200 characters.")
    evidence = serializers.BooleanField(help_text="The evidence rests on it.")
    quoted = serializers.BooleanField(help_text="The answer quotes it or says what it says.")


class CandidateSerializer(serializers.Serializer[Any]):
    """A passage that was found; `cited` is its mark in the answer."""

    chunk = serializers.UUIDField()
    title = serializers.CharField()
    score = serializers.FloatField()
    vector = serializers.FloatField(allow_null=True)
    lexical = serializers.FloatField(allow_null=True)
    rerank = serializers.FloatField(
        allow_null=True, help_text="By the reranking model, where there is one and it read the passage."
    )
    quote = serializers.CharField(help_text="The sentence that fits the question best.")
    spans = SpanSerializer(
        many=True, help_text="The sentences that were chosen as evidence or for the answer."
    )
    page = serializers.CharField()
    cited = serializers.IntegerField(allow_null=True)
    document = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    still_serves = serializers.BooleanField(allow_null=True)
    audience = serializers.CharField(help_text="Whom its source is meant for; empty: everybody.")


class ReceiptSerializer(serializers.Serializer[Any]):
    """How an answer came about; amounts in millionths of a US dollar."""

    question = serializers.CharField()
    searched = serializers.CharField(help_text="The question as it was searched, completed where it leaned.")
    rewritten = serializers.BooleanField()
    outcome = serializers.CharField()
    evidence = serializers.FloatField(allow_null=True)
    features = serializers.DictField(
        child=serializers.FloatField(),
        help_text="What made up the evidence: how well the best passages match (`score`, `cosine`), and what of the"
        " question they lack (`names`, `numbers`, `negation`, `quantity`). Empty where it was not recorded.",
    )
    profile = serializers.CharField(
        help_text="The embedding profile that read the question and the passages."
    )
    threshold = serializers.FloatField(allow_null=True)
    agent_version = serializers.IntegerField(allow_null=True)
    audiences = serializers.ListField(
        child=serializers.CharField(), help_text="That the visitor belonged to, by proof."
    )
    choices = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the agent asked back: the sections among which to choose.",
    )
    chosen = serializers.CharField(help_text="Which of an earlier question's choices the visitor took.")
    rules = serializers.ListField(child=serializers.CharField())
    candidates = CandidateSerializer(many=True)
    rung = serializers.CharField(help_text="Which step answered, in words.")
    why = serializers.CharField(help_text="Why the steps above it did not.")
    model = serializers.CharField()
    attempts = serializers.ListField(child=serializers.DictField())
    cached = serializers.BooleanField()
    cache = serializers.DictField(allow_null=True)
    curated = serializers.DictField(allow_null=True)
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    usage_estimated = serializers.BooleanField()
    cost_micro_usd = serializers.IntegerField()
    steps = StepSerializer(many=True)


class AnswerSideSerializer(serializers.Serializer[Any]):
    """An answer, then or today."""

    text = serializers.CharField()
    outcome = serializers.CharField()
    citations = CitationSerializer(many=True)
    receipt = ReceiptSerializer()


class ReplaySerializer(serializers.Serializer[Any]):
    """What was answered, and what would be answered now; `today` is null where the question is gone."""

    then = AnswerSideSerializer()
    today = AnswerSideSerializer(allow_null=True)


class ReplayView(WorkspaceAPI, APIView):
    """The same question with today's knowledge and settings."""

    scopes: ClassVar = {"read": Scope.WRITE_KNOWLEDGE, "write": Scope.WRITE_KNOWLEDGE}

    @extend_schema(request=None, responses=ReplaySerializer, operation_id="messages_replay")
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask again with today's sources and settings. Stored nowhere, shown to nobody, and not billed."""
        message = receipts.answer_or_404(pk)
        then, today = Answer.of(message), rehearsal.replay(message)
        sides: dict[str, Any] = {"then": _side(then, receipts.receipt_of(message)), "today": None}
        if today is not None and message.reply_to is not None:
            sides["today"] = _side(today, receipts.receipt_for(today, question=message.reply_to.text))
        return Response(ReplaySerializer(sides).data)


def _side(answer: Answer, receipt: ReceiptEntry) -> dict[str, Any]:
    return {
        "text": answer.text,
        "outcome": answer.outcome,
        "citations": answer.citations,
        "receipt": receipt,
    }


class ReceiptView(WorkspaceAPI, APIView):
    """How an answer came about."""

    scopes: ClassVar = {"read": Scope.READ_CONVERSATIONS, "write": Scope.WRITE_CONVERSATIONS}

    @extend_schema(responses=ReceiptSerializer, operation_id="messages_receipt")
    def get(self, request: Request, pk: UUID) -> Response:
        """The receipt of an agent's answer: what was searched and found, what decided, what it cost."""
        return Response(ReceiptSerializer(receipts.receipt_of(receipts.answer_or_404(pk))).data)
