"""Test clocks: time that moves when it is told to, and everything that falls due on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.stripe_fake import invoices, payments, schedules, subscriptions
from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import Json, invalid, page, require
from tests.stripe_fake.world import World

DAY = 86400
TRIAL_NOTICE = 3 * DAY


@dataclass(frozen=True)
class Due:
    """Something that happens at a time."""

    at: int
    act: Callable[[], None]


@route("POST", "/v1/test_helpers/test_clocks")
def create(world: World, params: Json) -> Json:
    require(params, "frozen_time")
    clock: Json = {
        "id": world.new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": world.now(),
        "deletes_after": world.now() + 30 * DAY,
        "frozen_time": int(params["frozen_time"]),
        "livemode": False,
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    return world.add("clocks", clock)


@route("GET", "/v1/test_helpers/test_clocks")
def list_clocks(world: World, params: Json) -> Json:
    return page(
        [_shown(world, clock) for clock in world.all("clocks")], params, url="/v1/test_helpers/test_clocks"
    )


@route("GET", "/v1/test_helpers/test_clocks/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return _shown(world, world.get("clocks", id_))


def _shown(world: World, clock: Json) -> Json:
    return {**clock, "frozen_time": world.time_of(clock)}


@route("POST", "/v1/test_helpers/test_clocks/{id_}/advance")
def advance_clock(world: World, params: Json, id_: str) -> Json:
    require(params, "frozen_time")
    clock = world.get("clocks", id_)
    target = int(params["frozen_time"])
    if target <= world.time_of(clock):
        raise invalid("You can only advance a clock forwards in time.", "frozen_time")
    advance(world, clock, target)
    return _shown(world, clock)


@route("DELETE", "/v1/test_helpers/test_clocks/{id_}")
def delete(world: World, params: Json, id_: str) -> Json:
    world.get("clocks", id_)
    for customer in world.where("customers", test_clock=id_):
        del world.objects["customers"][customer["id"]]
    del world.objects["clocks"][id_]
    return {"id": id_, "object": "test_helpers.test_clock", "deleted": True}


def advance(world: World, clock: Json, target: int) -> None:
    """Do what falls due until `target`, each at its own time, in order."""
    while due := next_due(world, clock, target):
        _set(world, clock, max(due.at, world.time_of(clock)))
        with _at(clock, due.at):
            due.act()
    _set(world, clock, target)
    world.emit("test_helpers.test_clock.ready", {**_shown(world, clock), "_ahead": None})


@contextmanager
def _at(clock: Json, moment: int) -> Iterator[None]:
    """Let the shared clock stand at the very second, too, while something happens."""
    ahead = clock.pop("_ahead", None)
    before = clock.get("frozen_time")
    clock["frozen_time"] = moment
    yield
    if ahead is not None:
        clock["_ahead"] = ahead
        clock["frozen_time"] = before


def _set(world: World, clock: Json, moment: int) -> None:
    if "_ahead" in clock:
        clock["_ahead"] += moment - world.time_of(clock)
    else:
        clock["frozen_time"] = moment


def next_due(world: World, clock: Json, target: int) -> Due | None:
    """The earliest thing until `target`; None if nothing more happens."""
    dues = [
        due
        for row in world.where("subscriptions", test_clock=clock["id"])
        if row["status"] not in subscriptions.ENDED
        for due in _dues(world, row)
        if due.at <= target
    ]
    return min(dues, key=lambda due: due.at, default=None)


def _dues(world: World, row: Json) -> Iterator[Due]:
    end = subscriptions.period_end(row)
    if row["status"] == "incomplete":
        yield Due(row["created"] + DAY - 3600, lambda: _expire(world, row))
        return
    if row["status"] == "trialing" and not row.get("_noticed"):
        yield Due(end - TRIAL_NOTICE, lambda: _notice(world, row))
    yield Due(end, lambda: _end_period(world, row, end))
    for invoice in world.where("invoices", customer=row["customer"], status="open"):
        if invoice["next_payment_attempt"] and invoices.subscription_of(world, invoice) is row:
            yield Due(invoice["next_payment_attempt"], lambda invoice=invoice: _retry(world, row, invoice))  # type: ignore[misc]


def _expire(world: World, row: Json) -> None:
    row["status"] = "incomplete_expired"
    world.emit("customer.subscription.deleted", row)


def _notice(world: World, row: Json) -> None:
    row["_noticed"] = True
    world.emit("customer.subscription.trial_will_end", row)


def _end_period(world: World, row: Json, now: int) -> None:
    if row["cancel_at_period_end"]:
        subscriptions.invoice_usage(world, row, now)
        subscriptions.end(world, row, "cancellation_requested")
    elif row["status"] == "trialing" and _ends_without_card(world, row):
        subscriptions.end(world, row, "payment_failed")
    else:
        schedules.take_up_phase(world, row, now)
        subscriptions.renew(world, row)


def _ends_without_card(world: World, row: Json) -> bool:
    behaviour = row["trial_settings"]["end_behavior"]["missing_payment_method"]
    return behaviour == "cancel" and payments.card_of(world, row, row["customer"]) is None


def _retry(world: World, row: Json, invoice: Json) -> None:
    if invoices.collect(world, invoice):
        subscriptions.paid_up(world, row)
    elif invoice["next_payment_attempt"] is None:
        subscriptions.end(world, row, "payment_failed")
