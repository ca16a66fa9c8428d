"""What happens when Stripe tells us something: dj-stripe has kept the object, and a task is enqueued."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from django.db import transaction
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from kombu.exceptions import OperationalError

from billing.events import CLOCK_EVENT, INVOICE_EVENTS, SUBSCRIPTION_EVENTS, customer_of
from billing.tasks import refresh_clock, refresh_customer, tell_of_invoice

logger = logging.getLogger(__name__)


@djstripe_receiver([*SUBSCRIPTION_EVENTS, *INVOICE_EVENTS])  # type: ignore[untyped-decorator]
def subscription_changed(sender: type[Event], event: Event, **_: Any) -> None:
    if customer := customer_of(event.data["object"]):
        _after_commit(refresh_customer, customer)


@djstripe_receiver(list(INVOICE_EVENTS))  # type: ignore[untyped-decorator]
def invoice_changed(sender: type[Event], event: Event, **_: Any) -> None:
    _after_commit(tell_of_invoice, event.data["object"]["id"])


@djstripe_receiver(CLOCK_EVENT)  # type: ignore[untyped-decorator]
def clock_moved(sender: type[Event], event: Event, **_: Any) -> None:
    _after_commit(refresh_clock, event.data["object"]["id"])


def _after_commit(task: Task[..., Any], id_: str) -> None:
    """A broker that is down loses nothing: the hourly replay refreshes whoever has newer events."""

    def send() -> None:
        try:
            task.delay(id_)
        except OperationalError:
            logger.exception("A task about money could not be handed to the worker; the replay will catch up")

    transaction.on_commit(send)
