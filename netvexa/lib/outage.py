"""What a person reads while PostgreSQL or Redis cannot be reached: a sentence, a 503."""

from __future__ import annotations

import logging

import redis.exceptions
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

OUTAGES = (OperationalError, InterfaceError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)
RETRY_AFTER = 5  # seconds
_SENTENCE = "A part of NETVEXA cannot be reached right now. Nothing is lost; please try again in a moment."


def outage_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log the outage in one line and answer 503, as a page or as JSON, without asking any server."""
    first_line = str(error).partition("\n")[0]
    logger.error("%s %s: %s: %s", request.method, request.path, type(error).__name__, first_line)
    response: HttpResponse
    if "text/html" in request.headers.get("Accept", ""):
        response = HttpResponse(render_to_string("outage.html", {"sentence": _SENTENCE}), status=503)
    else:
        response = JsonResponse({"code": "unavailable", "detail": _SENTENCE}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
