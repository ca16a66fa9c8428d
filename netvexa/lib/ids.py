"""Identifiers: UUIDv7 keys, and short random texts for places where people see them."""

from __future__ import annotations

import secrets
from uuid import UUID

import uuid6

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l: read aloud without mistakes


def new_id() -> UUID:
    """A UUIDv7: unique everywhere, and growing with time, so that indexes stay compact."""
    return UUID(bytes=uuid6.uuid7().bytes)


def short_id(length: int = 10) -> str:
    """A random text of `length` unmistakable lower-case characters (4.95 bits each)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
