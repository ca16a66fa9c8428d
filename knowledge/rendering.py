"""The place of a browser that runs a page's scripts: a service of the operator, where there is one.

It is asked as Browserless and its relatives are: POST {"url"} answers with the HTML after the scripts ran.
"""

from __future__ import annotations

import httpx
from django.conf import settings

from knowledge.fetching import FetchError, check_address

SECONDS = 60.0


def is_available() -> bool:
    return bool(settings.RENDERER_URL)


def render(url: str) -> bytes:
    """The page's HTML as a browser has it. Raises FetchError.

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
    return content
