"""What a website or sitemap would bring, before it is added: a look at its first page and its sitemap."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge import robots
from knowledge.fetching import FetchError, check_address
from knowledge.models import SourceKind
from knowledge.parsing.errors import NeedsJavaScript, ParseError
from knowledge.parsing.sandbox import parse_apart
from knowledge.refreshes import fetch_through
from knowledge.scope import MAX_PAGES, Scope, canonical
from knowledge.sitemaps import pages_of

SHOWN = 200
SECONDS = 10.0  # for each of the few requests: somebody waits


@dataclass(frozen=True, slots=True)
class Preview:
    """`urls` are the first pages found; `complete` says whether a sitemap names all of them."""

    urls: list[str]
    complete: bool
    sentence: str = ""


def preview(url: str, *, kind: SourceKind, scope: Scope) -> Preview:
    """Raises FetchError where the address cannot be read at all."""
    check_address(url)
    start = canonical(url)
    if kind == SourceKind.SITEMAP:
        listing = pages_of(start, most=MAX_PAGES)
        listed = [page for page in listing.pages if scope.admits(page, start=page)][: scope.pages]
        return Preview(listed[:SHOWN], complete=True, sentence=listing.left_out)
    if not robots.may_read(start):
        return Preview([], complete=True, sentence="The site's robots.txt asks not to read this page.")
    linked, sentence = _linked(start, scope)
    listed = _listed(start, scope)
    pages = list(dict.fromkeys([start, *linked, *listed]))[: scope.pages]
    return Preview(pages[:SHOWN], complete=bool(listed), sentence=sentence)


def _linked(start: str, scope: Scope) -> tuple[list[str], str]:
    """Pages that the first page leads to, and a sentence where it does not let itself be read."""
    page = fetch_through(start, deadline=SECONDS)
    try:
        links = parse_apart(page.content, charset=page.charset).links
    except NeedsJavaScript as error:
        return [], error.detail
    except ParseError:
        return [], ""
    found = (canonical(link, base=page.url) for link in links)
    return [link for link in dict.fromkeys(found) if link and scope.admits(link, start=start)], ""


def _listed(start: str, scope: Scope) -> list[str]:
    """Pages of the sitemaps that robots.txt names, where there are any."""
    try:
        sitemaps = robots.sitemaps_of(start)[:1]
        pages = [page for sitemap in sitemaps for page in pages_of(sitemap, most=SHOWN).pages]
    except FetchError:
        return []
    return [page for page in pages if scope.admits(page, start=start)]
