"""Choosing what an agent's sources are written in."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import Agent, KnowledgeLanguages
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Vexa")


def choose(client: Client, agent: Agent, value: str) -> int:
    path = f"/knowledge/agents/{agent.pk}/languages/"
    return client.post(path, {"knowledge_languages": value}).status_code


def chosen(workspace: Workspace, agent: Agent) -> str:
    with in_tenant(workspace):
        agent.refresh_from_db()
    return agent.knowledge_languages


def test_an_admin_chooses_several_languages(agent: Agent, workspace: Workspace, client_as: ClientAs) -> None:
    assert choose(client_as(Role.ADMIN), agent, "multilingual") == 302
    assert chosen(workspace, agent) == KnowledgeLanguages.MULTILINGUAL


def test_a_language_that_is_not_offered_changes_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs
) -> None:
    assert choose(client_as(Role.ADMIN), agent, "klingon") == 302
    assert chosen(workspace, agent) == KnowledgeLanguages.AUTOMATIC


def test_a_viewer_may_not_choose(agent: Agent, workspace: Workspace, client_as: ClientAs) -> None:
    assert choose(client_as(Role.VIEWER), agent, "multilingual") == 403
    assert chosen(workspace, agent) == KnowledgeLanguages.AUTOMATIC


def test_for_a_stranger_and_for_another_workspace_s_member_there_is_no_such_page(
    agent: Agent, workspace: Workspace, stranger_client: Client
) -> None:
    assert choose(stranger_client, agent, "multilingual") == 404
    assert chosen(workspace, agent) == KnowledgeLanguages.AUTOMATIC


def test_the_anonymous_are_sent_to_the_log_in(
    agent: Agent, workspace: Workspace, anonymous_client: Client
) -> None:
    assert choose(anonymous_client, agent, "multilingual") == 302
    assert chosen(workspace, agent) == KnowledgeLanguages.AUTOMATIC
