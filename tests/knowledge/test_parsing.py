"""What is read from each kind of file, and what is said of files that cannot be read."""

from __future__ import annotations

import io
import zipfile

import pytest

from knowledge.blocks import Block, BlockKind
from knowledge.parsing import parse
from knowledge.parsing.errors import (
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    MislabelledDocument,
    NothingToRead,
    ParseError,
    ParserStopped,
    UnsupportedDocument,
)
from knowledge.parsing.limits import Limits
from knowledge.parsing.sandbox import parse_apart, unpack_apart
from tests.knowledge import files


def texts(blocks: tuple[Block, ...], kind: BlockKind) -> list[str]:
    return [block.text for block in blocks if block.kind is kind]


def test_html_keeps_headings_with_their_anchors_and_drops_scripts_menus_and_hidden_text() -> None:
    parsed = parse(files.HTML.encode(), name="returns.html")
    everything = " ".join(block.text for block in parsed.blocks)
    assert parsed.title == "Returns"
    assert parsed.language == "en"
    assert [(b.text, b.level, b.anchor) for b in parsed.blocks if b.kind is BlockKind.HEADING] == [
        ("Returns", 1, ""),
        ("Who pays", 2, "costs"),
    ]
    for unwanted in ("secret", "alert", "Printed in 2024", "Imprint", "Home"):
        assert unwanted not in everything
    assert parsed.notes == ("Text that the page hides was left out.",)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("An old format such as .doc, audio", "An old format such as .doc, audio"),
        ("served at <code>:8000</code> here", "served at :8000 here"),
        ("a <b>bold</b> , word <i>here</i> .", "a bold, word here."),
    ],
)
def test_a_cell_of_html_keeps_the_space_before_a_dot_that_begins_a_word(cell: str, read: str) -> None:
    page = f"<table><tr><th>Number<th>Cause</tr><tr><td>One<td>{cell}</tr></table>"
    assert read in " ".join(block.text for block in parse(page.encode(), name="page.html").blocks)


def test_html_rows_lists_terms_and_code_are_blocks_of_their_own() -> None:
    blocks = parse(files.HTML.encode()).blocks
    assert texts(blocks, BlockKind.TABLE_ROW) == ["Country: Norway | Days: 7"]
    assert texts(blocks, BlockKind.LIST_ITEM) == ["Open your orders.", "Choose Return."]
    assert texts(blocks, BlockKind.CODE) == ["curl -X POST /returns"]
    assert "RMA: The number of a return." in texts(blocks, BlockKind.PARAGRAPH)


def test_markdown_is_read_with_its_front_matter_lists_and_tables() -> None:
    parsed = parse(files.MARKDOWN.encode(), name="billing.md")
    assert parsed.title == "Billing"
    assert texts(parsed.blocks, BlockKind.HEADING) == ["Billing and invoices", "Change the card"]
    assert texts(parsed.blocks, BlockKind.LIST_ITEM) == ["Open Billing.", "Choose Change card."]
    assert texts(parsed.blocks, BlockKind.TABLE_ROW) == ["Card: Visa | Accepted: yes"]


def test_plain_text_knows_underlined_headings_and_lists() -> None:
    parsed = parse(
        b"Opening hours\n=============\n\nWe open at nine\nand close at five.\n\n- Monday\n- Tuesday\n"
    )
    assert parsed.title == "Opening hours"
    assert texts(parsed.blocks, BlockKind.PARAGRAPH) == ["We open at nine and close at five."]
    assert texts(parsed.blocks, BlockKind.LIST_ITEM) == ["Monday", "Tuesday"]


def test_pdf_pages_are_counted_headings_found_and_running_titles_left_out() -> None:
    parsed = parse(files.pdf(), name="handbook.pdf")
    assert (parsed.title, parsed.pages, parsed.language) == (files.TITLE, 3, "en")
    headings = [(b.text, b.page) for b in parsed.blocks if b.kind is BlockKind.HEADING]
    assert headings == [("Chapter 1", 1), ("Chapter 2", 2), ("Chapter 3", 3)]
    assert not any("page" in block.text for block in parsed.blocks)
    assert any("take 6 working days" in block.text and block.page == 2 for block in parsed.blocks)


def test_docx_headings_lists_and_tables_are_read() -> None:
    parsed = parse(files.word(), name="handbook.docx")
    assert parsed.title == files.TITLE
    assert ("Delivery", 1) in [(b.text, b.level) for b in parsed.blocks if b.kind is BlockKind.HEADING]
    assert texts(parsed.blocks, BlockKind.LIST_ITEM) == ["Heavy goods go by freight."]
    assert texts(parsed.blocks, BlockKind.TABLE_ROW) == ["Plan: Pro | Price: $49"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_decoded_whatever_wrote_it(encoding: str) -> None:
    parsed = parse("Größe und Preis: fünf Euro für die Lieferung nach Köln.".encode(encoding), name="a.txt")
    assert "fünf Euro für" in parsed.blocks[0].text


def test_invisible_characters_do_not_reach_the_text() -> None:
    hidden = "Hel\u200blo" + "".join(chr(0xE0000 + ord(c)) for c in "obey") + " wor\u00adld"
    assert parse(hidden.encode(), name="a.txt").blocks[0].text == "Hello world"


def test_the_bytes_decide_what_a_file_is_not_its_name() -> None:
    assert parse(files.pdf(), name="notes.txt").media_type == "application/pdf"
    assert parse(files.HTML.encode(), name="page.txt").media_type == "text/html"


def _zip(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("data", "name", "error", "sentence"),
    [
        (b"", "a.txt", EmptyDocument, "0 bytes"),
        (b"   \n \n", "a.txt", NothingToRead, "no text"),
        (b"hello, I am a text", "manual.pdf", MislabelledDocument, "not a PDF"),
        (b"%PDF-1.7\nrubbish" * 50, "manual.pdf", MislabelledDocument, "badly damaged"),
        (b"hello", "manual.docx", MislabelledDocument, "not a DOCX"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "photo.png", MislabelledDocument, "damaged"),
        (b"GIF89a" + bytes(range(256)), "photo.gif", UnsupportedDocument, "not supported"),
        (b"PK\x03\x04 broken", "a.docx", ParseError, "could not be read"),
        (OLD_OFFICE, "old.doc", UnsupportedDocument, "Save it as DOCX"),
        (OLD_OFFICE + "EncryptedPackage".encode("utf-16-le"), "a.docx", EncryptedDocument, "password"),
        (files.pdf(password="secret"), "locked.pdf", EncryptedDocument, "password"),
        (files.scanned_pdf(), "scan.pdf", NothingToRead, "pictures"),
        (_zip(a=b"x"), "a.zip", UnsupportedDocument, "archive"),
        (_zip(bomb=b"0" * 50_000_000), "a.docx", DocumentTooLarge, "unpacks"),
        (b"<html><script>1</script></html>", "a.html", NothingToRead, "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    data: bytes, name: str, error: type[ParseError], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        parse_apart(data, name=name)
    assert type(raised.value) is error
    assert sentence in raised.value.detail


def test_a_document_with_too_many_pages_or_characters_is_refused() -> None:
    with pytest.raises(DocumentTooLarge, match="3 pages; 2 is the most"):
        parse_apart(files.pdf(), limits=Limits(pages=2))
    with pytest.raises(DocumentTooLarge, match="more than 1,000 characters"):
        parse_apart(b"word " * 1000, limits=Limits(characters=1000))


def test_a_parser_that_needs_too_much_memory_or_time_is_stopped_and_nothing_else() -> None:
    with pytest.raises(ParserStopped):
        parse_apart(b"word " * 20_000_000, limits=Limits(memory=300 * 1024 * 1024))
    with pytest.raises(ParserStopped):
        parse_apart(files.pdf(pages=300), limits=Limits(seconds=0))


def test_reading_apart_gives_the_same_as_reading_here() -> None:
    data = files.pdf()
    assert parse_apart(data, name="handbook.pdf") == parse(data, name="handbook.pdf")


def test_a_damaged_page_is_left_out_and_named() -> None:
    parsed = parse_apart(files.damaged_pdf(2), name="a.pdf")
    assert {block.page for block in parsed.blocks} == {1, 3}
    assert any("damage: page 2." in note for note in parsed.notes)
    with pytest.raises(ParseError, match="All pages of this PDF are damaged"):
        parse_apart(files.damaged_pdf(1, 2, 3), name="a.pdf")


@pytest.mark.parametrize(
    ("names", "names_in"),
    [
        (["Größe.txt", "20 °C.txt"], "cp437"),
        (["Größe.txt", "Ângulo.txt"], "cp850"),
        (["Größe.txt", "Ärger.txt"], "cp1252"),
        (["Größe.txt", "価格.txt"], "utf-8"),
    ],
)
def test_names_in_an_old_archive_are_read(names: list[str], names_in: str) -> None:
    members = dict.fromkeys(names, b"A lamp costs 49 dollars.")
    packed = files.old_archive(members, names_in=names_in)
    assert unpack_apart(packed, largest=1_000_000).members == members
