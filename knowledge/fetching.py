"""The one place that fetches pages from the web: safely, and never more than asked for.

drawbridge resolves a name once, refuses every address that is not public (again after each redirect) and
connects to the very address it checked, so that a name cannot be rebound in between: on that rests safety, and
nothing here asks the socket again. On top of it stand one deadline for everything and a limit on what was unpacked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from email.message import Message
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

import drawbridge
import httpx
from django.conf import settings

from netvexa.lib.errors import AppError
from netvexa.lib.hosts import ascii_host

USER_AGENT = "NETVEXA/1.0 (+knowledge sync)"
DEADLINE = 30.0  # seconds for everything: names, redirects, headers, body
MAX_REDIRECTS = 5
_TEMPORARY = frozenset({302, 303, 307})  # redirects that promise nothing for the next time
_BUSY = frozenset({408, 425, 429})  # ask again later
GONE = frozenset({404, 410})  # what a server answers where there is no such page
_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)
READABLE = (
    "text/",
    "application/pdf",
    "application/xhtml",
    "application/xml",
    "application/json",
    "application/epub+zip",
    "application/octet-stream",
    "binary/octet-stream",  # as Amazon S3 calls what nobody named
    "application/x-pdf",
    "application/csv",
    "application/gzip",
    "application/x-gzip",
    "application/vnd.openxmlformats-officedocument.",
)

# What drawbridge 0.1 lets pass: 6to4 relays, IPv4-compatible and -translated, site-local, AWS' metadata in
# IPv6.
_NEVER = [
    ipaddress.ip_network(network)
    for network in (
        "192.88.99.0/24",
        "::/96",
        "::ffff:0:0:0/96",
        "fec0::/10",
        "fd00:ec2::254/128",
        "3fff::/20",
    )
]

T = TypeVar("T")


class FetchError(AppError):
    """A page could not be fetched; `permanent` says whether trying again by itself makes sense."""

    code = "fetch_failed"
    status = 422
    default_detail = "This page could not be fetched."
    permanent = False


class FetchRefused(FetchError):
    code = "fetch_refused"
    status = 400
    default_detail = "This address is not a public web page, so it is not fetched."
    permanent = True


class FetchTooLarge(FetchError):
    code = "fetch_too_large"
    status = 413
    permanent = True


class FetchTypeUnsupported(FetchError):
    code = "fetch_type_unsupported"
    status = 415
    permanent = True


class PageMissing(FetchError):
    """The server says that there is no such page (404, 410)."""

    code = "fetch_page_missing"
    permanent = True


class ServerMissing(FetchError):
    """There is no such name, as the name's own servers say; a name server that is away is another matter."""


class PageForbidden(FetchError):
    """The server does not let us read it (401, 403)."""

    code = "fetch_page_forbidden"
    permanent = True


class RequestRefused(FetchError):
    """The server does not answer this request (any other 4xx), but not because it is busy (408, 425, 429)."""


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """`url` is where the redirects ended; `charset` is the header's, or "".

    `unchanged` means that the server said so (304) and sent no content, `for_now` that a redirect on the way there
    calls itself temporary.
    """

    url: str
    content: bytes
    content_type: str
    charset: str
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    for_now: bool = False


def check_address(url: str) -> None:
    """Refuse what can never be fetched, without asking the network: for forms. Raises FetchRefused."""
    parts = urlsplit(url)
    try:
        named = bool(ascii_host(parts.hostname or "")) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if parts.scheme not in {"http", "https"} or not named:
        raise FetchRefused("Give the address of a web page that starts with http:// or https://.")
    if parts.username or parts.password:
        raise FetchRefused("Leave the user name and password out of the address.")


def fetch(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    deadline: float = DEADLINE,
    largest: int | None = None,
) -> FetchedPage:
    """Get one page, unless it is as `etag` and `last_modified` say. Raises FetchError, fit to show.

    `largest` is how many bytes it may have; without it as many as an upload.
    """
    check_address(url)
    known = {"if-none-match": etag, "if-modified-since": last_modified}
    conditions = {key: value for key, value in known.items() if value}
    return asyncio.run(_in_time(url, _fetch(url, conditions, largest or settings.MAX_UPLOAD_BYTES), deadline))


async def _in_time(url: str, work: Coroutine[None, None, T], deadline: float) -> T:
    host = urlsplit(url).hostname or url
    try:
        async with asyncio.timeout(deadline):
            return await work
    except (TimeoutError, httpx.TimeoutException):
        raise FetchError(f"{host} did not answer within {deadline:.0f} seconds.") from None
    except (drawbridge.BlockedAddressError, drawbridge.BlockedDomainError, drawbridge.UnsafePortError):
        raise FetchRefused(f"{host} does not lead to a public web page, so it is not fetched.") from None
    except (drawbridge.UnsafeSchemeError, httpx.InvalidURL):
        raise FetchRefused from None
    except UnicodeError:
        raise FetchRefused(f"{host} is no name that a server can have.") from None
    except drawbridge.TooManyRedirectsError:
        raise FetchError(f"{host} sends from one address to the next without end.") from None
    except drawbridge.DrawbridgeDNSError as error:
        unknown = getattr(error.__cause__, "errno", None) in _NO_SUCH_NAME
        raise (ServerMissing if unknown else FetchError)(f"There is no server named {host}.") from None
    except (httpx.HTTPError, drawbridge.DrawbridgeError, OSError, zlib.error) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise FetchError(f"{host} does not prove who it is: its certificate is not valid.") from None
        raise FetchError(f"{host} could not be reached, or broke off.") from None


async def _fetch(url: str, conditions: dict[str, str], largest: int) -> FetchedPage:
    headers = {
        "accept": "text/html,application/pdf,text/*;q=0.9,*/*;q=0.5",
        "accept-encoding": "gzip",
        **conditions,
    }
    statuses: list[int] = []
    async with (
        _client(urlsplit(url).hostname or "", statuses) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        kind, charset = _content_type(response.headers.get("content-type", ""))
        if response.status_code == 304 and conditions:
            return FetchedPage(
                str(response.url), b"", kind, charset, unchanged=True, for_now=_is_for_now(statuses)
            )
        _check_answer(response, largest)
        content = b"".join([part async for part in _limited(response, largest)])
        return FetchedPage(
            str(response.url),
            content,
            kind,
            charset,
            etag=response.headers.get("etag", "")[:300],
            last_modified=response.headers.get("last-modified", "")[:100],
            for_now=_is_for_now(statuses),
        )


def _is_for_now(statuses: Iterable[int]) -> bool:
    return not _TEMPORARY.isdisjoint(statuses)


def status_of(url: str, *, deadline: float = DEADLINE) -> int:
    """What the server answers in the end, of which only the head is read. Raises FetchError where it does not."""
    check_address(url)
    return asyncio.run(_in_time(url, _status(url), deadline))


async def _status(url: str) -> int:
    """Some servers know a page only when it is asked for whole: a miss counts as one where both ways miss."""
    status = 0
    async with _client(urlsplit(url).hostname or "", []) as client:
        for method in ("HEAD", "GET"):
            async with client.stream(method, url, headers={"accept": "*/*"}) as response:
                status = response.status_code
            if status not in GONE:
                break
    return status


class _AsciiURL(httpx.URL):
    """drawbridge 0.1 asks for the host as httpx shows it to people, which is no name that can be asked for."""

    @property
    def host(self) -> str:
        return self.raw_host.decode("ascii")


async def _in_ascii(request: httpx.Request) -> None:
    request.url = _AsciiURL(request.url)


class _NamedInText(httpx.AsyncBaseTransport):
    """drawbridge 0.1 says in bytes whose certificate is expected, which anyio does not take since 4.16."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.extensions.get("sni_hostname")
        if isinstance(name, bytes):
            request.extensions["sni_hostname"] = name.decode("ascii")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _client(host: str, statuses: list[int]) -> drawbridge.Client:
    """`statuses` takes those of all answers, redirects among them."""

    async def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    client = drawbridge.Client(_policy(host))
    # They run for each redirect, before its check.
    client._httpx_client.event_hooks = {"request": [_in_ascii], "response": [note]}
    client._transport._inner = _NamedInText(client._transport._inner)  # type: ignore[assignment]  # any will do
    return client


def _policy(host: str) -> drawbridge.Policy:
    """Hosts that the operator named may be private; everything else has to be public."""
    allowed = host in settings.FETCH_PRIVATE_HOSTS
    return drawbridge.Policy(
        allow_private=allowed,
        allow_domains=frozenset({host}) if allowed else None,  # a private host may not send us on to others
        allow_ports=frozenset(range(1, 65536)) if allowed else frozenset({80, 443, 8080, 8443}),
        ip_blocklist=frozenset() if allowed else frozenset(_NEVER),
        max_redirects=MAX_REDIRECTS,
        user_agent=USER_AGENT,
        verify_ssl=_trusted(),  # type: ignore[arg-type]  # httpx takes it in the place of the library's True
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Reading all certificates that are trusted takes three quarters of a fetch from nearby."""
    return httpx.create_ssl_context()


def _check_answer(response: httpx.Response, largest: int) -> None:
    host = response.url.host
    if response.status_code in GONE:
        raise PageMissing(f"{host} has no such page (it answered {response.status_code}).")
    if response.status_code in {401, 403}:
        raise PageForbidden(f"{host} does not let us read this page (it answered {response.status_code}).")
    if response.status_code != 200:
        refused = response.is_client_error and response.status_code not in _BUSY
        raise (RequestRefused if refused else FetchError)(
            f"{host} answered with an error ({response.status_code}).", retry_after=_retry_after(response)
        )
    kind, _ = _content_type(response.headers.get("content-type", ""))
    if kind and not kind.startswith(READABLE):
        raise FetchTypeUnsupported(f"This address leads to {kind}, which is not a document that can be read.")
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > largest:
        raise _too_large(largest)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks us to wait; a date instead of a number is not worth reading."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), 3600.0) if asked.isdecimal() else None


def _too_large(largest: int) -> FetchTooLarge:
    return FetchTooLarge(f"This page is larger than {largest / (1024 * 1024):.3g} MB.")


def _content_type(header: str) -> tuple[str, str]:
    """Media type in lower case and charset."""
    message = Message()
    message["content-type"] = header
    return message.get_content_type() if header else "", message.get_content_charset() or ""


async def _limited(response: httpx.Response, largest: int) -> AsyncIterator[bytes]:
    """The body, unpacked here in small steps: a kilobyte on the wire can unpack to a thousand times that."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip"}:
        raise FetchError("The server packs the page in a way that it was not asked for.")
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    left = largest
    async for raw in response.aiter_raw(65536):
        part = unpacker.decompress(raw, left + 1) if unpacker else raw
        left -= len(part)
        if left < 0:
            raise _too_large(largest)
        yield part
    if unpacker and left < largest and not unpacker.eof:
        raise FetchError("The server broke off in the middle of the page.")
