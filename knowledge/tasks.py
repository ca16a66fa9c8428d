"""Background work on knowledge."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from agents.models import Agent
from knowledge.ingest import ingest
from knowledge.models import Document
from knowledge.profiles import is_settled, settle
from tenants.context import PlatformTask, TenantTask, in_tenant
from tenants.models import ProvisioningState, Workspace


@shared_task(base=TenantTask, acks_late=True)
def ingest_document(_workspace: Workspace, document_id: str) -> None:
    """Bring a document's newest version into the index."""
    ingest(document_id)
    agent = Agent.objects.filter(sources__documents=UUID(document_id)).first()
    if agent is not None and not is_settled(agent):
        settle_profile.enqueue(str(agent.pk))


@shared_task(base=TenantTask, acks_late=True)
def settle_profile(_workspace: Workspace, agent_id: str) -> None:
    """Read an agent's knowledge with the model that its languages ask for."""
    settle(UUID(agent_id))


@shared_task(base=PlatformTask)
def resume_ingestion() -> None:
    """Hand over again what waits for its next attempt and what a dead worker left behind."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY).iterator():
        with in_tenant(workspace):
            _resume()


def _resume() -> None:
    """Documents that no worker has. One that is enqueued twice is taken once: `ingest` asks for its lease."""
    now = timezone.now()
    free = Document.objects.unfinished().filter(Q(lease_until=None) | Q(lease_until__lt=now))
    for document_id in free.values_list("pk", flat=True)[:100]:
        ingest_document.enqueue(document_id)
