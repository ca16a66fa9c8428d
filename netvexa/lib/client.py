"""Where a request comes from, as far as it can be believed.

`X-Forwarded-For` is written by whoever sends it, so it counts only as far as proxies of ours wrote it: from the
right, hop by hop, as long as the hop is in NETVEXA_TRUSTED_PROXIES. What counts attempts and calls by address
rests on this.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(request: HttpRequest) -> str:
    """The client's address; empty where the server does not know it."""
    return request.META.get("REMOTE_ADDR") or ""


def counted_as(address: str) -> str:
    """What limits by address count: of IPv6 the /64, since whoever has one address there has all of it."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(given, ipaddress.IPv4Address):
        return address
    return str(given.ipv4_mapped or ipaddress.ip_network((given, 64), strict=False))


def network_of(text: str) -> Network:
    """A network or a single address, such as 10.0.0.0/8 or 192.0.2.1. Raises ValueError."""
    return ipaddress.ip_network(text.strip(), strict=False)


def is_within(address: str, networks: list[str]) -> bool:
    """Whether the address lies in one of the networks; an unknown address lies in none."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped:
        given = given.ipv4_mapped
    return any(given in network_of(network) for network in networks)


def believed(peer: str, forwarded: list[str]) -> str:
    """The client behind our own proxies: the last hop that is none of them."""
    hops = [part.strip() for header in forwarded for part in header.split(",") if part.strip()]
    address = peer
    while hops and is_within(address, settings.TRUSTED_PROXIES):
        address = hops.pop()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return peer


def behind_proxies(application: Application) -> Application:
    """The ASGI application, told the client's believed address as if it had connected itself."""

    async def told(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if settings.TRUSTED_PROXIES and scope.get("client"):
            peer, port = scope["client"]
            forwarded = [
                value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
            ]
            scope = {**scope, "client": (believed(peer, forwarded), port)}
        await application(scope, receive, send)

    return told
