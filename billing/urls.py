"""Where Stripe's webhooks arrive; the namespace and the name are those that dj-stripe asks for."""

from __future__ import annotations

from django.urls import path

from billing import webhooks

app_name = "djstripe"
urlpatterns = [path("webhook/<uuid:uuid>/", webhooks.receive, name="djstripe_webhook_by_uuid")]
