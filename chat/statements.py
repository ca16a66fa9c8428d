"""The statements of a turn that every visitor pays for: written out, because the ORM takes several times as long
to write one as the database to answer it. Each reads or writes all that its step needs.

Runs inside the workspace.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model

from chat.models import Conversation, Message, Visitor
from tenants import closing
from tenants.postgresql.prepared import Asked, Row, row_of, rows_of

if TYPE_CHECKING:
    from chat.answers import Answer
    from chat.conversations import Door

# What was asked back, as JSON. Receipts are long: no other is read.
_CHOICES = "CASE WHEN outcome = 'clarify' THEN receipt ->> 'asked_back' END"
# One row, whatever there is.
_STANDING = f"""
    SELECT {closing.IS_OPEN}, talk.owner,
           EXISTS (SELECT FROM chat_message WHERE conversation_id = talk.id AND client_id = %(client)s),
           said.authors, said.texts, said.choices
      FROM (SELECT) AS always
      LEFT JOIN chat_conversation AS talk ON talk.id = %(conversation)s
      LEFT JOIN LATERAL (
           SELECT array_agg(author) AS authors, array_agg(text) AS texts, array_agg(choices) AS choices
             FROM (SELECT author, text, {_CHOICES} AS choices FROM chat_message
                    WHERE conversation_id = talk.id ORDER BY ordinal DESC LIMIT %(most)s) AS newest
           ) AS said ON true
"""  # noqa: S608  only our own words are put in; values are parameters
# Another socket of this visitor may make the same rows at this moment.
_OPEN = """
    WITH visitor AS (
        INSERT INTO chat_visitor (id, locale, created_at, {visitor_rest})
        VALUES (%(visitor)s, %(locale)s, %(now)s, {visitor_empty})
        ON CONFLICT DO NOTHING
    )
    INSERT INTO chat_conversation
           (id, agent_id, visitor_id, channel, page_url, page_title, referrer, locale, context, created_at,
            last_message_at, {conversation_rest})
    VALUES (%(id)s, %(agent)s, %(visitor)s, %(channel)s, %(page_url)s, %(page_title)s, %(referrer)s, %(locale)s,
            %(context)s::jsonb, %(now)s, %(now)s, {conversation_empty})
    ON CONFLICT DO NOTHING
"""
_NEWEST = f"""
    SELECT author, text, {_CHOICES} FROM chat_message
     WHERE conversation_id = %s AND ordinal < %s ORDER BY ordinal DESC LIMIT %s
"""  # noqa: S608  as above
# The conversation's row is read as it is once its lock is held. The places were counted before: where another
# message took one meanwhile, the unique index refuses, and the statement is to be tried again.
_ASK = """
    WITH talk AS MATERIALIZED (
        SELECT * FROM chat_conversation WHERE id = %(conversation)s FOR UPDATE
    ), place AS (
        SELECT coalesce(max(ordinal), 0) AS taken FROM chat_message WHERE conversation_id = %(conversation)s
    ), question AS (
        INSERT INTO chat_message (id, conversation_id, ordinal, author, client_id, text, created_at, {question_rest})
        SELECT %(question)s::uuid, talk.id, place.taken + 1, 'visitor', %(client)s::uuid, %(text)s,
               %(now)s::timestamptz, {question_empty}
          FROM talk, place WHERE talk.state <> 'closed'
        RETURNING conversation_id
    ), answer AS (
        INSERT INTO chat_message (id, conversation_id, ordinal, author, reply_to_id, state, reservation_id,
               lease_until, writer, version, created_at, receipt, {answer_rest})
        SELECT %(answer)s::uuid, talk.id, place.taken + 2, 'ai', %(question)s::uuid, 'writing',
               %(reservation)s::uuid, %(lease)s::timestamptz, %(writer)s, talk.version, %(now)s::timestamptz,
               %(receipt)s::jsonb, {answer_empty}
          FROM talk, place WHERE talk.state <> 'closed' AND talk.owner = 'ai'
    ), touched AS (
        UPDATE chat_conversation AS kept
           SET last_message_at = %(now)s::timestamptz,
               title = CASE WHEN kept.title = '' THEN left(%(title)s, 200) ELSE kept.title END
          FROM question WHERE kept.id = question.conversation_id
    )
    SELECT talk.state, talk.owner, talk.version, talk.channel, talk.locale, talk.last_seq
      FROM talk
"""
# Whose the conversation is decides under its lock whether the answer may stand.
_ANSWER = """
    WITH talk AS MATERIALIZED (
        SELECT id, owner, version FROM chat_conversation WHERE id = %(conversation)s FOR UPDATE
    ), mine AS (
        UPDATE chat_message AS answer
           SET text = %(text)s, outcome = %(outcome)s, citations = %(citations)s::jsonb, grounded = %(grounded)s,
               cached = %(cached)s, stopped = %(stopped)s, evidence = %(evidence)s, model = %(model)s,
               rung = %(rung)s, input_tokens = %(input_tokens)s, output_tokens = %(output_tokens)s,
               cost_micro_usd = %(cost_micro_usd)s, usage_estimated = %(usage_estimated)s,
               price = %(price)s::jsonb, first_token_ms = %(first_token_ms)s, total_ms = %(total_ms)s,
               receipt = %(receipt)s::jsonb, state = 'complete', completed_at = %(now)s, lease_until = NULL,
               seq = coalesce(answer.seq, %(answer_seq)s::bigint)
          FROM talk
         WHERE answer.id = %(answer)s AND answer.writer = %(writer)s AND answer.state = 'writing'
           AND (%(whoever)s OR talk.owner = 'ai' AND talk.version = %(version)s)
        RETURNING talk.id
    ), moved AS (
        UPDATE chat_conversation AS kept
           SET last_seq = greatest(kept.last_seq, %(last_seq)s), last_message_at = %(now)s
          FROM mine WHERE kept.id = mine.id
    ), asked AS (
        UPDATE chat_message AS question SET seq = %(question_seq)s::bigint
          FROM mine WHERE question.id = %(question)s AND question.seq IS NULL
    )
    SELECT talk.owner = 'ai' AND talk.version = %(version)s,
           EXISTS (SELECT FROM mine) OR EXISTS (
               SELECT FROM chat_message AS answer WHERE answer.id = %(answer)s AND answer.writer = %(writer)s
                  AND answer.state = 'complete' AND answer.completed_at = %(now)s
           )  -- by this very statement, whose reply was lost
      FROM talk
"""
_RENEW = """
    UPDATE chat_message AS answer SET lease_until = %(until)s
      FROM unnest(%(answers)s::uuid[], %(writers)s::text[]) AS run (id, writer), chat_conversation AS talk
     WHERE answer.id = run.id AND answer.writer = run.writer AND answer.state = 'writing'
       AND talk.id = answer.conversation_id AND talk.owner = 'ai' AND talk.version = answer.version
    RETURNING answer.id
"""
_PROSPECT = """
    SELECT EXISTS (SELECT FROM chat_curatedquestion WHERE agent_id = %(agent)s),
           EXISTS (SELECT FROM chat_cachedanswer WHERE agent_id = %(agent)s),
           coalesce((SELECT sum(cost_micro_usd) FROM chat_message WHERE conversation_id = %(conversation)s), 0),
           coalesce((SELECT owner = 'ai' AND version = %(version)s FROM chat_conversation
                      WHERE id = %(conversation)s), true)
"""


Said = tuple[
    str, str, str | None
]  # author and text of a message, and the choices that it asked back, as JSON


@dataclass(frozen=True, slots=True)
class StandingAt:
    """Whether the workspace is open, who answers in the conversation (None: there is no such one), whether the
    message was stored by an earlier frame, and what was said before it, the newest first.
    """

    is_open: bool
    owner: str | None
    is_known: bool
    before: list[Said]


@dataclass(frozen=True, slots=True)
class Taken:
    """The conversation as it was when its lock was held."""

    state: str
    owner: str
    version: int
    channel: str
    locale: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """What it is worth to look for, what the conversation has cost so far, in micro-USD, and whether it is still the
    agent's, as it was when the question was taken in.
    """

    curated: bool
    kept: bool
    spent: int
    is_the_agents: bool


def standing_at(conversation_id: UUID, client_id: UUID, *, most: int) -> Asked[StandingAt]:
    """How things stand in a conversation that a message comes to, with the `most` newest of its messages."""
    values = {"conversation": conversation_id, "client": client_id, "most": most, **closing.this_workspace()}
    return Asked(_STANDING, values, _standing_at)


def _standing_at(rows: Sequence[Row]) -> StandingAt:
    ((is_open, owner, is_known, authors, texts, choices),) = rows
    before = list(zip(authors or (), texts or (), choices or (), strict=True))
    return StandingAt(is_open, owner, is_known, before)


def open_conversation(door: Door, *, now: datetime) -> None:
    """Make the rows of the visitor and of the conversation, where they are not there."""
    values: dict[str, Any] = {
        "id": door.conversation_id,
        "visitor": door.visitor_id,
        "agent": door.agent.pk,
        "channel": door.channel.value,
        "page_url": door.page.url,
        "page_title": door.page.title,
        "referrer": door.page.referrer,
        "locale": door.locale,
        "context": json.dumps(dict(door.context)),
        "now": now,
    }
    rows_of(_open_statement(), values)


def newest(conversation_id: UUID, *, below: int, most: int) -> list[Said]:
    """The last messages before this place, the newest first."""
    return [(row[0], row[1], row[2]) for row in rows_of(_NEWEST, (conversation_id, below, most))]


def ask(values: dict[str, Any]) -> Taken | None:
    """Store a question and, where the agent answers, its answer's row; None where there is no conversation.

    Nothing is stored in a closed one. Raises IntegrityError where the message is there, or its place taken.
    """
    row = row_of(_ask_statement(), values)
    return None if row is None else Taken(*row)


def finish(answer: Answer, values: dict[str, Any], *, whoever: bool) -> tuple[bool, bool] | None:
    """Store an answer that this writer holds: whether the conversation is still the agent's, and whether it was
    stored; None where there is no conversation. `whoever` stores it also where it is not.
    """
    fields = answer.fields()
    for name in ("citations", "price", "receipt"):
        fields[name] = json.dumps(fields[name])
    row = row_of(_ANSWER, {**fields, **values, "whoever": whoever})
    return None if row is None else (row[0], row[1])


def renew(answers: dict[UUID, str], *, until: datetime) -> set[UUID]:
    """Renew these answers' leases (id to writer); those that are still their writer's to write."""
    values: dict[str, Any] = {"until": until, "answers": list(answers), "writers": list(answers.values())}
    return {answer_id for (answer_id,) in rows_of(_RENEW, values)}


def prospect_of(agent_id: UUID, conversation_id: UUID, *, version: int) -> Asked[Prospect]:
    """Look what there is, before looking closely. A rehearsal's conversation has no row, and nobody takes it over."""
    values = {"agent": agent_id, "conversation": conversation_id, "version": version}
    return Asked(_PROSPECT, values, _prospect)


def _prospect(rows: Sequence[Row]) -> Prospect:
    ((curated, kept, spent, is_the_agents),) = rows
    return Prospect(curated, kept, int(spent), is_the_agents)


@cache
def _open_statement() -> str:
    given = "id locale created_at"
    talk = "id agent_id visitor_id channel page_url page_title referrer locale context created_at last_message_at"
    return _OPEN.format(**_rest("visitor", Visitor, given), **_rest("conversation", Conversation, talk))


@cache
def _ask_statement() -> str:
    asked = "id conversation_id ordinal author client_id text created_at"
    made = (
        "id conversation_id ordinal author reply_to_id state reservation_id lease_until writer version created_at"
        " receipt"
    )
    return _ASK.format(**_rest("question", Message, asked), **_rest("answer", Message, made))


def _rest(name: str, model: type[Model], given: str) -> dict[str, str]:
    rest, empty = defaults_of(model, given.split())
    return {f"{name}_rest": rest, f"{name}_empty": empty}


def defaults_of(model: type[Model], given: Sequence[str]) -> tuple[str, str]:
    """The columns of a model that a statement does not give, and their defaults as SQL: the database knows none."""
    fields = [field for field in model._meta.concrete_fields if field.column not in given]
    defaults = {str(field.column): _literal(field.get_default()) for field in fields}
    return ", ".join(defaults), ", ".join(defaults.values())


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, list | dict) and not value:
        return "'[]'::jsonb" if isinstance(value, list) else "'{}'::jsonb"
    if (isinstance(value, str) and value.replace("_", "").isalnum()) or value == "":
        return f"'{value!s}'"
    raise TypeError(f"{value!r} is no default that a statement can hold")
