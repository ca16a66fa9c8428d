"""Pictures of text are read for real, offline, in the parser's own process and within its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.models import Agent
from knowledge.blocks import BlockKind
from knowledge.documents import add_file
from knowledge.ingest import ingest
from knowledge.parsing import ocr, parse
from knowledge.parsing.errors import DocumentTooLarge, MislabelledDocument, NothingToRead
from knowledge.parsing.limits import Limits
from knowledge.parsing.ocr_pages import Reader, picture_of
from knowledge.parsing.sandbox import parse_apart
from knowledge.retrieval import search
from tests.knowledge import files

TERMS = ["Resellers get a discount of 34 percent.", "Größere Mengen kosten 12,50 je Stück."]
THINGS = ["lamp", "switch", "cable", "socket", "bulb", "shade"]
HOURS = ["The warehouse opens at seven in the morning."]


def test_a_scan_is_read_page_by_page_beside_real_text() -> None:
    parsed = parse_apart(files.scan(TERMS, HOURS, text="The printed cover of our manual."), name="scan.pdf")
    told = [(block.page, block.text) for block in parsed.blocks]
    assert told[0] == (1, "The printed cover of our manual.")
    assert (2, " ".join(TERMS)) in told
    assert told[-1] == (3, HOURS[0])
    assert any("2 of 3 pages were read from a picture (OCR)" in note for note in parsed.notes)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_read(kind: str) -> None:
    parsed = parse_apart(files.picture(TERMS, kind=kind), name=f"terms.{kind.lower()}")
    assert " ".join(block.text for block in parsed.blocks) == " ".join(TERMS)
    assert parsed.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_page_that_was_turned_is_read(turned: int) -> None:
    parsed = parse_apart(files.picture(TERMS, turned=turned), name="terms.png")
    assert " ".join(block.text for block in parsed.blocks) == " ".join(TERMS)


def test_columns_are_read_one_after_the_other() -> None:
    left, right = (
        " ".join(
            f"The {thing} of the {side} column is described in a sentence of its own." for thing in THINGS
        )
        for side in ("first", "second")
    )
    parsed = parse_apart(files.columns("What this sheet tells of all our lamps", left, right), name="a.png")
    told = " ".join(block.text for block in parsed.blocks)
    assert told.startswith("What this sheet tells")
    assert told.endswith(f"{left} {right}")


def test_a_table_is_read_row_by_row() -> None:
    prices = [f"{number},50" for number, _ in enumerate(THINGS, start=11)]
    sheet = files.columns("Prices", "\n".join(THINGS), "\n".join(prices))
    assert rows_of(sheet) == [f"{thing} | {price}" for thing, price in zip(THINGS, prices, strict=True)]


def rows_of(picture: bytes) -> list[str]:
    parsed = parse_apart(picture, name="a.png")
    return [block.text for block in parsed.blocks if block.kind is BlockKind.TABLE_ROW]


@pytest.mark.parametrize("ruled", [False, True])
@pytest.mark.parametrize("askew", [0, 0.4])
def test_cells_of_a_table_stand_beside_the_names_of_their_columns(ruled: bool, askew: float) -> None:
    rows = [
        ["Plan", "Seats", "Storage", "Support"],
        ["Starter", "3", "", "Mail"],
        ["Team", "10", "50 GB", "Chat and mail"],
        ["Business", "50", "", "Phone"],
    ]
    assert rows_of(files.table_seen(rows, title="Our plans", ruled=ruled, askew=askew)) == [
        "Plan: Starter | Seats: 3 | Support: Mail",
        "Plan: Team | Seats: 10 | Storage: 50 GB | Support: Chat and mail",
        "Plan: Business | Seats: 50 | Support: Phone",
    ]


def test_what_is_no_table_for_sure_stays_text() -> None:
    letter = files.columns("Dear Ms Smith,", "Received\nPaid\nSent", "Thank you for your order of last week.")
    for picture in (letter, files.picture(TERMS), files.columns("A", "one two\nthree", "four\nfive six")):
        assert rows_of(picture) == []


@pytest.mark.parametrize("top", [50, 8])
def test_a_stamp_does_not_keep_a_scan_from_being_read(top: float) -> None:
    parsed = parse_apart(files.stamped(TERMS, stamp="Received 12 May 2024", top=top), name="scan.pdf")
    assert sorted(block.text for block in parsed.blocks) == sorted(["Received 12 May 2024", " ".join(TERMS)])
    assert "OCR" in parsed.notes[0]


def test_a_paragraph_beside_a_large_picture_is_read_and_the_picture_is_not() -> None:
    text = " ".join(f"The {thing} in this picture belongs to the set that we sell." for thing in THINGS)
    parsed = parse_apart(files.illustrated(text, lines=HOURS), name="set.pdf")
    assert ([block.text for block in parsed.blocks], parsed.notes) == ([text], ())


def test_stamped_scans_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = files.stamped(HOURS, TERMS, stamp="Received 12 May 2024")
    late = parse(scan, name="scan.pdf", limits=Limits(ocr_seconds=0))
    assert any("pages 1, 2. Split the file" in note for note in late.notes)
    monkeypatch.setattr(ocr, "PACKAGE", "no_such_package")
    with pytest.raises(NothingToRead, match="rapidocr is missing"):
        parse(scan, name="scan.pdf")


@pytest.mark.django_db
def test_an_answer_cites_the_scanned_page(agent: Agent) -> None:
    source = add_file(agent, name="scan.pdf", content=files.scan(HOURS, TERMS))
    ingest(source.documents.get().pk)
    best = search("What discount do resellers get?", agent_id=agent.pk).passages[0]
    assert "34 percent" in best.best
    assert [one.page for one in best.sentences if one.text == best.best] == [2]
    version = source.documents.get().live
    assert version is not None
    assert "OCR" in version.notes[0]


def test_what_there_is_no_time_for_is_named() -> None:
    parsed = parse_apart(
        files.scan(HOURS, TERMS, text="The cover."), name="scan.pdf", limits=Limits(ocr_seconds=0)
    )
    assert [block.text for block in parsed.blocks] == ["The cover."]
    assert any("pages 2, 3. Split the file" in note for note in parsed.notes)


def test_doubtful_pages_are_named() -> None:
    reader = Reader(Limits(), read={1: 0.99, 2: 0.7, 4: 0.6}, left=[5])
    assert list(reader.notes(5))[:2] == [
        "3 of 5 pages were read from a picture (OCR), 76 % sure.",
        "Hard to read, please check: pages 2, 4.",
    ]


def test_a_picture_without_text_or_that_is_none_is_refused() -> None:
    with pytest.raises(NothingToRead, match="No text was found"):
        parse_apart(files.picture([]), name="empty.png")
    with pytest.raises(MislabelledDocument):
        parse_apart(files.picture(TERMS)[:200], name="cut.png")
    with pytest.raises(MislabelledDocument):
        parse_apart(b"no picture", name="text.png")


def test_a_picture_of_too_many_pixels_is_not_unpacked() -> None:
    bomb = bytearray(files.picture([]))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # what the header says of its sides
    with pytest.raises((DocumentTooLarge, MislabelledDocument)):
        picture_of(bytes(bomb))


def test_without_the_models_a_plain_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGE", "no_such_package")
    assert not ocr.is_available()
    assert next(Reader(Limits(), left=[1]).notes(1)).startswith("Text in pictures is not read")
    monkeypatch.undo()
    assert ocr.is_available()


def test_the_models_are_the_packages_own() -> None:
    requirements = (Path(__file__).parents[2] / "requirements-data.txt").read_text()
    assert f"{ocr.PACKAGE}==" in requirements
