"""The help centre: docs/help/*.md as pages with headings that can be linked to, and a search over them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

from netvexa.lib.errors import NotFound

FOLDER: Path = settings.BASE_DIR / "docs" / "help"
_INDEX = "index"
_PAGE_LINK = re.compile(r"^(?:\./)?([a-z0-9-]+)\.md(#.*)?$")
_WORD = re.compile(r"\w+")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Heading:
    """A heading of a page and the id by which it is linked to."""

    id: str
    text: str


@dataclass(frozen=True)
class HelpPage:
    """One page, rendered. `html` is made from our own files with raw HTML switched off."""

    slug: str
    title: str
    summary: str
    html: str
    headings: list[Heading]
    text: str


@dataclass(frozen=True)
class Section:
    """A heading of the index with its pages."""

    title: str
    pages: list[HelpPage]


def page_of(slug: str) -> HelpPage:
    """The page docs/help/<slug>.md. Raises NotFound for any name that is not in the folder."""
    path = _files().get(slug)
    if path is None or slug == _INDEX:
        raise NotFound("There is no such help page.")
    return _rendered(path, path.stat().st_mtime_ns)


def sections() -> list[Section]:
    """The pages by the headings of the index, in its order."""
    path = _files()[_INDEX]
    return [
        Section(title, [page_of(stem) for stem in stems])
        for title, stems in _outline(path, path.stat().st_mtime_ns)
    ]


def search(query: str) -> list[HelpPage]:
    """The pages that hold every word of the query, those with the words in their titles first."""
    words = _WORD.findall(query.lower())
    pages = [page for section in sections() for page in section.pages]
    found = [page for page in pages if words and all(word in page.text for word in words)]
    return sorted(found, key=lambda page: -_weight(page, words))


def _weight(page: HelpPage, words: Sequence[str]) -> int:
    title = page.title.lower()
    return sum(50 * (word in title) + min(page.text.count(word), 9) for word in words)


def _files() -> dict[str, Path]:
    return {path.stem: path for path in FOLDER.glob("*.md")}


@lru_cache(maxsize=256)
def _rendered(path: Path, modified_ns: int) -> HelpPage:
    """`modified_ns` is part of the cache's key, so that a changed page is read again."""
    source = path.read_text(encoding="utf-8")
    tokens = _MARKDOWN.parse(source)
    headings = _anchor(tokens)
    _rewrite_links(tokens)
    title, body = _split_title(tokens)
    html: str = _MARKDOWN.renderer.render(body, _MARKDOWN.options, {})
    return HelpPage(
        slug=path.stem,
        title=title,
        summary=_first_paragraph(tokens),
        html=html.replace("<table>", '<div class="table-wide" tabindex="0"><table>').replace(
            "</table>", "</table></div>"
        ),
        headings=headings,
        text=source.lower(),
    )


@lru_cache(maxsize=2)
def _outline(path: Path, modified_ns: int) -> list[tuple[str, list[str]]]:
    """Each second-level heading of the index with the stems of the pages that it links to."""
    found: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found.append((line[3:].strip(), []))
        elif found and (link := re.search(r"\]\(([a-z0-9-]+)\.md\)", line)):
            found[-1][1].append(link[1])
    return found


def _anchor(tokens: list[Token]) -> list[Heading]:
    """Give every heading an id, and return those of the second level."""
    headings: list[Heading] = []
    taken: set[str] = set()
    for opening, content in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = _plain(content)
        anchor = _free(slugify(text) or "section", taken)
        opening.attrSet("id", anchor)
        if opening.tag == "h2":
            headings.append(Heading(anchor, text))
    return headings


def _free(anchor: str, taken: set[str]) -> str:
    number, candidate = 2, anchor
    while candidate in taken:
        number, candidate = number + 1, f"{anchor}-{number}"
    taken.add(candidate)
    return candidate


def _rewrite_links(tokens: list[Token]) -> None:
    """Turn links between the Markdown files into links between the pages."""
    for token in tokens:
        for child in token.children or []:
            link = _PAGE_LINK.match(str(child.attrGet("href") or "")) if child.type == "link_open" else None
            if link:
                stem, anchor = link[1], link[2] or ""
                child.attrSet("href", f"/help/{'' if stem == _INDEX else stem + '/'}{anchor}")


def _split_title(tokens: list[Token]) -> tuple[str, list[Token]]:
    """The text of the first heading, which the page shows itself, and what follows it."""
    if len(tokens) >= 3 and tokens[0].tag == "h1":
        return _plain(tokens[1]), tokens[3:]
    return "Help", tokens


def _first_paragraph(tokens: list[Token]) -> str:
    for opening, content in pairwise(tokens):
        if opening.type == "paragraph_open":
            return _plain(content)
    return ""


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
