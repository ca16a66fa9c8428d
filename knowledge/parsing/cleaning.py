"""White space and invisible characters, the same for every format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from knowledge.blocks import Block, BlockKind

# Soft hyphens, zero-width characters, byte-order marks, direction marks, and the tag characters (U+E0000..)
# in
# which text can be hidden that only a model reads.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
# U+E0020 to U+E007F in UTF-8; the flags of regions are shorter.
_TAGS = re.compile(rb"(?<!\xf0\x9f\x8f\xb4)(?:\xf3\xa0(?:\x80[\xa0-\xbf]|\x81[\x80-\xbf])){8,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")
_LINE_END = re.compile(r"[^\S\n]+\n")


def one_line(text: str) -> str:
    """Visible characters only, every run of white space one space."""
    return _SPACE.sub(" ", _visible(text)).strip()


def keep_lines(text: str) -> str:
    """For code: lines and indentation stay."""
    return _LINE_END.sub("\n", _visible(text.replace("\r\n", "\n").expandtabs(4))).strip("\n").rstrip()


def _visible(text: str) -> str:
    normal = unicodedata.normalize("NFC", _INVISIBLE.sub("", text).replace("\x0c", "\n"))
    return _CONTROL.sub(" ", normal)


def smuggled(data: bytes) -> str:
    """What is written in tag characters, which nobody sees and a model reads; "" where there is nothing."""
    runs = (run.group().decode("utf-8", errors="ignore") for run in _TAGS.finditer(data))
    return "\n".join("".join(chr(ord(tag) - 0xE0000) for tag in run) for run in runs)


def cleaned(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks that still say something after cleaning."""
    for block in blocks:
        text = keep_lines(block.text) if block.kind is BlockKind.CODE else one_line(block.text)
        if text:
            yield block if text == block.text else replace(block, text=text)
