"""What went wrong in products like this one, in the widget; see `tests/security/test_peers.py`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from .driver import Widget
from .host import Host

Visit = Callable[..., Page]
EVIL = "https://evil.example"
RUNS = "img, iframe, object, embed, script, svg image, [onerror], [onload], [onmouseover]"
LIVE = f"document.querySelector('netvexa-widget').shadowRoot.querySelectorAll('{RUNS}').length"


def watch(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what of it went where it must not: dialogs that opened, requests to others."""
    page, wrong = context.new_page(), list[str]()
    page.on("request", lambda request: wrong.append(request.url) if request.url.startswith(EVIL) else None)

    def opened(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", opened)
    return page, wrong


@pytest.mark.parametrize(
    "text",
    [
        f"![x]({EVIL}/a.png)",
        f"![x](//{EVIL[8:]}/a.png)",
        f"[![x]({EVIL}/a.png)]({EVIL}/)",
        f"![x][1]\n\n[1]: {EVIL}/a.png",
        f'<img src="{EVIL}/a.png">',
        f"![x](https://help.example/thumbnail?url={EVIL}/a.png&size=full)",
        f"`![x]({EVIL}/a.png)` ![a ![b]({EVIL}/b.png)]({EVIL}/c.png)",
    ],
)
def test_zulip_cve_2022_36048_no_way_of_writing_brings_a_remote_picture(
    visit: Visit, host: Host, context: BrowserContext, text: str
) -> None:
    page, wrong = watch(context)
    widget = Widget(visit(page=page)).open().ask("How do refunds work?")
    host.wait_for("message")
    host.answer(f"Done. {text}")
    expect(widget.answer.last).to_contain_text("Done.")

    assert page.evaluate(LIVE) == 0
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "```\n</pre><img src=x onerror=alert(1)>\n```",
        "```<img src=x onerror=alert(1)>\nx\n```",
        "`<img src=x onerror=alert(1)>` <https://a.example/`<img src=x onerror=alert(1)>`>",
        '[<img src=x onerror=alert(1)>](https://a.example/"onmouseover="alert(1))',
        "https://a.example/<svg/onload=alert(1)> www.a.example/'onmouseover='alert(1)",
        "| <img src=x onerror=alert(1)> |\n|---|\n| <svg/onload=alert(1)> |",
        "[a](javascript:alert(1)) [b](java\tscript:alert(1)) [c](&#106;avascript:alert(1))",
    ],
)
def test_zulip_cve_2018_9986_and_2021_3866_marks_within_marks_are_text(
    visit: Visit, host: Host, context: BrowserContext, text: str
) -> None:
    page, wrong = watch(context)
    widget = Widget(visit(page=page)).open().ask(f"Is this yours? {text}")
    host.wait_for("message")
    host.answer(f"Done.\n\n{text}", citations=[{"n": 1, "title": text, "snippet": text}])
    expect(widget.answer.last).to_contain_text("Done.")

    assert page.evaluate(LIVE) == 0
    for link in widget.answer.last.locator("a").all():
        assert str(link.get_attribute("href")).startswith("https://a.example")
        link.hover()
    assert wrong == []


def test_zulip_cve_2024_36624_and_36625_what_is_pasted_is_text(
    visit: Visit, host: Host, context: BrowserContext
) -> None:
    """Markup of another page, its pictures' names among it, comes in as the words that stand there."""
    page, wrong = watch(context)
    widget = Widget(visit(page=page)).open()
    markup = (
        f'<b>Hello</b><img class="emoji" alt="<img src=x onerror=alert(1)>" src="{EVIL}/smile.png">'
        "<script>alert(1)</script>"
    )
    widget.field.evaluate(
        """(field, markup) => {
            const carried = new DataTransfer();
            carried.setData("text/html", markup);
            carried.setData("text/plain", "Hello <img src=x onerror=alert(1)>");
            field.focus();
            const event = new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true});
            if (field.dispatchEvent(event)) document.execCommand("insertText", false, carried.getData("text/plain"));
        }""",
        markup,
    )
    widget.field.press("Enter")

    assert host.wait_for("message")["text"] == "Hello <img src=x onerror=alert(1)>"
    expect(widget.own.last).to_have_text("Hello <img src=x onerror=alert(1)>")
    assert page.evaluate(LIVE) == 0
    assert wrong == []
