"""The connection with Stripe: our account, and the webhook endpoint with its secret."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.urls import reverse
from djstripe.models import Account, WebhookEndpoint

from billing.events import WATCHED
from billing.gateway import asking, secret_key
from tenants.context import platform


def connect() -> WebhookEndpoint:
    """Make the endpoint where Stripe sends events to this installation, unless it stands already.

    Its secret is told only when it is made, so one that we have no secret of is replaced.
    """
    with platform(), asking() as client:
        Account.get_or_retrieve_for_api_key(secret_key())
        for row in client.v1.webhook_endpoints.list({"limit": 100}).data:
            if not row.url.startswith(f"{settings.ROOT_URL}/"):
                continue
            known: WebhookEndpoint | None = (
                WebhookEndpoint.objects.filter(id=row.id).exclude(secret="").first()
            )
            if known is not None and set(row.enabled_events) == set(WATCHED):
                return known
            client.v1.webhook_endpoints.delete(row.id)
            WebhookEndpoint.objects.filter(id=row.id).delete()
        uuid = uuid4()
        path = reverse(
            "djstripe:djstripe_webhook_by_uuid", args=[uuid], urlconf=settings.PUBLIC_SCHEMA_URLCONF
        )
        wanted: Any = {
            "url": f"{settings.ROOT_URL}{path}",
            "enabled_events": list(WATCHED),
            "api_version": settings.STRIPE_API_VERSION,
            "metadata": {"djstripe_uuid": str(uuid)},
        }
        made = client.v1.webhook_endpoints.create(wanted)
        endpoint: WebhookEndpoint = WebhookEndpoint.sync_from_stripe_data(made, api_key=secret_key())
        return endpoint
