"""Work of the platform in the background."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from celery import shared_task
from django.core.mail import send_mail
from django.core.management import call_command
from django.utils import timezone

from tenants import audit_chain, audit_retention, resealing
from tenants.context import PlatformTask
from tenants.models import Invitation, KnownDevice, ProvisioningState, TokenGrant, Workspace
from tenants.provisioning import provision

logger = logging.getLogger(__name__)
INVITATION_KEPT_FOR = timedelta(
    days=30
)  # since it ran out: until then the page of members offers to send it again
DEVICE_KNOWN_FOR = timedelta(days=400)  # since its last log-in; then the next one is told of again


@shared_task(base=PlatformTask)
def provision_workspace(workspace_id: str) -> None:
    """Build the schema of a workspace that has signed up."""
    provision(Workspace.objects.get(pk=workspace_id))


@shared_task(base=PlatformTask)
def resume_provisioning() -> None:
    """Take up again what a lost task or a crash left unfinished."""
    waiting = (ProvisioningState.PENDING, ProvisioningState.BUILDING, ProvisioningState.FAILED)
    for workspace in Workspace.objects.filter(state__in=waiting):
        provision(workspace)


@shared_task(base=PlatformTask)
def clear_sessions() -> None:
    """Delete sessions that are over, and what no log-in or call asks for any more."""
    call_command("clearsessions")
    now = timezone.now()
    TokenGrant.objects.filter(expires_at__lt=now).delete()
    Invitation.objects.filter(expires_at__lt=now - INVITATION_KEPT_FOR).delete()
    KnownDevice.objects.filter(seen_at__lt=now - DEVICE_KNOWN_FOR).delete()


@shared_task(base=PlatformTask)
def anchor_audit_logs() -> None:
    """Every night: keep outside of the database where each audit log ends, and say so if one was tampered with."""
    for workspace in (None, *Workspace.objects.all()):
        verdict = audit_chain.verify(workspace)
        if verdict.holds:
            audit_chain.anchor(workspace)
        else:
            whose = workspace.key if workspace else "staff"
            logger.error(
                "The audit log of %s does not hold at entry %s: %s", whose, verdict.wrong, verdict.problem
            )


@shared_task(base=PlatformTask)
def shorten_audit_logs() -> None:
    """Every night: what the audit logs keep no longer."""
    if count := audit_retention.shorten_all():
        logger.info("%s entries of audit logs were past their time", count)


@shared_task(base=PlatformTask)
def seal_rows() -> None:
    """Every night: seal what is not sealed by each workspace's newest data key, and drop keys that are done with."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
        try:
            resealing.reseal(workspace)
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("Rows of %s cannot be sealed", workspace.key)


@shared_task(
    autoretry_for=(OSError, SMTPException),
    retry_backoff=5,
    retry_backoff_max=600,
    retry_jitter=True,
    max_retries=8,
)
def deliver_mail(to: str, subject: str, text: str, html: str) -> None:
    """Send one mail; tried again for about an hour while the mail server does not take it."""
    send_mail(subject, text, None, [to], html_message=html)
