"""The built widget and the product's own server, over real sockets, on a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from agents.models import Agent
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.plugins.processes import Site as Product

from .driver import Widget
from .site import Site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(
            name="Mia", greeting="Hello from Mia!", suggestions=["Where is my parcel?"]
        )


@pytest.fixture
def customer(site: Product) -> Iterator[Site]:
    customer = Site(site.url().rstrip("/"))
    yield customer
    customer.stop()


def visit(page: Page, customer: Site, agent: Agent, *, csp: str = "nonce") -> Widget:
    page.goto(f"{customer.origin}/?agent={quote(agent.public_id)}&csp={csp}")
    return Widget(page)


def test_a_visitor_is_greeted_asks_and_finds_the_conversation_again(
    page: Page, customer: Site, agent: Agent
) -> None:
    customer.sockets = "ws://acme." + customer.host.removeprefix("http://")
    widget = visit(page, customer, agent).open()
    expect(widget.panel.get_by_text("Hello from Mia!")).to_be_visible()
    widget.panel.get_by_role("button", name="Where is my parcel?").click()
    expect(widget.answer).to_be_visible(timeout=30_000)
    expect(widget.root.locator(".actions")).to_be_visible()
    said = widget.answer.inner_text()
    page.reload()
    expect(widget.own).to_have_text("Where is my parcel?")
    expect(widget.answer).to_have_text(said)
