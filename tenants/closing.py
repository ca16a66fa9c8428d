"""A workspace that closes while it is in use: open sockets and long tasks knew it when it was open.

Whoever enters anew is refused by `tenants.context`. What has entered already asks `is_open` before it costs
anything, and the web processes are told at once, by one channel in Redis that each of them hears.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from tenants.context import current_workspace
from tenants.models import ProvisioningState, Workspace
from tenants.postgresql.prepared import row_of

logger = logging.getLogger(__name__)
CHANNEL = "nv:closing"
# A part of statements that ask more, with the values of `this_workspace`.
IS_OPEN = "EXISTS (SELECT FROM public.tenants_workspace WHERE id = %(workspace)s AND state = %(ready)s)"


def this_workspace() -> dict[str, Any]:
    """What IS_OPEN asks about."""
    return {"workspace": current_workspace().pk, "ready": ProvisioningState.READY.value}


def is_open() -> bool:
    """Whether the current workspace is open still, by its row and not by what was read earlier."""
    row = row_of(f"SELECT {IS_OPEN}", this_workspace())
    return row is not None and bool(row[0])


def tell(workspace: Workspace) -> None:
    """Have every web process end what is open of the workspace. Call after the commit that closed it.

    While Redis is away nobody is told; then each is refused at its next message.
    """
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2.0, socket_connect_timeout=0.5)
    try:
        redis.publish(CHANNEL, f"!close\n0\n{workspace.pk}")
    except (RedisError, OSError):
        logger.warning("Redis cannot be reached: open chats of %s end at their next message", workspace.key)
    finally:
        redis.close()
