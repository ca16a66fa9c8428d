"""Pages that a source leads to: added as documents, within the scope and what the plan includes."""

from __future__ import annotations

from collections.abc import Iterable

from billing.plans import Limit
from billing.subscriptions import standing_of
from knowledge.models import Document, DocumentStatus, Source, SourceKind, counted_pages
from knowledge.scope import MAX_PAGES, Scope, canonical, scope_of
from tenants.context import current_workspace

MAX_LINKS_KEPT = 500  # of one page


def pages_left(source: Source, scope: Scope) -> int:
    """How many more pages this source may have: by its own limit, ours, and the plan's for the workspace."""
    present = Document.objects.present()
    own = min(scope.pages, MAX_PAGES) - present.filter(source=source).count()
    included = standing_of(current_workspace()).limits[Limit.PAGES]
    return own if included is None else min(own, included - counted_pages())


def add_pages(source: Source, urls: Iterable[str], *, depth: int, found_on: str = "") -> int:
    """Documents for addresses that are new or came back, fetched in their turn. Returns how many."""
    scope = scope_of(source.scope)
    room = pages_left(source, scope)
    wanted = dict.fromkeys(urls)
    known = dict(source.documents.filter(key__in=wanted).values_list("key", "status"))
    gone = [url for url, status in known.items() if status == DocumentStatus.GONE][: max(0, room)]
    room -= len(gone)
    new = [url for url in wanted if url not in known][: max(0, room)]
    source.documents.filter(key__in=gone).update(
        status=DocumentStatus.WAITING, fetch_due=True, misses=0, attempts=0, error="", error_code="", etag="",
        last_modified="",
    )  # fmt: skip
    Document.objects.bulk_create(
        [
            Document(
                source=source,
                key=url,
                url=url,
                title=url[:300],
                depth=depth,
                found_on=found_on,
                fetch_due=True,
            )
            for url in new
        ],
        ignore_conflicts=True,
    )
    return len(new) + len(gone)


def links_within(source: Source, document: Document, links: Iterable[str]) -> list[str]:
    """The canonical addresses among a page's links that belong to its source."""
    if source.kind != SourceKind.SITE:
        return []
    scope = scope_of(source.scope)
    found = dict.fromkeys(filter(None, (canonical(link, base=document.url) for link in links)))
    return [url for url in found if scope.admits(url, start=source.url)][:MAX_LINKS_KEPT]


def follow(source: Source, document: Document, links: Iterable[str]) -> int:
    """Add the pages that a page of a website leads to, while it is not too deep."""
    if source.kind != SourceKind.SITE or document.depth >= scope_of(source.scope).depth:
        return 0
    return add_pages(source, links, depth=document.depth + 1, found_on=document.url)


def is_copy(source: Source, document: Document, canonical_link: str) -> bool:
    """Whether a page names another page of this source as the one that counts, and that one is there."""
    if not canonical_link or source.kind not in {SourceKind.SITE, SourceKind.SITEMAP}:
        return False
    meant = canonical(canonical_link, base=document.url)
    others = source.documents.exclude(pk=document.pk).present()
    return bool(meant) and meant != document.key and others.filter(key=meant).exists()
