"""A workspace that is closed answers nobody, also where a chat is open; opened again, all goes on."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from chat.models import Expectation, Message, Trial
from chat.quality_models import TrialState
from chat.tasks import run_trial
from chat.team_socket import CHECK_SECONDS
from knowledge.tasks import resume_ingestion
from netvexa import departure
from tenants import closing
from tenants.context import WorkspaceClosed, in_tenant, platform
from tenants.keys import Scope
from tenants.models import ProvisioningState, Workspace
from tests.chat.test_team_socket import session_of, watching
from tests.chat.visitor import agent_of, chatting
from tests.plugins.integrators import at_api_host, at_host, new_key
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Can I return an item?"
SENTENCE = "This chat is closed. Please write to the owner of this site in another way."


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    return agent_of(workspace)


@sync_to_async
def close(workspace: Workspace) -> None:
    with platform():
        departure.begin(Workspace.objects.get(pk=workspace.pk), asked_by="owner@acme.example")


@sync_to_async
def close_in_silence(workspace: Workspace) -> None:
    """As it is where Redis was away: no process was told."""
    Workspace.objects.filter(pk=workspace.pk).update(state=ProvisioningState.SUSPENDED)


@sync_to_async
def reopen(workspace: Workspace) -> None:
    with platform():
        Workspace.objects.filter(pk=workspace.pk).update(state=ProvisioningState.READY)


@sync_to_async
def messages_in(workspace: Workspace) -> int:
    row = Workspace.objects.get(pk=workspace.pk)
    row.state = ProvisioningState.READY  # only to look inside
    with in_tenant(row):
        return int(Message.objects.count())


async def test_an_open_chat_is_told_and_let_go(site: Site, workspace: Workspace, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        session = await sync_to_async(session_of)(workspace, "owner@acme.example")
        async with watching(site, chat.welcome["conversation"], session) as team:
            await team.until("ready")
            await close(workspace)

            async with asyncio.timeout(CHECK_SECONDS / 2):  # told, and not found out at the next look
                assert (await chat.until("error"))["detail"] == SENTENCE
                assert await chat.close_code() == 4404
                assert await team.close_code() == 4404


async def test_whoever_comes_anew_reads_the_same(site: Site, workspace: Workspace, agent: Agent) -> None:
    await close(workspace)

    async with chatting(site, agent, hello=False) as chat:
        assert (await chat.next())["detail"] == SENTENCE
        assert await chat.close_code() == 4404


async def test_a_chat_that_nobody_told_gets_no_answer_and_costs_nothing(
    site: Site, workspace: Workspace, agent: Agent
) -> None:
    async with chatting(site, agent) as chat:
        await close_in_silence(workspace)
        await chat.ask(QUESTION)

        assert (await chat.until("error"))["detail"] == SENTENCE
        assert await chat.close_code() == 4404
    assert await messages_in(workspace) == 0


async def test_opened_again_it_answers(site: Site, workspace: Workspace, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await close(workspace)
        assert await chat.close_code() == 4404
        again = chat.again
    await reopen(workspace)

    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(**again)
        assert (await chat.answer(QUESTION))["text"]


def test_the_api_refuses_with_a_code_of_its_own(workspace: Workspace) -> None:
    secret = new_key(workspace, Scope.ADMIN).secret
    Workspace.objects.filter(pk=workspace.pk).update(state=ProvisioningState.SUSPENDED)

    for door in (at_host(workspace, secret), at_api_host(secret)):
        answer = door.get("agents/")
        assert (answer.status_code, answer.json()["code"]) == (403, "workspace_closed")
        assert "Retry-After" not in answer


def test_what_is_scheduled_rests(workspace: Workspace, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "chat.trials.rehearsal.rehearse", lambda _agent, question, **_: asked.append(question)
    )
    with in_tenant(workspace):
        Expectation.objects.create(agent=agent, question=QUESTION, must=["30"])
        trial = Trial.objects.create(agent=agent, state=TrialState.RUNNING)
    Workspace.objects.filter(pk=workspace.pk).update(state=ProvisioningState.SUSPENDED)

    with pytest.raises(WorkspaceClosed):
        run_trial(str(workspace.pk), str(trial.pk))
    resume_ingestion()
    with in_tenant(workspace):  # a run that had begun: it stops before the next question
        from chat import trials

        trials.run(trial.pk)
        trial.refresh_from_db()
        assert not closing.is_open()

    assert asked == []
    assert trial.state == TrialState.RUNNING
