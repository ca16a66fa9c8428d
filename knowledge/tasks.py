"""Background work on knowledge."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents import gates
from agents.models import Agent
from knowledge import external_links, radar, sync
from knowledge.ingest import ingest
from knowledge.models import Document, DocumentStatus, Finding, FindingState, Source, SyncState
from knowledge.profiles import is_settled, settle
from tenants import mail
from tenants.context import PlatformTask, TenantTask, in_tenant
from tenants.models import Membership, ProvisioningState, Role, Workspace


@shared_task(base=TenantTask, acks_late=True)
def ingest_document(_workspace: Workspace, document_id: str) -> None:
    """Bring a document's newest version into the index; a sync that waited for it goes on."""
    for found in ingest(document_id):
        ingest_document.enqueue(found)
    source = Source.objects.filter(documents__pk=document_id, sync_state=SyncState.RUNNING).first()
    if source is not None:
        sync_source.enqueue(source.pk)
    agent = Agent.objects.filter(sources__documents=UUID(document_id)).first()
    if agent is not None and not is_settled(agent):
        settle_profile.enqueue(str(agent.pk))
    _look(Document.objects.filter(source__agent=agent))


@shared_task(base=TenantTask, acks_late=True)
def sync_source(_workspace: Workspace, source_id: str) -> None:
    """One slice of a source's sync; the next one queues up behind what others wait for."""
    work = sync.advance(source_id)
    for document_id in work.read:
        ingest_document.enqueue(document_id)
    if work.again:
        sync_source.enqueue(source_id)
    elif not work.read:
        _look(Document.objects.filter(source=UUID(source_id)))


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


@shared_task(base=TenantTask)
def scan_knowledge(_workspace: Workspace) -> None:
    """Look for what a person should look at."""
    radar.scan()


@shared_task(base=PlatformTask)
def scan_all_knowledge() -> None:
    """Every night; a task a workspace, so that none waits for a large one."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY).iterator():
        scan_knowledge.delay(str(workspace.pk))


@shared_task(base=TenantTask)
def check_links(_workspace: Workspace, *, goes_on: bool = False) -> None:
    """Look at links for one slice; the next one queues up behind what others wait for."""
    if not goes_on:
        external_links.gather()
    if external_links.check():
        check_links.enqueue(goes_on=True)


@shared_task(base=PlatformTask)
def check_all_links() -> None:
    """Every night, before the radar looks at what was found."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY).iterator():
        check_links.delay(str(workspace.pk))


@shared_task(base=PlatformTask)
def mail_weekly_radar() -> None:
    """Tell the owners of each workspace what is open, where anything is."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY).iterator():
        with in_tenant(workspace):
            findings = list(
                Finding.objects.filter(state=FindingState.OPEN).order_by("kind", "-found_at")[:10]
            )
            total = Finding.objects.filter(state=FindingState.OPEN).count()
        if total:
            _mail(workspace, findings, total)


def _mail(workspace: Workspace, findings: list[Finding], total: int) -> None:
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER).with_people()
    root = urlsplit(settings.ROOT_URL)
    link = f"{root.scheme}://{workspace.slug}.{root.netloc}/knowledge/radar/"
    for owner in owners:
        context = {"workspace": workspace, "findings": findings, "total": total, "link": link}
        mail.send("radar", to=owner.user.email, context=context)


def _look(documents: QuerySet[Document]) -> None:
    """Have those tried that were read and wait."""
    staged = documents.filter(status=DocumentStatus.STAGED).order_by()
    for agent_id in staged.values_list("source__agent", flat=True).distinct():
        gates.look(agent_id)


def _resume() -> None:
    """Documents that no worker has. One that is enqueued twice is taken once: `ingest` asks for its lease.

    Pages without content wait for their source's sync.
    """
    for source_id in sync.start_due():
        sync_source.enqueue(source_id)
    now = timezone.now()
    free = Document.objects.unfinished().filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free = free.filter(fetch_due=False)
    for document_id in free.values_list("pk", flat=True)[:100]:
        ingest_document.enqueue(document_id)
    _look(Document.objects.all())
