"""`Idempotency-Key`: the same POST sent twice is done once, and answered twice alike."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.response import Response

from netvexa.lib.errors import AppError, Invalid

logger = logging.getLogger(__name__)
KEPT_SECONDS = 24 * 3600
LONGEST_WORK_SECONDS = 120
LONGEST_KEY = 200


class InProgress(AppError):
    """The first request with this key has not been answered yet."""

    code = "idempotency_in_progress"
    status = 409
    default_detail = "A request with this Idempotency-Key is being worked on. Try again in a moment."


class Reused(AppError):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    status = 422
    default_detail = "This Idempotency-Key was used for a different request."


@dataclass(frozen=True)
class Done:
    """What was answered, and to what."""

    digest: str
    status: int
    data: Any


def idempotent(method: Callable[..., Any]) -> Callable[..., Any]:
    """For a POST method of an API view: honour the request's Idempotency-Key, if it has one."""

    @wraps(method)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        given = request.headers.get("Idempotency-Key", "")
        if not given:
            return method(view, request, *args, **kwargs)
        if len(given) > LONGEST_KEY:
            raise Invalid(f"An Idempotency-Key has {LONGEST_KEY} characters at most.")
        name, digest = _name(request, given), _digest(request)
        try:
            if not cache.add(name, Done(digest, 0, None), LONGEST_WORK_SECONDS):
                return _again(cache.get(name), digest)
        except (RedisError, OSError):
            logger.warning("Redis cannot be reached: an Idempotency-Key is not honoured")
            return method(view, request, *args, **kwargs)
        return _first(name, digest, lambda: method(view, request, *args, **kwargs))

    return once


def _first(name: str, digest: str, work: Callable[[], Any]) -> Any:
    try:
        response = work()
    except BaseException:
        cache.delete(name)  # nothing was done, so it may be tried again
        raise
    if isinstance(response, Response):
        cache.set(name, Done(digest, response.status_code, response.data), KEPT_SECONDS)
    else:
        cache.delete(name)  # a stream is not kept; what it wrote is found by its own key
    return response


def _again(done: Done | None, digest: str) -> Response:
    if done is None or (done.status == 0 and done.digest == digest):
        raise InProgress(retry_after=1)
    if done.digest != digest:
        raise Reused
    return Response(done.data, status=done.status, headers={"Idempotency-Replayed": "true"})


def _name(request: Request, given: str) -> str:
    """Of this credential on this path only: two integrators may choose the same key."""
    parts = (str(request.user.pk), request.path, given)
    return "idempotency:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digest(request: Request) -> str:
    fields = sorted(
        (name, str(value)) for name, value in dict(request.data).items() if name not in request.FILES
    )
    files = sorted((name, file.name, file.size) for name, file in request.FILES.items())
    return hashlib.sha256(repr((fields, files)).encode()).hexdigest()
