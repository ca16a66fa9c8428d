"""What every operation of the API may answer beside its success, told in its schema once for all."""

from __future__ import annotations

from typing import Any

_PROBLEM = {
    "type": "object",
    "description": "What is wrong, and a code for programs. Some errors carry more.",
    "properties": {
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "fields": {"description": "What is wrong, field by field."},
    },
    "required": ["code", "detail"],
}
_ALWAYS = {
    "400": "The input is not valid; the detail says what and how to mend it.",
    "401": "No key or token, or none that is valid here.",
    "403": "The key or token may not do this, or the plan does not include it.",
    "404": "There is nothing here, or it is somebody else's.",
    "406": "None of the media types in `Accept` can be answered with.",
    "429": "Too many calls; `Retry-After` says when to come back.",
    "503": "A part of the system is down for the moment, or the workspace is closed.",
}
_ON_WRITING = {
    "402": "The answers of the plan are used up, or it is not paid.",
    "409": "It stands in another state, or the same request is being worked on.",
    "413": "The body is too large.",
    "415": "This kind of body is not taken.",
    "422": "The Idempotency-Key was used for another request.",
}


def add_errors(result: dict[str, Any], **_rest: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: name the errors that an operation does not name itself."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status, sentence in _errors_of(method).items():
                operation["responses"].setdefault(status, _answer(sentence))
    return result


def _errors_of(method: str) -> dict[str, str]:
    return _ALWAYS if method == "get" else _ALWAYS | _ON_WRITING


def _answer(sentence: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": sentence, "content": content}
