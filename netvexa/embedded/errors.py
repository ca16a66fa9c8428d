"""What can go wrong while servers are started, each a sentence fit to show on a terminal."""

from __future__ import annotations

from netvexa.lib.errors import AppError


class StartError(AppError):
    """The product cannot start here; the sentence says why and what to do."""

    code = "start_failed"
    status = 503
    default_detail = "NETVEXA could not start."
