"""Inputs that are nearly right: honest ones with bytes changed, cut, doubled, swapped, nested and spliced.

Made from a seed and a number, so that the input that broke a reader is made again from its name alone. Thousands a
second, where hypothesis makes hundreds: this is for bulk, hypothesis for what has a shape.
"""

from __future__ import annotations

import base64
import io
import random
import zipfile
from collections.abc import Callable, Sequence

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
LONGEST = 20_000  # bytes of one input; what is large is the limits' to refuse, and has tests of its own
SCRAPS = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n", b"\n\n", b"\t", b" ", b"'", b'"', b"\\", b"/"),
    *(b"<", b">", b"</p>", b"<p>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#x0;", b"&#99999999;"),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"{", b"}", b"[", b"]", b":", b",", b";", b"|", b"=", b"#", b"```"),
    *(
        b"null",
        b"true",
        b"NaN",
        b"1e999",
        b"-1",
        b"9" * 30,
        b"0" * 5_000,
        b"\\u0000",
        b"\\ud800",
        b"%00",
        b"../",
    ),
    *(
        b"obj",
        b"endobj",
        b"stream",
        b"endstream",
        b"xref",
        b"trailer",
        b"<<",
        b">>",
        b"/Kids",
        b"/Length",
        b"R",
    ),
    *(
        "\u202e".encode(),
        "\u0130".encode(),
        "e\u0301".encode(),
        "\U000e0041".encode(),
        b"\xed\xa0\x80",
        b"\xc0\xaf",
    ),
)


def _change(data: bytearray, at: int, dice: random.Random) -> None:
    data[at] = dice.randrange(256)


def _flip(data: bytearray, at: int, dice: random.Random) -> None:
    data[at] ^= 1 << dice.randrange(8)


def _edge(data: bytearray, at: int, dice: random.Random) -> None:
    width = dice.choice((1, 2, 4))
    number = dice.choice(EDGES) % 256**width
    data[at : at + width] = number.to_bytes(width, dice.choice(("big", "little")))


def _cut(data: bytearray, at: int, dice: random.Random) -> None:
    del data[at : at + 1 + int(dice.expovariate(1 / 16))]


def _end(data: bytearray, at: int, _dice: random.Random) -> None:
    del data[at:]


def _put(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = dice.choice(SCRAPS)


def _double(data: bytearray, at: int, dice: random.Random) -> None:
    piece = data[at : at + 1 + int(dice.expovariate(1 / 16))]
    data[at:at] = piece * dice.choice((1, 2, 50))


def _nest(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = dice.choice((b"[", b"(", b"{", b'{"a":', b"<p>", b"<<", b"> ", b"- ", b"*")) * dice.choice(
        (9, 3_000)
    )


def _swap(data: bytearray, at: int, dice: random.Random) -> None:
    other, length = dice.randrange(len(data)), 1 + dice.randrange(16)
    data[at : at + length], data[other : other + length] = (
        data[other : other + length],
        data[at : at + length],
    )


CHANGES: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
    *(_change, _flip, _flip, _edge, _cut, _cut, _put, _put, _put, _double, _swap, _swap, _nest, _end),
)


def mutated(seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """One of the seeds, changed at one to eight places; at times the head of one and the tail of another."""
    data = bytearray(dice.choice(seeds))
    if dice.random() < 0.1:
        other = dice.choice(seeds)
        data = data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]
    for _ in range(min(8, 1 + int(dice.expovariate(0.6)))):
        if data:
            dice.choice(CHANGES)(data, dice.randrange(len(data)), dice)
    return bytes(data[:LONGEST])


def mutated_package(members: dict[str, bytes], dice: random.Random) -> bytes:
    """A zip with one or two of its files changed or gone; one time in ten the archive's own bytes are changed."""
    changed = dict(members)
    for name in dice.sample(sorted(members), dice.choice((1, 1, 2))):
        changed[name] = mutated([members[name]], dice)
        if dice.random() < 0.05:
            del changed[name]
    whole = packed(changed, method=zipfile.ZIP_DEFLATED if dice.random() < 0.1 else zipfile.ZIP_STORED)
    return mutated([whole], dice) if dice.random() < 0.1 else whole


def packed(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return held.getvalue()


def mutated_token(seeds: Sequence[str], dice: random.Random) -> str:
    """A signed text, changed as text or within one of its parts' base64."""
    if dice.random() < 0.5:
        return mutated([seed.encode() for seed in seeds], dice).decode("utf-8", "replace")
    mark = dice.choice(".:")
    parts = dice.choice(seeds).split(mark)
    at = dice.randrange(len(parts))
    parts[at] = _encoded(mutated([_decoded(parts[at])], dice))
    return mark.join(parts)


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) or b"\x00"
    except ValueError:
        return part.encode() or b"\x00"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
