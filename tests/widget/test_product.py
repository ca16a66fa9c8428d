"""The built widget and the product's own server, over real sockets, on a page of another origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from agents.models import Agent
from chat.models import Attachment, Message
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.plugins.processes import Site as Product

from .driver import Widget
from .host import PNG
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


def test_a_picture_is_kept_the_visitors_data_given_out_and_all_of_it_deleted(
    page: Page, customer: Site, agent: Agent, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        agent.attachments_enabled = True
        agent.save()
    workspace_host = "://acme." + customer.host.removeprefix("http://")
    customer.sockets = f"ws{workspace_host} http{workspace_host}"
    widget = visit(page, customer, agent).open()
    widget.panel.locator("input[type=file]").set_input_files(
        {"name": "parcel.png", "mimeType": "image/png", "buffer": PNG}
    )
    widget.field.fill("Is this my parcel?")
    widget.root.get_by_role("button", name="Send", exact=True).click()
    expect(widget.root.get_by_role("img", name="parcel.png")).to_be_visible()
    expect(widget.answer).to_be_visible(timeout=30_000)
    widget.root.get_by_role("button", name="More options").click()
    widget.root.get_by_role("button", name="Your data").click()
    with page.expect_download() as download:
        widget.root.get_by_role("button", name="Download my data").click()
    said = json.loads(download.value.path().read_text())
    assert "Is this my parcel?" in json.dumps(said)
    widget.root.get_by_role("button", name="Delete my data").click()
    widget.root.get_by_role("button", name="Delete my data").click()
    expect(widget.own).to_have_count(0)
    with in_tenant(workspace):
        assert not Message.objects.exists()
        assert not Attachment.objects.exists()
