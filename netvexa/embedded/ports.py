"""Loopback ports: finding a free one and knowing whether somebody answers."""

from __future__ import annotations

import socket
import time

LOOPBACK = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """The preferred port where it is free, else one the system picks.

    Another process may take it before the caller binds; servers are therefore started with a retry.
    """
    if preferred and is_free(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now. Connections in TIME_WAIT do not count as busy."""
    if answers(port, host=host):
        return False  # somebody on 0.0.0.0 would let us bind on some systems, and then get our traffic
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(port: int, *, host: str = LOOPBACK, timeout: float = 1.0) -> bool:
    """Whether something accepts connections on the port; `timeout` in seconds."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False


def wait_until_free(port: int, *, timeout: float) -> bool:
    """Wait up to `timeout` seconds for a stopping process to let go of the port."""
    deadline = time.monotonic() + timeout
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
