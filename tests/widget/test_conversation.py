"""A visitor asks, and the widget shows the answer once, whole and in order, whatever the network does."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from .driver import Widget
from .host import Host

TEXT = "You can send anything back within **30 days** [1]. The money comes back within five days [2]."
CITATIONS = [
    {
        "n": 1,
        "title": "Returns › Time limits",
        "url": "https://shop.example/returns",
        "snippet": "Goods may be returned within 30 days of delivery, provided that they are unused.",
    },
    {"n": 2, "title": "Payments", "snippet": "Refunds are paid within five working days."},
]
Visit = Callable[..., Page]


def test_an_answer_is_streamed_and_then_stands_as_it_ended(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How do refunds work?")
    host.wait_for("message")
    message = host.start_answer()
    host.token(message, "You can send anything ")
    expect(widget.answer).to_have_text("You can send anything")
    host.token(message, "back.")
    host.end_answer(message, "You can send anything back.")
    expect(widget.answer).to_have_text("You can send anything back.")
    expect(widget.own).to_have_text("How do refunds work?")


def test_citation_marks_lead_to_the_source_at_the_quoted_words(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How do refunds work?")
    host.wait_for("message")
    host.answer(TEXT, citations=CITATIONS)
    widget.root.get_by_role("button", name="Source 1: Returns › Time limits").click()
    source = widget.root.locator(".sources li[data-n='1']")
    expect(source).to_be_focused()
    expect(source.get_by_role("link")).to_have_attribute(
        "href",
        "https://shop.example/returns#:~:text=Goods%20may%20be%20returned%20within,provided%20that%20they%20are%20unused.",
    )
    expect(widget.root.locator(".sources li[data-n='2']").get_by_role("link")).to_have_count(0)


def test_a_source_names_its_section_and_page_and_a_pdf_opens_there(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How do refunds work?")
    host.wait_for("message")
    pdf = {
        "n": 1,
        "title": "Terms",
        "url": "https://shop.example/terms.pdf",
        "snippet": "Refunds are paid within five days.",
        "heading": "Terms › Refunds",
        "page": "12",
    }
    plain = {"n": 2, "title": "Payments", "snippet": "By card.", "heading": "Payments"}
    host.answer("Within five days [1], by card [2].", citations=[pdf, plain])
    widget.root.get_by_role("button", name="Source 1: Terms").click()
    sources = widget.root.locator(".sources li > div")
    expect(sources.nth(0)).to_contain_text("Terms · Refunds · page 12")
    expect(sources.nth(0).get_by_role("link")).to_have_attribute("href", f"{pdf['url']}#page=12")
    expect(sources.nth(1)).not_to_contain_text("·")


def test_a_mark_without_a_source_is_not_shown(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How do refunds work?")
    host.wait_for("message")
    host.answer("Within 30 days [1] or so [7].", citations=CITATIONS[:1])
    expect(widget.root.locator(".chip")).to_have_text(["1"])


def test_stop_asks_the_server_and_keeps_what_was_written(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("Tell me everything")
    host.wait_for("message")
    message = host.start_answer()
    host.token(message, "First of all")
    widget.root.get_by_role("button", name="Stop answering").click()
    assert host.wait_for("stop")["message"] == message
    host.end_answer(message, "First of all", stopped="visitor")
    expect(widget.answer).to_have_text("First of all")
    expect(widget.root.get_by_text("You stopped this answer.")).to_be_visible()


def test_a_cut_in_mid_answer_is_resumed_without_loss_or_repetition(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open().ask("How do refunds work?")
    host.wait_for("message")
    message = host.start_answer()
    host.token(message, "One, ")
    host.token(message, "two, ")
    expect(widget.answer).to_have_text("One, two,")
    host.drop()
    host.token(message, "three, ")
    host.token(message, "four.")
    host.wait_for("hello", count=2)
    host.end_answer(message, "One, two, three, four.")
    expect(widget.answer).to_have_text("One, two, three, four.")
    expect(widget.root.locator(".entry.bot")).to_have_count(1)
    assert host.of_type("hello")[1]["last_seq"] == 4


def test_a_reload_in_mid_answer_shows_the_rest(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page).open().ask("How do refunds work?")
    host.wait_for("message")
    message = host.start_answer()
    host.token(message, "One, ")
    expect(widget.answer).to_have_text("One,")
    page.reload()
    expect(widget.answer).to_have_text("One,")
    host.token(message, "two.")
    host.end_answer(message, "One, two.")
    expect(widget.answer).to_have_text("One, two.")
    expect(widget.own).to_have_text("How do refunds work?")


def test_frames_that_arrive_twice_are_shown_once(visit: Visit, host: Host) -> None:
    host.duplicate = True
    widget = Widget(visit()).open().ask("Hello?")
    host.wait_for("message")
    host.answer("Good morning to you.", size=4)
    expect(widget.answer).to_have_text("Good morning to you.")
    host.say("I am here as well.")
    expect(widget.root.locator(".entry.human .bubble")).to_have_text("I am here as well.")


def test_a_message_is_sent_again_until_it_is_acknowledged(visit: Visit, host: Host) -> None:
    widget = Widget(visit()).open()
    host.withhold_ack = True
    widget.ask("Did you get this?")
    first = host.wait_for("message")
    host.withhold_ack = False
    host.drop()
    again = host.wait_for("message", count=2)
    assert first["client_id"] == again["client_id"]
    expect(widget.root.get_by_text("Sending…")).to_have_count(0)
    expect(widget.own).to_have_text("Did you get this?")


def test_what_is_written_offline_is_sent_when_the_line_is_back(visit: Visit, host: Host) -> None:
    page = visit()
    widget = Widget(page).open()
    host.wait_for("hello")
    page.context.set_offline(True)
    host.drop()
    widget.ask("Are you there?")
    expect(widget.root.get_by_text("Sent when you are back online")).to_be_visible()
    expect(widget.root.get_by_text("You are offline.")).to_be_visible()
    page.context.set_offline(False)
    assert host.wait_for("message")["text"] == "Are you there?"
    expect(widget.root.get_by_text("Sent when you are back online")).to_have_count(0)


def test_a_refused_token_is_dropped_and_hello_said_anew(visit: Visit, host: Host) -> None:
    Widget(visit()).open()
    host.wait_for("hello")
    host.close(4401)
    again = host.wait_for("hello", count=2)
    assert "visitor" not in again
    assert "conversation" not in again


def test_a_page_that_may_not_talk_is_told_so_and_left_in_peace(visit: Visit, host: Host) -> None:
    host.refuse = 4403
    widget = Widget(visit()).open()
    expect(widget.root.get_by_text("This chat is not available on this page.")).to_be_visible()
    widget.page.wait_for_timeout(1_500)
    assert host.handshakes == 1


def test_a_restarting_server_is_met_again_soon(visit: Visit, host: Host) -> None:
    Widget(visit()).open()
    host.wait_for("hello")
    host.close(1012)
    assert "last_seq" in host.wait_for("hello", count=2)
