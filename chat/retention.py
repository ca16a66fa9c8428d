"""How long a workspace keeps what, and what goes next.

The plan says how long conversations are kept at most; the workspace may choose fewer days, kind by kind. A shorter
time that comes from another plan counts from thirty days after it was noticed, so that nobody loses by a change of
plan, or by its mistake, what they have not had the time to take away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from billing.subscriptions import standing_of
from chat import attachments
from chat.erasure import delete_conversations
from chat.models import Attachment, Conversation, Lead, Message, MessageState, Visitor
from netvexa.lib.masking import mask_cards, mask_contacts
from tenants import audit
from tenants.context import current_workspace
from tenants.models import PrivacySettings

BATCH = 200
BATCHES = 50  # of one kind in one night: what is left goes the next
NOTICE = timedelta(days=30)
KINDS = {
    "conversations": "Conversations with their messages",
    "leads": "Leads",
    "files": "Files that were sent in chats",
    "traces": "Traces of answers (what was found, scores, timings)",
}
_PLAN, _SINCE, _BEFORE = "plan", "plan_since", "plan_before"


@dataclass(frozen=True)
class Rule:
    """One kind: for how many days it is kept (None is until it is deleted), and what goes next."""

    kind: str
    days: int | None

    @property
    def label(self) -> str:
        return KINDS[self.kind]

    def cutoff(self, now: datetime) -> datetime | None:
        """What is older goes."""
        return now - timedelta(days=self.days) if self.days is not None else None


@dataclass(frozen=True)
class Outlook:
    """What goes of a kind in the coming week, and when its oldest goes."""

    rule: Rule
    own_days: int | None
    in_a_week: int
    next_at: datetime | None


def settings_of_workspace() -> PrivacySettings:
    """The current workspace's, or the defaults that are not stored yet."""
    workspace = current_workspace()
    found = PrivacySettings.objects.filter(workspace=workspace).first()
    return found or PrivacySettings(workspace=workspace)


def storable(text: str) -> str:
    """A visitor's message as it may be stored: without card numbers, and without contacts where so chosen."""
    text = mask_cards(text)
    without = mask_contacts(text)
    return without if without != text and settings_of_workspace().masks_contacts else text


def plan_days(chosen: PrivacySettings, *, now: datetime) -> int | None:
    """How long the plan keeps at most, once a shorter time has been known for thirty days."""
    days, known = standing_of(current_workspace()).plan.features.retention_days, chosen.retention
    since = parse_datetime(known.get(_SINCE, ""))
    if known.get(_PLAN, ...) == days and since is not None and since <= now - NOTICE:
        return days
    before: int | None = known.get(_BEFORE)
    return _longer(days, before)


def _longer(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _shorter(one: int | None, other: int | None) -> int | None:
    given = [days for days in (one, other) if days is not None]
    return min(given) if given else None


def note_plan(*, now: datetime) -> None:
    """Keep since when the plan keeps as long as it does, and how long it was before."""
    days = standing_of(current_workspace()).plan.features.retention_days
    with transaction.atomic():
        row = PrivacySettings.objects.select_for_update().get_or_create(workspace=current_workspace())[0]
        if row.retention.get(_PLAN, ...) != days:
            before = row.retention.get(_PLAN) if _PLAN in row.retention else None
            row.retention |= {_PLAN: days, _SINCE: now.isoformat(), _BEFORE: before}
            row.save(update_fields=["retention"])


def rules(*, now: datetime) -> list[Rule]:
    """One for each kind: what the workspace chose, and no more than the plan keeps."""
    chosen = settings_of_workspace()
    most = plan_days(chosen, now=now)
    return [Rule(kind, _shorter(chosen.retention.get(kind), most)) for kind in KINDS]


def choose(days: dict[str, int | None]) -> None:
    """Set how many days the workspace keeps each kind; None leaves it to the plan."""
    with transaction.atomic():
        row = PrivacySettings.objects.select_for_update().get_or_create(workspace=current_workspace())[0]
        row.retention = {**row.retention, **days}
        row.save(update_fields=["retention"])


def outlook(*, now: datetime) -> list[Outlook]:
    """What goes in the coming week."""
    chosen = settings_of_workspace().retention
    return [_outlook(rule, chosen.get(rule.kind), now) for rule in rules(now=now)]


def _outlook(rule: Rule, own: int | None, now: datetime) -> Outlook:
    if rule.days is None:
        return Outlook(rule, own, 0, None)
    time = _times()[rule.kind]
    oldest = _older(rule.kind, now).aggregate(at=Min(time))["at"]
    soon = _older(rule.kind, now + timedelta(days=7) - timedelta(days=rule.days)).count()
    return Outlook(rule, own, soon, oldest + timedelta(days=rule.days) if oldest else None)


def _times() -> dict[str, str]:
    """From when on each kind's days count."""
    return {
        "conversations": "last_message_at",
        "leads": "created_at",
        "files": "created_at",
        "traces": "created_at",
    }


def _older(kind: str, cutoff: datetime) -> QuerySet:  # type: ignore[type-arg]  # of one of four models
    if kind == "conversations":
        return Conversation.objects.filter(last_message_at__lt=cutoff)
    if kind == "leads":
        return Lead.objects.filter(created_at__lt=cutoff)
    if kind == "files":
        return Attachment.objects.filter(created_at__lt=cutoff)
    return Message.objects.filter(created_at__lt=cutoff, state=MessageState.COMPLETE).exclude(receipt={})


def apply(*, now: datetime | None = None) -> dict[str, int]:
    """Delete what is past its time in the current workspace; how much of each kind. Noted in the audit log."""
    moment = now or timezone.now()
    note_plan(now=moment)
    cutoffs = {rule.kind: rule.cutoff(moment) for rule in rules(now=moment)}
    gone = {kind: _clear(kind, cutoff, cutoffs) for kind, cutoff in cutoffs.items() if cutoff}
    gone = {kind: count for kind, count in gone.items() if count}
    if gone:
        audit.note("retention.applied", actor="system", after=gone)
    return gone


def _clear(kind: str, cutoff: datetime, cutoffs: dict[str, datetime | None]) -> int:
    count = 0
    for ids in _batches(_older(kind, cutoff)):
        if kind == "conversations":
            _keep_leads(ids, cutoffs["leads"])
            delete_conversations(ids)
            Visitor.objects.filter(conversations=None, created_at__lt=cutoff).delete()
        elif kind == "leads":
            Lead.objects.filter(pk__in=ids).delete()
        elif kind == "files":
            _delete_files(ids)
        else:
            Message.objects.filter(pk__in=ids).update(receipt={})
        count += len(ids)
    return count


def _batches(rows: QuerySet) -> Iterator[list[UUID]]:  # type: ignore[type-arg]
    """Ids of what is still there, a batch at a time."""
    for _ in range(BATCHES):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            return
        yield ids


def _keep_leads(conversation_ids: list[UUID], cutoff: datetime | None) -> None:
    """A lead that is kept longer than its conversation stands alone from now on; its score stays."""
    leads = Lead.objects.filter(conversation_id__in=conversation_ids)
    kept = leads.filter(created_at__gte=cutoff) if cutoff else leads
    kept.update(conversation=None, score_reason="")  # the reason quotes the conversation


def _delete_files(ids: list[UUID]) -> None:
    with transaction.atomic():
        rows = Attachment.objects.filter(pk__in=ids)
        attachments.delete_files(rows)
        rows.delete()
