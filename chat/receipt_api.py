"""The receipt of an answer in the API."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import receipts
from tenants.api import WorkspaceAPI
from tenants.keys import Scope


class StepSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    ms = serializers.FloatField()


class CandidateSerializer(serializers.Serializer[Any]):
    """A passage that was found; `cited` is its mark in the answer."""

    chunk = serializers.UUIDField()
    title = serializers.CharField()
    score = serializers.FloatField()
    vector = serializers.FloatField(allow_null=True)
    lexical = serializers.FloatField(allow_null=True)
    quote = serializers.CharField()
    page = serializers.CharField()
    cited = serializers.IntegerField(allow_null=True)
    document = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    still_serves = serializers.BooleanField(allow_null=True)


class ReceiptSerializer(serializers.Serializer[Any]):
    """How an answer came about; amounts in millionths of a US dollar."""

    question = serializers.CharField()
    searched = serializers.CharField(help_text="The question as it was searched, completed where it leaned.")
    rewritten = serializers.BooleanField()
    outcome = serializers.CharField()
    evidence = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    agent_version = serializers.IntegerField(allow_null=True)
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


class ReceiptView(WorkspaceAPI, APIView):
    """How an answer came about."""

    scopes: ClassVar = {"read": Scope.READ_CONVERSATIONS, "write": Scope.WRITE_CONVERSATIONS}

    @extend_schema(responses=ReceiptSerializer, operation_id="messages_receipt")
    def get(self, request: Request, pk: UUID) -> Response:
        """The receipt of an agent's answer: what was searched and found, what decided, what it cost."""
        return Response(ReceiptSerializer(receipts.receipt_of(receipts.answer_or_404(pk))).data)
