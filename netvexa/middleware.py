"""Turns the product's own errors into pages and JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from netvexa.body_limit import most_bytes
from netvexa.lib.errors import AppError
from netvexa.lib.outage import OUTAGES, outage_response


class ErrorMiddleware:
    """Answers an AppError and an outage with a status and a sentence; the rest stays Django's to report."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OUTAGES):
            return outage_response(request, error)
        if not isinstance(error, AppError):
            return None
        response = _answer(request, error)
        if error.retry_after is not None:
            response["Retry-After"] = str(max(1, round(error.retry_after)))
        return response


class PermissionsPolicyMiddleware:
    """Tells browsers that no page of ours uses a camera, a microphone, a place or a payment form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response


class BodyTooLarge(AppError):
    """The request's body is larger than any upload may be."""

    code = "too_large"
    status = 413


class BodyLimitMiddleware:
    """Refuses a request whose body is too large; nothing of such a body has been kept (netvexa.body_limit)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdigit() and int(declared) > most_bytes():
            most = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
            return _answer(request, BodyTooLarge(f"This is too large: a file may have {most} MB at most."))
        return self.get_response(request)


def _answer(request: HttpRequest, error: AppError) -> HttpResponse:
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return JsonResponse(error.as_json(), status=error.status)
    return render(request, "error.html", {"error": error}, status=error.status)
