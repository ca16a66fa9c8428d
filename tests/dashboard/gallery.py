"""Pictures of every page of the dashboard and of the public pages, for people to look at.

`python -m netvexa.embedded exec --prepared -- python -m tests.dashboard.gallery [folder]`. The pages are found
by following links from the first one, each view once, so that a new page is in the gallery by itself.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop counts as running in this thread
django.setup()

from django.urls import Resolver404, resolve  # noqa: E402
from playwright.sync_api import Browser, Page, Playwright, sync_playwright  # noqa: E402

from agents.models import Agent  # noqa: E402
from chat.asking import ask  # noqa: E402
from chat.conversations import Door, ask_for_person  # noqa: E402
from chat.models import Channel  # noqa: E402
from knowledge.models import Document  # noqa: E402
from netvexa import demo  # noqa: E402
from netvexa.lib.ids import new_id  # noqa: E402
from tenants.context import in_tenant  # noqa: E402
from tenants.models import Workspace  # noqa: E402
from tests.plugins.browser import ARGUMENTS, chromium_path  # noqa: E402
from tests.plugins.processes import Site, running_site, running_worker  # noqa: E402

FOLDER = Path("var/screenshots/dashboard")
QUESTIONS = ("Which file types can I upload?", "Where can I find the API keys?", "Do you sell bicycles?")
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCREENS = {
    "desk-light": {**DESK, "color_scheme": "light"},
    "desk-dark": {**DESK, "color_scheme": "dark"},
    "phone-light": {**PHONE, "color_scheme": "light"},
    "phone-dark": {**PHONE, "color_scheme": "dark"},
}


def converse(workspace: Workspace) -> None:
    """Conversations with answers, an abstention, and a visitor who waits for a person."""
    with in_tenant(workspace):
        agent = Agent.objects.get()
    for question in QUESTIONS:
        door = Door(agent=agent, conversation_id=new_id(), channel=Channel.WIDGET)
        ask(workspace, door, client_id=new_id(), text=question)
    with in_tenant(workspace):
        ask_for_person(door, reason="I want to talk about bicycles.")


def wait_until_read(workspace: Workspace) -> None:
    """Until the worker has ingested the help centre."""
    for _ in range(600):
        with in_tenant(workspace):
            if not Document.objects.unfinished().exists():
                return
        time.sleep(0.5)
    sys.exit("The help centre was not ingested in five minutes.")


def pages_from(page: Page, site: Site) -> Iterator[tuple[str, str]]:
    """The name and the path of each of the dashboard's pages, every view once."""
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        name = view_name(path)
        if name is None or name in seen:
            continue
        seen.add(name)
        response = page.goto(site.url(demo.SLUG, path))
        if response is None or "text/html" not in response.headers.get("content-type", ""):
            continue
        links = page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)")
        here = urlsplit(page.url).netloc
        waiting += [urlsplit(link).path for link in links if urlsplit(link).netloc == here]
        yield name, path


def view_name(path: str) -> str | None:
    """What the view behind a path is called; None for what is no page of people's."""
    try:
        name = resolve(path, "netvexa.urls.workspace").view_name
    except Resolver404:
        return None
    return None if name.startswith(("api:", "widget:")) or "export" in name else name.replace(":", "-")


def shoot(page: Page, path: Path) -> None:
    page.wait_for_timeout(400)  # what is loaded behind
    page.screenshot(path=path, full_page=True)


def log_in(page: Page, site: Site) -> None:
    page.goto(site.url(demo.SLUG, "/log-in/"))
    page.get_by_label("E-mail").fill(demo.EMAIL)
    page.get_by_label("Password", exact=True).fill(demo.password())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site.url(demo.SLUG))


def tour(browser: Browser, site: Site, folder: Path, found: list[tuple[str, str]], screen: str) -> None:
    """Every page on one screen; says where a page is wider than the screen."""
    context = browser.new_context(reduced_motion="reduce", **SCREENS[screen])
    page = context.new_page()
    for name in ("", "pricing/", "help/", "sign-up/"):
        page.goto(site.url("", f"/{name}"))
        shoot(page, folder / f"site-{name.strip('/') or 'home'}-{screen}.png")
    log_in(page, site)
    for name, path in found:
        page.goto(site.url(demo.SLUG, path))
        shoot(page, folder / f"{name}-{screen}.png")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            print(f"{path} is wider than the screen ({screen})")
    context.close()


def take_all(playwright: Playwright, site: Site, folder: Path) -> None:
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
    page = browser.new_context().new_page()
    log_in(page, site)
    found = list(pages_from(page, site))
    for screen in SCREENS:
        tour(browser, site, folder, found, screen)
    browser.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    workspace = demo.ensure()
    logs = Path(tempfile.mkdtemp())
    with running_site(logs) as site, running_worker(logs):
        wait_until_read(workspace)
        converse(workspace)
        with sync_playwright() as playwright:
            take_all(playwright, site, folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
