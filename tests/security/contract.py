"""Schemathesis against the product in this process: what would go over the wire goes to Django's test client."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast
from unittest import mock
from urllib.parse import urlsplit

import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from requests.adapters import HTTPAdapter
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.pytest.lazy import get_all_tests  # its own fixture does not know this version of pytest
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.isolation.world import World

BASE = "http://testserver"
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "429", "5xx"]
# Operations whose fields are right only together, or with rows that are there: what no schema can say.
MEANING = {
    "POST /api/v1/agents/": "the model must be in the plan, an origin must be one",
    "PATCH /api/v1/agents/{id}/": "the same",
    "POST /api/v1/curated-answers/": "the agent must be there",
    "PATCH /api/v1/curated-answers/{id}/": "the same",
    "POST /api/v1/curated-answers/import/": "the file must be a table",
    "POST /api/v1/test-questions/": "the agent must be there",
    "PATCH /api/v1/test-questions/{id}/": "the same",
    "POST /api/v1/sources/": "each kind needs a field of its own",
    "PATCH /api/v1/sources/{id}/": "only what is on the web is looked at again",
    "PUT /api/v1/sources/{id}/content/": "the same",
    "POST /api/v1/sources/preview/": "the page must be one that can be fetched",
    "POST /api/v1/documents/": "the content must be of its format",
    "POST /api/v1/auth/token/": "needs a key, or address and password",
}


def _without_bulk(shape: Any) -> Any:
    """The schema without limits so high that a body at their edge is megabytes: those have tests of their own."""
    if isinstance(shape, list):
        return [_without_bulk(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    return {
        name: _without_bulk(value)
        for name, value in shape.items()
        if not (name in ("maxLength", "maxItems") and isinstance(value, int) and value > 300)
    }


def _text(header: str | bytes) -> str:
    return header if isinstance(header, str) else header.decode("latin-1")


class InProcess(HTTPAdapter):
    """Where `requests` would open a connection."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.client = Client(headers={"host": world.host}, raise_request_exception=False)

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(cast(str, request.url))
        headers = {name: _text(value) for name, value in request.headers.items()}
        kind = headers.pop("Content-Type", "")
        found: Any = self.client.generic(
            cast(str, request.method),
            parts.path,
            request.body or b"",
            content_type=kind,
            headers=headers,
            QUERY_STRING=parts.query,
        )
        body = b"" if found.streaming else found.content
        raw = HTTPResponse(
            BytesIO(body),
            headers=HTTPHeaderDict(found.items()),
            status=found.status_code,
            reason=found.reason_phrase,
            preload_content=False,
        )
        return self.build_response(request, raw)


def failures(
    document: dict[str, Any], world: World, *, examples: int, is_thorough: bool = False
) -> Iterator[str]:
    """Try each operation of the schema as a program with every right; a text for each thing it does not keep to.

    `is_thorough` adds what lies at the edges of every field.
    """

    def call(case: schemathesis.Case[Any]) -> None:
        with transaction.atomic():
            try:
                case.call_and_validate()
            finally:
                transaction.set_rollback(True)

    adapter = InProcess(world)
    config = SchemathesisConfig.from_dict(
        {
            "base-url": BASE,
            "phases": {"coverage": {"enabled": is_thorough}},
            "auth": {"openapi": {"bearer": {"bearer": world.key.secret}}},
            "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
            "operations": [
                {
                    "include-name": name,
                    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "4xx"]}},
                }
                for name in MEANING
            ],
        }
    )
    schema = schemathesis.openapi.from_dict(_without_bulk(document), config=config)
    tries = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    with mock.patch.object(HTTPAdapter, "send", lambda _self, request, **_: adapter.answer(request)):
        for found in get_all_tests(schema=schema, test_func=call, settings=tries, given_kwargs=None):
            if isinstance(found, Err):
                raise found.err()
            operation, test = found.ok()
            try:
                test()
            except FailureGroup as group:
                yield f"{operation.label}: {group.args[0]}"
            except schemathesis.core.failures.Failure as one:
                yield f"{operation.label}: {one}"
