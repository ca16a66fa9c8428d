"""A passkey in a real browser, whose authenticator is a virtual one: added, used at log-in, refused as unknown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, expect

from tenants.models import Passkey, User, Workspace
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """Give the browser an authenticator that agrees at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session, str(made["authenticatorId"])


def type_password(page: Page, site: Site) -> None:
    page.goto(site.url("acme", "/log-in/"))
    page.get_by_label("E-mail").fill(User.objects.get().email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def look(page: Page, name: str) -> None:
    """Nothing serious, and no scrolling sideways, on desk and phone; pictures where NETVEXA_PICTURES says."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        for scheme in ("light", "dark"):
            page.emulate_media(
                color_scheme=scheme, reduced_motion="reduce"
            )  # no colours on their way to others
            if folder := os.environ.get("NETVEXA_PICTURES"):
                page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], name


def test_a_passkey_is_added_used_and_missed(page: Page, site: Site, workspace: Workspace) -> None:
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if "Content Security" in line.text else None)
    session, authenticator = plug_in(page)
    type_password(page, site)
    page.wait_for_url(site.url("acme"))
    page.goto(site.url("acme", "/two-factor/"))
    look(page, "off")
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    look(page, "new")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.goto(site.url("acme", "/two-factor/"))
    expect(page.get_by_text("Work laptop")).to_be_visible()
    look(page, "on")

    page.context.clear_cookies()
    type_password(page, site)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    look(page, "step")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(site.url("acme"))
    assert Passkey.objects.get().last_used_at is not None

    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    session.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    page.context.clear_cookies()
    type_password(page, site)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("alert").filter(has_text="No passkey was used")).to_be_visible(timeout=70_000)
    look(page, "missed")
    assert problems == []
