"""The place of a browser that runs a page's scripts: a service of the operator, where there is one.

It is asked as Browserless and its relatives are: POST {"url"} answers with the HTML after the scripts ran.
"""

from __future__ import annotations

import re

import httpx
from django.conf import settings

from knowledge.fetching import FetchError, check_address
from knowledge.parsing.errors import NeedsJavaScript, ParseError
from knowledge.parsing.sandbox import parse_apart
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sniff import MediaType, sniff
from knowledge.parsing.styles import RAN

SECONDS = 60.0
_SCRIPTS = re.compile(rb"<script\b.*?(?:</script\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def is_available() -> bool:
    return bool(settings.RENDERER_URL)


def is_wanted(content: bytes, *, name: str, charset: str, selectors: Selectors) -> bool:
    """Whether there is a browser service, and this is a page that is empty without its scripts."""
    try:
        if not is_available() or sniff(content, name=name) is not MediaType.HTML:
            return False
        parse_apart(content, name=name, charset=charset, selectors=selectors)
    except NeedsJavaScript:
        return True
    except ParseError:
        return False  # whoever reads it finds out, and says why
    return False


def render(url: str) -> bytes:
    """The page's HTML as a browser has it, without the scripts, which ran. Raises FetchError.

    What scripts carry, such as a token, differs from one look to the next, and would pass for a change. That there
    were some is left to be seen: they show again what a style sheet hides.
    The service stands on the operator's side and must itself refuse private addresses.
    """
    check_address(url)
    limit: int = settings.MAX_UPLOAD_BYTES
    try:
        with httpx.stream("POST", settings.RENDERER_URL, json={"url": url}, timeout=SECONDS) as answer:
            answer.raise_for_status()
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > limit:
                    raise FetchError("The page is too large once its scripts have run.")
    except httpx.HTTPError:
        raise FetchError("The page's scripts could not be run: the browser service did not answer.") from None
    return _SCRIPTS.sub(b"", content) + RAN.encode()
