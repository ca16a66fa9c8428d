"""Test questions and test runs in the API."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.audience_fields import AudienceField
from agents.audiences import MOST
from agents.models import Agent, Judge
from chat import tasks, test_sets, trials
from chat.change_gate import Decision, decide, is_of_knowledge
from chat.models import Expectation, Trial
from netvexa.lib.api import Strict, wanted_id
from netvexa.lib.errors import NotAllowed
from netvexa.lib.idempotency import idempotent
from tenants.api import WorkspaceAPI, credential_of
from tenants.keys import Scope

SCOPES = {"read": Scope.READ_KNOWLEDGE, "write": Scope.WRITE_KNOWLEDGE}
_OF_AGENT = extend_schema(
    parameters=[OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's.")]
)


class ExpectationSerializer(Strict, serializers.ModelSerializer[Expectation]):
    """A test question and what holds of a right answer."""

    class Meta:
        model = Expectation
        fields: ClassVar = [
            "id",
            "agent",
            "question",
            "outcome",
            "source",
            "must",
            "must_not",
            "facts",
            "audiences",
            "created_at",
        ]
        read_only_fields: ClassVar = ["id", "created_at"]

    audiences = serializers.ListField(
        child=AudienceField(allow_blank=False),
        required=False,
        max_length=MOST,
        help_text="That the visitor who asks belongs to.",
    )

    def validate_agent(self, agent: Agent) -> Agent:
        if self.instance is not None and agent != self.instance.agent:
            raise serializers.ValidationError("A test question stays with its agent.")
        return agent


@extend_schema_view(list=_OF_AGENT)
class ExpectationViewSet(WorkspaceAPI, viewsets.ModelViewSet[Expectation]):
    """The test set of each agent."""

    audited = "test_question"
    audited_fields = ("agent_id", "question", "outcome", "must", "must_not")
    scopes: ClassVar = SCOPES
    serializer_class = ExpectationSerializer
    queryset = Expectation.objects.all()
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]  # noqa: RUF012  as DRF declares it

    def get_queryset(self) -> QuerySet[Expectation]:
        agent = wanted_id(self.request, "agent")
        return Expectation.objects.filter(agent_id=agent) if agent else Expectation.objects.all()

    def get_object(self) -> Expectation:
        return Expectation.objects.get_or_404(self.kwargs["pk"])

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a test question."""
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        test_sets.check_room(serializer.validated_data["agent"])
        serializer.save()


class JudgedSerializer(serializers.Serializer[Any]):
    """A model's verdict on an answer. `disagrees`: the deterministic checks say otherwise."""

    faulted = serializers.BooleanField()
    facts = serializers.ChoiceField(["stated", "missing", "contradicted", "none"])
    faithful = serializers.ChoiceField(["yes", "no", "none"])
    reason = serializers.CharField()
    model = serializers.CharField()
    disagrees = serializers.BooleanField()


class JudgementSerializer(serializers.Serializer[Any]):
    """The judge's part in a run: how many answers, what it took, and why not more."""

    model = serializers.CharField(required=False)
    judged = serializers.IntegerField(required=False)
    faulted = serializers.IntegerField(required=False)
    disagrees = serializers.IntegerField(required=False)
    calls = serializers.IntegerField(required=False)
    input_tokens = serializers.IntegerField(required=False)
    output_tokens = serializers.IntegerField(required=False)
    cost_micro_usd = serializers.IntegerField(required=False)
    note = serializers.CharField(required=False)


class SideSerializer(serializers.Serializer[Any]):
    """An answer, and what is wrong with it; nothing is a pass."""

    text = serializers.CharField()
    outcome = serializers.CharField()
    sources = serializers.ListField(child=serializers.CharField())
    failed = serializers.ListField(child=serializers.CharField())
    judge = JudgedSerializer(required=False)


class ResultSerializer(serializers.Serializer[Any]):
    """What came of one question; `before` is what it is compared with."""

    expectation = serializers.UUIDField()
    question = serializers.CharField()
    now = SideSerializer()
    before = SideSerializer(allow_null=True)


class TrialSerializer(serializers.ModelSerializer[Trial]):
    """A run of a test set, without its results.

    `change` is what it tries: settings by name, or one deed. `verdict` is what became of that: `held` waits for a
    decision.
    """

    done = serializers.IntegerField(read_only=True)
    judgement = JudgementSerializer(read_only=True)

    class Meta:
        model = Trial
        fields: ClassVar = [
            "id",
            "agent",
            "state",
            "verdict",
            "change",
            "total",
            "done",
            "passed",
            "broken",
            "judge",
            "judgement",
            "created_at",
        ]
        read_only_fields = fields


class TrialDetail(TrialSerializer):
    """A run with its results."""

    results = ResultSerializer(many=True)

    class Meta(TrialSerializer.Meta):
        fields: ClassVar = [*TrialSerializer.Meta.fields, "results"]
        read_only_fields = fields


class NewRun(Strict):
    """Which agent's test set to run."""

    agent = serializers.UUIDField()
    judge = serializers.ChoiceField(
        Judge.choices,
        required=False,
        help_text="Whether a model judges the answers; else as the agent is set.",
    )


@extend_schema_view(list=_OF_AGENT)
class TrialViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Runs of test sets. They are not counted as answers."""

    audited = "test_run"
    audited_fields = ("agent_id", "state")
    scopes: ClassVar = SCOPES
    serializer_class = TrialSerializer
    queryset = Trial.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Trial]:
        agent = wanted_id(self.request, "agent")
        return Trial.objects.filter(agent_id=agent) if agent else Trial.objects.all()

    def get_object(self) -> Trial:
        return Trial.objects.get_or_404(self.kwargs["pk"])

    @extend_schema(
        responses=TrialDetail,
        parameters=[
            OpenApiParameter(
                "against",
                OpenApiTypes.UUID,
                description="An earlier run of the same test set whose answers stand as `before`.",
            )
        ],
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """A run with its results."""
        trial = self.get_object()
        other = trials.earlier_run(trial, wanted_id(request, "against"))
        if other is not None:
            trial.results = trials.compared(trial, other)
            trial.broken = sum(map(trials.broke, trial.results))
        return Response(TrialDetail(trial).data)

    @extend_schema(request=NewRun, responses={201: TrialSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask all of an agent's test questions; look at the run for its results."""
        given = NewRun(data=request.data)
        given.is_valid(raise_exception=True)
        agent = Agent.objects.get_or_404(given.validated_data["agent"])
        judge = given.validated_data.get("judge")
        trial = trials.begin(
            agent, by=credential_of(request).person_id, judge=Judge(judge) if judge else None
        )
        tasks.run_trial.enqueue(trial.pk)
        return Response(TrialSerializer(trial).data, status=201)

    @extend_schema(request=None, responses=TrialSerializer)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: UUID) -> Response:
        """Use a change that was held back in spite of what it breaks; 403 where the agent's settings block that.

        Changes of settings need the scope `write:agents`.
        """
        return self._decide(request, Decision.APPLY)

    @extend_schema(request=None, responses=TrialSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: UUID) -> Response:
        """Forget a change that was held back."""
        return self._decide(request, Decision.DROP)

    @extend_schema(request=None, responses={201: TrialSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Test a change that was held back again, in another run."""
        return self._decide(request, Decision.RETRY)

    def _decide(self, request: Request, decision: Decision) -> Response:
        trial = self.get_object()
        if not (is_of_knowledge(trial) or credential_of(request).allows(Scope.WRITE_AGENTS)):
            raise NotAllowed("This needs the scope write:agents.")
        shown = TrialSerializer(decide(trial, decision)).data
        return Response(shown, status=201 if decision is Decision.RETRY else 200)
