"""Titles, summaries and lead scores of the workspace's conversations, kept up to date in the background.

There is no queue: a conversation waits for its digest as long as `digested_at` is older than its last message, or a
lead of it has no score. A worker claims a batch under the rows' locks for a few minutes, has it read in one request
to the tier's cheap model, and stores digests and cost in one transaction, so that each state is booked once. A worker
that dies leaves its claim to run out; after `MOST_TRIES` the built-in rules take a state over, as they do without a
provider, for an agent that uses the built-in model, and once the budget has come near its end.

Runs inside the workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.utils import timezone

from agents import keys
from agents.models import Agent, ModelSettings
from agents.providers import ModelPlan, background_plan
from agents.tiers import EXTRACTIVE
from billing.subscriptions import standing_of
from chat import batching, digesting, prompts, spending
from chat.digesting import Digest, Talk
from chat.models import Channel, Conversation, ConversationState, Lead, Message
from chat.ripeness import proven, ripeness_of
from netvexa.lib.errors import Invalid
from tenants.context import current_workspace

QUIET = timedelta(minutes=3)  # after the last message; a conversation that goes on is read later
WINDOW = timedelta(days=7)  # what was said before, nobody waits for: a new workspace's past is not paid for
CLAIM = timedelta(minutes=5)
MOST_TRIES = 3
READ_MESSAGES = 60


def waiting(*, quiet: bool = True) -> QuerySet[Conversation]:
    """The conversations whose digest is out of date, who asks for a person first; `quiet` leaves out live ones."""
    now = timezone.now()
    unscored = Lead.objects.filter(conversation=OuterRef("pk"), score=None)
    stale = Q(digested_at=None) | Q(digested_at__lt=F("last_message_at")) | Exists(unscored)
    rows = Conversation.objects.filter(stale, last_message_at__gt=now - WINDOW)
    if quiet:
        rows = rows.filter(last_message_at__lt=now - QUIET)
    return rows.filter(Q(digest_until=None) | Q(digest_until__lt=now))


def work(conversation_id: UUID | None = None) -> int:
    """Bring a batch up to date, or at once the one that is named; how many were done."""
    claimed = _claim(waiting(quiet=conversation_id is None), conversation_id)
    done = 0
    for _, rows in groupby(claimed, key=lambda row: row.agent_id):
        done += _digest([_talk(row) for row in rows])
    return done


def rename(conversation: Conversation, topic: str) -> None:
    """A title of the team's own, which nothing overwrites; an empty one leaves it to the background again.

    Raises Invalid.
    """
    topic = " ".join(topic.replace("\0", "").split())
    if len(topic) > 120:
        raise Invalid("A title has up to 120 characters.")
    conversation.topic, conversation.topic_is_own = topic, bool(topic)
    changed = ["topic", "topic_is_own"]
    if not topic:
        conversation.digested_at = None
        changed.append("digested_at")
    conversation.save(update_fields=changed)


def _claim(rows: QuerySet[Conversation], conversation_id: UUID | None) -> list[Conversation]:
    """Take a batch that no other worker has, until CLAIM has passed; those of one agent stand together."""
    if conversation_id is not None:
        rows = rows.filter(pk=conversation_id)
    urgent = Case(When(state=ConversationState.WAITING, then=0), default=1)
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True, of=("self",)).select_related("agent")
        claimed = list(free.order_by(urgent, "last_message_at")[: batching.MOST_ITEMS])
        until = timezone.now() + CLAIM
        ids = [row.pk for row in claimed]
        Conversation.objects.filter(pk__in=ids).update(digest_until=until, digest_tries=F("digest_tries") + 1)
    for row in claimed:
        row.digest_until = until
        row.digest_tries += 1
    return sorted(claimed, key=lambda row: row.agent_id)


def _talk(conversation: Conversation) -> Talk:
    """The messages that a digest looks at: the first and the newest."""
    rows = Message.objects.filter(conversation=conversation).select_related("reply_to")
    newest = list(rows.order_by("-ordinal")[:READ_MESSAGES])
    first = list(rows.order_by("ordinal")[: digesting.FIRST_MESSAGES]) if len(newest) == READ_MESSAGES else []
    known = {row.pk: row for row in [*first, *reversed(newest)]}
    has_lead = conversation.leads.exists()
    return Talk(conversation=conversation, messages=list(known.values()), has_lead=has_lead)


def _digest(talks: list[Talk]) -> int:
    """Digest conversations of one agent, each by whom it suits."""
    agent, settings = talks[0].conversation.agent, ModelSettings.current()
    plan = _plan(agent, settings)
    hosted = [talk for talk in talks if plan is not None and _is_for_a_model(talk)]
    for talk in talks:
        if talk not in hosted:
            _store([(talk, digesting.by_rules(talk))])
    done = len(talks) - len(hosted)
    mask = prompts.masking(masks_contacts=settings.masks_contacts)
    while plan is not None and hosted:
        texts = [digesting.transcript_of(talk, mask=mask) for talk in hosted]
        count = batching.first_batch(texts)
        done += _ask(agent, settings, hosted[:count], texts[:count], plan)
        hosted, plan = hosted[count:], _plan(agent, settings)
    return done


def _is_for_a_model(talk: Talk) -> bool:
    conversation = talk.conversation
    return (
        conversation.digest_tries <= MOST_TRIES
        and conversation.channel != Channel.PREVIEW  # the team's own tries are not worth the money
        and digesting.needs_a_model(talk)
        and digesting.is_safe(talk)
    )


def _plan(agent: Agent, settings: ModelSettings) -> ModelPlan | None:
    """How a model is reached; None where there is none, none is wanted, or the budget is nearly used up."""
    if agent.model == EXTRACTIVE or not settings.background_enabled:
        return None
    tier = _tier()
    left = spending.left_for_background(agent, settings, tier=tier)
    if left == 0:
        return None
    return background_plan(tier, own_credentials=keys.credentials_of(settings), budget_micro_usd=left)


def _tier() -> str:
    return standing_of(current_workspace()).plan.tier.value


def _ask(
    agent: Agent, settings: ModelSettings, talks: Sequence[Talk], texts: Sequence[str], plan: ModelPlan
) -> int:
    """Have a model read these; what it cannot do the rules do. What was not asked to the end waits."""
    asked = batching.ask_now(digesting.JOB, texts, plan=plan)
    made = [
        (talks[place], digesting.from_reply(reply, model=asked.model))
        for place, reply in asked.replies.items()
    ]
    left = set(range(len(talks))) - asked.replies.keys()
    by_rules = asked.failed | {place for place in left if _is_awaited(talks[place])}
    made += [(talks[place], digesting.by_rules(talks[place])) for place in by_rules]
    work_done = spending.Work(items=len(asked.replies), calls=asked.calls, usage=asked.usage)
    with transaction.atomic():
        if asked.calls:
            spending.book_background(
                agent, work_done, tier=_tier(), is_test=False, own_key=bool(settings.keys)
            )
        _store(made)
    return len(made)


def _is_awaited(talk: Talk) -> bool:
    """Whether a person is about to read it: no provider that is away is waited for."""
    return talk.conversation.state in (ConversationState.WAITING, ConversationState.HUMAN)


def _store(made: Sequence[tuple[Talk, Digest]]) -> None:
    """Keep the digests whose claim still holds: the state that was read is the one that they are of."""
    with transaction.atomic():
        for talk, digest in made:
            row = talk.conversation
            mine = Conversation.objects.filter(pk=row.pk, digest_until=row.digest_until)
            stored = mine.update(
                summary=digest.summary,
                digest_model=digest.model,
                digested_at=row.last_message_at,
                digest_until=None,
                digest_tries=0,
            )
            if not stored:
                continue
            Conversation.objects.filter(pk=row.pk, topic_is_own=False).update(topic=digest.title)
            _score(talk, digest)


def _score(talk: Talk, digest: Digest) -> None:
    signs = list(proven(digest.signs, talk.said))
    for lead in talk.conversation.leads.all():
        found = ripeness_of(lead, signs)
        Lead.objects.filter(pk=lead.pk).update(score=found.score, score_reason=found.reason)
