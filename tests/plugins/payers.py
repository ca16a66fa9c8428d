"""A workspace that pays the stand-in: real HTTP to it, real signatures back."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import stripe
from celery import current_app
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from billing.catalogue import sync_plans
from billing.endpoints import connect
from billing.models import Entitlement
from billing.plans import Interval, Tier
from billing.subscriptions import Access, Standing, standing_of
from tenants.context import in_tenant, platform
from tenants.models import Workspace
from tests.stripe_fake import browser, checkout, clocks, webhooks
from tests.stripe_fake.server import running
from tests.stripe_fake.world import SHARED_CLOCK, World

KEY = "sk_test_standinstandinstandinstandin"
DAY = 86400
CATALOGUE: dict[str, Any] = {}  # products and prices as the first `sync_plans` of this process made them


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tasks run at once, in this process and in the test's own transaction: its connection is not closed."""
    monkeypatch.setattr("tenants.context.close_old_connections", lambda: None)
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.fixture
def world(db: None, eager: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The stand-in, connected: plans brought to it, and a webhook endpoint."""
    with running(World(shared_clock=True)) as standing:
        settings.STRIPE_ENABLED = True
        settings.STRIPE_TEST_SECRET_KEY = KEY
        settings.STRIPE_API_HOST = standing.base
        monkeypatch.setattr(stripe, "api_base", standing.base)
        monkeypatch.setattr(stripe, "api_key", KEY)
        cache.clear()
        connect()
        bring_plans(standing)
        yield standing


def bring_plans(world: World) -> None:
    """What `sync_plans` does, from memory after the first time: it is forty requests."""
    if not CATALOGUE:
        sync_plans()
        CATALOGUE.update({name: deepcopy(world.objects[name]) for name in ("products", "prices", "meters")})
    world.objects.update(deepcopy(CATALOGUE))
    for _ in range(1000):
        world.new_id("used")  # the ids of the catalogue are taken
    world.waiting.clear()


@dataclass
class Stripe:
    """Stripe's side, and the way of its events to our door."""

    world: World
    capture: DjangoCaptureOnCommitCallbacks

    def send(self, address: str, body: bytes, headers: dict[str, str]) -> int:
        path = address.split("/", 3)[3]
        door = Client(headers={"host": "localhost"}, raise_request_exception=False)
        with self.capture(execute=True):
            answer = door.post(
                f"/{path}",
                body,
                "application/json",
                headers={"stripe-signature": headers["stripe-signature"]},
            )
        return answer.status_code

    def deliver(self) -> int:
        """Let every event arrive that waits, through the real view with its signature."""
        return webhooks.deliver(self.world, self.send)

    def advance(self, days: float) -> None:
        """Time passes, and what happens on the way is told."""
        clock = self.world.get("clocks", SHARED_CLOCK)
        clocks.advance(self.world, clock, self.world.time_of(clock) + int(days * DAY))
        self.deliver()

    @property
    def customer(self) -> str:
        return str(self.world.all("customers")[0]["id"])

    @property
    def subscription(self) -> dict[str, Any]:
        return self.world.all("subscriptions")[0]

    def use_card(self, name: str) -> None:
        browser.use_card(self.world, self.customer, name)
        self.deliver()


@pytest.fixture
def stripe_side(world: World, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Stripe:
    return Stripe(world, django_capture_on_commit_callbacks)


@dataclass
class Payer:
    """The owner of a workspace, with a browser."""

    client: Client
    workspace: Workspace
    stripe: Stripe

    def check_out(self, tier: str = "growth", interval: str = "month", **given: str) -> None:
        """Choose a plan, pay on Stripe's page, and wait for the event."""
        answer = self.client.post("/plan/checkout/", {"tier": tier, "interval": interval})
        session = self.stripe.world.get("checkout_sessions", answer["Location"].rsplit("/", 1)[1])
        checkout.complete(self.stripe.world, session, **given)
        self.stripe.deliver()

    def pass_period(self, *, plus_days: float) -> None:
        """So many days into the period that follows."""
        clock = self.stripe.world.get("clocks", SHARED_CLOCK)
        left = self.period_ends_at.timestamp() - self.stripe.world.time_of(clock)
        self.stripe.advance(left / DAY + plus_days)

    def change(self, tier: str, interval: str = "month") -> str:
        """Look at the price of a change, confirm it, and read the plan page."""
        given = {"tier": tier, "interval": interval}
        shown = self.client.get("/plan/change/", given)
        at = shown.context["preview"].at if shown.context else 0
        answer = self.client.post("/plan/change/", {**given, "at": at}, follow=True)
        self.stripe.deliver()
        return answer.content.decode()

    def do(self, what: str) -> str:
        answer = self.client.post(f"/plan/{what}/", follow=True)
        self.stripe.deliver()
        return answer.content.decode()

    def page(self) -> str:
        return self.client.get("/plan/").content.decode()

    @property
    def standing(self) -> Standing:
        with in_tenant(self.workspace):
            return standing_of(self.workspace)

    def has(self, access: Access) -> bool:
        return self.standing.access is access

    @property
    def row(self) -> Entitlement:
        with platform():
            return Entitlement.objects.get(workspace=self.workspace)

    @property
    def plan(self) -> tuple[Tier, Interval]:
        return Tier(self.row.tier), Interval(self.row.interval)

    @property
    def period_ends_at(self) -> datetime:
        found = self.row.period_ends_at
        assert found is not None
        return found


@pytest.fixture
def payer(workspace: Workspace, owner_client: Client, stripe_side: Stripe) -> Payer:
    return Payer(owner_client, workspace, stripe_side)
