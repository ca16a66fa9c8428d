"""The dashboard by keyboard alone: what has the focus is seen, menus give way, and errors are met first."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from agents.models import Agent
from chat.asking import ask
from chat.conversations import Door
from chat.models import Channel
from netvexa.lib.ids import new_id
from tenants.context import in_tenant
from tenants.models import User, Workspace
from tests.e2e.test_team_pages import WIDTHS, log_in, serious
from tests.plugins.people import PASSWORD, verify
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)

# What is wrong with how the element with the focus is shown once it is drawn, if anything; its ring is the outline.
UNSEEN = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  if (at.shadowRoot) return '';  // the widget has tests of its own
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const name = `${at.tagName} ${at.name || at.ariaLabel || at.textContent.trim().slice(0, 40)}`;
  // A browser's own buttons within a field, such as a calendar's, have a ring of their own.
  if (style.outlineStyle === 'none') return at.matches('input') ? '' : `${name}: no ring`;
  const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
  for (let around = at.parentElement; around !== document.body; around = around.parentElement) {
    const {overflowX, overflowY} = getComputedStyle(around);
    if (overflowX === 'visible' && overflowY === 'visible') continue;
    const edge = around.getBoundingClientRect();
    const sides = [edge.left - box.left, box.right - edge.right, edge.top - box.top, box.bottom - edge.bottom];
    if (sides.some((beyond) => beyond + ring > 0.5)) return `${name}: ring cut off`;
  }
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const seen = !top || at.contains(top) || top.contains(at) || at.labels?.length;
  return seen ? '' : `${name}: under ${top.tagName} ${top.className}`;
}"""


def unseen_on(page: Page) -> list[str]:
    """What is not seen while Tab goes once through a page."""
    found = list[str]()
    for _ in range(120):
        page.keyboard.press("Tab")
        wrong = page.evaluate(UNSEEN)
        if wrong is None:
            break
        if wrong:
            found.append(wrong)
    return found


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    """An agent that somebody has asked something; made before the browser, whose loop forbids it."""
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
    door = Door(agent=agent, conversation_id=new_id(), channel=Channel.WIDGET)
    ask(workspace, door, client_id=new_id(), text="Where is my order?")
    return agent


@WIDTHS
def test_what_has_the_focus_is_seen_on_every_page(agent: Agent, page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    log_in(page, site)
    paths = ("/", "/conversations/", "/agents/", "/costs/", "/settings/", "/welcome/knowledge/")
    of_agent = ("settings/", "widget/contact/", "widget/hours/", "install/")
    found = dict[str, list[str]]()
    for path in (*paths, *(f"/agents/{agent.pk}/{name}" for name in of_agent)):
        page.goto(site.url("acme", path))
        found[path] = unseen_on(page)
    assert {path: unseen for path, unseen in found.items() if unseen} == {}


@WIDTHS
def test_every_step_of_the_wizard_has_a_name(agent: Agent, page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, site)
    page.goto(site.url("acme", "/welcome/agent/"))
    expect(page.get_by_role("list", name="Steps").get_by_role("link", name="Try it")).to_have_count(1)
    assert serious(page) == []


def test_a_menu_closes_when_the_focus_goes_on(page: Page, site: Site, workspace: Workspace) -> None:
    log_in(page, site)
    menu = page.get_by_label("Workspace menu")
    menu.press("Enter")
    link = page.get_by_role("link", name="New workspace")
    expect(link).to_be_visible()
    link.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Home")).to_be_focused()
    expect(link).to_be_hidden()


def test_what_a_form_refused_as_a_whole_has_the_focus(page: Page, site: Site, workspace: Workspace) -> None:
    page.goto(site.url("acme", "/log-in/"))
    page.get_by_label("E-mail").fill(User.objects.get().email)
    page.get_by_label("Password", exact=True).fill(f"not {PASSWORD}")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_focused()


def test_a_table_on_a_phone_names_its_figures(agent: Agent, page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    log_in(page, site)
    page.goto(site.url("acme", "/costs/"))
    label = "(cell) => getComputedStyle(cell, '::before').content"
    assert page.locator("td", has_text="0 and 0").first.evaluate(label) == '"Tokens read and written"'


def test_the_tab_that_is_open_is_in_view_on_a_phone(agent: Agent, page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    log_in(page, site)
    page.goto(site.url("acme", f"/agents/{agent.pk}/widget/identity/"))
    here = page.locator("main nav [aria-current=page]").last
    expect(here).to_have_text("Logged-in visitors")
    expect(here).to_be_in_viewport(ratio=1)


def test_the_business_figures_fit_a_desk(page: Page, site: Site) -> None:
    staff = User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(staff)
    verify(client, staff)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site.url("admin")}])
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(site.url("admin", "/billing/businessfigures/"))
    tables = page.get_by_role("region")
    expect(tables).to_have_count(4)
    assert tables.evaluate_all("(all) => all.map((box) => box.scrollWidth - box.clientWidth)") == [0, 0, 0, 0]
