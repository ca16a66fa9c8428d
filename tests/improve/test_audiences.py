"""Audiences in the dashboard and the API: of sources, exact answers, test questions, and of who asks."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from django.test import Client

from agents.models import Agent
from chat.models import CuratedAnswer, Expectation
from knowledge.models import Source
from tenants.context import in_tenant
from tenants.keys import Scope
from tenants.models import Role, Workspace
from tests.plugins.integrators import at_host, new_key
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Do you sell to resellers?"


def row_of(workspace: Workspace, model: Any) -> Any:
    with in_tenant(workspace):
        return model.objects.get()


def test_a_source_is_given_to_an_audience_on_its_page(
    agent: Agent, workspace: Workspace, owner_client: Client, client_as: ClientAs
) -> None:
    path = f"/knowledge/{row_of(workspace, Source).pk}/"
    viewer = client_as(Role.VIEWER)
    assert viewer.post(f"{path}audience/", {"audience": "partners"}).status_code == 403
    owner_client.post(f"{path}audience/", {"audience": "a, b"})
    assert row_of(workspace, Source).audience == ""
    owner_client.post(f"{path}audience/", {"audience": "Partners"})
    assert row_of(workspace, Source).audience == "partners"
    assert "visitors of “partners” only" in owner_client.get(path).content.decode()
    assert ">partners<" in owner_client.get("/knowledge/").content.decode()


def test_exact_answers_and_test_questions_carry_audiences(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    new = f"/improve/agents/{agent.pk}"
    given = {"wordings": QUESTION, "answer": "Yes.", "audience": "Partners", "is_active": "on"}
    assert owner_client.post(f"{new}/answers/new/", given).status_code == 302
    assert row_of(workspace, CuratedAnswer).audience == "partners"
    test = {"question": QUESTION, "outcome": "answered", "audiences": "Partners, staff"}
    assert owner_client.post(f"{new}/tests/new/", test).status_code == 302
    assert row_of(workspace, Expectation).audiences == ["partners", "staff"]


def test_who_asks_through_the_api_is_proven_by_a_token(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        Source.objects.update(audience="partners")
    api = at_host(workspace, new_key(workspace, Scope.WRITE_CONVERSATIONS).secret)
    claims = {"sub": "7", "exp": int(time.time()) + 60, "audiences": ["partners"]}
    tokens = [jwt.encode(claims, secret, algorithm="HS256") for secret in (agent.identity_secret, "x" * 40)]
    asks = [{"text": "How long does express delivery take?", "identity": token} for token in ("", *tokens)]
    answers = [api.post(f"agents/{agent.pk}/messages/", given) for given in asks]
    assert [answer.status_code for answer in answers] == [201, 201, 403]
    assert [answer.json()["answer"]["outcome"] for answer in answers[:2]] == ["abstained", "answered"]
