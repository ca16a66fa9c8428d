"""What Stripe tells us: the signature is checked, the event is kept, and a task takes it up.

Nothing is asked of Stripe meanwhile, so its word is answered in milliseconds however long our work on it takes.
"""

from __future__ import annotations

import logging
from uuid import UUID

import stripe
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from djstripe.models import WebhookEndpoint, WebhookEventTrigger
from kombu.exceptions import OperationalError

from billing.tasks import take_up_event
from netvexa.lib.client import client_address
from tenants.context import platform

logger = logging.getLogger(__name__)
TOLERANCE = (
    300  # seconds that a signature is good for: an event that somebody recorded cannot be replayed later
)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One event for the endpoint with this id; an unknown endpoint is 404, a wrong signature 400."""
    signature = request.headers.get("stripe-signature", "")
    if not signature:
        return HttpResponseBadRequest()
    with platform():
        endpoint = get_object_or_404(WebhookEndpoint, djstripe_uuid=uuid)
        if not is_signed(request.body, signature, endpoint.secret):
            logger.warning("A webhook's signature is wrong or too old")
            return HttpResponseBadRequest()
        kept = WebhookEventTrigger.objects.create(
            headers={},
            body=request.body.decode(),
            remote_ip=client_address(request) or "::",
            valid=True,
            webhook_endpoint=endpoint,
            stripe_trigger_account_id=endpoint.djstripe_owner_account_id,
        )
        transaction.on_commit(lambda: _hand_over(kept.pk))
    return HttpResponse(str(kept.pk))


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether Stripe made this header for this body with this secret, at most five minutes ago."""
    if not signature.isascii():  # Stripe's library compares texts, and cannot compare others
        return False
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _hand_over(kept_id: int) -> None:
    """A broker that is down loses nothing: what waits is taken up every five minutes."""
    try:
        take_up_event.delay(kept_id)
    except OperationalError:
        logger.exception("An event of Stripe could not be handed to the worker; it waits")
