"""JSON: a list of records is a table, an object's keys are headings; JSON Lines, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned
from knowledge.parsing.decoding import decode
from knowledge.parsing.errors import ParseError
from knowledge.parsing.limits import Limits

MEDIA_TYPE = "application/json"


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    value = _value(decode(data, declared=charset))
    title = value.get("title") or value.get("name") if isinstance(value, dict) else ""
    try:
        blocks = tuple(cleaned(_blocks(value, level=1)))
    except RecursionError:
        raise ParseError("This JSON is nested too deeply to be read.") from None
    return ParsedDocument(
        title=title if isinstance(title, str) else "", language="", blocks=blocks, media_type=MEDIA_TYPE
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ParseError("This JSON is nested too deeply to be read.") from None
    except ValueError as error:
        whole = error
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError) as error:
            reason = f"line {number}: {error}" if rows else whole  # with a row before it, it is JSON Lines
            raise ParseError(f"This is not valid JSON: {reason}.") from None
    return rows


def _blocks(value: Any, *, level: int) -> Iterator[Block]:
    if isinstance(value, dict):
        plain = {key: item for key, item in value.items() if not isinstance(item, dict | list)}
        for key, item in plain.items():
            if item not in (None, ""):
                yield Block(BlockKind.LIST_ITEM, f"{key}: {_plain(item)}")
        for key in [key for key in value if key not in plain]:
            yield Block(BlockKind.HEADING, key, level=min(level, 6))
            yield from _blocks(value[key], level=level + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _item(item, number, level=level)
    else:
        yield Block(BlockKind.PARAGRAPH, _plain(value))


def _item(item: Any, number: int, *, level: int) -> Iterator[Block]:
    """A flat record is a row of a table; a deep one is a section of its own."""
    if isinstance(item, dict) and all(_is_flat(part) for part in item.values()):
        cells = [f"{key}: {_plain(part)}" for key, part in item.items() if part not in (None, "", [], {})]
        yield Block(BlockKind.TABLE_ROW, " | ".join(cells), anchor=f"/{number - 1}" if level == 1 else "")
    elif isinstance(item, dict | list):
        yield Block(BlockKind.HEADING, _name(item) or f"Entry {number}", level=min(level, 6))
        yield from _blocks(item, level=level + 1)
    else:
        yield Block(BlockKind.LIST_ITEM, _plain(item))


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return next((str(item[key]) for key in ("title", "name", "id") if item.get(key)), "")


def _is_flat(part: Any) -> bool:
    if isinstance(part, list):
        return not any(isinstance(item, dict | list) for item in part)
    return not isinstance(part, dict)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
