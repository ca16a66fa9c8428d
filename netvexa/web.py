"""The web server: daphne on uvloop, whose log of requests leaves out what people typed.

Run as `python -m netvexa.web`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import uvloop

# Before daphne, which makes its loop when it is imported.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

from daphne import cli  # noqa: E402
from daphne.access import AccessLogGenerator  # noqa: E402

from netvexa.lib.masking import mask_cards, mask_contacts  # noqa: E402


class MaskedAccessLog(AccessLogGenerator):
    """Names the path of a request without its query, where searches and addresses stand."""

    def write_entry(self, host: str, date: datetime, request: str, *args: Any, **kwargs: Any) -> None:
        path = unquote(request.partition("?")[0])
        masked = quote(mask_contacts(mask_cards(path)), safe="/ ")
        super().write_entry(host, date, masked, *args, **kwargs)


def main() -> None:
    """Take daphne's own options; it offers no other place to say what is logged."""
    cli.AccessLogGenerator = MaskedAccessLog
    cli.CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
