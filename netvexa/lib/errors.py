"""The one family of errors that NETVEXA raises on purpose."""

from __future__ import annotations

from typing import Any


class AppError(Exception):
    """Something a person can be told about.

    `code` is stable and documented, `status` is the HTTP status that fits, and `str(error)` is a sentence
    fit to show to whoever asked. Domain errors subclass this in the module of their domain.
    """

    code = "error"
    status = 400
    default_detail = "Something is not right with this request."

    def __init__(self, detail: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(detail or self.default_detail)
        self.detail = detail or self.default_detail
        self.retry_after = retry_after

    @property
    def extra(self) -> dict[str, Any]:
        """What a program may want to know beside code and detail; it goes into the API's answer."""
        return {}

    def as_json(self) -> dict[str, Any]:
        """The body of the answer: the same on every door."""
        return {"code": self.code, "detail": self.detail, **self.extra}


class NotFound(AppError):
    """The thing does not exist, or belongs to somebody else: the two look alike on purpose."""

    code = "not_found"
    status = 404
    default_detail = "There is nothing here."


class NotAllowed(AppError):
    """The person is known, but may not do this."""

    code = "not_allowed"
    status = 403
    default_detail = "You are not allowed to do this."


class Invalid(AppError):
    """The input is wrong; the detail says what and how to mend it."""

    code = "invalid"
    status = 400
    default_detail = "The input is not valid."


class Unavailable(AppError):
    """A part of the system is down for the moment; trying again makes sense."""

    code = "unavailable"
    status = 503
    default_detail = "This is not available right now. Please try again in a moment."
