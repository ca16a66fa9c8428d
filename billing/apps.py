"""Billing listens to what dj-stripe tells."""

from __future__ import annotations

from importlib import import_module

import stripe
from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Registers the receivers, gives dj-stripe's own calls our patience, and says whose plan has single sign-on."""

    name = "billing"

    def ready(self) -> None:
        from billing.gateway import RETRIES, TIMEOUT_SECONDS

        stripe.max_network_retries = RETRIES
        stripe.default_http_client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS)
        import_module("billing.receivers")
        from djstripe.models import APIKey, WebhookEndpoint

        from billing.key_digest import keep_out
        from billing.subscriptions import standing_of
        from tenants.sealed_secrets import seal_field
        from tenants.sign_on import only_where

        seal_field(WebhookEndpoint, "secret")
        keep_out(APIKey, "secret")
        only_where(lambda workspace: standing_of(workspace).plan.features.sso)
