"""What a page of any site may load: the widget's files, an agent's configuration and its avatar."""

from __future__ import annotations

import hashlib
import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from agents.origins import note_seen
from agents.widget import (
    LOADER,
    WidgetConfig,
    WidgetFile,
    avatar_of,
    config_of,
    loader_with,
    published_agent,
    widget_file,
)
from billing.subscriptions import standing_of
from netvexa.lib.errors import NotFound
from tenants.context import current_workspace

_FIVE_MINUTES = "public, max-age=300"
_FIVE_MINUTES_THEN_BEHIND = "public, max-age=300, stale-while-revalidate=86400"
_FOR_EVER = "public, max-age=31536000, immutable"


def _config_for(request: HttpRequest, public_id: str) -> WidgetConfig:
    """Raises NotFound, alike for what is not there and what is paused."""
    with published_agent(public_id) as agent:
        avatar_url = f"{reverse('widget:avatar', args=[public_id])}?v={agent.version}"
        note_seen(agent, origin=_page_of(request), host=request.get_host())
        return config_of(
            agent,
            avatar_url=request.build_absolute_uri(avatar_url),
            white_label=standing_of(current_workspace()).plan.white_label,
        )


def _page_of(request: HttpRequest) -> str:
    """The origin of the page that asks: a script tag sends no Origin, but tells where it stands."""
    referrer = re.match(r"https?://[\w.:-]+", request.headers.get("Referer", ""))
    return request.headers.get("Origin") or (referrer.group() if referrer else "")


@require_safe
def config(request: HttpRequest, public_id: str) -> HttpResponse:
    """An agent's public configuration."""
    try:
        given = _config_for(request, public_id)
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
    if name == LOADER and "agent" in request.GET:
        return _loader_for(request, version, request.GET["agent"])
    try:
        found = widget_file(version, name)
    except NotFound as error:
        return _open(JsonResponse(error.as_json(), status=404), cache="public, max-age=30")
    return _sent(request, found, cache=_FOR_EVER if found.is_hashed else _FIVE_MINUTES_THEN_BEHIND)


def _loader_for(request: HttpRequest, version: str, public_id: str) -> HttpResponse:
    """The loader and the agent's configuration in one answer, so that the bubble waits for no second one."""
    try:
        given = _config_for(request, public_id)
    except NotFound:
        # A page goes on loading it when its agent is paused: that is no error of the page.
        given = None
    return _sent(request, loader_with(given, version), cache=_FIVE_MINUTES)


def _sent(request: HttpRequest, found: WidgetFile, *, cache: str) -> HttpResponse:
    """Compressed for whom it suits."""
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(found.gzipped if zipped else found.body, content_type=found.content_type)
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
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
