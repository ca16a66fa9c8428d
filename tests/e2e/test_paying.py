"""Paying, in a browser: checkout, renewal with a declined card, and how it is mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from billing.catalogue import sync_plans
from billing.endpoints import connect
from tenants.models import User, Workspace
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site, running_site, running_worker
from tests.stripe_fake.server import delivering, running
from tests.stripe_fake.world import World

KEY = "sk_test_standinstandinstandinstandin"


@pytest.fixture
def paying(
    transactional_db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Site, World]]:
    """The product's own processes with the stand-in, whose webhooks go over HTTP."""
    with running(World(shared_clock=True)) as world:
        variables = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_HOST": world.base}
        with running_worker(tmp_path, **variables), running_site(tmp_path, **variables) as site:
            settings.STRIPE_ENABLED, settings.STRIPE_TEST_SECRET_KEY = True, KEY
            settings.STRIPE_API_HOST, settings.ROOT_URL = world.base, site.url().rstrip("/")
            monkeypatch.setattr(stripe, "api_base", world.base)
            monkeypatch.setattr(stripe, "api_key", KEY)
            connect()
            sync_plans()
            with delivering(world):
                yield site, world


def log_in(page: Page, site: Site) -> None:
    page.goto(site.url("acme", "/log-in/"))
    page.get_by_label("E-mail").fill(User.objects.get().email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site.url("acme"))


def see(page: Page, site: Site, text: str, *, paid: int = 0) -> None:
    """Look at the plan page until it says so, and shows so many paid invoices: the word of a change takes a moment."""
    for _ in range(40):
        page.goto(site.url("acme", "/plan/"))
        if page.get_by_text(text, exact=True).count() and invoices(page).count() >= paid:
            return
        page.wait_for_timeout(500)
    expect(page.get_by_text(text, exact=True)).to_be_visible()
    if paid:
        expect(invoices(page)).to_have_count(paid)


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Press a button of Stripe's pages, and wait until it was heard: whoever goes on at once takes it back."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def invoices(page: Page) -> Locator:
    return page.get_by_role("row").filter(has_text="Paid")


def test_checkout_renewal_decline_and_recovery(
    page: Page, paying: tuple[Site, World], workspace: Workspace
) -> None:
    site, world = paying
    log_in(page, site)
    page.goto(site.url("acme", "/plan/"))
    page.get_by_role("link", name="Choose a plan").click()
    page.get_by_role("button", name="Choose Growth").click()
    page.wait_for_url(f"{world.base}/checkout/**")
    page.get_by_label("Card that is declined").check()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_label("Card that works now").check()
    page.get_by_role("button", name="Subscribe").click()
    page.wait_for_url(site.url("acme", "/plan/**"))
    expect(page.get_by_text("Active", exact=True)).to_be_visible(timeout=20_000)

    page.goto(f"{world.base}/clock")
    press(page, "1 month later")
    see(page, site, "The last payment did not go through")
    page.goto(f"{world.base}/clock")
    press(page, "1 week later")
    see(page, site, "The workspace is read only")

    page.get_by_role("link", name=re.compile(r"^Pay \$99")).click()
    press(page, re.compile(r"^Pay \$99"))
    expect(page.get_by_text("paid", exact=False).first).to_be_visible()
    see(page, site, "Active", paid=2)
    expect(invoices(page)).to_have_count(2)
