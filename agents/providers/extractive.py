"""The built-in model: it answers with the sentences of the passages that fit the question, as they stand.

It writes nothing of its own, so it cannot invent; it calls nobody, so it needs no key and costs nothing. It
cannot summarise, compare or calculate either. Where no passage has a sentence that fits, it abstains.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from .contract import Call, Passage, Piece, Prompt, TokenCount
from .structure import ASKS, Unit, read_units

PROVIDER = "netvexa"
MODEL = "extractive-1"

# A sentence counts half by its own score (how well the question's words are met in it) and half by its passage's:
# an answer often says little of the question's words, under a heading that says all of them. On the questions
# these constants were chosen on (docs/models.md) this raised the SQuAD answers that hold the reference from 0.87
# to 0.91; the help centre's moved by less than its 136 questions can tell.
PASSAGE_SHARE = 0.5
# The least that is quoted. Whether the passages answer at all is retrieval's judgement (its evidence, with the
# agent's own strictness) and comes first; this floor only keeps plain noise out.
ANSWER_FLOOR = 0.42
KEEP_RATIO = 0.85  # a further sentence must score this share of the best
KEEP_OWN = (
    0.85  # and this share without its passage: a good passage has sentences that are beside the point, too
)
MOST_PICKS = 4
MOST_LIST_UNITS = 10  # a list that is quoted whole is at most this long
MOST_CHARS = 1200
QUESTION_CARRY = 0.95  # how much of a question's or heading's score its answer inherits
HEADING_CARRY = 0.85
WORDS_PER_PIECE = 4

WORD = re.compile(r"\w+")
PIECE = re.compile(rf"(?:\S+\s*){{1,{WORDS_PER_PIECE}}}|\s+")
SOURCE_MARK = re.compile(r"\[(\d+)\]")
# A sentence that opens with one of these leans on the sentence before it.
LEANS_BACK = re.compile(
    r"(?:this|that|these|those|it|its|they|them|their|he|she|his|her|such|however|but|then|also|otherwise|"
    r"instead|therefore|dies|diese[rs]?|er|sie|es|jedoch|dann|esto|esta|este|cela|ceci|il|elle|ils|elles)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quote:
    """A unit that goes into the answer, with the numbers of all passages that say the same."""

    unit: Unit
    marks: tuple[int, ...]


class ExtractiveChat:
    """The built-in model behind the same interface as the vendors'."""

    async def stream(self, prompt: Prompt, *, call: Call) -> AsyncGenerator[Piece, None]:
        answer = compose(prompt.passages, most_chars=min(MOST_CHARS, call.max_tokens * 3))
        if not answer:
            yield Piece(finish="abstained", tokens=TokenCount(0, 0))
            return
        for group in PIECE.findall(answer):
            yield Piece(group)
            await asyncio.sleep(0)  # other chats on this loop get their turn between two groups
        yield Piece(finish="stop", tokens=TokenCount(0, 0))

    async def aclose(self) -> None:
        """Nothing is open."""


def compose(passages: Iterable[Passage], *, most_chars: int = MOST_CHARS) -> str:
    """Return the answer as Markdown with citation marks, or an empty string where nothing fits."""
    units = [unit for passage in passages for unit in _weighed(passage)]
    picked = _pick(units)
    quotes = _within(_complete(picked, units), most_chars)
    return "\n\n".join(_paragraphs(quotes))


def _weighed(passage: Passage) -> list[Unit]:
    """Read a passage and give each unit the score it is chosen by."""
    units = _carry(read_units(passage), inherited=_asked_above(passage))
    return [
        replace(
            unit, own=unit.score, score=0.0 if _dangles(unit, units) else _blended(unit.score, passage.score)
        )
        for unit in units
    ]


def _blended(own: float, passage: float) -> float:
    return (1 - PASSAGE_SHARE) * own + PASSAGE_SHARE * passage


def _dangles(unit: Unit, units: list[Unit]) -> bool:
    """Say whether a sentence introduces something that its passage was cut off before."""
    return unit.leads_in and not _introduced(unit, units)


def _asked_above(passage: Passage) -> float:
    """What the first words inherit of a question that stands above the passage, as over each answer of a set."""
    asks = passage.heading_path and passage.heading_path[-1].rstrip().endswith(ASKS)
    return passage.heading_score * QUESTION_CARRY if asks else 0.0


def _carry(units: list[Unit], *, inherited: float) -> list[Unit]:
    """Hand the score of a question or a heading on to the text that answers it."""
    carried: list[Unit] = []
    heir = None
    for unit in units:
        if unit.kind in ("question", "heading"):
            inherited = unit.score * (QUESTION_CARRY if unit.kind == "question" else HEADING_CARRY)
            heir = None
            carried.append(unit)
            continue
        heir = unit.group if heir is None else heir
        carried.append(replace(unit, score=max(unit.score, inherited)) if unit.group == heir else unit)
    return carried


def _pick(units: list[Unit]) -> list[Quote]:
    """Choose the best units, best first, folding those that say the same into one with both marks."""
    candidates = sorted(
        (unit for unit in units if unit.kind not in ("question", "heading")), key=lambda unit: -unit.score
    )
    if not candidates or candidates[0].score < ANSWER_FLOOR:
        return []
    best = candidates[0]
    picked: list[Quote] = []
    for unit in candidates:
        twin = next((i for i, quote in enumerate(picked) if _same(quote.unit, unit)), None)
        if twin is not None:
            picked[twin] = _fold(picked[twin], unit)
        elif len(picked) < MOST_PICKS and _as_good(unit, best):
            picked.append(Quote(unit, (unit.n,)))
    return picked


def _as_good(unit: Unit, best: Unit) -> bool:
    return unit.score >= KEEP_RATIO * best.score and unit.own >= KEEP_OWN * best.own


def _fold(quote: Quote, twin: Unit) -> Quote:
    return replace(quote, marks=tuple(sorted({*quote.marks, twin.n})))


def _same(one: Unit, other: Unit) -> bool:
    """Say whether two units carry the same words: nine in ten shared, counted over both."""
    a, b = (set(WORD.findall(unit.text.casefold())) for unit in (one, other))
    return bool(a) and len(a & b) >= 0.9 * len(a | b)


def _complete(picked: list[Quote], units: list[Unit]) -> list[Quote]:
    """Add what a picked unit needs to be understood; the additions stand right after their reason."""
    quotes: dict[tuple[int, int], Quote] = {}
    by_passage = {n: list(group) for n, group in groupby(units, key=lambda unit: unit.n)}
    for quote in picked:
        for unit in (quote.unit, *_thought(quote.unit, by_passage[quote.unit.n])):
            key = (unit.n, unit.position)
            if key not in quotes:
                quotes[key] = Quote(unit, quote.marks if unit is quote.unit else (unit.n,))
    return list(quotes.values())


def _thought(unit: Unit, units: list[Unit]) -> Iterator[Unit]:
    """Yield the neighbours that complete `unit`: its lead-in, its list, or the sentence it leans on."""
    earlier = reversed(units[: unit.position])
    before = next((u for u in earlier if u.group != unit.group or u.kind == "prose"), None)
    if unit.leads_in:
        yield from _introduced(unit, units)
    elif unit.kind != "prose" and before is not None and before.leads_in:
        yield before
    if unit.ordered:
        yield from [u for u in units if u.group == unit.group and u is not unit][: MOST_LIST_UNITS - 1]
    leans = unit.kind == "prose" and LEANS_BACK.match(unit.text)
    if leans and before is not None and before.group == unit.group:
        yield before


def _introduced(unit: Unit, units: list[Unit]) -> list[Unit]:
    """Return what follows a lead-in: its list, table or code, or else the next sentence."""
    after = units[unit.position + 1 :]
    if not after or after[0].kind in ("prose", "heading", "question"):
        return [u for u in after[:1] if u.kind == "prose"]
    return [u for u in after if u.group == after[0].group][:MOST_LIST_UNITS]


def _within(quotes: list[Quote], most_chars: int) -> list[Quote]:
    """Keep the best quotes that fit; at least one, whatever its length; in reading order."""
    kept: list[Quote] = []
    room = most_chars
    for quote in quotes:
        room -= len(quote.unit.text)
        if room < 0 and kept:
            break
        kept.append(quote)
    return sorted(kept, key=lambda quote: (quote.unit.n, quote.unit.position))


def _paragraphs(quotes: list[Quote]) -> Iterator[str]:
    for _, run in groupby(quotes, key=lambda quote: (quote.unit.n, quote.unit.group)):
        quoted = list(run)
        marks = "".join(f"[{n}]" for n in sorted({n for quote in quoted for n in quote.marks}))
        yield _render([quote.unit for quote in quoted], marks)


def _render(units: list[Unit], marks: str) -> str:
    kind = units[0].kind
    if kind == "code":
        return "\n".join([*(unit.text for unit in units), marks])
    # A source's own [3] is no citation of ours.
    texts = [SOURCE_MARK.sub(r"\\[\1\\]", unit.text) for unit in units]
    if kind == "item":
        return (
            "\n".join(_item(unit.marker, text) for unit, text in zip(units, texts, strict=True)) + f" {marks}"
        )
    if kind == "row":
        return "\n".join([*_header(units[0]), *texts, "", marks])
    if units[-1].leads_in:  # what it introduces follows, and carries the mark
        return " ".join(texts)
    return f"{' '.join(texts)} {marks}"


def _header(row: Unit) -> list[str]:
    header = row.header or "|" + " |" * (row.text.count("|") - 1)
    return [header, "|" + "---|" * (header.count("|") - 1)]


def _item(marker: str, text: str) -> str:
    """Write a list item as Markdown, which knows bullets and numbers but no letters."""
    if marker[0].isdigit():
        return f"{marker} {text}"
    return f"- {marker} {text}" if marker[0].isalpha() else f"- {text}"
