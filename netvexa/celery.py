"""The Celery application. Tasks name their workspace: see `tenants.context.TenantTask`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")

app = Celery("netvexa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_settings_logging(**_given: Any) -> None:
    """Log as the settings say, masked: left alone, Celery puts handlers of its own in their place.

    What a task was called with, and what a mail server answered, holds addresses.
    """
