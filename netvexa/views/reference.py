"""The API's schema, and the reference that is made of it: plain pages that need no script."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from netvexa.lib.errors import NotFound

METHODS = ("get", "post", "patch", "delete")


class SchemaView(SpectacularJSONAPIView):
    """OpenAPI 3, with the paths of the host that was asked."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.urlconf = getattr(request, "urlconf", None)
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return response


class NothingView(APIView):
    """Whatever no other route takes: an address that is wrong is answered like everything else here, as JSON."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound


def reference(request: HttpRequest) -> HttpResponse:
    """Every operation with its fields, from the schema."""
    schema = _schema(getattr(request, "urlconf", ""))
    context = {"info": schema["info"], "groups": _groups(schema), "base": request.build_absolute_uri("..")}
    return render(request, "api/reference.html", context)


@lru_cache(maxsize=4)
def _schema(urlconf: str) -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method in METHODS:
            if (operation := operations.get(method)) is not None:
                group = operation["tags"][0].replace("-", " ").capitalize()
                groups.setdefault(group, []).append(_operation(schema, path, method, operation))
    return groups


def _operation(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "fields": _fields(schema, operation.get("requestBody", {})),
    }


def _fields(schema: dict[str, Any], body: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the request's JSON body: name, type, whether it is needed, and what it means."""
    content: list[dict[str, Any]] = list(body.get("content", {}).values())
    found: dict[str, Any] = content[0]["schema"] if content else {}
    name = found.get("$ref", "").rpartition("/")[2]
    shape = schema["components"]["schemas"].get(name, found)
    return [
        {
            "name": field,
            "type": about.get("type", "one of the listed" if "$ref" in str(about) else ""),
            "required": field in shape.get("required", ()),
            "description": about.get("description", ""),
        }
        for field, about in shape.get("properties", {}).items()
        if not about.get("readOnly")
    ]
