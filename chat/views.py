"""Pages about conversations: the list, and one transcript."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from agents.models import Agent
from billing import limits, storage
from billing.plans import Limit
from billing.subscriptions import standing_of
from chat import digests, tasks
from chat.attachments import as_download, check_file
from chat.conversations import close, hand_back, reply_as_human, take_over
from chat.erasure import delete_conversations
from chat.history import author_of
from chat.models import Attachment, Channel, Conversation, ConversationState, Visitor
from chat.notices import publish
from chat.protocol import MAX_ATTACHMENTS, MAX_TEXT, Frame
from chat.seeking import visitors_with
from netvexa.lib.errors import AppError, Invalid, NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.faces import face_address
from tenants.models import User

logger = logging.getLogger(__name__)

_PER_PAGE = 30


@member_required(Permission.VIEW)
@require_safe
def conversation_list(request: MemberRequest) -> HttpResponse:
    """Every chat of the workspace, the latest message first; by state, agent, channel and words if asked."""
    chosen = _chosen(request)
    page = Paginator(_matching(chosen), _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "chosen": chosen,
        "filtered": any(chosen.values()),
        "agents": Agent.objects.all(),
        "states": ConversationState.choices,
        "channels": Channel.choices,
    }
    template = "chat/parts/list.html" if request.htmx else "chat/list.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _chosen(request: HttpRequest) -> dict[str, str]:
    given = {
        name: request.GET.get(name, "").strip().replace("\0", "")[:200]
        for name in ("q", "state", "agent", "channel")
    }
    if given["state"] not in ConversationState.values:
        given["state"] = ""
    if given["channel"] not in Channel.values:
        given["channel"] = ""
    try:
        UUID(given["agent"])
    except ValueError:
        given["agent"] = ""
    return given


def _matching(chosen: dict[str, str]) -> QuerySet[Conversation]:
    rows = Conversation.objects.select_related("agent", "visitor").order_by("-last_message_at", "-pk")
    exact = {"state": "state", "agent": "agent_id", "channel": "channel"}
    rows = rows.filter(**{field: chosen[name] for name, field in exact.items() if chosen[name]})
    if words := chosen["q"]:
        rows = rows.filter(
            Q(title__icontains=words)
            | Q(topic__icontains=words)
            | Q(visitor__in=Visitor.objects.filter(visitors_with(words)).values("pk"))
            | Q(messages__text__icontains=words)
        ).distinct()
    return rows


@member_required(Permission.VIEW)
@require_safe
def show(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """A transcript, as the visitor saw it, and what is known of the visitor."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    context = {
        "conversation": conversation,
        "transcript": conversation.messages.prefetch_related("attachments").order_by("ordinal"),
        "leads": conversation.leads.all(),
        "cost": conversation.messages.aggregate(sum=Sum("cost_micro_usd"))["sum"],
        "max_text": MAX_TEXT,
    }
    template = "chat/parts/live.html" if request.htmx else "chat/show.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@member_required(Permission.VIEW)
@require_safe
def file(request: MemberRequest, conversation_id: UUID, attachment_id: UUID) -> HttpResponse:
    """A file of the conversation, as a download."""
    row = Attachment.objects.filter(pk=attachment_id, conversation_id=conversation_id).first()
    if row is None:
        raise NotFound("There is no such file.")
    return as_download(row)


@member_required(Permission.REPLY)
@require_POST
def delete(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """Take a conversation away, with its messages, leads and files."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    audit.record("conversation.deleted", request=request, subject=str(conversation.pk))
    delete_conversations([conversation.pk])
    messages.success(request, "The conversation is deleted.")
    return redirect("chat:list")


@member_required(Permission.REPLY)
@require_POST
def reply(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """Write to the visitor as oneself, with files if there are any; this takes the conversation over."""
    return _act(request, conversation_id, "conversation.replied", lambda: _reply(request, conversation_id))


def _reply(request: MemberRequest, conversation_id: UUID) -> list[Frame]:
    user, files = request.user, request.FILES.getlist("files")
    if len(files) > MAX_ATTACHMENTS:
        raise Invalid(f"Send at most {MAX_ATTACHMENTS} files at once.")
    uploads = [check_file(one) for one in files]
    if uploads:
        standing, adding = standing_of(request.workspace), sum(len(one.data) for one in uploads)
        limits.check(standing, Limit.STORAGE_BYTES, storage.stored_bytes(), adding=adding)
    return reply_as_human(
        conversation_id,
        user_id=user.pk,
        name=user.display_name,
        avatar=face_address(user),
        text=request.POST.get("text", "")[:MAX_TEXT],
        files=uploads,
    )


@member_required(Permission.REPLY)
@require_POST
def take(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """Answer from now on instead of the agent."""
    return _act(
        request, conversation_id, "conversation.taken_over", lambda: _take(request.user, conversation_id)
    )


def _take(user: User, conversation_id: UUID) -> list[Frame]:
    """Take over; the summary is brought up to date meanwhile."""
    frames = take_over(conversation_id, user_id=user.pk, author=author_of(user))
    try:
        tasks.digest_conversation.enqueue(conversation_id)
    except OperationalError:
        logger.exception("%s was taken over without a new summary", conversation_id)
    return frames


@member_required(Permission.REPLY)
@require_POST
def name(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """Give the conversation a title of the team's own; an empty one leaves it to the background."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    try:
        digests.rename(conversation, request.POST.get("title", ""))
    except Invalid as refused:
        messages.error(request, refused.detail)
    else:
        audit.record("conversation.renamed", request=request, subject=str(conversation.pk))
        messages.success(request, "Saved.")
    return redirect("chat:show", conversation.pk)


@member_required(Permission.REPLY)
@require_POST
def give_back(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """Let the agent answer again."""
    return _act(request, conversation_id, "conversation.handed_back", lambda: hand_back(conversation_id))


@member_required(Permission.REPLY)
@require_POST
def end(request: MemberRequest, conversation_id: UUID) -> HttpResponse:
    """End the conversation."""
    return _act(request, conversation_id, "conversation.closed", lambda: close(conversation_id))


def _act(
    request: MemberRequest, conversation_id: UUID, action: str, act: Callable[[], list[Frame]]
) -> HttpResponse:
    """Do it, show it to whoever watches, note it, and come back to the transcript."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    try:
        frames = act()
    except AppError as refused:
        if request.htmx:  # type: ignore[attr-defined]  # the page stays, and says so
            return JsonResponse(refused.as_json(), status=refused.status)
        messages.error(request, refused.detail)
    else:
        publish(conversation.pk, frames)
        audit.record(action, request=request, subject=str(conversation.pk))
    return redirect("chat:show", conversation.pk)
