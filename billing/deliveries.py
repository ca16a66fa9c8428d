"""Events that Stripe brought to our door and that wait to be taken up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from traceback import format_exc

from django.db import transaction
from django.utils import timezone
from djstripe.models import WebhookEventTrigger

from billing.gateway import secret_key

LOST_AFTER = timedelta(minutes=2)  # a task that has not begun by then is taken to be lost
KEEP = timedelta(days=30)


def take_up(kept_id: int) -> None:
    """Let dj-stripe keep what the event is about, and the receivers hear of it; done once.

    Raises what Stripe's client raises; the reason stands on the row, and the hourly replay tries again.
    """
    kept = WebhookEventTrigger.objects.filter(pk=kept_id, processed=False).first()
    if kept is None:
        return
    try:
        with transaction.atomic():
            kept.process(api_key=secret_key())
    except Exception as error:
        why = {"exception": str(error)[:128], "traceback": format_exc()}
        WebhookEventTrigger.objects.filter(pk=kept_id).update(**why)
        raise


def waiting() -> Iterable[int]:
    """What no task has taken up, oldest first: its task was lost, or the broker was away."""
    since = timezone.now() - LOST_AFTER
    rows = WebhookEventTrigger.objects.filter(processed=False, valid=True, exception="", created__lt=since)
    return [int(pk) for pk in rows.order_by("pk").values_list("pk", flat=True)]


def prune() -> None:
    """Forget what arrived long ago."""
    WebhookEventTrigger.objects.filter(created__lt=timezone.now() - KEEP).delete()
