"""What else a visitor can do: files, several conversations, their own data, and what happens out of hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from .driver import Widget
from .host import PICTURE, PNG, Host

Visit = Callable[..., Page]
STORED = "localStorage.length + sessionStorage.length"
CLOSED: list[list[list[str]]] = [[], [], [], [], [], [], []]
ALWAYS = [[["00:00", "24:00"]]] * 7


def hours(week: list[Any], **more: Any) -> dict[str, Any]:
    return {"time_zone": "Europe/Berlin", "week": week} | more


def take_uploads(page: Page, host: Host, *, status: int = 201, answer: dict[str, Any] | None = None) -> None:
    """Stand in for the workspace's upload address."""
    stored = {
        "id": "f1",
        "name": "parcel.png",
        "type": "image/png",
        "size": len(PNG),
        "url": host.origin + PICTURE,
    }

    def receive(route: Route) -> None:
        assert route.request.headers["authorization"].startswith("Bearer token-")
        route.fulfill(status=status, json=answer or stored, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/widget/upload/nv_demo_agent/", receive)


def choose(widget: Widget, name: str, kind: str, body: bytes = PNG) -> None:
    widget.panel.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": body})


@pytest.fixture
def files(host: Host) -> None:
    host.config["attachments"] = {"types": ["image/png"], "max_bytes": 2_000_000}


def test_a_picture_is_sent_and_shown_under_a_policy_that_allows_no_pictures(
    visit: Visit, host: Host, context: BrowserContext, files: None
) -> None:
    page = context.new_page()
    take_uploads(page, host)
    widget = Widget(visit("csp=nonce", page=page)).open()
    choose(widget, "parcel.png", "image/png")
    widget.root.get_by_role("button", name="Send", exact=True).click()
    assert host.wait_for("message")["attachments"] == ["f1"]
    picture = widget.root.get_by_role("img", name="parcel.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("(canvas) => [canvas.width, canvas.height]") == [60, 40]


def test_a_file_that_cannot_be_sent_is_explained(visit: Visit, host: Host, files: None) -> None:
    page = visit()
    take_uploads(page, host, status=415, answer={"code": "type", "detail": "This is no picture."})
    widget = Widget(page).open()
    choose(widget, "virus.exe", "application/x-msdownload")
    expect(widget.root.get_by_text("This kind of file cannot be sent.")).to_be_visible()
    choose(widget, "large.png", "image/png", b"x" * 2_000_001)
    expect(widget.root.get_by_text("Files can have 2 MB at most.")).to_be_visible()
    choose(widget, "fake.png", "image/png")
    expect(widget.root.get_by_text("This is no picture.")).to_be_visible()
    expect(widget.root.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    widget.root.get_by_role("button", name="Remove fake.png").click()
    expect(widget.root.locator(".uploads")).to_have_count(0)


def test_a_file_of_the_team_is_offered_by_name(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("The label, please")
    host.wait_for("message")
    file = {
        "id": "f2",
        "name": "label.pdf",
        "type": "application/pdf",
        "size": 9,
        "url": "https://a.example/l",
    }
    host.say("Here you are.", attachments=[file])
    expect(widget.root.get_by_role("link", name="label.pdf")).to_have_attribute("href", "https://a.example/l")


def choose_from_menu(widget: Widget, name: str) -> None:
    widget.root.get_by_role("button", name="More options").click()
    widget.root.get_by_role("button", name=name).click()


def test_an_earlier_conversation_is_found_and_taken_up_again(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("About parcels")
    host.wait_for("message")
    first = host.conversation.id
    choose_from_menu(widget, "New conversation")
    host.wait_for("hello", count=2)
    expect(widget.own).to_have_count(0)
    widget.ask("About refunds")
    host.wait_for("message", count=2)
    choose_from_menu(widget, "Your conversations")
    widget.root.get_by_role("button", name="About parcels").click()
    expect(widget.own).to_have_text("About parcels")
    assert host.wait_for("hello", count=3)["conversation"] == first


def test_a_transcript_is_mailed(visit: Visit, host: Host) -> None:
    host.config["transcript"] = True
    widget = Widget(visit()).open().ask("Hello")
    host.wait_for("message")
    choose_from_menu(widget, "Save transcript")
    widget.root.get_by_label("E-mail").fill("ada@example.com")
    widget.root.get_by_label("E-mail").press("Enter")
    assert host.wait_for("transcript")["email"] == "ada@example.com"
    expect(widget.root.get_by_text("It is on its way to your inbox.")).to_be_visible()


def test_ones_data_can_be_had_and_deleted(visit: Visit, host: Host) -> None:
    host.config["privacy_panel"] = True
    page = visit()
    page.route(
        "**/widget/data/nv_demo_agent/",
        lambda route: route.fulfill(json={"conversations": []}, headers={"Access-Control-Allow-Origin": "*"}),
    )
    widget = Widget(page).open().ask("My secret")
    host.wait_for("message")
    choose_from_menu(widget, "Your data")
    with page.expect_download() as download:
        widget.root.get_by_role("button", name="Download my data").click()
    assert json.loads(download.value.path().read_text()) == {"conversations": []}
    widget.root.get_by_role("button", name="Delete my data").click()
    assert host.of_type("forget") == []
    widget.root.get_by_role("button", name="Delete my data").click()
    expect(widget.root.get_by_text("F-2047")).to_be_visible()
    expect(widget.own).to_have_count(0)
    assert page.evaluate(STORED) == 0


def test_a_word_comes_unasked_and_is_not_repeated_once_put_away(visit: Visit, host: Host) -> None:
    host.config["proactive"] = [
        {"id": "p1", "text": "Need a hand?", "when": {"url": "/*"}, "frequency": "once"}
    ]
    page = visit()
    widget = Widget(page)
    teaser = widget.root.get_by_role("button", name="Need a hand?")
    expect(teaser).to_be_visible()
    assert page.evaluate(STORED) == 0
    widget.root.get_by_role("button", name="Dismiss").click()
    expect(teaser).to_have_count(0)
    visit(page=page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_200)
    expect(teaser).to_have_count(0)


def test_a_word_that_comes_unasked_opens_the_conversation_with_it(visit: Visit, host: Host) -> None:
    host.config["proactive"] = [{"id": "p1", "text": "Need a hand?", "frequency": "session"}]
    widget = Widget(visit())
    widget.root.get_by_role("button", name="Need a hand?").click()
    expect(widget.panel.get_by_text("Need a hand?")).to_be_visible()
    expect(widget.field).to_be_focused()


def test_out_of_hours_it_says_when_people_are_back(visit: Visit, host: Host) -> None:
    tomorrow = [[["09:00", "09:01"]]] * 7
    host.config["hours"] = hours(tomorrow, away="We are out.", behaviour="answer")
    widget = Widget(visit()).open()
    expect(widget.root.get_by_text("We are out. Back ")).to_be_visible()
    widget.ask("Hello")
    host.wait_for("message")


def test_out_of_hours_a_form_can_stand_in_for_the_agent(visit: Visit, host: Host) -> None:
    host.config["hours"] = hours(CLOSED, behaviour="form")
    widget = Widget(visit()).open()
    widget.root.get_by_label("E-mail").fill("ada@example.com")
    widget.root.get_by_label("Message").fill("Call me")
    widget.root.get_by_role("button", name="Send").click()
    assert host.wait_for("lead")["fields"] == {"email": "ada@example.com", "message": "Call me"}
    expect(widget.root.locator(".bottom").get_by_text("Thank you. We have your details.")).to_be_visible()


@pytest.mark.parametrize(("week", "shown"), [(CLOSED, False), (ALWAYS, True)])
def test_out_of_hours_it_can_hide(visit: Visit, host: Host, week: list[Any], shown: bool) -> None:
    host.config["hours"] = hours(week, behaviour="hide")
    page = visit()
    page.wait_for_function("document.querySelector('netvexa-widget')?.shadowRoot.querySelector('.panel')")
    expect(Widget(page).bubble).to_be_visible(visible=shown)


def test_the_launcher_can_be_words_or_the_pages_own_button(visit: Visit, host: Host) -> None:
    host.config["theme"] |= {"launcher": "text", "launcher_text": "Ask Ada"}
    page = visit()
    expect(page.get_by_role("button", name="Ask Ada")).to_have_text("Ask Ada")
    host.config["theme"] |= {"launcher": "hidden"}
    visit(page=page)
    widget = Widget(page)
    expect(widget.bubble).to_be_hidden()
    page.evaluate(
        "const own = document.createElement('button'); own.textContent = 'Help'; document.body.append(own);"
        # Ends in a value: a string whose last value is a function would be called.
        "own.onclick = () => netvexa.open(); null"
    )
    page.get_by_role("button", name="Help").click()
    expect(widget.field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Help")).to_be_focused()


def test_the_visitor_sees_that_the_team_has_read_and_the_team_that_they_have(
    visit: Visit, host: Host
) -> None:
    widget = Widget(visit()).open().ask("Hello?")
    host.wait_for("message")
    host.set_state("human")
    assert host.wait_for("read", count=2)["seq"] == 2
    host.see()
    expect(widget.root.get_by_text("Read", exact=True)).to_be_visible()


def test_two_tabs_show_one_conversation_and_forget_together(visit: Visit, host: Host) -> None:
    one, other = visit(), visit()
    Widget(other).bubble.wait_for()
    first = Widget(one).open().ask("From the first tab")
    host.wait_for("message")
    second = Widget(other).open()
    expect(second.own).to_have_text("From the first tab")
    host.answer("For both.")
    for tab in (first, second):
        expect(tab.answer).to_have_text("For both.")
    one.evaluate("netvexa.logout()")
    expect(second.panel).to_be_hidden()
    assert other.evaluate(STORED) == 0


def test_a_person_is_one_click_away_where_the_agent_allows_it(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open()
    widget.root.get_by_role("button", name="Talk to a person").click()
    host.wait_for("handoff")
    expect(widget.root.get_by_text("We have told the team")).to_be_visible()
    host.config["handoff"] = False
    page = visit()
    expect(Widget(page).panel.get_by_role("button", name="Talk to a person")).to_have_count(0)
