"""Whatever strangers send is read or refused with a sentence; nothing else is ever raised.

These have the shape of what they stand for, made by hypothesis; `test_bulk` changes honest inputs, ten times as many.
NETVEXA_FUZZ is how many each reader gets there: a few in the suite, many in `make security`.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from chat import protocol, tokens
from chat.protocol import Identity
from knowledge.parsing import parse
from knowledge.parsing.sniff import sniff
from netvexa.lib.errors import AppError
from tenants.addresses import safe_path
from tests.isolation.surface import frames

INPUTS = int(os.environ.get("NETVEXA_FUZZ", "60"))
SHAPED = max(60, INPUTS // 10)
many = settings(max_examples=SHAPED, deadline=None, database=None, suppress_health_check=list(HealthCheck))
few = settings(many, max_examples=max(50, SHAPED // 20))  # parsers of whole documents are slow
NAMES = ["a.pdf", "a.docx", "a.html", "a.md", "a.txt"]
HEADS = (b"%PDF-1.7\n", b"PK\x03\x04", b"<!doctype html><p>", b"# Title\n\n", b"")
SECRET = "a secret that the agent and its site share"

plain: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values: Any = plain | st.lists(plain, max_size=4) | st.dictionaries(st.text(max_size=8), plain, max_size=4)
FIELDS = (
    *("visitor", "conversation", "last_seq", "identity", "page", "locale", "context", "client_id", "text"),
    *("attachments", "message", "value", "comment", "score", "fields", "reason", "seq", "email"),
)
objects = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(frames())) | st.text()},
    optional=dict.fromkeys(FIELDS, values | st.uuids().map(str)),
)


def refused(error: AppError) -> None:
    """A refusal tells the sender what is wrong with what was sent."""
    assert 400 <= error.status < 500
    assert error.detail


def agent() -> Agent:
    return Agent(public_id="key-agent", identity_secret=SECRET)


@many
@given(st.text() | objects.map(json.dumps) | values.map(json.dumps))
def test_a_frame_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(protocol.parse(text), protocol.ClientFrame)
    except AppError as error:
        refused(error)


@many
@given(st.text())
def test_no_made_up_visitors_token_is_taken(token: str) -> None:
    try:
        tokens.visitor_of(token, agent=agent())
    except tokens.BadToken:
        return
    raise AssertionError(token)


@many
@given(st.text(), st.text(), st.none() | st.integers(0, 2**52))
def test_no_made_up_proof_of_identity_is_taken(user_id: str, proof: str, expires: int | None) -> None:
    for identity in (Identity(user_id, proof, expires=expires), Identity(token=proof or "x")):
        try:
            tokens.proven(identity, agent=agent())
        except AppError:
            continue
        raise AssertionError(identity)


@many
@given(st.binary(max_size=2_000), st.text(max_size=40))
def test_any_bytes_have_a_type_or_are_refused(data: bytes, name: str) -> None:
    try:
        assert sniff(data, name=name)
    except AppError as error:
        refused(error)


@few
@given(
    st.sampled_from(HEADS),
    st.binary(max_size=2_000),
    st.sampled_from(NAMES),
)
def test_any_document_is_read_or_refused(head: bytes, rest: bytes, name: str) -> None:
    try:
        assert parse(head + rest, name=name).blocks is not None
    except AppError as error:
        refused(error)


@many
@given(st.text() | st.text(alphabet="/\\:@.?#htps \t\n\r%2f").map(lambda path: "/" + path))
def test_after_a_log_in_nobody_is_sent_to_another_site(path: str) -> None:
    led = safe_path(path)

    assert led.startswith("/")
    assert not led.startswith(("//", "/\\"))
    assert urlsplit(led).netloc == ""
