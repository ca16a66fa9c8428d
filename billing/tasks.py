"""Work about money in the background. Every task may run twice, late or in any order."""

from __future__ import annotations

import logging

import stripe
from celery import shared_task
from django.conf import settings

from billing import alerts, deliveries, ledger, metering, notices, overage, repair
from billing.gateway import StripeDown
from billing.models import BillingAccount
from billing.refresh import refresh
from tenants.context import PlatformTask, in_tenant
from tenants.models import ProvisioningState, Workspace

logger = logging.getLogger(__name__)


class StripeTask(PlatformTask):
    """Tried again for hours while Stripe does not answer."""

    abstract = True
    autoretry_for = (StripeDown, stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError)
    retry_backoff = 5
    retry_backoff_max = 900
    max_retries = 20


@shared_task(base=StripeTask)
def take_up_event(kept_id: int) -> None:
    """What an event that arrived is about."""
    deliveries.take_up(kept_id)


@shared_task(base=PlatformTask)
def take_up_waiting_events() -> None:
    """Events whose task was lost; every five minutes."""
    for kept_id in deliveries.waiting():
        take_up_event.delay(kept_id)


@shared_task(base=StripeTask)
def refresh_customer(customer_id: str) -> None:
    """Compute an entitlement anew, and tell the owners what changed."""
    change = refresh(customer_id)
    if change is not None:
        notices.tell_of_change(change)
        overage.end_with_plan(change.workspace)


@shared_task(base=StripeTask)
def refresh_clock(clock_id: str) -> None:
    """A test clock of Stripe's test mode moved: everybody who lives on one is computed anew."""
    for account in BillingAccount.objects.all():
        refresh_customer.delay(account.customer_id)


@shared_task(base=PlatformTask)
def tell_of_invoice(invoice_id: str) -> None:
    """Mail a receipt, or that a payment failed."""
    data = notices.invoice_data(invoice_id)
    if data is not None:
        notices.tell_of_invoice(data)


@shared_task(base=PlatformTask)
def remind_of_payment() -> None:
    """What comes next for unpaid plans; every hour."""
    notices.remind()


@shared_task(base=PlatformTask)
def tell_of_usage(workspace_id: str) -> None:
    """Tell a workspace's owners how far this month's answers are used up, where a level was reached."""
    alerts.tell_of_usage(Workspace.objects.filter(pk=workspace_id))


@shared_task(base=PlatformTask)
def look_at_usage() -> None:
    """The same for everybody, in case one was missed; every hour."""
    alerts.tell_of_usage(alerts.near_a_level())


@shared_task(base=StripeTask)
def tell_of_overage() -> None:
    """Answers beyond plans, told to Stripe's meter; every five minutes."""
    metering.note()
    if settings.STRIPE_ENABLED:
        metering.send()


@shared_task(base=PlatformTask)
def take_down_usage() -> None:
    """The ledger's lines of every workspace that are due, and the hourly buckets; every hour."""
    for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
        try:
            with in_tenant(workspace):
                ledger.take_down(workspace)
        except Exception:  # one workspace's trouble is not the others'
            logger.exception("The usage of %s cannot be taken down", workspace.key)
    ledger.sum_hours()


@shared_task(base=StripeTask)
def replay_events() -> None:
    """Events that never arrived are processed as if they had; every hour."""
    if settings.STRIPE_ENABLED:
        for customer_id in repair.replay():
            refresh_customer.delay(customer_id)


@shared_task(base=StripeTask)
def check_drift() -> None:
    """Compare every account with Stripe, mend it, and tell staff; every night."""
    if settings.STRIPE_ENABLED:
        repair.check_drift()
        repair.resync()


@shared_task(base=PlatformTask)
def prune_webhooks() -> None:
    """Forget what arrived at the webhook long ago."""
    deliveries.prune()
