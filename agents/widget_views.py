"""What a page of any site may load: the widget's files, an agent's configuration and its avatar."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from agents.origins import note_seen
from agents.widget import avatar_of, config_of, published_agent, widget_file
from billing.subscriptions import standing_of
from netvexa.lib.errors import NotFound
from tenants.context import current_workspace

_FIVE_MINUTES = "public, max-age=300"
_FIVE_MINUTES_THEN_BEHIND = "public, max-age=300, stale-while-revalidate=86400"
_FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def config(request: HttpRequest, public_id: str) -> HttpResponse:
    """An agent's public configuration; what is not there and what is paused answer alike."""
    try:
        with published_agent(public_id) as agent:
            avatar_url = f"{reverse('widget:avatar', args=[public_id])}?v={agent.version}"
            note_seen(agent, origin=request.headers.get("Origin", ""), host=request.get_host())
            given = config_of(
                agent,
                avatar_url=request.build_absolute_uri(avatar_url),
                white_label=standing_of(current_workspace()).plan.white_label,
            )
    except NotFound as error:
        return _open(JsonResponse(error.as_json(), status=404), cache="public, max-age=30")
    response = JsonResponse(given)
    return _conditional(request, response, etag=hashlib.sha256(response.content).hexdigest()[:24])


@require_safe
def avatar(request: HttpRequest, public_id: str) -> HttpResponse:
    """An agent's picture."""
    try:
        with published_agent(public_id) as agent:
            picture = avatar_of(agent)
    except NotFound as error:
        return _open(JsonResponse(error.as_json(), status=404), cache="public, max-age=30")
    response = HttpResponse(picture.body, content_type=picture.content_type)
    return _conditional(request, response, etag=hashlib.sha256(picture.body).hexdigest()[:24])


@require_safe
def file(request: HttpRequest, version: str, name: str) -> HttpResponse:
    """A built file: the loader is looked up again soon, its parts carry their hash and never change."""
    try:
        found = widget_file(version, name)
    except NotFound as error:
        return _open(JsonResponse(error.as_json(), status=404), cache="public, max-age=30")
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(found.gzipped if zipped else found.body, content_type=found.content_type)
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    cache = _FOR_EVER if found.is_hashed else _FIVE_MINUTES_THEN_BEHIND
    return _conditional(request, response, etag=f"{found.etag}{'-gz' if zipped else ''}", cache=cache)


def _conditional(
    request: HttpRequest, response: HttpResponse, *, etag: str, cache: str = _FIVE_MINUTES
) -> HttpResponse:
    """The response, or 304 if the browser has it already."""
    response["ETag"] = f'"{etag}"'
    answer = get_conditional_response(request, etag=response["ETag"], response=_open(response, cache=cache))
    return _open(answer or response, cache=cache)


def _open(response: HttpResponse, *, cache: str) -> HttpResponse:
    """Readable by every site: nothing here is secret, and no cookie is looked at."""
    response["Cache-Control"] = cache
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
