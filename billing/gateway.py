"""The client of Stripe's API, and what its errors mean to people. Calls wait for seconds at most."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from django.conf import settings

from netvexa.lib.errors import AppError, Unavailable

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10
RETRIES = 2  # with the same idempotency key, so that nothing is done twice


class StripeOff(AppError):
    """No key is set: plans are switched by staff."""

    code = "stripe_off"
    status = 409
    default_detail = "Paying in the dashboard is not available on this installation."


class StripeDown(Unavailable):
    """Stripe does not answer. Everything but paying works on."""

    code = "payment_service_unavailable"
    default_detail = (
        "The payment service does not answer right now. Nothing was changed or charged;"
        " please try again in a few minutes. Everything else works as always."
    )


class CardDeclined(AppError):
    """The bank refused."""

    code = "card_declined"
    status = 402
    default_detail = "The bank declined the card, so nothing was changed. Use another card, or ask your bank."


class Refused(AppError):
    """Stripe does not take the request as things stand."""

    code = "payment_refused"
    status = 409
    default_detail = "The payment service did not accept this. Reload the page and try again."


def client() -> stripe.StripeClient:
    """Speaks the pinned version of the API. Raises StripeOff without a key."""
    key = secret_key()
    bases: Any = {"api": settings.STRIPE_API_HOST} if getattr(settings, "STRIPE_API_HOST", "") else {}
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        base_addresses=bases,
    )


def secret_key() -> str:
    """The key of the mode that is configured. Raises StripeOff."""
    key: str = settings.STRIPE_LIVE_SECRET_KEY or settings.STRIPE_TEST_SECRET_KEY
    if not key:
        raise StripeOff
    return key


@contextmanager
def asking() -> Iterator[stripe.StripeClient]:
    """A client whose errors come out as ours: StripeOff, StripeDown, CardDeclined, Refused."""
    try:
        yield client()
    except stripe.CardError as error:
        raise CardDeclined from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        logger.warning("Stripe refused: %s", error)
        raise Refused from error
    except stripe.StripeError as error:
        logger.warning("Stripe cannot be asked: %s", error)
        raise StripeDown from error


def plain(thing: Any) -> dict[str, Any]:
    """A Stripe object as the JSON it came as; its own `to_dict` makes Decimals of some texts."""
    found: dict[str, Any] = json.loads(str(thing))
    return found
