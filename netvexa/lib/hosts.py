"""Names of hosts in other letters (IDNA): as they are asked for, and as people read them."""

from __future__ import annotations

from urllib.parse import urlsplit

import idna


def ascii_host(host: str) -> str:
    """The name in ASCII, as DNS has it: xn--mnchen-3ya.example. Raises ValueError where there can be no such name."""
    return host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()


def shown_address(url: str) -> str:
    """A web address with the letters of its host's name: https://münchen.example/."""
    host = urlsplit(url).hostname or ""
    if "xn--" not in host:
        return url
    try:
        return url.replace(host, idna.decode(host), 1)
    except idna.IDNAError:
        return url
