"""What a plan includes, and how its end is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.limits import LimitReached, TrialOver, check
from billing.models import Entitlement
from billing.plans import PLANS, Limit, Tier
from billing.subscriptions import Standing, standing_of
from tenants.addresses import named_workspace_address
from tenants.context import platform
from tenants.models import Workspace


def on(tier: Tier) -> Standing:
    return Standing(PLANS[tier], PLANS[tier].limits, None)


def test_one_less_than_the_limit_leaves_room_for_one() -> None:
    check(on(Tier.STARTER), Limit.AGENTS, 0)


def test_at_the_limit_the_next_one_is_refused_with_the_numbers_and_the_way_on(inside: Workspace) -> None:
    with pytest.raises(LimitReached) as refused:
        check(on(Tier.STARTER), Limit.AGENTS, 1)

    assert refused.value.as_json() == {
        "code": "limit_reached",
        "detail": "The Starter plan includes 1 agents, and 1 are used. A larger plan includes more.",
        "limit": "agents",
        "used": 1,
        "maximum": 1,
        "upgrade_url": named_workspace_address(inside, "workspace:plan"),
    }
    assert refused.value.status == 403


def test_bytes_are_counted_with_what_is_to_be_added() -> None:
    maximum = PLANS[Tier.STARTER].limits[Limit.STORAGE_BYTES] or 0
    check(on(Tier.STARTER), Limit.STORAGE_BYTES, maximum - 10, adding=10)

    with pytest.raises(LimitReached):
        check(on(Tier.STARTER), Limit.STORAGE_BYTES, maximum - 10, adding=11)


def test_a_plan_without_a_limit_refuses_nothing() -> None:
    check(on(Tier.ENTERPRISE), Limit.AGENTS, 10**9)


def test_a_new_workspace_is_on_a_trial(inside: Workspace) -> None:
    standing = standing_of(inside)

    assert standing.is_trial
    check(standing, Limit.AGENTS, 0)


def test_when_the_trial_is_over_nothing_is_added(inside: Workspace) -> None:
    inside.created_at = timezone.now() - timedelta(days=15)

    with pytest.raises(TrialOver) as refused:
        check(standing_of(inside), Limit.AGENTS, 0)

    assert (refused.value.code, refused.value.status) == ("trial_over", 402)


def test_a_plan_ends_the_trial(inside: Workspace) -> None:
    inside.created_at = timezone.now() - timedelta(days=15)
    with platform():
        Entitlement.objects.create(workspace=inside, tier=Tier.STARTER)

    check(standing_of(inside), Limit.AGENTS, 0)
