"""The widget in a real Chromium, on a page of another origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from .host import Host
from .site import Site


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def shop(host: Host) -> Iterator[Site]:
    shop = Site(host.origin)
    yield shop
    shop.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(8_000)
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext, shop: Site) -> Callable[..., Page]:
    """Open the customer's page; what the query takes is told by `Site.page`."""

    def visit(query: str = "", *, page: Page | None = None) -> Page:
        page = page or context.new_page()
        page.goto(f"{shop.origin}/?{query}")
        return page

    return visit
