"""The Celery application. Tasks name their workspace: see `tenants.context.TenantTask`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")

app = Celery("netvexa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
