"""Meters: what is used, told event by event, and summed for the invoice."""

from __future__ import annotations

from tests.stripe_fake.lines import usage
from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import Json, integer, invalid, page, require
from tests.stripe_fake.world import World

DAY = 86400


@route("POST", "/v1/billing/meters")
def create(world: World, params: Json) -> Json:
    require(params, "display_name", "event_name", "default_aggregation")
    if world.where("meters", event_name=params["event_name"], status="active"):
        raise invalid("A meter with this event_name already exists.", "event_name")
    now = world.now()
    meter = {
        "id": world.new_id("mtr"),
        "object": "billing.meter",
        "created": now,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": params["default_aggregation"],
        "display_name": params["display_name"],
        "event_name": params["event_name"],
        "event_time_window": None,
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": {"event_payload_key": "value"},
    }
    world.emit("billing.meter.created", world.add("meters", meter))
    return meter


@route("GET", "/v1/billing/meters")
def list_meters(world: World, params: Json) -> Json:
    return page(world.where("meters", status=params.get("status")), params, url="/v1/billing/meters")


@route("GET", "/v1/billing/meters/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return world.get("meters", id_)


@route("POST", "/v1/billing/meters/{id_}/deactivate")
def deactivate(world: World, params: Json, id_: str) -> Json:
    meter = world.get("meters", id_)
    meter["status"], meter["status_transitions"]["deactivated_at"] = "inactive", world.now()
    world.emit("billing.meter.deactivated", meter)
    return meter


@route("POST", "/v1/billing/meter_events")
def tell(world: World, params: Json) -> Json:
    """At most 35 days ago and 5 minutes ahead; an identifier counts once."""
    require(params, "event_name", "payload")
    meter = next(iter(world.where("meters", event_name=params["event_name"], status="active")), None)
    if meter is None:
        raise invalid(f"No active meter found for event name: {params['event_name']}", "event_name")
    payload = params["payload"]
    require(payload, "stripe_customer_id", "value")
    world.get("customers", payload["stripe_customer_id"], param="payload[stripe_customer_id]")
    now = world.now(payload["stripe_customer_id"])
    moment = integer(params, "timestamp") or now
    if not now - 35 * DAY <= moment <= now + 300:
        raise invalid("The timestamp must be within the past 35 days or up to 5 minutes ahead.", "timestamp")
    identifier = params.get("identifier") or world.new_id("mev")
    if identifier in world.objects.get("meter_events", {}):
        raise invalid(f"An event already exists with identifier {identifier}.", "identifier")
    return world.add(
        "meter_events",
        {
            "id": identifier,
            "object": "billing.meter_event",
            "created": now,
            "event_name": params["event_name"],
            "identifier": identifier,
            "livemode": False,
            "payload": payload,
            "timestamp": moment,
            "_meter": meter["id"],
        },
    )


@route("GET", "/v1/billing/meters/{id_}/event_summaries")
def summaries(world: World, params: Json, id_: str) -> Json:
    require(params, "customer", "start_time", "end_time")
    start, end = int(params["start_time"]), int(params["end_time"])
    if start % 60 or end % 60:
        raise invalid("start_time and end_time must be aligned with minute boundaries.", "start_time")
    summary = {
        "id": world.new_id("mtrusg"),
        "object": "billing.meter_event_summary",
        "aggregated_value": usage(world, id_, params["customer"], start, end),
        "end_time": end,
        "livemode": False,
        "meter": id_,
        "start_time": start,
    }
    return page([summary], params, url=f"/v1/billing/meters/{id_}/event_summaries")
