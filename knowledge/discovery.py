"""Pages that a source leads to: added as documents, within the scope and what the plan includes."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin

from django.db.models import Q, QuerySet

from billing.plans import Limit
from billing.subscriptions import standing_of
from knowledge import versions
from knowledge.leaving import COPY
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version, counted_pages
from knowledge.scope import MAX_PAGES, Scope, absolute, canonical, scope_of
from tenants.context import current_workspace

MAX_LINKS_KEPT = 2000  # of one page
MAX_EXTERNAL = 200  # of one version


def pages_left(source: Source, scope: Scope) -> int:
    """How many more pages this source may have: by its own limit, ours, and the plan's for the workspace."""
    present = Document.objects.present()
    own = min(scope.pages, MAX_PAGES) - present.filter(source=source).count()
    included = standing_of(current_workspace()).limits[Limit.PAGES]
    return own if included is None else min(own, included - counted_pages())


def add_pages(source: Source, urls: Iterable[str], *, depth: int, found_on: str = "") -> int:
    """Documents for addresses that are new or came back, fetched in their turn. Returns how many.

    An address to which a page of this source was sent on is no new one.
    """
    scope = scope_of(source.scope)
    room = pages_left(source, scope)
    wanted = dict.fromkeys(urls)
    known = dict(source.documents.filter(key__in=wanted).values_list("key", "status"))
    read = source.documents.present().exclude(error_code=COPY)
    ends = set(read.filter(url__in=wanted).values_list("url", flat=True))
    gone = [url for url, status in known.items() if status == DocumentStatus.GONE and url not in ends]
    gone = gone[: max(0, room)]
    room -= len(gone)
    new = [url for url in wanted if url not in known and url not in ends][: max(0, room)]
    _bring_back(source.documents.filter(key__in=gone))
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


def copies_in(source: Source) -> QuerySet[Document]:
    """Documents that gave way to another one, or are about to."""
    return source.documents.filter(status__in=[DocumentStatus.GONE, DocumentStatus.STAGED], error_code=COPY)


def bring_back_copies(source: Source) -> int:
    """Copies of what is not there any more, or could never be read, are fetched themselves. Returns how many."""
    here = source.documents.present().exclude(status=DocumentStatus.FAILED).exclude(error_code=COPY)
    read = {address for pair in here.values_list("key", "url") for address in pair}
    copies = copies_in(source).filter(status=DocumentStatus.GONE).values_list("pk", "url")
    lost = [pk for pk, url in copies if url not in read]
    room = max(0, pages_left(source, scope_of(source.scope))) if lost else 0
    return _bring_back(source.documents.filter(pk__in=lost[:room]))


def bring_back_root(source: Source) -> None:
    """The page from which a source is read is looked at again when it went, or nothing would ever come back."""
    gone = source.documents.filter(status=DocumentStatus.GONE).exclude(error_code=COPY)
    if source.kind == SourceKind.SITE:
        _bring_back(gone.filter(key=source.url))
    elif source.kind == SourceKind.URL:
        _bring_back(gone)


def _bring_back(gone: QuerySet[Document]) -> int:
    return gone.update(
        status=DocumentStatus.WAITING, fetch_due=True, misses=0, attempts=0, error="", error_code="", etag="",
        last_modified="",
    )  # fmt: skip


def links_within(source: Source, document: Document, links: Iterable[str]) -> list[str]:
    """The canonical addresses among a page's links that belong to its source; the caller keeps MAX_LINKS_KEPT."""
    if source.kind != SourceKind.SITE:
        return []
    scope = scope_of(source.scope)
    found = dict.fromkeys(filter(None, (canonical(link, base=document.url) for link in links)))
    return [url for url in found if scope.admits(url, start=source.url)]


def links_elsewhere(document: Document, version: Version, targets: Iterable[str]) -> list[str]:
    """The web addresses to which the text of a version leads, without the pages that its source reads itself."""
    base, own = version.address or document.url, set(version.links)
    found = dict.fromkeys(filter(None, (absolute(target, base=base) for target in targets)))
    return [url for url in found if canonical(url) not in own][:MAX_EXTERNAL]


def follow(source: Source, document: Document, links: Iterable[str]) -> int:
    """Add the pages that a page of a website leads to, while it is not too deep."""
    if source.kind != SourceKind.SITE or document.depth >= scope_of(source.scope).depth:
        return 0
    return add_pages(source, links, depth=document.depth + 1, found_on=document.url)


def belongs(source: Source, document: Document, url: str) -> bool:
    """Whether this canonical address, to which a page leads, may be read as a page of its source.

    A sitemap says itself what belongs to it: its pages may lead anywhere on their own host.
    """
    if source.kind == SourceKind.URL:
        return True
    start = source.url if source.kind == SourceKind.SITE else urljoin(document.key, "/")
    return scope_of(source.scope).admits(url, start=start)


def twin_of(source: Source, document: Document, url: str) -> Document | None:
    """The other document of the source that is read at this canonical address."""
    if source.kind == SourceKind.URL:
        return None
    others = source.documents.exclude(pk=document.pk).present().exclude(status=DocumentStatus.FAILED)
    others = others.exclude(error_code=COPY)
    return others.filter(Q(key=url) | Q(url=url)).select_related("live").first()


def gives_way_to(source: Source, document: Document, canonical_link: str, *, text: str) -> str:
    """The other page of this source that a page names as the one that counts, which is fetched if it is new; "" for
    none. One that names a page that cannot be read, or whose `text` says little of what that one says, stands for
    itself: some sites name their start on every page.
    """
    if not canonical_link or source.kind not in {SourceKind.SITE, SourceKind.SITEMAP}:
        return ""
    meant = canonical(canonical_link, base=document.url)
    if not meant or meant in {document.key, document.url} or not belongs(source, document, meant):
        return ""
    twin = twin_of(source, document, meant)
    if twin is None and not _is_found(source, document, meant):
        return ""
    if twin is not None and not _is_in(text, twin):
        return ""
    if twin is not None:
        Document.objects.filter(pk=twin.pk, depth__gt=document.depth).update(depth=document.depth)
    return meant


def _is_in(text: str, twin: Document) -> bool:
    """Whether half of the lines stand in what was read of the other page, if that was read by now."""
    newest = versions.newest(twin)
    lines, others = set(text.split("\n")), set(versions.text_of(newest).split("\n") if newest else ())
    return others <= {""} or 2 * len(lines & others) >= len(lines)


def copy_of(url: str) -> str:
    """Why a page is left out, as people read it."""
    return f"It is a copy of {url}"[:500]


def _is_found(source: Source, document: Document, url: str) -> bool:
    """A page that is not known yet comes in; one that is gone stays so. A sitemap lists all its pages itself."""
    if source.kind == SourceKind.SITEMAP or source.documents.filter(key=url).exists():
        return False
    return bool(add_pages(source, [url], depth=document.depth, found_on=document.url))
