"""The main job, in a browser: sign up, name an agent, give it a document, ask it, copy the snippet."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from agents.models import Agent
from tenants.context import in_tenant
from tenants.models import User, Workspace
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site

RETURNS = b"# Returns\n\nOrders can be sent back within 30 days of delivery.\n\n# Delivery\n\nIt takes three days.\n"


@pytest.mark.django_db(transaction=True)
def test_from_the_homepage_to_the_first_answer(page: Page, site: Site, worker: None) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(site.url())
    page.get_by_role("link", name="Start free trial").first.click()
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Work e-mail").fill("ada@acme.example")
    page.get_by_label("Password", exact=True).fill("three quiet lanterns")
    page.get_by_label("Workspace name").fill("Acme Tools")
    expect(page.get_by_label("Address")).to_have_value("acme-tools")
    page.get_by_role("button", name="Create workspace").click()

    page.wait_for_url("**/welcome/agent/", timeout=30_000)
    page.get_by_label("Name").fill("Vexa")
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url("**/welcome/knowledge/")
    page.get_by_label("File", exact=True).last.set_input_files(
        FilePayload(name="returns.md", mimeType="text/markdown", buffer=RETURNS)
    )
    page.get_by_role("button", name="Add source").click()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Continue").click()

    page.wait_for_url("**/welcome/try/")
    question = page.locator("netvexa-widget textarea")
    question.fill("How long can I send back an order?")
    question.press("Enter")
    expect(page.locator("netvexa-widget")).to_contain_text("within 30 days of delivery", timeout=30_000)
    page.get_by_role("link", name="Continue").click()

    page.wait_for_url("**/welcome/install/")
    expect(page.locator("#snippet")).to_contain_text("data-agent-id")
    page.goto(site.url("acme-tools", "/conversations/"))
    page.get_by_role("link", name="How long can I send back an order?").click()
    expect(page.locator("#transcript")).to_contain_text("within 30 days of delivery")
    assert complaints == []


@pytest.mark.django_db(transaction=True)
def test_a_person_of_the_team_joins_a_running_chat(
    page: Page, browser_context: BrowserContext, site: Site, workspace: Workspace
) -> None:
    owner = User.objects.get()
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
    page.goto(site.url("acme", "/log-in/"))
    page.get_by_label("E-mail").fill(owner.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    visitor = browser_context.new_page()
    visitor.goto(site.url("acme", f"/agents/{agent.pk}/your-site/"))
    visitor.locator("netvexa-widget button").first.click()
    visitor.locator("netvexa-widget textarea").fill("Where is my order?")
    visitor.locator("netvexa-widget textarea").press("Enter")
    expect(visitor.locator("netvexa-widget")).to_contain_text("Where is my order?")

    page.goto(site.url("acme", "/conversations/"))
    page.get_by_role("link", name="Where is my order?").click()
    page.get_by_label("Reply as").fill("It leaves us today.")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("#transcript")).to_contain_text("It leaves us today.")
    expect(visitor.locator("netvexa-widget")).to_contain_text("It leaves us today.")
