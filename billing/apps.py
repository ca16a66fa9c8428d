"""Billing listens to what dj-stripe tells."""

from __future__ import annotations

from importlib import import_module

import stripe
from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Registers the receivers, and gives dj-stripe's own calls our patience."""

    name = "billing"

    def ready(self) -> None:
        from billing.gateway import RETRIES, TIMEOUT_SECONDS

        stripe.max_network_retries = RETRIES
        stripe.default_http_client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS)
        import_module("billing.receivers")
