"""The chat's work in the background."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone
from redis.exceptions import RedisError

from agents.models import Agent
from agents.providers import shut_down
from chat import (
    attachments,
    batching,
    busy,
    curated,
    digests,
    gaps,
    mails,
    probe,
    retention,
    runs,
    trial_mails,
    trials,
    turns,
)
from chat.feed import feed
from chat.notices import redis
from netvexa.lib.errors import AppError
from tenants.context import PlatformTask, TenantTask, in_tenant
from tenants.models import ProvisioningState, Workspace

logger = logging.getLogger(__name__)


@shared_task(base=PlatformTask, expires=30)
def finish_orphaned_answers() -> None:
    """Find the answers whose writer died, and have each taken up. Runs every ten seconds."""
    try:
        seen = busy.noted(redis())
        ask_all = busy.claim_full_round(redis())
        busy.keep_talked(redis(), seen)
    except RedisError as error:
        logger.warning("Orphaned answers cannot be looked for: %s", error)
        return
    ready = Workspace.objects.filter(state=ProvisioningState.READY)
    for workspace in ready if ask_all else ready.filter(pk__in=seen):
        try:
            _look_into(workspace, seen.get(workspace.pk))
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("Orphaned answers of %s cannot be looked for", workspace.key)


def _look_into(workspace: Workspace, seen: float | None) -> None:
    with in_tenant(workspace):
        orphaned, any_left = turns.orphans(), turns.any_writing()
    for answer_id in orphaned:
        finish_answer.apply_async((str(workspace.pk), str(answer_id)), expires=60)
    if seen is not None and not any_left:
        busy.forget(redis(), workspace.pk, seen=seen)


@shared_task(base=TenantTask)
def finish_answer(workspace: Workspace, answer_id: str) -> None:
    """Write one answer whose writer died."""
    asyncio.run(_finish(workspace, UUID(answer_id)))


async def _finish(workspace: Workspace, answer_id: UUID) -> None:
    try:
        await runs.take_up(workspace, answer_id)
    finally:
        await feed().close()
        await shut_down()


@shared_task(base=TenantTask, autoretry_for=(OSError,), retry_backoff=30, max_retries=8)
def notify_handoff(workspace: Workspace, conversation_id: str) -> None:
    """Tell the team that a visitor asks for a person."""
    _sent(mails.handoff, conversation_id)


@shared_task(base=TenantTask, autoretry_for=(OSError,), retry_backoff=30, max_retries=8)
def notify_lead(workspace: Workspace, lead_id: str) -> None:
    """Tell the team that a visitor left contact details."""
    _sent(mails.lead, lead_id)


@shared_task(base=TenantTask, autoretry_for=(OSError,), retry_backoff=30, max_retries=8)
def mail_transcript(workspace: Workspace, conversation_id: str, to: str) -> None:
    """Send a visitor what was said."""
    _sent(lambda row_id: mails.transcript(row_id, to=to), conversation_id)


@shared_task(base=PlatformTask)
def clear_attachments() -> None:
    """Every night: files that were never sent, and files whose rows are gone."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
        try:
            with in_tenant(workspace):
                attachments.clear_unsent()
                attachments.clear_files()
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("Attachments of %s cannot be cleared", workspace.key)


@shared_task(base=PlatformTask)
def apply_retention() -> None:
    """Every night: what workspaces keep no longer."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
        try:
            with in_tenant(workspace):
                retention.apply()
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("What %s keeps no longer cannot be deleted", workspace.key)


@shared_task(base=TenantTask)
def make_curated_vectors(workspace: Workspace, agent_id: str) -> None:
    """Make what the exact answers of an agent need to be found by meaning."""
    curated.make_vectors(UUID(agent_id))


@shared_task(base=PlatformTask, expires=60)
def digest_quiet_conversations() -> None:
    """Look for conversations that have gone quiet, where there was talk, and once an hour everywhere."""
    try:
        wanted = busy.talked(redis())
        everywhere = busy.claim_all_digests(redis())
    except RedisError as error:
        logger.warning("Quiet conversations cannot be looked for: %s", error)
        return
    ready = Workspace.objects.filter(state=ProvisioningState.READY)
    for workspace_id in (ready if everywhere else ready.filter(pk__in=wanted)).values_list("pk", flat=True):
        digest_conversations.apply_async((str(workspace_id),), expires=60)


@shared_task(base=TenantTask)
def digest_conversations(workspace: Workspace) -> None:
    """Bring titles, summaries and lead scores up to date: a batch, so that others have their turn in between."""
    if digests.work() == batching.MOST_ITEMS:
        digest_conversations.enqueue()


@shared_task(base=TenantTask)
def digest_conversation(workspace: Workspace, conversation_id: str) -> None:
    """Sum one conversation up at once, for whoever takes it over."""
    digests.work(UUID(conversation_id))


@shared_task(base=TenantTask)
def run_trial(workspace: Workspace, trial_id: str) -> None:
    """Ask an agent's test questions, and decide about the change that they try."""
    trials.run(UUID(trial_id))
    for agent_id in Agent.objects.filter(trials=UUID(trial_id)).values_list("pk", flat=True):
        curated.make_vectors(agent_id)  # where the change was of exact answers
    _sent(trial_mails.broken, trial_id)


@shared_task(base=TenantTask)
def try_content(_workspace: Workspace, agent_id: str) -> None:
    """Ask an agent's test questions about what was read and waits, once no more comes."""
    trial = trials.begin_content(UUID(agent_id))
    if trial is not None:
        run_trial.enqueue(trial.pk)


@shared_task(base=PlatformTask)
def resume_trials() -> None:
    """Hand over again the test runs that a dead worker left behind."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY).iterator():
        try:
            with in_tenant(workspace):
                stalled = trials.stalled()
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("Test runs of %s cannot be looked for", workspace.key)
            continue
        for trial_id in stalled:
            run_trial.delay(str(workspace.pk), str(trial_id))


@shared_task(base=PlatformTask)
def tend_answers() -> None:
    """Every night, in every workspace: exact answers follow their agent's embedding profile, and
    what was asked in vain is gathered.
    """
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
        try:
            with in_tenant(workspace):
                for agent_id in Agent.objects.values_list("pk", flat=True):
                    curated.make_vectors(agent_id)
                    gaps.gather(agent_id)
                gaps.prune()
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("Answers of %s cannot be tended", workspace.key)


def _sent(send: mails.Send, row_id: str) -> None:
    try:
        send(UUID(row_id))
    except AppError as error:  # the row is gone: nothing to tell
        logger.info("Nothing to send: %s", error)


@shared_task(base=PlatformTask)
def probe_isolation() -> None:
    """Have every workspace probed, each with another neighbour than the night before."""
    ready = Workspace.objects.filter(state=ProvisioningState.READY).order_by("pk")
    ids = list(ready.values_list("pk", flat=True))
    step = 1 + timezone.now().toordinal() % max(1, len(ids) - 1)
    for place, workspace_id in enumerate(ids):
        probe_workspace.delay(str(workspace_id), str(ids[(place + step) % len(ids)]))


@shared_task(base=PlatformTask)
def probe_workspace(workspace_id: str, neighbour_id: str) -> None:
    """Look whether anything of the neighbour's comes out of the workspace's doors."""
    ready = Workspace.objects.filter(state=ProvisioningState.READY)
    workspace, neighbour = ready.get(pk=workspace_id), ready.get(pk=neighbour_id)
    probe.probe(workspace, probe.neighbour_of(neighbour) if neighbour != workspace else None)
