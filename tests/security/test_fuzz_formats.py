"""Every reader of files, with what is nearly a file of its kind; and every verifier of a signature of ours.

NETVEXA_FUZZ is how many inputs each gets, as in `test_fuzz`. Readers of packages get a package with the right
entries, since bytes that are no archive come no further than its door.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core import signing
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from agents.publishing import opened_preview
from chat import attachments
from knowledge.parsing import parser_for, sitemap
from knowledge.parsing.limits import Limits
from knowledge.parsing.sniff import MediaType
from netvexa.lib.errors import AppError
from tenants import confirmation, email_change, handover, tokens
from tenants.keys import is_well_formed
from tenants.models import Workspace
from tests.security.test_fuzz import few, many, refused

PACKAGES = {
    MediaType.DOCX: ("word/document.xml", "word/styles.xml", "word/numbering.xml"),
    MediaType.PPTX: ("ppt/presentation.xml", "ppt/slides/slide1.xml", "ppt/_rels/presentation.xml.rels"),
    MediaType.XLSX: ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"),
    MediaType.EPUB: ("META-INF/container.xml", "content.opf", "chapter.xhtml"),
}
TEXTS = (
    MediaType.CSV,
    MediaType.JSON,
    MediaType.MARKDOWN,
    MediaType.TEXT,
    MediaType.QUESTIONS,
    MediaType.PDF,
)
WORDS = (
    *(
        "<",
        ">",
        "</",
        "/>",
        "<w:p>",
        "<w:t>",
        "<a:t>",
        "<row>",
        '<c r="A1" t="s"><v>',
        "</v></c>",
        "<sheet/>",
    ),
    *(
        "<item ",
        'href="',
        "<rootfile full-path=",
        "<?xml version='1.0'?>",
        "&#x0;",
        "&amp;",
        "]]>",
        "<![CDATA[",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        '"',
        ",",
        ":",
        "1e999",
        "null",
        "\\u0000",
        "|",
        "---",
        "#",
        "```",
        "*",
        "_",
        "\n",
        "\t",
    ),
    *(
        "%PDF-1.7",
        "1 0 obj",
        "<<",
        ">>",
        "/Type",
        "/Pages",
        "/Kids",
        "stream",
        "endstream",
        "trailer",
        "xref",
    ),
    *(
        "question",
        "answer",
        ";",
        "\r\n",
        "\ufeff",
        "\x00",
        "9" * 30,
        "-1",
        "<urlset>",
        "<loc>",
        "http://[",
        "x",
    ),
)
scraps = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=40).map("".join)


def read(kind: MediaType, data: bytes) -> None:
    try:
        assert parser_for(kind)(data, limits=Limits()).blocks is not None
    except AppError as error:
        refused(error)


@few
@given(st.sampled_from(TEXTS), scraps, st.sampled_from(("", "utf-8", "latin-1", "utf-16", "no-such")))
def test_scraps_of_every_text_format_are_read_or_refused(kind: MediaType, text: str, charset: str) -> None:
    try:
        parser_for(kind)(text.encode("utf-8", "surrogatepass"), limits=Limits(), charset=charset)
    except AppError as error:
        refused(error)


@few
@given(st.sampled_from(sorted(PACKAGES)), st.lists(scraps, min_size=3, max_size=3))
def test_a_package_of_scraps_is_read_or_refused(kind: MediaType, parts: list[str]) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        for name, text in zip(PACKAGES[kind], parts, strict=True):
            package.writestr(name, text.encode("utf-8", "surrogatepass"))
    read(kind, held.getvalue())


@many
@given(scraps | st.text())
def test_any_sitemap_is_read_or_passed_over(text: str) -> None:
    try:
        found = sitemap.read(text.encode("utf-8", "surrogatepass")).addresses
    except AppError as error:
        refused(error)
        return
    assert all(isinstance(address, str) for address in found)


# Signatures. A text that was signed for something else, cut or changed is refused; it is never a crash.

NOWHERE = Workspace(pk=UUID(int=1), key="nowhere")
SIGNED = (
    signing.dumps({"u": "x", "w": "x", "e": 1}, salt="another"),
    signing.dumps(["nowhere", "x"], salt="another"),
    str(AccessToken()),
    str(RefreshToken()),
    "nvx_live_" + "a" * 40,
)


@st.composite
def forged(draw: Any) -> str:
    text: str = draw(st.sampled_from(SIGNED))
    at = draw(st.integers(0, len(text)))
    put: str = draw(st.text(max_size=4))
    return text[:at] + put + text[at + draw(st.integers(0, 3)) :]


VERIFIERS: dict[str, Callable[[str], object]] = {
    "hand-over": lambda text: handover.redeem(text, NOWHERE),
    "confirmation": confirmation.confirm,
    "change of address": email_change.find,
    "file's link": attachments.of_ticket,
    "access token": lambda text: tokens.recognise(text, NOWHERE),
    "refresh token": lambda text: tokens.refresh(text, NOWHERE),
}


@pytest.mark.parametrize("name", sorted(VERIFIERS))
@settings(many, max_examples=max(60, many.max_examples // 3))
@given(text=st.text() | forged())
def test_no_made_up_signature_is_taken(name: str, text: str) -> None:
    with pytest.raises(AppError) as refusal:
        VERIFIERS[name](text)
    refused(refusal.value)


@many
@given(st.text() | forged())
def test_no_made_up_ticket_or_key_opens(text: str) -> None:
    assert opened_preview(text, "nowhere-agent") is None
    assert not is_well_formed(text)


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_a_reader_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.parsing.csv.parse", broken)

    with pytest.raises(ZeroDivisionError):
        read(MediaType.CSV, b"a,b\n1,2\n")
