"""One page of the web: looked at again without harm to what serves.

A look asks whether the page changed (ETag, Last-Modified), then compares the content's hash, and only then
makes a new version. A look that fails is a warning on a document that serves, and a failure on one that never
did.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from knowledge import discovery, leaving, rendering, robots, stand_ins, versions
from knowledge.fetching import FetchedPage, FetchError, PageForbidden, PageMissing
from knowledge.models import Document, DocumentStatus, SourceKind, Version
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sniff import MediaType, sniff
from knowledge.refreshes import fetch_through
from knowledge.scope import canonical, scope_of
from netvexa.lib.errors import AppError
from netvexa.lib.hosts import shown_address

MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)
_LOG_IN = re.compile(
    r"//(?:accounts?|auth|idp|log-?in|sign-?in|sso)\."
    r"|/(?:(?:wp-|service)?log[-_]?in|sign[-_]?in|log[-_]?on|sso|saml2?|oauth2?|authorize)(?:\.\w+)?(?:[/?]|$)",
    re.IGNORECASE,
)
_ENDINGS = {
    "text/csv": ".csv",
    "application/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "text/markdown": ".md",
}


class LeftOut(FetchError):
    """A page that is not to be read, or not where it leads; `counted` is its name in `Source.found`."""

    permanent = True
    counted = "elsewhere"


class LeadsElsewhere(LeftOut):
    code = "page_leads_elsewhere"


class ForbiddenByRobots(LeftOut):
    code = "robots_disallowed"
    counted = "kept_out"


class LogInAsked(PageForbidden):
    code = "fetch_log_in_asked"


class LeadsToKnown(LeftOut):
    """The other document is `twin`, and both are read at `url`, perhaps only `for_now`."""

    code = leaving.COPY
    counted = "copies"

    def __init__(self, url: str, twin: Document, *, for_now: bool) -> None:
        super().__init__(discovery.copy_of(url))
        self.url, self.twin, self.for_now = url, twin, for_now


def address_of(document: Document) -> str:
    """What is asked for. A crawled page's `url` is where that led the last time."""
    return document.url if document.source.kind == SourceKind.URL else document.key


def look(document: Document) -> Version | None:
    """Fetch the page; return the version to be read, or None where nothing changed.

    Raises FetchError; LeftOut where a redirect leads to what is not to be read here.
    """
    before = versions.newest(document)
    known = before is not None and bool(before.sha256)
    page = fetch_through(
        address_of(document),
        etag=document.etag if known else "",
        last_modified=document.last_modified if known else "",
    )
    _check_open(address_of(document), page)
    _check_end(document, page)
    page = _with_scripts_run(document, before, page)
    same = page.unchanged or (before is not None and before.sha256 == _hash(page))
    _check_stand_in(document, before, page, same=same)
    with transaction.atomic():
        usable = before is None or before.pk == document.live_id or document.status != DocumentStatus.READY
        _note_good(document, page, clear=usable or not same)
        if same:
            return None
        return _new_content(document, before, page)


def fill(document: Document, version: Version) -> bytes:
    """Fetch the first content of a version that has none yet, and keep it. Raises FetchError."""
    page = fetch_through(document.url)
    _check_open(document.url, page)
    page = _with_scripts_run(document, version, page)
    with transaction.atomic():
        _put(version, page)
        version.save()
        _note_good(document, page, clear=True)
    return page.content


def note_failure(document: Document, error: AppError) -> None:
    """A look that failed: what serves goes on, with a warning; what never served waits or has failed."""
    now = timezone.now()
    rows = Document.objects.filter(pk=document.pk)
    noted = {"checked_at": now, "updated_at": now, "fetch_due": False}
    if document.live_id is not None or document.status == DocumentStatus.HELD:
        rows.update(**noted, warning_code=error.code, warning=error.detail[:500])
        return
    again = not getattr(error, "permanent", True) and document.attempts + 1 < MAX_ATTEMPTS
    rows.update(
        **noted,
        attempts=document.attempts + 1,
        status=DocumentStatus.WAITING if again else DocumentStatus.FAILED,
        lease_until=now + RETRY_AFTER * (document.attempts + 1) if again else None,
        error_code=error.code,
        error=error.detail[:500],
    )


def file_name_of(url: str) -> str:
    """The address's last part where it ends like a file; it decides between kinds of plain text."""
    name = PurePosixPath(urlsplit(url).path)
    return (
        name.name[-200:] if name.suffix.lower() in {".csv", ".tsv", ".json", ".jsonl", ".md", ".txt"} else ""
    )


def _end_of(document: Document, page: FetchedPage) -> str:
    """The canonical address where the redirects ended."""
    return canonical(page.url) or address_of(document)


def _check_open(asked: str, page: FetchedPage) -> None:
    """Raises LogInAsked where a page was sent on to a log-in: on another host by its address, on the same one also by
    its field for a password, since a help page may be named so.
    """
    if not _LOG_IN.search(page.url) or _LOG_IN.search(asked):
        return
    if urlsplit(page.url).netloc != urlsplit(asked).netloc or stand_ins.asks_for_password(page.content):
        raise LogInAsked(f"The page asks to log in: it leads to {shown_address(page.url)}")


def _check_end(document: Document, page: FetchedPage) -> None:
    """Raises LeftOut where a crawled page was sent on to what its source does not read, or reads already."""
    source, end = document.source, _end_of(document, page)
    if source.kind == SourceKind.URL or end == document.key:
        return
    if not discovery.belongs(source, document, end):
        raise LeadsElsewhere(f"It leads to {end}, which does not belong to this source.")
    if not robots.may_read(end):
        raise ForbiddenByRobots(f"It leads to {end}, which the site's robots.txt asks not to read.")
    twin = discovery.twin_of(source, document, end)
    if twin is not None:
        raise LeadsToKnown(end, twin, for_now=page.for_now)


def _check_stand_in(document: Document, before: Version | None, page: FetchedPage, *, same: bool) -> None:
    """Raises StandIn where something else answers in the place of what serves: that is kept as a draft, for a person to
    publish, and goes when the page is back or what stands in its place is believed.
    """
    name, selectors = file_name_of(page.url), _selectors(document)
    why = "" if same else stand_ins.reason(document, before, page, name=name, selectors=selectors)
    kept = stand_ins.kept_back(document)
    if not why or (kept is not None and stand_ins.is_believed(kept)):
        if kept is not None:
            versions.forget(kept)
        return
    if kept is None:
        with transaction.atomic():
            kept = versions.add_version(document, name="", data=b"", draft=True, remark=stand_ins.REMARK)
            _put(kept, page)
            kept.save()
    raise stand_ins.StandIn(
        f"{why}, which is kept as draft {kept.number} of its versions. It takes the place of what serves in a day, or"
        " once you publish it."
    )


def _selectors(document: Document) -> Selectors:
    scope = scope_of(document.source.scope)
    return Selectors(keep=scope.keep, drop=scope.drop)


def _with_scripts_run(document: Document, before: Version | None, page: FetchedPage) -> FetchedPage:
    """The page as a browser has it where it is empty otherwise. Its frame stays the same while its text changes:
    no ETag is kept of it, so that the next look runs the scripts again. Raises FetchError.
    """
    if not rendering.is_available():
        return page
    raw = versions.content_of(before) if page.unchanged and before is not None else page.content
    name, selectors = file_name_of(page.url), _selectors(document)
    if not rendering.is_wanted(raw, name=name, charset=page.charset, selectors=selectors):
        return page
    content = rendering.render(page.url)
    return replace(page, content=content, charset="utf-8", etag="", last_modified="", unchanged=False)


def _note_good(document: Document, page: FetchedPage, *, clear: bool) -> None:
    """`clear` takes the warning away; it stays where the same content is known to be of no use."""
    now = timezone.now()
    document.checked_at = document.good_at = now
    if document.warning_code in {PageMissing.code, LeadsToKnown.code}:
        document.misses = 0  # other misses, such as a page that nothing leads to, are counted by the sync
    if clear:
        document.warning = document.warning_code = ""
    document.fetch_due = False
    if document.source.kind != SourceKind.URL:
        document.url = _end_of(document, page)
    if not page.unchanged:
        document.etag, document.last_modified = page.etag, page.last_modified
    document.save(
        update_fields=[
            "url", "checked_at", "good_at", "warning", "warning_code", "fetch_due", "misses", "etag",
            "last_modified",
        ]
    )  # fmt: skip


def _new_content(document: Document, before: Version | None, page: FetchedPage) -> Version:
    """An empty version that waits for its first content takes it; else there is a new one."""
    if before is None or before.sha256:
        before = versions.add_version(document, name=file_name_of(document.url), data=b"")
    _put(before, page)
    before.save()
    return before


def _put(version: Version, page: FetchedPage) -> None:
    if not page.content:
        raise FetchError("The server sent an empty page.")
    versions.put_content(version, page.content)
    version.charset = page.charset[:40]
    version.name = version.name or file_name_of(page.url) or _named_by_type(page)
    version.address = page.url


def _named_by_type(page: FetchedPage) -> str:
    """A name with the ending of a kind of text that only the server tells, as of a spreadsheet that it exports."""
    ending = _ENDINGS.get(page.content_type)
    if not ending or sniff(page.content) not in {MediaType.TEXT, MediaType.MARKDOWN}:
        return ""
    parts = urlsplit(page.url)
    return f"{(PurePosixPath(parts.path).name or parts.netloc)[:190]}{ending}"


def _hash(page: FetchedPage) -> str:
    return hashlib.sha256(page.content).hexdigest()
