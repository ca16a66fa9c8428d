"""Many visitors in mid-answer, and what must hold after whatever befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from asgiref.sync import sync_to_async
from websockets.exceptions import ConnectionClosed

from agents.models import Agent
from agents.providers import tier_table
from chat.models import Conversation, Message, MessageState
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import Chat, Frame, chatting
from tests.fakes.llm import FakeLLM
from tests.plugins.processes import Site, running_site

QUESTION = "How long does standard delivery to Austria take?"
WORDS = 60


def models(fake: FakeLLM, provider: str, **behaviour: object) -> None:
    """Set how all models of a provider behave that a new workspace's answers may come from."""
    table = tier_table()
    for tier in ("starter", "growth"):
        for ref in table.tier(tier).models:
            if ref.provider == provider:
                fake.behaves(ref.model, **behaviour)


@contextmanager
def site_with_models(fake: FakeLLM, folder: Path, **environment: str) -> Iterator[Site]:
    """A web server whose models are the fake's."""
    given = {
        "OPENAI_BASE_URL": f"{fake.url}/v1",
        "NETVEXA_CHAT_MESSAGES_PER_MINUTE": "10000",
        "NETVEXA_CHAT_SOCKETS_PER_ADDRESS": "1000",
    }
    with running_site(folder, **{**given, **environment}) as site:
        yield site


async def in_mid_answer(stack: AsyncExitStack, site: Site, agent: Agent, number: int) -> list[Chat]:
    """So many visitors, each with an answer under way."""
    chats = [await stack.enter_async_context(chatting(site, agent)) for _ in range(number)]
    await asyncio.gather(*(_asked(chat) for chat in chats))
    return chats


async def _asked(chat: Chat) -> None:
    await chat.ask(QUESTION)
    await chat.until("token")


async def read_on(chat: Chat) -> None:
    """Read until the socket closes or the answer ends."""
    try:
        while not ends(await chat.next()):
            pass
    except ConnectionClosed:
        return


def ends(frame: Frame) -> bool:
    """Whether a visitor now has the whole answer: by its last frame, or by a snapshot that holds all of it."""
    if frame["type"] == "welcome":
        newest = frame["history"][-1:]
        return any(entry["author"]["kind"] == "bot" and not entry.get("streaming") for entry in newest)
    return bool(frame["type"] == "end")


def shown_answer(chat: Chat) -> str:
    """The answer as the visitor reads it: the words of the newest snapshot and those that came since."""
    text = ""
    for frame in chat.seen:
        if frame["type"] == "token":
            text += frame["text"]
        elif frame["type"] == "welcome":
            text = "".join(entry["text"] for entry in frame["history"] if entry["author"]["kind"] == "bot")
    return text


async def come_back(site: Site, agent: Agent, chat: Chat) -> list[int]:
    """Return to a server and read the answer to its end; all numbers that this visitor was ever shown."""
    shown = chat.numbered()
    if ends(chat.seen[-1]):
        return shown
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again, last_seq=shown[-1])
        if welcome["history"]:  # the frames are not kept any more: the whole conversation instead
            shown = list(range(1, welcome["seq"] + 1))
        if not welcome["history"] or welcome["history"][-1].get("streaming"):
            await back.until("end")
        return shown + back.numbered()


def assert_once_and_in_order(shown: list[int]) -> None:
    assert shown == list(range(1, len(shown) + 1))


@sync_to_async
def settled(workspace: Workspace, *, chats: int) -> None:
    """Every question is there once, every answer is complete or says that it is not, nothing hangs."""
    with in_tenant(workspace):
        assert Conversation.objects.count() == chats
        questions = Message.objects.filter(author="visitor")
        answers = list(Message.objects.filter(author="ai"))
        assert (questions.count(), len(answers)) == (chats, chats)
        for answer in answers:
            assert answer.state == MessageState.COMPLETE
            assert answer.text
            assert len(answer.text.split()) >= WORDS or answer.stopped or answer.outcome == "error"
