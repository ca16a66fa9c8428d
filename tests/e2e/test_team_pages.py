"""The team's pages of the widget and of a running chat, in a browser, on a desk and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from agents.models import Agent
from tenants.context import in_tenant
from tenants.models import User, Workspace
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
GROUPS = ("look", "features", "contact", "hours", "messages", "texts", "identity")


def log_in(page: Page, site: Site) -> None:
    page.goto(site.url("acme", "/log-in/"))
    page.get_by_label("E-mail").fill(User.objects.get().email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site.url("acme"))


def serious(page: Page) -> list[str]:
    """What axe finds serious on this page; the widget in its corner has tests of its own."""
    found = Axe().run(page, context={"exclude": [["netvexa-widget"]]}).response["violations"]
    return [str(one["id"]) for one in found if one["impact"] in ("serious", "critical")]


@WIDTHS
def test_every_page_of_the_widget_fits_and_is_accessible(
    page: Page, site: Site, workspace: Workspace, width: int
) -> None:
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, site)
    for group in GROUPS:
        page.goto(site.url("acme", f"/agents/{agent.pk}/widget/{group}/"))
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, group
        assert serious(page) == [], group


def test_hours_are_set_and_shown_again(page: Page, site: Site, workspace: Workspace) -> None:
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
    log_in(page, site)
    page.goto(site.url("acme", f"/agents/{agent.pk}/widget/hours/"))
    page.get_by_label("Business hours").check()
    page.get_by_label("Time zone").select_option("Europe/Vienna")
    page.get_by_label("Saturday, opening 1, from").fill("10:00")
    page.get_by_label("Saturday, opening 1, to").fill("14:00")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved. Pages show it within five minutes.")).to_be_visible()
    expect(page.get_by_label("Saturday, opening 1, to")).to_have_value("14:00")
    with in_tenant(workspace):
        hours = Agent.objects.get().hours
    assert hours is not None
    assert hours["week"][5] == [["10:00", "14:00"]]


@WIDTHS
def test_a_running_chat_is_live_and_answered_with_a_file(
    page: Page, browser_context: BrowserContext, site: Site, workspace: Workspace, width: int
) -> None:
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, site)
    visitor = browser_context.new_page()
    visitor.goto(site.url("acme", f"/agents/{agent.pk}/your-site/"))
    visitor.locator("netvexa-widget button").first.click()
    box = visitor.locator("netvexa-widget textarea")
    box.fill("Where is my order?")
    box.press("Enter")
    expect(visitor.locator("netvexa-widget")).to_contain_text("I could not find an answer", timeout=20_000)
    page.goto(site.url("acme", "/conversations/"))
    page.get_by_role("link", name="Where is my order?").click()
    expect(page.locator("[data-conversation][data-live]")).to_be_visible()

    box.fill("It was a red kite.")
    box.press("Enter")
    expect(page.locator("#transcript")).to_contain_text("It was a red kite.")

    page.get_by_label("Reply as").fill("It leaves us today.")
    page.locator("#files").set_input_files(
        [FilePayload(name="slip.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7")]
    )
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#transcript")).to_contain_text("slip.pdf")
    expect(page.locator("#state")).to_have_text("Human")
    expect(page.get_by_label("Reply as")).to_have_value("")
    expect(visitor.locator("netvexa-widget")).to_contain_text("It leaves us today.")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert serious(page) == []
