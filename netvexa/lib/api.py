"""What every API of the product shares: pages, filters, errors, and bodies that are read strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.views import set_rollback

from netvexa.lib.errors import AppError, Invalid


class KeysetPagination(CursorPagination):
    """Pages by cursor, oldest first by key: nothing is skipped or shown twice while rows are added."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "id"

    def get_page_size(self, request: Request) -> int | None:
        """Raises Invalid; more than the most is the most."""
        given = request.query_params.get(self.page_size_query_param)
        if given is not None and not (given.isascii() and given.isdigit() and int(given[:9]) > 0):
            raise Invalid("page_size is a number from 1.")
        return super().get_page_size(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        found = super().get_schema_operation_parameters(view)
        for parameter in found:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"]["minimum"] = 1
        return list(found)


def wanted_id(request: Request, name: str) -> UUID | None:
    """The id in the query string; None where none is given. Raises Invalid, also where it is left empty."""
    text = request.query_params.get(name)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise Invalid(f"{name} must be an id; leave it out for all.") from None


def wanted_choice(request: Request, name: str, choices: Iterable[str]) -> str | None:
    """The word in the query string; None where none is given. Raises Invalid, also where it is left empty."""
    word, known = request.query_params.get(name), list(choices)
    if word is not None and word not in known:
        raise Invalid(f"{name} is one of {', '.join(known)}.")
    return word


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer the product's own errors as `{"code", "detail"}`, and DRF's with a code beside their detail."""
    if isinstance(error, AppError):
        set_rollback()
        headers = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after else None
        return Response(error.as_json(), status=error.status, headers=headers)
    response = drf_exception_handler(error, context)
    if response is not None and isinstance(response.data, dict) and "detail" in response.data:
        response.data.setdefault("code", getattr(error, "default_code", "error"))
    elif response is not None:
        response.data = {
            "code": "invalid",
            "detail": "Some fields are not valid.",
            "fields": response.data,
        }
    return response


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not take, and values of another type than the field's, instead of
    passing over them in silence or guessing what was meant.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(data) - known):
                raise serializers.ValidationError({name: ["This field cannot be set."] for name in unknown})
            if not isinstance(data, QueryDict):  # a form, which knows nothing but texts
                self._refuse_mistyped(data)
        return super().to_internal_value(data)

    def _refuse_mistyped(self, data: Mapping[str, Any]) -> None:
        found = {name: _mistyped(self.fields[name], value) for name, value in data.items()}
        if wrong := {name: [sentence] for name, sentence in found.items() if sentence}:
            raise serializers.ValidationError(wrong)


# What JSON must have for a field. DRF would take 0 for "0" and for false, and "yes" for true.
_TYPES: list[tuple[tuple[type[Any], ...], tuple[type, ...], str]] = [
    ((serializers.CharField, serializers.UUIDField), (str,), "This must be a text."),
    ((serializers.BooleanField,), (bool,), "This must be true or false."),
    ((serializers.IntegerField, serializers.FloatField), (int, float), "This must be a number."),
]


def _mistyped(field: Any, value: Any) -> str:
    """What is wrong with the type of a value that came as JSON; empty where nothing is, or where DRF sees to it."""
    if value is None:
        return ""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next(filter(None, (_mistyped(field.child, one) for one in value)), "")
    for fields, types, sentence in _TYPES:
        if isinstance(field, fields):
            is_right = isinstance(value, types) and isinstance(value, bool) == (types == (bool,))
            return "" if is_right else sentence
    return ""


class TestedFirst(serializers.Serializer[Any]):
    """The change waits for the run of the agent's test set that tries it."""

    __test__ = False  # no test of pytest's
    code = serializers.ChoiceField(["tested_first"])
    run = serializers.UUIDField(help_text="Look at it under `test-runs/`; it may have to be applied there.")


def tested_first(run: UUID) -> Response:
    """202 with a `TestedFirst`."""
    return Response({"code": "tested_first", "run": str(run)}, status=202)


def or_tested(done: type[serializers.Serializer[Any]]) -> PolymorphicProxySerializer:
    """For the schema: what was done, or the run that it waits for."""
    return PolymorphicProxySerializer(
        component_name=f"{done.__name__.removesuffix('Serializer')}OrTested",
        serializers=[done, TestedFirst],
        resource_type_field_name=None,
    )


class StrictSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself
    """Tells in the schema what `Strict` refuses: fields that it does not know, and texts of nothing but spaces."""

    target_class = Strict
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        shape = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for name, field in self.target.fields.items():
            about = shape.get("properties", {}).get(name)
            if about is not None and type(field) is serializers.CharField and not field.read_only:
                about.setdefault("pattern", _ANYTHING if field.allow_blank else _SOMETHING)
        return {**shape, "additionalProperties": False}


# As DRF reads texts: PostgreSQL takes no NUL, and a text that is trimmed may have to be something. Python trims a few
# control characters that are no space to ECMAScript's regular expressions.
_ANYTHING = r"^[^\x00]*$"
_SOMETHING = r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$"
