"""How many API calls an hour a workspace's plan includes: a token bucket a workspace, in Redis.

RateLimit fields follow draft-ietf-httpapi-ratelimit-headers (the three separate fields that clients know).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from billing.plans import Limit
from billing.subscriptions import standing_of
from netvexa.lib.ratelimit import Bucket, RateLimited, spend
from tenants.context import current_workspace
from tenants.models import ApiKey

ABUSE_CEILING = 50_000  # calls an hour where the plan names no limit
HOUR = 3600


@lru_cache(maxsize=1)
def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


class ApiCalls(BaseThrottle):
    """DRF's question whether this request may pass. Raises RateLimited with the wait."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        workspace = current_workspace()
        limit = standing_of(workspace).limits[Limit.API_CALLS] or ABUSE_CEILING
        left = spend(_redis(), Bucket(f"{workspace.key}:api", limit / 60, limit))
        request._request.rate_headers = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, left.tokens)),
            "RateLimit-Reset": str(round((limit - left.tokens) * HOUR / limit)),
        }
        if left.wait:
            raise RateLimited(
                f"This workspace's plan includes {limit:,} API calls an hour.", retry_after=left.wait
            )
        return True
