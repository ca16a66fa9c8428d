"""Answering as if a visitor had asked: with today's settings and knowledge, stored nowhere, shown to nobody.

It goes the same way down as a real answer, but for kept answers, which a rehearsal is to look behind. It is not
counted as an answer of the plan; what a model costs is booked with the team's own tries.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from asgiref.sync import async_to_sync

from agents.models import Agent
from agents.providers import Turn as Spoken
from agents.providers import shut_down
from billing.subscriptions import standing_of
from chat import ladder, spending
from chat.answering import Writing
from chat.answers import Answer, ExactAnswers
from chat.feed import Feed
from chat.models import Channel, Message
from chat.turns import Turn, audiences_of, spoken_before
from knowledge.candidates import Overlay
from netvexa.lib.ids import new_id
from tenants.context import current_workspace


def rehearse(
    agent: Agent,
    question: str,
    *,
    history: Sequence[Spoken] = (),
    language: str = "en",
    audiences: Sequence[str] = (),
    overlay: Overlay | None = None,
    exact: ExactAnswers | None = None,
) -> Answer:
    """What the agent would answer now. `agent` may carry changes that are not saved, `overlay` and `exact` be knowledge
    and exact answers as they would be; `audiences` are those of the visitor who asks. Call inside the workspace.
    """
    workspace = current_workspace()
    turn = Turn(
        workspace=workspace,
        agent=agent,
        conversation_id=new_id(),
        question_id=new_id(),
        answer_id=new_id(),
        question=question,
        history=tuple(history),
        language=agent.language or language or "en",
        version=0,
        writer="",
        attempt=1,
        tier=standing_of(workspace).plan.tier.value,
        channel=Channel.PREVIEW.value,
        audiences=tuple(audiences),
        overlay=overlay,
        exact=exact,
    )
    answer = async_to_sync(_answer)(turn)
    if answer.usage.cost_micro_usd:
        spending.book(agent, answer, tier=turn.tier, is_test=True)
    return answer


def replay(message: Message) -> Answer | None:
    """What the agent would answer now to the question behind this answer; None where there is none."""
    question, conversation = message.reply_to, message.conversation
    if question is None:
        return None
    return rehearse(
        conversation.agent,
        question.text,
        history=spoken_before(question),
        language=conversation.locale,
        audiences=audiences_of(message),
    )


async def _answer(turn: Turn) -> Answer:
    lines = Feed()  # of its own: nothing is shown
    lonely = len(asyncio.all_tasks()) == 1  # a loop made for this call, whose connections must not outlive it
    try:
        writing = Writing(turn=turn, feed=lines, streams=False)
        answer = await ladder.answer_to(writing)
    finally:
        await lines.close()
        if lonely:
            await shut_down()
    return replace(answer, total_ms=round((time.monotonic() - writing.started) * 1000))
