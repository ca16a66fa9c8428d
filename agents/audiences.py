"""Audiences: short names such as "partners" of who an answer is meant for.

A source or an exact answer bears at most one; without one it is everybody's. A visitor belongs to those that the
site's server has put under its signature, and to no others.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from netvexa.lib.errors import Invalid

LONGEST = 40  # characters of a name
MOST = 50  # names of one visitor
KEY_LENGTH = 64
EXPLAINED = (
    "Only visitors whom your site signs in for this audience get answers from it. Empty: everybody. One name, such as"
    " “partners”."
)
_NAME = re.compile(r"\w[\w .:+-]*")

Telling = Callable[[], Iterable[str]]
_tellers: list[Telling] = []


def plain(text: str) -> str:
    """A name as it is compared, whatever its case and spaces; empty for what is none."""
    name = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return name if len(name) <= LONGEST and _NAME.fullmatch(name) else ""


def checked(text: str) -> str:
    """The name that a person typed; empty for everybody. Raises Invalid."""
    name = plain(text)
    if text.strip() and not name:
        raise Invalid(
            f"An audience is one short name, such as “partners”: up to {LONGEST} letters, numbers, spaces, - . : + _."
        )
    return name


def checked_all(texts: Iterable[str]) -> list[str]:
    """Several names, each once. Raises Invalid."""
    return sorted({name for text in texts if (name := checked(text))})[:MOST]


def claimed(given: object) -> tuple[str, ...]:
    """The names in a signed claim: a list of texts, or one text; anything else says nothing."""
    listed = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    names = {name for text in listed[:MOST] if isinstance(text, str) and (name := plain(text))}
    return tuple(sorted(names))


def key_of(names: Sequence[str]) -> str:
    """One short text for the same set of names: what is kept for one set is given to no other."""
    joined = ",".join(sorted(names))  # no name holds a comma
    return joined if len(joined) < KEY_LENGTH else hashlib.sha256(joined.encode()).hexdigest()


def told_by(telling: Telling) -> None:
    """Ask `telling` for the names that are in use in the current workspace."""
    if telling not in _tellers:
        _tellers.append(telling)


def in_use() -> list[str]:
    """The names that sources and exact answers of the current workspace bear."""
    return sorted({name for telling in _tellers for name in telling() if name})
