"""Subscription schedules: a change that waits for the end of the period."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe_fake.lines import after
from tests.stripe_fake.routes import route
from tests.stripe_fake.subscriptions import period_end
from tests.stripe_fake.wire import Json, integer, invalid, metadata, page, require
from tests.stripe_fake.world import World

LIVING = ("not_started", "active")


@route("POST", "/v1/subscription_schedules")
def create(world: World, params: Json) -> Json:
    require(params, "from_subscription")
    subscription = world.get("subscriptions", params["from_subscription"], param="from_subscription")
    if subscription["schedule"]:
        raise invalid("The subscription is already attached to a schedule.", "from_subscription")
    items = subscription["items"]["data"]
    start, end = items[0]["current_period_start"], period_end(subscription)
    schedule = {
        "id": world.new_id("sub_sched"),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": subscription["billing_mode"],
        "canceled_at": None,
        "completed_at": None,
        "created": world.now(subscription["customer"]),
        "current_phase": {"start_date": start, "end_date": end},
        "customer": subscription["customer"],
        "default_settings": {"billing_cycle_anchor": "automatic", "collection_method": None},
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "phases": [_phase(items, start, end)],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
    }
    subscription["schedule"] = schedule["id"]
    world.emit("subscription_schedule.created", world.add("subscription_schedules", schedule))
    world.emit("customer.subscription.updated", subscription, {"schedule": None})
    return schedule


def _phase(items: list[Json], start: int, end: int) -> Json:
    return {
        "add_invoice_items": [],
        "currency": "usd",
        "discounts": [],
        "end_date": end,
        "items": [
            {
                "price": item["price"] if isinstance(item["price"], str) else item["price"]["id"],
                "quantity": item.get("quantity"),
                "discounts": [],
                "metadata": {},
                "tax_rates": [],
            }
            for item in items
        ],
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
        "trial_end": None,
    }


@route("POST", "/v1/subscription_schedules/{id_}")
def update(world: World, params: Json, id_: str) -> Json:
    schedule = _living(world, id_)
    schedule["metadata"] = metadata(schedule["metadata"], params)
    schedule["end_behavior"] = params.get("end_behavior", schedule["end_behavior"])
    if params.get("phases"):
        schedule["phases"] = _phases(world, schedule, params["phases"])
    world.emit("subscription_schedule.updated", schedule)
    return schedule


def _phases(world: World, schedule: Json, given: list[Json]) -> list[Json]:
    if given and integer(given[0], "start_date") != schedule["current_phase"]["start_date"]:
        raise invalid("You can not modify the start date of the current phase.", "phases[0][start_date]")
    phases: list[Json] = []
    for phase in given:
        start = integer(phase, "start_date") or phases[-1]["end_date"]
        price = world.get("prices", phase["items"][0]["price"], param="phases[items][price]")
        duration = phase.get("duration")
        lasting = (
            {"interval": duration["interval"], "interval_count": integer(duration, "interval_count") or 1}
            if duration
            else price["recurring"]
        )
        end = integer(phase, "end_date") or after(start, lasting, anchor=start)
        items = [{**item, "quantity": integer(item, "quantity") or 1} for item in phase["items"]]
        phases.append(_phase(items, start, end))
    return phases


@route("POST", "/v1/subscription_schedules/{id_}/release")
def release(world: World, params: Json, id_: str) -> Json:
    schedule = _living(world, id_)
    let_go(world, schedule)
    return schedule


def let_go(world: World, schedule: Json) -> None:
    """The subscription goes on as it is."""
    subscription = world.get("subscriptions", schedule["subscription"])
    schedule["status"], schedule["released_subscription"] = "released", subscription["id"]
    schedule["released_at"] = world.now(schedule["customer"])
    schedule["subscription"] = schedule["current_phase"] = subscription["schedule"] = None
    world.emit("subscription_schedule.released", schedule)
    world.emit("customer.subscription.updated", subscription, {"schedule": schedule["id"]})


def take_up_phase(world: World, subscription: Json, now: int) -> None:
    """Called as a period ends: the prices of the phase that begins now; a schedule that is over lets go."""
    if not subscription["schedule"]:
        return
    schedule = world.get("subscription_schedules", subscription["schedule"])
    if now >= schedule["phases"][-1]["end_date"]:
        let_go(world, schedule)
        return
    phase = next((row for row in schedule["phases"] if row["start_date"] == now), None)
    if phase is None:
        return
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    for item, planned in zip(subscription["items"]["data"], phase["items"], strict=False):
        item["price"] = deepcopy(world.get("prices", planned["price"]))
    subscription["billing_cycle_anchor"] = now
    world.emit("subscription_schedule.updated", schedule)


def _living(world: World, id_: str) -> Json:
    schedule = world.get("subscription_schedules", id_)
    if schedule["status"] not in LIVING:
        raise invalid(f"This schedule is {schedule['status']} and cannot be changed.")
    return schedule


@route("POST", "/v1/subscription_schedules/{id_}/cancel")
def cancel(world: World, params: Json, id_: str) -> Json:
    from tests.stripe_fake.subscriptions import end

    schedule = _living(world, id_)
    end(world, world.get("subscriptions", schedule["subscription"]), "cancellation_requested")
    schedule["status"] = "canceled"
    world.emit("subscription_schedule.canceled", schedule)
    return schedule


@route("GET", "/v1/subscription_schedules/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return world.get("subscription_schedules", id_)


@route("GET", "/v1/subscription_schedules")
def list_schedules(world: World, params: Json) -> Json:
    rows = world.where("subscription_schedules", customer=params.get("customer"))
    return page(rows, params, url="/v1/subscription_schedules")
