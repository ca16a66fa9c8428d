"""For everyone: keyboard, screen reader, right to left, dark, phone, other languages, people of the team."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from .driver import Widget
from .host import Host
from .site import Site

Visit = Callable[..., Page]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
ANSWER = "Within **30 days** [1].\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n1. Open *Orders*.\n2. See [here](https://a.example)."
SOURCES = [{"n": 1, "title": "Returns", "url": "https://a.example/r", "snippet": "Within 30 days."}]


def findings(page: Page) -> list[str]:
    """What axe holds against a page, serious or worse."""
    result = Axe().run(page, options=RULES)
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in result.response["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("query", ["", "attrs=data-theme=dark", "lang=ar"])
def test_axe_finds_nothing_serious_in_any_state(visit: Visit, host: Host, query: str) -> None:
    page = visit(query)
    widget = Widget(page)
    widget.bubble.wait_for()
    seen = {"bubble": findings(page)}
    widget.bubble.click()
    widget.panel.wait_for()
    seen["welcome"] = findings(page)
    widget.panel.locator("textarea").fill("How do refunds work?")
    widget.panel.locator("textarea").press("Enter")
    host.wait_for("message")
    seen["waiting for the answer"] = findings(page)
    host.answer(ANSWER, citations=SOURCES, grounded=False)
    widget.root.locator(".chip").click()
    seen["answer with sources"] = findings(page)
    widget.root.locator(".actions button").last.click()
    seen["feedback"] = findings(page)
    widget.root.locator(".menu > button").click()
    seen["menu"] = findings(page)
    page.keyboard.press("Escape")
    host.set_state("waiting")
    seen["waiting for a person"] = findings(page)
    host.set_state("human")
    host.say("Hello, Grace here.")
    widget.root.get_by_text("Hello, Grace here.").first.wait_for()
    seen["person"] = findings(page)
    widget.root.locator(".menu > button").click()
    widget.root.locator(".menu li button").first.click()
    widget.root.locator(".sheet button[type=submit]").click()
    seen["lead form with errors"] = findings(page)
    widget.root.locator(".sheet .plain").click()
    host.set_state("closed")
    widget.root.locator(".rating").wait_for()
    seen["closed"] = findings(page)
    assert {state: found for state, found in seen.items() if found} == {}


def test_the_keyboard_alone_is_enough(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page)
    widget.bubble.focus()
    page.keyboard.press("Enter")
    expect(widget.field).to_be_focused()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    host.wait_for("message")
    expect(widget.field).to_be_focused()
    page.keyboard.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.bubble).to_be_focused()


def test_the_menu_is_opened_walked_and_shut_by_keys(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page).open()
    button = widget.root.get_by_role("button", name="More options")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(widget.root.locator(".menu li button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(widget.panel).to_be_visible()


LONG = "\n\n".join(f"Paragraph {n} of what there is to say." for n in range(30))


@pytest.mark.parametrize("lang", ["en", "de", "ar"])
def test_the_way_to_the_end_does_not_lie_on_the_link_of_a_source(visit: Visit, host: Host, lang: str) -> None:
    page = visit(f"lang={lang}")
    widget = Widget(page).open()
    widget.panel.locator("textarea").fill("How do refunds work?")
    widget.panel.locator("textarea").press("Enter")
    host.wait_for("message")
    for text, citations in ((LONG, []), ("Within 30 days [1].", SOURCES), (LONG, [])):
        host.answer(text, citations=citations)
    expect(widget.answer).to_have_count(3)
    expect(widget.answer.last).to_contain_text("Paragraph 29")
    widget.root.locator(".chip").press("Enter")
    widget.root.locator(".log-box > button").wait_for()
    way, link, source = (
        widget.root.locator(which).bounding_box()
        for which in (".log-box > button", ".sources li a", ".sources li")
    )
    assert way
    assert link
    assert source
    assert source["y"] + source["height"] <= way["y"]
    widget.root.locator(".log").evaluate("(log, by) => log.scrollBy(0, by)", link["y"] - way["y"])
    link = widget.root.locator(".sources li a").bounding_box()
    assert link
    assert abs(link["y"] - way["y"]) < 2
    assert (way["width"], way["height"]) == (44, 44)
    assert link["x"] + link["width"] <= way["x"] or way["x"] + way["width"] <= link["x"]


def test_whole_sentences_are_read_out_and_each_once(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How?")
    host.wait_for("message")
    message = host.start_answer()
    spoken = widget.root.locator("[aria-live=polite]")
    for piece in ("First **th", "is** [1]. Then ", "th"):
        host.token(message, piece)
    expect(spoken).to_have_text("First this .")
    host.end_answer(message, "First **this** [1]. Then that.", citations=SOURCES)
    expect(spoken.locator("p")).to_have_text(["First this .", "Then that."])


def test_arabic_is_written_from_right_to_left(visit: Visit, host: Host) -> None:
    page = visit("lang=ar")
    widget = Widget(page)
    widget.bubble.click()
    expect(widget.panel).to_have_attribute("dir", "rtl")
    send = widget.root.get_by_role("button", name="إرسال").bounding_box()
    panel = widget.panel.bounding_box()
    assert send is not None
    assert panel is not None
    assert send["x"] < panel["x"] + panel["width"] / 2
    assert host.wait_for("hello")["locale"] == "ar"


def test_every_text_can_be_replaced(visit: Visit, host: Host) -> None:
    host.config["strings"] = {
        "placeholder": "What can I do for you?",
        "de": {"placeholder": "Womit kann ich dienen?"},
    }
    page = visit("lang=de")
    widget = Widget(page)
    widget.bubble.click()
    expect(widget.root.get_by_placeholder("Womit kann ich dienen?")).to_be_visible()
    page.evaluate("netvexa.setContext({locale: 'en'})")
    expect(widget.root.get_by_placeholder("What can I do for you?")).to_be_visible()


def test_dark_follows_the_system_the_tag_and_the_page(visit: Visit, host: Host) -> None:
    page = visit("attrs=data-theme=host")
    widget = Widget(page).open()
    expect(widget.panel).to_have_attribute("data-scheme", "light")
    page.emulate_media(color_scheme="dark")
    expect(widget.panel).to_have_attribute("data-scheme", "dark")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    expect(widget.panel).to_have_attribute("data-scheme", "light")


@pytest.fixture
def phone(browser: Browser, shop: Site) -> Any:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    context.set_default_timeout(8_000)
    page = context.new_page()
    page.goto(shop.origin)
    yield page
    context.close()


def test_a_phone_shows_it_full_screen_and_keeps_the_focus_inside(phone: Page, host: Host) -> None:
    widget = Widget(phone)
    widget.bubble.tap()
    widget.panel.wait_for()
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(widget.panel).to_have_attribute("aria-modal", "true")
    for _ in range(12):
        phone.keyboard.press("Tab")
        inside = (
            "document.querySelector('netvexa-widget').shadowRoot.activeElement?.closest('.panel') !== null"
        )
        assert phone.evaluate(inside)
    phone.keyboard.press("Escape")
    expect(widget.bubble).to_be_focused()
    assert phone.evaluate("document.documentElement.style.overflow") == ""


# A browser without a window has no keyboard on its screen: this stands in for the part that one leaves free.
KEYBOARD = """() => {
  const view = Object.assign(new EventTarget(), {height: innerHeight, width: innerWidth, offsetTop: 0, offsetLeft: 0});
  Object.defineProperty(window, 'visualViewport', {value: view});
  window.raiseKeyboard = (height, offsetTop) => {
    Object.assign(view, {height, offsetTop});
    view.dispatchEvent(new Event('resize'));
  };
}"""


def test_the_keyboard_of_a_phone_covers_nothing(phone: Page, host: Host) -> None:
    phone.add_init_script(f"({KEYBOARD})()")
    phone.reload()
    widget = Widget(phone)
    widget.bubble.tap()
    widget.field.wait_for()
    phone.evaluate("raiseKeyboard(420, 60)")
    assert widget.panel.bounding_box() == {"x": 0, "y": 60, "width": 390, "height": 420}
    field = widget.field.bounding_box()
    assert field is not None
    assert 60 < field["y"] < field["y"] + field["height"] <= 480
    phone.evaluate("raiseKeyboard(844, 0)")
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}


@pytest.fixture
def enlarged(browser: Browser, shop: Site) -> Iterator[Page]:
    """A window of 1280 by 1024 at 400 %."""
    context = browser.new_context(viewport={"width": 320, "height": 256}, device_scale_factor=4)
    context.set_default_timeout(8_000)
    page = context.new_page()
    page.goto(shop.origin)
    yield page
    context.close()


def test_at_four_times_the_size_everything_can_be_reached(enlarged: Page, host: Host) -> None:
    widget = Widget(enlarged).open().ask("How do refunds work?")
    host.wait_for("message")
    host.answer(ANSWER, citations=SOURCES)
    widget.root.locator(".chip").wait_for()
    assert findings(enlarged) == []
    assert enlarged.evaluate("document.documentElement.scrollWidth") <= 320
    for control in [widget.field, *widget.panel.get_by_role("button").all()]:
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        if box:
            assert 0 <= box["x"] < box["x"] + box["width"] <= 320
            assert 0 <= box["y"] < box["y"] + box["height"] <= 256


def test_fields_do_not_make_a_phone_zoom_and_targets_are_big_enough(phone: Page, host: Host) -> None:
    widget = Widget(phone)
    widget.bubble.tap()
    expect(widget.field).to_have_css("font-size", "16px")
    host.wait_for("hello")
    widget.ask("How?")
    host.wait_for("message")
    host.answer("So.")
    small = widget.panel.locator("button:visible").evaluate_all(
        "(all) => all.map((b) => [b.className, b.offsetWidth, b.offsetHeight])"
        ".filter(([, width, height]) => width < 44 || height < 44)"
    )
    assert small == []


def test_a_person_takes_over_and_is_shown_with_name_and_face(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("I need help")
    host.wait_for("message")
    host.answer("I do not know.", grounded=False)
    widget.root.locator(".ending").get_by_role("button", name="Talk to a person").click()
    host.wait_for("handoff")
    expect(widget.root.get_by_text("We have told the team")).to_be_visible()
    host.set_state("human")
    host.say("Hello, what can I do?", name="Grace")
    expect(widget.panel.get_by_role("heading", name="Grace")).to_be_visible()
    host.send_raw({"type": "typing", "author": {"kind": "human", "name": "Grace"}})
    expect(widget.root.get_by_role("img", name="Grace is typing")).to_be_visible()
    widget.field.press_sequentially("Th")
    host.wait_for("typing")


def test_the_badge_counts_what_came_while_it_was_shut(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page).open().ask("Anybody?")
    host.wait_for("message")
    page.keyboard.press("Escape")
    host.say("Yes!")
    host.say("Still there?")
    expect(widget.bubble).to_have_accessible_name("Open chat (2 new)")
    widget.open()
    expect(widget.bubble).to_have_accessible_name("Close chat")


def test_thumbs_rating_and_end_reach_the_server(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How?")
    host.wait_for("message")
    message = host.answer("So.")
    widget.root.get_by_role("button", name="Bad answer").click()
    assert host.wait_for("feedback") == {"type": "feedback", "message": message, "value": -1}
    widget.root.get_by_label("What was wrong or missing?").fill("All of it")
    widget.root.locator(".why").get_by_role("button", name="Send").click()
    assert host.wait_for("feedback", count=2)["comment"] == "All of it"
    widget.root.get_by_role("button", name="More options").click()
    widget.root.get_by_role("button", name="End conversation").click()
    host.wait_for("end")
    widget.root.locator(".rating .icon-button").nth(3).click()
    widget.root.get_by_label("Tell us more (optional)").fill("Fine")
    widget.root.locator(".rating").get_by_role("button", name="Send").click()
    assert host.wait_for("rating") == {"type": "rating", "score": 4, "comment": "Fine"}
    widget.root.get_by_role("button", name="New conversation").click()
    assert "conversation" not in host.wait_for("hello", count=2)
    expect(widget.own).to_have_count(0)


def test_a_lead_form_checks_and_sends(visit: Visit, host: Host) -> None:
    host.config["leads"] = {"when": "before", "consent": "I agree.", "consent_required": True}
    widget = Widget(visit()).open().ask("Hello")
    form = widget.root.get_by_role("form")
    expect(form).to_be_visible()
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("Please fill this in.")).to_be_visible()
    form.get_by_label("E-mail").fill("ada@example")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("This does not look like an e-mail address.")).to_be_visible()
    form.get_by_label("E-mail").fill("ada@example.org")
    form.get_by_label("I agree.").check()
    form.get_by_role("button", name="Send").click()
    assert host.wait_for("lead")["fields"] == {"email": "ada@example.org"}
    assert host.wait_for("message")["text"] == "Hello"


def test_a_pause_is_counted_down_and_the_message_sent_after_it(visit: Visit, host: Host) -> None:
    host.error_for_next = {"code": "rate_limited", "detail": "That was very fast.", "retry_after": 2}
    widget = Widget(visit()).open().ask("Hello")
    expect(widget.root.get_by_text("That was very fast.")).to_be_visible()
    expect(widget.root.get_by_text("Your message is kept and sent in")).to_be_visible()
    host.wait_for("message", count=2)
    expect(widget.own).to_have_text("Hello")
    expect(widget.root.get_by_text("That was very fast.")).to_have_count(0)


def test_a_used_up_quota_offers_the_contact_form(visit: Visit, host: Host) -> None:
    host.error_for_next = {"code": "quota_exceeded", "detail": "The assistant is resting this month."}
    widget = Widget(visit()).open().ask("Hello")
    expect(widget.root.get_by_text("The assistant is resting this month.")).to_be_visible()
    widget.root.get_by_role("button", name="Leave your contact details").click()
    expect(widget.root.get_by_role("form")).to_be_visible()


def test_too_long_a_message_is_counted_and_not_sent(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open()
    widget.field.fill("x" * 4_007)
    expect(widget.root.get_by_text("7 characters too many")).to_be_visible()
    expect(widget.root.get_by_role("button", name="Send", exact=True)).to_be_disabled()
