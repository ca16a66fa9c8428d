"""Showing something in a conversation from synchronous code: a view of the dashboard, the API, a task."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from chat import conversations
from chat.feed import TELL, Line, Side, told
from chat.models import Message, MessageState
from chat.outbox import PUBLISH
from chat.protocol import Frame, dump
from tenants.context import current_workspace

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The process' own connections to Redis for synchronous code."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2.0, socket_connect_timeout=0.5)


def publish(conversation_id: UUID, frames: Iterable[Frame]) -> None:
    """Number and show these frames to everybody who watches; call after the commit, inside the workspace.

    A change of state tells whoever writes an answer here to look whether it still may.
    """
    line = Line(current_workspace(), conversation_id)
    for frame in frames:
        seq = _publish(line, frame)
        shown = {UUID(frame["message"]): seq} if frame["type"] == "message" else {}
        conversations.keep_seq(conversation_id, seq=seq, shown=shown)
        if frame["type"] == "state" and frame["state"] in ("human", "closed"):
            drop_answers(conversation_id)


def tell(conversation_id: UUID, frame: Frame, *, to: Side) -> None:
    """Hand a frame beside the numbered ones to all sockets of one side."""
    line = Line(current_workspace(), conversation_id)
    try:
        redis().eval(TELL, 1, line.key("watch"), "", told(line, frame, to=to))
    except RedisError as error:
        logger.warning("Redis cannot be reached, sockets were not told: %s", error)


def forget(line: Line) -> None:
    """Drop what Redis keeps of a conversation that was deleted; it would go by itself in an hour."""
    try:
        redis().delete(*line.keys())
    except RedisError as error:
        logger.warning("Redis cannot be reached, frames go by themselves: %s", error)


def _publish(line: Line, frame: Frame) -> int:
    least = conversations.last_seq(line.conversation)
    keys = (line.key("seq"), line.key("frames"), line.key("watch"))
    try:
        return int(redis().eval(PUBLISH, len(keys), *keys, least, dump(frame), "", str(line.conversation)))
    except RedisError as error:
        logger.warning("Redis cannot be reached, sockets catch up later: %s", error)
        return conversations.next_seq(line.conversation, least=least)


def drop_answers(conversation_id: UUID) -> None:
    """Tell whoever writes an answer here to look whether it still may."""
    writing = Message.objects.filter(conversation_id=conversation_id, state=MessageState.WRITING)
    for answer_id, writer in writing.values_list("id", "writer"):
        process = writer.partition(".")[0]
        try:
            redis().publish(f"nv:chat:process:{process}", f"!drop\n0\n{answer_id}")
        except RedisError:
            return  # the run finds out when it renews its lease
