"""A workspace's home: what is left to do, the last week in numbers, the newest conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chat.models import Author, Channel, Conversation, ConversationState, Lead, Message, Outcome
from knowledge.models import Document, DocumentStatus
from netvexa.views.wizard import steps_of
from tenants.access import MemberRequest, Permission, member_required

_DAYS = 7
_CHART_HEIGHT = 56


@dataclass(frozen=True)
class Bar:
    """One day of the chart; heights in the chart's units."""

    day: date
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Week:
    """The last seven days, without the team's own tries. Shares in percent; None while there is nothing."""

    conversations: int
    answers: int
    answered_share: int | None
    leads: int
    waiting: int
    bars: list[Bar]


@member_required(Permission.VIEW)
@require_safe
def home(request: MemberRequest) -> HttpResponse:
    """The dashboard."""
    steps = steps_of(request.workspace)
    context = {
        "steps": steps,
        "done": sum(step.done for step in steps),
        "week": week(),
        "newest": Conversation.objects.select_related("agent", "visitor").order_by("-last_message_at")[:6],
        "failed": Document.objects.filter(status=DocumentStatus.FAILED).count(),
    }
    return render(request, "app/home.html", context)


def week() -> Week:
    """Numbers of the current workspace."""
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=_DAYS - 1
    )
    real = ~Q(conversation__channel=Channel.PREVIEW)
    answers = Message.objects.filter(real, author=Author.AI, created_at__gte=since)
    found = answers.aggregate(total=Count("pk"), answered=Count("pk", filter=Q(outcome=Outcome.ANSWERED)))
    conversations = Conversation.objects.exclude(channel=Channel.PREVIEW)
    return Week(
        conversations=conversations.filter(created_at__gte=since).count(),
        answers=found["total"],
        answered_share=round(100 * found["answered"] / found["total"]) if found["total"] else None,
        leads=Lead.objects.filter(created_at__gte=since).count(),
        waiting=conversations.filter(state=ConversationState.WAITING).count(),
        bars=_bars(since.date(), conversations.filter(created_at__gte=since)),
    )


def _bars(first: date, rows: object) -> list[Bar]:
    counted = rows.annotate(day=TruncDate("created_at")).values("day").annotate(n=Count("pk"))  # type: ignore[attr-defined]
    by_day = {row["day"]: row["n"] for row in counted}
    counts = [(first + timedelta(days=at), by_day.get(first + timedelta(days=at), 0)) for at in range(_DAYS)]
    most = max((count for _, count in counts), default=0) or 1
    heights = [max(2, round(_CHART_HEIGHT * count / most)) if count else 2 for _, count in counts]
    return [
        Bar(day=day, count=count, x=at * 40, y=_CHART_HEIGHT - heights[at], height=heights[at])
        for at, (day, count) in enumerate(counts)
    ]
