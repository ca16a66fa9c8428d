"""Conversations, messages and leads in the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.models import Agent
from chat import asking, conversations, digests, notices, tokens
from chat.conversations import Belonging, Door
from chat.erasure import delete_conversations
from chat.leads import ORDERS, leads
from chat.models import Channel, Conversation, ConversationState, Lead, Message
from chat.protocol import Frame, Identity
from netvexa.lib.api import Strict, wanted_choice, wanted_id
from netvexa.lib.errors import Invalid, NotFound
from netvexa.lib.idempotency import idempotent
from netvexa.lib.quotes import quoted_url
from tenants.api import WorkspaceAPI, credential_of
from tenants.keys import Scope

SCOPES = {"read": Scope.READ_CONVERSATIONS, "write": Scope.WRITE_CONVERSATIONS}
MAX_MESSAGE = 4000


class CitationSerializer(serializers.Serializer[Any]):
    """What an answer rests on; `n` is the mark `[n]` in its text."""

    n = serializers.IntegerField()
    title = serializers.CharField()
    url = serializers.CharField(required=False)
    snippet = serializers.CharField()
    page = serializers.CharField(required=False, help_text="Of a PDF.")
    heading = serializers.CharField(required=False)
    quote_url = serializers.SerializerMethodField(
        help_text="The address at the quoted words, or at the page of a PDF; empty where there is none."
    )

    def get_quote_url(self, citation: dict[str, Any]) -> str:
        return quoted_url(citation.get("url", ""), citation.get("snippet", ""), page=citation.get("page", ""))


class MessageSerializer(serializers.ModelSerializer[Message]):
    """One message; an answer carries what the widget shows, and how it came about."""

    citations = CitationSerializer(many=True, read_only=True)

    class Meta:
        model = Message
        fields: ClassVar = [
            "id",
            "author",
            "author_name",
            "text",
            "state",
            "outcome",
            "citations",
            "grounded",
            "cached",
            "stopped",
            "evidence",
            "feedback",
            "model",
            "created_at",
            "completed_at",
        ]
        read_only_fields = fields


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation, without its messages. `title` and `summary` are for the team; no visitor sees them."""

    title = serializers.CharField(source="heading", read_only=True)
    summary_by = serializers.CharField(
        source="digest_model", read_only=True, help_text="Which model wrote the summary; empty: none yet."
    )

    class Meta:
        model = Conversation
        fields: ClassVar = [
            "id",
            "agent",
            "visitor",
            "channel",
            "state",
            "owner",
            "title",
            "summary",
            "summary_by",
            "page_url",
            "page_title",
            "locale",
            "handoff_reason",
            "rating",
            "rating_comment",
            "created_at",
            "last_message_at",
            "closed_at",
        ]
        read_only_fields = fields


class ConversationDetail(ConversationSerializer):
    """A conversation with its messages, oldest first."""

    messages = serializers.SerializerMethodField()

    class Meta(ConversationSerializer.Meta):
        fields: ClassVar = [*ConversationSerializer.Meta.fields, "messages"]
        read_only_fields = fields

    @extend_schema_field(MessageSerializer(many=True))
    def get_messages(self, conversation: Conversation) -> Any:
        return MessageSerializer(conversation.messages.order_by("ordinal"), many=True).data


class Question(Strict):
    """What a visitor asks."""

    text = serializers.CharField(max_length=MAX_MESSAGE)
    identity = serializers.CharField(
        max_length=4000,
        required=False,
        default="",
        allow_blank=True,
        help_text="A token by which your server vouches for the visitor, as in the widget: it carries the audiences.",
    )


class NewTitle(Strict):
    """A title of the team's own."""

    title = serializers.CharField(max_length=120, allow_blank=True, help_text="Empty: as it was made.")


class Reply(Strict):
    """What a person of the team writes."""

    text = serializers.CharField(max_length=MAX_MESSAGE)
    name = serializers.CharField(max_length=120, default="Support", help_text="Shown to the visitor.")


class Turn(serializers.Serializer[Any]):
    """A question and its answer. `answer` is null where a person has taken the conversation over."""

    conversation = serializers.UUIDField()
    state = serializers.CharField()
    question = MessageSerializer()
    answer = MessageSerializer(allow_null=True)


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """Contact details a visitor left."""

    email = serializers.EmailField(read_only=True)

    class Meta:
        model = Lead
        fields: ClassVar = [
            "id",
            "conversation",
            "name",
            "email",
            "phone",
            "company",
            "extra",
            "score",
            "score_reason",
            "created_at",
        ]
        read_only_fields = fields


class EventStream(BaseRenderer):
    """Lets `Accept: text/event-stream` through; the view makes the stream itself."""

    media_type = "text/event-stream"
    format = "sse"


class AskingAPI(WorkspaceAPI, APIView):
    """Where a POST asks, and the answer may be streamed."""

    scopes: ClassVar = SCOPES

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), EventStream()] if self.request.method == "POST" else [JSONRenderer()]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What is no stream is JSON, whatever was asked for: an error before it begins, an answer given again."""
        if isinstance(response, Response):
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


def turn_of(question_id: UUID) -> dict[str, Any]:
    """The stored question and answer, as the API shows them."""
    question = Message.objects.select_related("conversation").get(pk=question_id)
    answer = Message.objects.filter(reply_to=question).first()
    return {
        "conversation": str(question.conversation_id),
        "state": question.conversation.state,
        "question": MessageSerializer(question).data,
        "answer": MessageSerializer(answer).data if answer else None,
    }


def _whole(question_id: UUID) -> str:
    return JSONRenderer().render(turn_of(question_id)).decode()


def _client_id(request: Request) -> UUID:
    """The same Idempotency-Key is the same message, so that it is stored once even if the cache is lost."""
    key = request.headers.get("Idempotency-Key")
    return uuid5(NAMESPACE_URL, f"{request.user.pk}/{request.path}/{key}") if key else uuid4()


def answer_request(view: WorkspaceAPI, request: Request, door: Door) -> Response | StreamingHttpResponse:
    """Take the question in and answer it, whole or streamed, as the request asks."""
    given = Question(data=request.data)
    given.is_valid(raise_exception=True)
    text, client_id, workspace = given.validated_data["text"], _client_id(request), view.workspace
    if token := given.validated_data["identity"]:
        proof = tokens.proven(Identity(token=token), agent=door.agent)
        door = replace(door, belonging=Belonging(audiences=proof.audiences, until=proof.expires))
    if request.accepted_renderer.format == EventStream.format:
        events = asking.stream(workspace, door, client_id=client_id, text=text, whole=_whole)
        return StreamingHttpResponse(
            events,
            content_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    return Response(turn_of(asking.ask(workspace, door, client_id=client_id, text=text)), status=201)


_STREAMED = OpenApiResponse(
    OpenApiTypes.STR,
    description="Server-sent events: `start`, `token` (pieces of the text), `end`, and `answer` with the whole turn.",
)
_ANSWERS: dict[Any, Any] = {(201, "application/json"): Turn, (200, "text/event-stream"): _STREAMED}


class AskView(AskingAPI):
    """Ask an agent, which begins a conversation."""

    @extend_schema(request=Question, responses=_ANSWERS, operation_id="agents_ask")
    @idempotent
    def post(self, request: Request, pk: UUID) -> Any:
        """Ask, and get the whole answer, or with `Accept: text/event-stream` its frames as they come."""
        agent = Agent.objects.get_or_404(pk)
        if not agent.is_active:
            raise Invalid("This agent is paused.")
        conversation_id = uuid5(_client_id(request), "conversation")
        door = Door(agent=agent, conversation_id=conversation_id, channel=Channel.API)
        return answer_request(self, request, door)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's."),
            OpenApiParameter("state", str, enum=ConversationState.values, description="Only in this state."),
        ]
    ),
    retrieve=extend_schema(responses=ConversationDetail),
)
class ConversationViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """What visitors and agents said, and what the team does about it."""

    audited = "conversation"
    audited_fields = ("agent_id", "state", "owner")
    scopes: ClassVar = SCOPES
    serializer_class = ConversationSerializer
    queryset = Conversation.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Conversation]:
        rows = Conversation.objects.all()
        if state := wanted_choice(self.request, "state", ConversationState.values):
            rows = rows.filter(state=state)
        if agent := wanted_id(self.request, "agent"):
            rows = rows.filter(agent_id=Agent.objects.get_or_404(agent).pk)
        return rows

    def get_object(self) -> Conversation:
        return Conversation.objects.get_or_404(self.kwargs["pk"])

    def get_serializer_class(self) -> Any:
        return ConversationDetail if self.action == "retrieve" else ConversationSerializer

    def perform_destroy(self, instance: Conversation) -> None:
        """With its messages, leads and files."""
        delete_conversations([instance.pk])

    @extend_schema(request=NewTitle, responses=ConversationSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Give it a title of your own, which nothing overwrites."""
        given = NewTitle(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        conversation = self.get_object()
        if "title" in given.validated_data:
            digests.rename(conversation, given.validated_data["title"])
        return Response(ConversationSerializer(conversation).data)

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"], url_path="take-over")
    def take_over(self, request: Request, pk: UUID) -> Response:
        """A person answers from now on."""
        person = _person(request)
        return self._change(pk, lambda: conversations.take_over(pk, user_id=person))

    @extend_schema(request=Reply, responses={201: ConversationDetail})
    @action(detail=True, methods=["post"])
    @idempotent
    def reply(self, request: Request, pk: UUID) -> Response:
        """Write as a person of the team; takes the conversation over first if need be."""
        given = Reply(data=request.data)
        given.is_valid(raise_exception=True)
        person, fields = _person(request), given.validated_data
        self._change(pk, lambda: conversations.reply_as_human(pk, user_id=person, **fields))
        return Response(ConversationDetail(self.get_object()).data, status=201)

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"], url_path="hand-back")
    def hand_back(self, request: Request, pk: UUID) -> Response:
        """The agent answers again."""
        return self._change(pk, lambda: conversations.hand_back(pk))

    @extend_schema(request=None, responses=ConversationSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: UUID) -> Response:
        """End the conversation."""
        return self._change(pk, lambda: conversations.close(pk))

    def _change(self, pk: UUID, change: Callable[[], list[Frame]]) -> Response:
        with transaction.atomic():
            frames = change()
            transaction.on_commit(lambda: notices.publish(pk, frames))
        return Response(ConversationSerializer(self.get_object()).data)


class MessagesView(AskingAPI):
    """The messages of a conversation."""

    @extend_schema(responses=MessageSerializer(many=True), operation_id="conversations_messages_list")
    def get(self, request: Request, pk: UUID) -> Response:
        """All messages, oldest first."""
        conversation = Conversation.objects.get_or_404(pk)
        return Response(MessageSerializer(conversation.messages.order_by("ordinal"), many=True).data)

    @extend_schema(request=Question, responses=_ANSWERS, operation_id="conversations_ask")
    @idempotent
    def post(self, request: Request, pk: UUID) -> Any:
        """Ask on, as the visitor of a conversation that began through the API."""
        conversation = Conversation.objects.get_or_404(pk)
        if conversation.channel != Channel.API:
            raise Invalid("Only its visitor writes in a conversation that began in the widget; use reply.")
        door = Door(
            agent=conversation.agent,
            conversation_id=conversation.pk,
            visitor_id=conversation.visitor_id,
            channel=Channel.API,
        )
        return answer_request(self, request, door)


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("order", str, enum=list(ORDERS), description="What comes first.")]
    )
)
class LeadViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Contact details that visitors left."""

    audited = "lead"
    scopes: ClassVar = {"read": Scope.READ_LEADS, "write": Scope.WRITE_LEADS}
    serializer_class = LeadSerializer
    queryset = Lead.objects.all()
    lookup_value_converter = "uuid"

    def get_object(self) -> Lead:
        found = Lead.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise NotFound
        return found

    def get_queryset(self) -> QuerySet[Lead]:
        return leads(order=wanted_choice(self.request, "order", ORDERS) or "newest")


def _person(request: Request) -> UUID:
    """Who the team member behind this key is. Raises Invalid."""
    person: UUID | None = credential_of(request).person_id
    if person is None:
        raise Invalid("The person who made this API key is gone; make another key to write as a person.")
    return person
