"""Stripe's wire: form bodies with brackets, errors, expansion and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
API_VERSION = "2026-05-27.dahlia"


class ApiError(Exception):
    """An answer of Stripe's error shape."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", **details: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": kind, "message": message, **details}}


def missing(kind: str, id_: str, param: str = "id") -> ApiError:
    return ApiError(404, f"No such {kind}: '{id_}'", code="resource_missing", param=param)


def invalid(message: str, param: str = "", code: str = "parameter_invalid") -> ApiError:
    return ApiError(400, message, code=code, param=param)


def declined(code: str = "generic_decline") -> ApiError:
    """A card that was refused: 402, as for `4000 0000 0000 0002`."""
    return ApiError(
        402,
        "Your card was declined.",
        kind="card_error",
        code="card_declined",
        decline_code=code,
    )


def decode(text: str) -> Json:
    """`items[0][price]=p&expand[]=x` as nested dicts and lists; values stay texts, as on the wire."""
    root: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        _put(root, [head, *rest], value)
    return {key: _as_lists(value) for key, value in root.items()}


def _put(node: Json, path: list[str], value: str) -> None:
    for part in path[:-1]:
        node = node.setdefault(part or str(len(node)), {})
    node[path[-1] or str(len(node))] = value


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _as_lists(item) for key, item in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def integer(params: Json, name: str) -> int | None:
    """A whole number among the parameters; None where it is not given or empty."""
    given = params.get(name)
    if given in (None, ""):
        return None
    try:
        return int(given)
    except ValueError:
        raise invalid(f"Invalid integer: {given}", name, "parameter_invalid_integer") from None


def flag(params: Json, name: str, *, default: bool = False) -> bool:
    given = params.get(name)
    return default if given is None else given in ("true", True)


def require(params: Json, *names: str) -> None:
    for name in names:
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")


def metadata(before: Json, params: Json) -> Json:
    """Given keys replace, empty ones delete, the others stay."""
    given = params.get("metadata") or {}
    merged = {**before, **given} if isinstance(given, dict) else dict(before)
    return {key: value for key, value in merged.items() if value != ""}


def page(rows: Iterable[Json], params: Json, *, url: str) -> Json:
    """One page of a list, newest first, from a cursor on."""
    found = list(rows)
    limit = integer(params, "limit") or 10
    if cursor := params.get("starting_after"):
        found = found[_index(found, cursor) + 1 :]
    elif cursor := params.get("ending_before"):
        before = found[: _index(found, cursor)]
        return {"object": "list", "url": url, "has_more": len(before) > limit, "data": before[-limit:]}
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": found[:limit]}


def _index(rows: list[Json], id_: str) -> int:
    for at, row in enumerate(rows):
        if row["id"] == id_:
            return at
    raise missing("object", id_, "starting_after")


def within(params: Json, name: str, value: int) -> bool:
    """Does `value` fit `created[gte]=…` and its kin?"""
    given = params.get(name)
    if given is None:
        return True
    if not isinstance(given, dict):
        return value == int(given)
    checks = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}
    return all(checks[key](value, int(bound)) for key, bound in given.items())


def rendered(value: Any) -> Any:
    """Without what the stand-in keeps for itself (keys that begin with an underscore)."""
    if isinstance(value, dict):
        return {key: rendered(item) for key, item in value.items() if not key.startswith("_")}
    return [rendered(item) for item in value] if isinstance(value, list) else value


def expanded(answer: Json, paths: Iterable[str], find: Callable[[str], Json | None]) -> Json:
    """The answer with the ids at `paths` replaced by what they name."""
    answer = deepcopy(answer)
    for path in paths:
        _expand(answer, path.split("."), find)
    return answer


def _expand(node: Any, path: list[str], find: Callable[[str], Json | None]) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(item, path, find)
        return
    if not isinstance(node, dict) or path[0] not in node:
        return
    name = path[0]
    if isinstance(node[name], str):
        node[name] = rendered(find(node[name])) or node[name]
    elif isinstance(node[name], list):
        node[name] = [rendered(find(item)) or item if isinstance(item, str) else item for item in node[name]]
    if path[1:]:
        _expand(node[name], path[1:], find)
