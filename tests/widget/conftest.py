"""The widget in a real Chromium, on a page of another origin."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from .host import Host
from .site import Site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed, and these tests need it: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def site(host: Host) -> Iterator[Site]:
    site = Site(host.origin)
    yield site
    site.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(8_000)
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext, site: Site) -> Callable[..., Page]:
    """Open the customer's page; what the query takes is told by `Site.page`."""

    def visit(query: str = "", *, page: Page | None = None) -> Page:
        page = page or context.new_page()
        page.goto(f"{site.origin}/?{query}")
        return page

    return visit
