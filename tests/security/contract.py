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
from schemathesis.pytest.lazy import get_all_tests  # its own fixture does not know this version of pytest
from urllib3 import HTTPResponse

from tests.isolation.world import World

BASE = "http://testserver"


class InProcess(HTTPAdapter):
    """Where `requests` would open a connection."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.client = Client(headers={"host": world.host}, raise_request_exception=False)

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        parts, headers = urlsplit(cast(str, request.url)), dict(request.headers)
        kind = headers.pop("Content-Type", "")
        found: Any = self.client.generic(
            cast(str, request.method),
            parts.path,
            request.body or b"",
            content_type=kind,
            headers=headers,
            query_string=parts.query,
        )
        body = b"" if found.streaming else found.content
        raw = HTTPResponse(
            BytesIO(body),
            headers=list(found.items()),
            status=found.status_code,
            reason=found.reason_phrase,
            preload_content=False,
        )
        return self.build_response(request, raw)


def failures(document: dict[str, Any], world: World, *, examples: int) -> Iterator[str]:
    """Try each operation of the schema as a program with every right; a text for each thing it does not keep to."""

    def call(case: schemathesis.Case) -> None:
        with transaction.atomic():
            try:
                case.call_and_validate()
            finally:
                transaction.set_rollback(True)

    adapter = InProcess(world)
    auth = {"openapi": {"bearer": {"bearer": world.key.secret}}}
    config = SchemathesisConfig.from_dict({"base-url": BASE, "auth": auth})
    schema = schemathesis.openapi.from_dict(document, config=config)
    tries = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    with mock.patch.object(HTTPAdapter, "send", lambda _self, request, **_: adapter.answer(request)):
        for found in get_all_tests(schema=schema, test_func=call, settings=tries, given_kwargs=None):
            operation, test = found.ok()
            try:
                test()
            except FailureGroup as group:
                yield from (f"{operation.label}: {one}" for one in group.exceptions)
            except schemathesis.core.failures.Failure as one:
                yield f"{operation.label}: {one}"
