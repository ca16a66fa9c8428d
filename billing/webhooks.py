"""What Stripe tells us. dj-stripe checks the signature and keeps the event; it works as the platform."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from djstripe.views import ProcessWebhookView

from tenants.context import platform

_process = ProcessWebhookView.as_view()


@csrf_exempt
@require_POST
def receive(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """One event for the endpoint with this id; an unknown endpoint is 404."""
    _drop_foreign_secret(request)
    with platform():
        response: HttpResponseBase = _process(request, uuid=uuid)
        return response


def _drop_foreign_secret(request: HttpRequest) -> None:
    """In debug mode dj-stripe would let this header of the sender replace the endpoint's secret."""
    if request.META.pop("HTTP_X_DJSTRIPE_WEBHOOK_SECRET", None) is not None:
        request.__dict__.pop("headers", None)  # it is computed once
