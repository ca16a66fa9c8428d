"""Which function answers which path."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.stripe_fake.wire import ApiError, Json
from tests.stripe_fake.world import World

Handler = Callable[..., Json]  # (world, params, **parts of the path) -> the answer


@dataclass(frozen=True)
class Route:
    """A method and a path with named parts."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler


ROUTES: list[Route] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """`@route("POST", "/v1/customers/{id_}")`."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, pattern, handler))
        return handler

    return register


def answer(world: World, method: str, path: str, params: Json) -> Json:
    """Call the function of this path. Raises ApiError."""
    for known in ROUTES:
        found = known.pattern.fullmatch(path)
        if found and known.method == method:
            return known.handler(world, params, **found.groupdict())
    raise ApiError(404, f"Unrecognized request URL ({method}: {path}).")
