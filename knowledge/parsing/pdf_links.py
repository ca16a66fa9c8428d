"""Where the links on a page of a PDF lead."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

_MAX_LINKS = 200  # of a page
_MAX_BYTES = 2000


def targets_of(page: pypdfium2.PdfPage) -> Iterator[str]:
    """The addresses on the web, as written."""
    for link in islice(_links(page), _MAX_LINKS):
        action = pdfium.FPDFLink_GetAction(link)
        if action and pdfium.FPDFAction_GetType(action) == pdfium.PDFACTION_URI:
            address = ctypes.create_string_buffer(_MAX_BYTES)
            size = pdfium.FPDFAction_GetURIPath(page.pdf, action, address, _MAX_BYTES)
            if size <= _MAX_BYTES:
                yield address.value.decode(errors="replace")


def _links(page: pypdfium2.PdfPage) -> Iterator[pdfium.FPDF_LINK]:
    place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, place, link):
        yield link
