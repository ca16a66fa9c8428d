"""Which addresses belong to a website that is read: canonical form, scope, patterns."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from netvexa.lib.hosts import ascii_host

MAX_URL = 2000
_NOWHERE = SplitResult("", "", "", "", "")
MAX_PAGES = 10_000  # of one source, whatever the plan
DEFAULT_PAGES = 200
DEFAULT_DEPTH = 5
MAX_PATTERNS = 50
_PORTS = {"http": 80, "https": 443}
_TRACKING = frozenset({"gclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "yclid", "_ga", "ref_src"})
_SESSION = frozenset({"phpsessid", "jsessionid", "sessionid", "session_id"})
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
# What links lead to beside pages: pictures, code, feeds, programs, sound, films, fonts.
_NO_PAGES = frozenset(
    f".{ending}"
    for ending in (
        *(
            "jpg",
            "jpeg",
            "png",
            "gif",
            "svg",
            "webp",
            "avif",
            "ico",
            "css",
            "js",
            "mjs",
            "map",
            "json",
            "xml",
        ),
        *("rss", "atom", "zip", "gz", "tar", "7z", "rar", "dmg", "exe", "msi", "deb", "rpm", "apk"),
        *("mp3", "mp4", "m4a", "m4v", "mov", "avi", "webm", "wav", "ogg", "woff", "woff2", "ttf", "eot"),
    )
)


@dataclass(frozen=True, slots=True)
class Scope:
    """`include` and `exclude` are paths: a prefix, or a pattern with `*`. `keep` and `drop` are CSS selectors.

    `depth` counts links from the start.
    """

    pages: int = DEFAULT_PAGES
    depth: int = DEFAULT_DEPTH
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    keep: str = ""
    drop: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    def admits(self, url: str, *, start: str) -> bool:
        """Is this canonical address a page of the site that begins at `start`?"""
        here, root = urlsplit(url), urlsplit(start)
        if _site(here.netloc) != _site(root.netloc) or PurePosixPath(here.path).suffix.lower() in _NO_PAGES:
            return False
        if self.include:
            inside = any(matches(here.path, pattern) for pattern in self.include)
        else:
            inside = here.path.startswith(root.path.rpartition("/")[0] + "/")
        return (inside or url == start) and not any(matches(here.path, pattern) for pattern in self.exclude)


def scope_of(stored: dict[str, Any]) -> Scope:
    """The scope that a source's JSON holds; what is missing has its default."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in stored.items()
        if key in Scope.__slots__
    }
    return Scope(**values)


def matches(path: str, pattern: str) -> bool:
    """`/help` and `/help/*` cover what is below; `*` stands for anything."""
    pattern = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    return fnmatchcase(path, pattern) if "*" in pattern else path.startswith(pattern)


def canonical(url: str, *, base: str = "") -> str:
    """One spelling for each page: no fragment, tracking, session or default port; "" for what is no web address."""
    parts = _parts(url, base)
    query = urlencode(
        [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(pair[0])]
    )
    return _whole(parts._replace(path=_SESSION_IN_PATH.sub("", parts.path)), query)


def absolute(url: str, *, base: str = "") -> str:
    """As `canonical`, with the query as it is written."""
    parts = _parts(url, base)
    return _whole(parts, quote(parts.query, safe="/?%:@!$&'()*+,;=~-._"))


def _parts(url: str, base: str) -> SplitResult:
    """In their one spelling, but for the query; empty for what is no web address."""
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return _NOWHERE
    if parts.scheme not in _PORTS or not host:
        return _NOWHERE
    if ":" in host:
        host = f"[{host}]"
    netloc = host if port in {None, _PORTS[parts.scheme]} else f"{host}:{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return SplitResult(parts.scheme, netloc, path, parts.query, "")


def _whole(parts: SplitResult, query: str) -> str:
    whole = urlunsplit(parts._replace(query=query))
    return whole if len(whole) <= MAX_URL else ""


def _tracks(name: str) -> bool:
    return name.lower().startswith("utm_") or name.lower() in _TRACKING | _SESSION


def _site(netloc: str) -> str:
    return netloc.removeprefix("www.")
