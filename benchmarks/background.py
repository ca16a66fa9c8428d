"""What batches save: a hundred conversations summed up many in a request, against one in a request.

Real conversations of the help centre's test questions, the product's own texts and checks, and a provider on loopback
that counts what it reads and writes (with our estimate of tokens, on both sides alike) and spoils one record in
fifty, so that what is asked again is paid in the figures. No database and no money.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")
django.setup()

from aiohttp import web  # noqa: E402

from agents.models import Agent  # noqa: E402
from agents.prices import FREE  # noqa: E402
from agents.providers import Credentials, Limits, ModelPlan, Rung, shut_down  # noqa: E402
from agents.providers.messages import estimate_tokens  # noqa: E402
from agents.tiers import ModelRef  # noqa: E402
from chat import batching, digesting  # noqa: E402
from chat.models import Author, Conversation, Message  # noqa: E402

HELP = Path(__file__).parent.parent / "docs" / "help"
CONVERSATIONS = 100
SPOILT_EVERY = 50
SUMMARY = (
    "The visitor wants to know how this is set up and what it costs them in time. The assistant named the page and "
    "the steps; whether that was enough is open."
)


@dataclass
class Counted:
    """What the provider saw."""

    calls: int = 0
    read: int = 0
    written: int = 0
    records: int = 0

    @property
    def tokens(self) -> int:
        return self.read + self.written


class Provider:
    """OpenAI's chat completions, as far as a stream of one reply needs them."""

    def __init__(self) -> None:
        self.seen = Counted()

    async def answer(self, request: web.Request) -> web.Response:
        messages = (await request.json())["messages"]
        numbers = re.findall(r'<passage n="(\d+)"', messages[-1]["content"])
        said = json.dumps([self._record(int(number)) for number in numbers])
        read = sum(estimate_tokens(message["content"]) for message in messages)
        written = estimate_tokens(said)
        self.seen.calls += 1
        self.seen.read += read
        self.seen.written += written
        usage = {"prompt_tokens": read, "completion_tokens": written}
        events = [
            {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return web.Response(text="".join([*lines, "data: [DONE]\n\n"]), content_type="text/event-stream")

    def _record(self, number: int) -> dict[str, object]:
        self.seen.records += 1
        title = "" if self.seen.records % SPOILT_EVERY == 0 else "Setting up the assistant on a site"
        return {"n": number, "title": title, "summary": SUMMARY, "signs": []}


def transcripts() -> list[str]:
    """Conversations of two to four questions, each with the beginning of the page that answers it."""
    agent = Agent(name="Ada", public_id="bench-mark", identity_secret="none")
    known = [one for one in json.loads((HELP / "questions.json").read_text()) if one["page"]]
    asked = iter(known * 4)
    found = []
    for number in range(CONVERSATIONS):
        rows = []
        for one in islice(asked, 2 + number % 3):
            rows.append(Message(author=Author.VISITOR, text=one["question"]))
            rows.append(Message(author=Author.AI, text=_page(one["page"])))
        talk = digesting.Talk(conversation=Conversation(agent=agent), messages=rows, has_lead=False)
        found.append(digesting.transcript_of(talk, mask=str))
    return found


def _page(name: str) -> str:
    return (HELP / name).read_text().partition("\n")[2].strip()[:400]


async def measure() -> tuple[Counted, Counted]:
    provider = Provider()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", provider.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    reached = Credentials("sk-none", f"http://127.0.0.1:{port}/v1")
    rung = Rung("primary", ModelRef("openai", "fake"), 4096, reached, FREE)
    plan, texts = ModelPlan((rung,), Limits()), transcripts()
    try:
        batched = await _all(provider, texts, plan, most=batching.MOST_ITEMS)
        return batched, await _all(provider, texts, plan, most=1)
    finally:
        await shut_down()
        await runner.cleanup()


async def _all(provider: Provider, texts: list[str], plan: ModelPlan, *, most: int) -> Counted:
    """Every text done, in batches as the product makes them, of at most so many."""
    provider.seen, done, left = Counted(), 0, texts
    while left:
        count = min(most, batching.first_batch(left))
        asked = await batching.ask(digesting.JOB, left[:count], plan=plan)
        done += len(asked.replies) + len(asked.failed)
        left = left[count:]
    if done != len(texts):
        raise SystemExit(f"{len(texts) - done} conversations were lost")
    return provider.seen


def main() -> None:
    batched, single = asyncio.run(measure())
    print(f"{'':12}{'requests':>10}{'read':>10}{'written':>10}")
    for name, seen in (("batched", batched), ("one by one", single)):
        print(f"{name:12}{seen.calls:>10}{seen.read:>10}{seen.written:>10}")
    print(
        json.dumps(
            {
                "calls_per_100": 100 * batched.calls / CONVERSATIONS,
                "calls_per_100_single": 100 * single.calls / CONVERSATIONS,
                "tokens_over_single": round(batched.tokens / single.tokens, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
