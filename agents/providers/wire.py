"""How vendors are spoken to: one HTTP client per event loop, server-sent events, refusals as exceptions.

Hand-parsed on purpose: the vendors' own clients cost five to thirteen times the processor time a token.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary, WeakSet

import aiohttp
import certifi
from langchain_core import exceptions as lc

from .pace import pace, pause

Json: TypeAlias = dict[str, Any]

CONNECT_SECONDS = 10.0
KEPT_SECONDS = 30.0  # an idle connection is closed after this; vendors close theirs after a minute or more
LONGEST_EVENT = 1_000_000  # bytes; more without the end of a line is no event stream
CONTEXT_WORDS = ("context length", "context window", "too long", "input token count", "maximum context")
# How a prompt is refused that is too long. A gateway's 504 may say that something took too long.
TOO_MUCH = (400, 413, 422)
MODEL_GONE = re.compile(
    r"model_not_found|model_decommissioned"
    r"|\bmodels?\b[^.\n]{0,80} (?:has|have|was|were|is|are)(?: been)?"
    r" (?:deprecated|retired|decommissioned|discontinued|shut down)"
)
# What is said of an error that comes within a stream, where it has no status of its own.
_STATUS_OF = (
    ("rate_limit", 429),
    ("resource_exhausted", 429),
    ("authentication", 401),
    ("unauthenticated", 401),
    ("invalid_api_key", 401),
    ("permission", 403),
    ("not_found", 404),
    ("too_large", 413),
    ("context_length", 413),
    ("invalid_request", 400),
    ("invalid_argument", 400),
)
_KINDS: Mapping[int, type[lc.ModelError]] = {
    401: lc.ModelAuthenticationError,
    403: lc.ModelPermissionDeniedError,
    404: lc.ModelNotFoundError,
    408: lc.ModelTimeoutError,
    410: lc.ModelNotFoundError,
    413: lc.ContextOverflowError,
    429: lc.ModelRateLimitError,
}


@dataclass(frozen=True)
class Request:
    """One POST to a vendor."""

    url: str
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    read_timeout_seconds: float = 60.0


class Refusal(Exception):
    """What a vendor answered instead of a stream: the cause of the exceptions that `refused` makes."""

    def __init__(self, status: int, body: str, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}: {body}")
        self.status, self.body, self.retry_after = status, body, retry_after


# An HTTP client belongs to the event loop it was first used in.
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()
_streams: WeakSet[aiohttp.ClientResponse] = WeakSet()  # that are read now, in this process


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())  # a slim machine has no certificates of its own
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=KEPT_SECONDS)
        _sessions[loop] = aiohttp.ClientSession(connector=connector)
    return _sessions[loop]


@lru_cache(maxsize=64)
def _proxy_of(address: str) -> str | None:
    """The proxy that the environment names for an address without its path.

    aiohttp would look for it at every request, and for a password in the home folder, in two threads.
    """
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


async def close_session() -> None:
    """Close the running event loop's connections. For the end of a process or a short-lived loop."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()


@asynccontextmanager
async def opened(request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
    """The response of a vendor that agreed to answer; its connection ends with the block."""
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=CONNECT_SECONDS, sock_read=request.read_timeout_seconds
    )
    try:
        async with _session().post(
            request.url,
            json=request.body,
            headers=request.headers,
            timeout=timeout,
            allow_redirects=False,
            proxy=_proxy_of(urljoin(request.url, "/")),
        ) as response:
            if response.status != 200:
                refusal = Refusal(response.status, (await response.text())[:2000], _retry_after(response))
                raise refused(refusal) from refusal
            _streams.add(response)
            try:
                yield response
            finally:
                _streams.discard(response)
    except TimeoutError as error:
        raise lc.ModelTimeoutError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise lc.ModelConnectionError(f"{type(error).__name__}: {error}") from error


def refused(refusal: Refusal) -> lc.ModelError:
    """The exception for a vendor's refusal, in langchain's words."""
    words, message = refusal.body.lower(), f"HTTP {refusal.status}: {refusal.body}"
    if refusal.status in TOO_MUCH and any(known in words for known in CONTEXT_WORDS):
        return lc.ContextOverflowError(message)
    if "api key not valid" in words or "api_key_invalid" in words:  # Google says 400 for it
        return lc.ModelAuthenticationError(message)
    if refusal.status in (400, 403) and MODEL_GONE.search(words):
        return lc.ModelNotFoundError(message)
    if refusal.status >= 500:
        return lc.ModelAPIError(message)
    return _KINDS.get(refusal.status, lc.ModelInvalidRequestError)(message)


def failed_midway(error: Any) -> lc.ModelError:
    """The exception for an error that came as an event of a stream: what the same would be as a refusal."""
    message = json.dumps(error)[:2000]
    status = str(error.get("code")) if isinstance(error, dict) else ""
    if not (len(status) == 3 and status.isdigit() and status[0] in "45"):
        words = message.lower()
        status = next((str(known) for word, known in _STATUS_OF if word in words), "500")
    return refused(Refusal(int(status), message, None))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds, which the vendor gives as such or as a date, that counts from the date of the response."""
    said = response.headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        until, now = _moment(said), _moment(response.headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds()) if until is not None else None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(text: str) -> datetime | None:
    """The moment that a date of HTTP names; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def lines(response: aiohttp.ClientResponse) -> AsyncGenerator[list[bytes], None]:
    """Yield the stream's lines, those that arrived together in one list.

    The first list comes at once; afterwards the reader sleeps between two looks, and what arrives meanwhile waits
    in the system's buffer: several tokens cost one wake-up.
    """
    content, unread = response.content, b""
    while block := await _block(content):
        *whole, unread = (unread + block).split(b"\n")
        if len(unread) > LONGEST_EVENT:
            raise ValueError("the vendor's stream has no end of line")
        yield whole
        if not content.at_eof():
            with _unheard(response):
                await asyncio.sleep(pause(pace(len(_streams))))
    if unread:
        yield [unread]


@contextmanager
def _unheard(response: aiohttp.ClientResponse) -> Iterator[None]:
    """Let the system keep what arrives. The transport is asked itself: were aiohttp's parser held as well, it would
    hand out the first event alone.
    """
    transport = response.connection.transport if response.connection is not None else None
    if transport is None:  # all has arrived
        yield
        return
    transport.pause_reading()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # closed meanwhile
            transport.resume_reading()


async def _block(content: aiohttp.StreamReader) -> bytes:
    """What arrived since; also what arrived before the connection broke, which aiohttp would drop."""
    arrived = content._buffer
    if content.exception() is not None and arrived:
        block = b"".join(arrived)
        arrived.clear()
        return block
    return await content.readany()


def event_of(line: bytes) -> Json | None:
    """The JSON object of a `data:` line; None for all other lines and for OpenAI's last. Raises ValueError."""
    if not line.startswith(b"data:"):
        return None
    data = line[5:].strip()
    if not data or data == b"[DONE]":
        return None
    event: Json = json.loads(data)
    return event
