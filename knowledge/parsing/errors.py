"""Why a document could not be read, each with a sentence fit to show its owner.

`permanent` says whether the same bytes can ever succeed; a task does not repeat a permanent fault by itself.
"""

from __future__ import annotations

from netvexa.lib.errors import AppError


class ParseError(AppError):
    code = "document_unreadable"
    status = 422
    default_detail = (
        "This document could not be read. It may be damaged; open it, save it again and upload the copy."
    )
    permanent = True


class EmptyDocument(ParseError):
    code = "document_empty"
    default_detail = "This document is empty: the file holds 0 bytes."


class NothingToRead(ParseError):
    code = "document_without_text"
    default_detail = "There is no text in this document."


class NeedsJavaScript(ParseError):
    code = "document_needs_javascript"
    default_detail = (
        "This page is empty until a browser runs its scripts, so there is no text to read. Add the page's text"
        " as a file or pasted text, or let the site send its text from the server."
    )


class EncryptedDocument(ParseError):
    code = "document_encrypted"
    default_detail = "This document is protected by a password. Remove the password and upload it again."


class MislabelledDocument(ParseError):
    code = "document_mislabelled"
    default_detail = "The content of this file does not match its name."


class UnsupportedDocument(ParseError):
    code = "document_type_unsupported"
    status = 415
    default_detail = (
        "This kind of file is not supported. PDF, DOCX, PPTX, XLSX, CSV, EPUB, JSON, HTML, Markdown,"
        " plain text, PNG, JPEG, and ZIP archives of documents are."
    )


class DocumentTooLarge(ParseError):
    code = "document_too_large"
    status = 413
    default_detail = "This document is too large."


class ParserStopped(ParseError):
    """The parser's own process ran out of time or memory, or crashed; nothing else was harmed."""

    code = "document_parser_stopped"
    default_detail = "Reading this document took too much time or memory. Split it into smaller parts."


def by_code(code: str) -> type[ParseError]:
    """The error class with this code; the general one where the code is unknown."""
    return next((error for error in ParseError.__subclasses__() if error.code == code), ParseError)
