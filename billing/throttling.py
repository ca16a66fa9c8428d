"""How many API calls an hour a workspace's plan includes: a token bucket a workspace, in Redis.

A key may have fewer for itself, so that one program does not use up everybody's. RateLimit fields follow
draft-ietf-httpapi-ratelimit-headers (the three separate fields that clients know); of two buckets they tell
about the one that is nearer to its end.
"""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from billing import calls
from billing.plans import Limit
from billing.subscriptions import standing_of
from netvexa.lib.ratelimit import Bucket, Left, RateLimited, spend
from tenants.api import cost_of
from tenants.context import current_workspace
from tenants.credentials import Credential

ABUSE_CEILING = 50_000  # calls an hour where the plan names no limit


class ApiCalls(BaseThrottle):
    """DRF's question whether this request may pass. Raises RateLimited with the wait."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Credential) or getattr(request, "workspace", None) is None:
            return True
        buckets, cost = _buckets(request.auth), cost_of(request, view)
        left = spend(*buckets, cost=cost)
        bucket, tokens = _nearest(buckets, left)
        request._request.rate_headers = bucket.headers(tokens)  # type: ignore[attr-defined]
        if left.wait:
            whose = (
                "This API key is limited to" if bucket is not buckets[0] else "This workspace's plan includes"
            )
            raise RateLimited(f"{whose} {bucket.burst:,} API calls an hour.", retry_after=left.wait)
        calls.note(current_workspace(), cost)
        return True


def _buckets(credential: Credential) -> list[Bucket]:
    workspace = current_workspace()
    limit = standing_of(workspace).limits[Limit.API_CALLS] or ABUSE_CEILING
    found = [_hourly(f"{workspace.key}:api", limit)]
    if credential.hourly_limit is not None:
        found.append(_hourly(f"{workspace.key}:api:{credential.holder_id}", credential.hourly_limit))
    return found


def _hourly(name: str, limit: int) -> Bucket:
    return Bucket(name, limit / 60, limit)


def _nearest(buckets: list[Bucket], left: Left) -> tuple[Bucket, float]:
    return min(zip(buckets, left.tokens, strict=True), key=lambda pair: pair[1])
