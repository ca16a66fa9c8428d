"""`manage.py sync_plans`: what is for sale stands in Stripe, once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from agents.providers import tier_table
from billing import catalogue, plans
from billing.plans import FOR_SALE, OVERAGE_CENTS, PLANS, Interval, Tier, lookup_key, overage_key
from tests.stripe_fake.world import World


def sync() -> str:
    said = StringIO()
    call_command("sync_plans", stdout=said)
    return said.getvalue()


def test_every_plan_for_sale_has_a_product_and_two_prices(world: World) -> None:
    for plan in FOR_SALE:
        product = world.get("products", catalogue.product_id(plan.tier))
        assert product["metadata"] == {"tier": plan.tier.value}
        for interval in Interval:
            (price,) = world.where("prices", lookup_key=lookup_key(plan.tier, interval))
            assert price["unit_amount"] == 100 * (plan.price_usd(interval) or 0)
            assert price["recurring"]["interval"] == interval
    assert len(world.all("products")) - 1 == len(FOR_SALE) == 4


def test_an_answer_beyond_the_plan_has_a_meter_and_a_price(world: World) -> None:
    (meter,) = world.all("meters")
    (price,) = world.where("prices", lookup_key=overage_key())

    assert (meter["event_name"], meter["default_aggregation"]) == (catalogue.METER, {"formula": "sum"})
    assert (price["unit_amount"], price["recurring"]["usage_type"]) == (OVERAGE_CENTS, "metered")
    assert price["recurring"]["meter"] == meter["id"]


def test_doing_it_again_changes_nothing(world: World) -> None:
    before = len(world.all("events"))

    assert "everything already" in sync()
    assert len(world.all("events")) == before


def test_a_new_price_takes_the_place_of_the_old_one(world: World) -> None:
    key = lookup_key(Tier.GROWTH, Interval.MONTH)
    (price,) = world.where("prices", lookup_key=key)
    price["unit_amount"] = 8900  # somebody changed it in Stripe

    said = sync()

    (new,) = world.where("prices", lookup_key=key)
    assert (new["unit_amount"], new["active"], price["active"]) == (9900, True, False)
    assert f"price {key} made" in said


def test_a_new_version_has_new_keys_and_archives_the_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "PRICES_VERSION", 2)
    sync()

    assert [row["active"] for row in world.where("prices", lookup_key="growth_month_v1")] == [False]
    assert [row["active"] for row in world.where("prices", lookup_key="growth_month_v2")] == [True]


def test_without_a_key_it_says_so(db: None) -> None:
    with pytest.raises(CommandError, match="not available on this installation"):
        sync()


@pytest.mark.parametrize("tier", list(Tier))
def test_answers_are_reused_as_long_as_the_tier_table_says(tier: Tier) -> None:
    assert PLANS[tier].features.cache_seconds == tier_table().tiers[tier.value].cache_seconds
