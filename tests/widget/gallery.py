"""Pictures of the widget's states, for people to look at: `python -m tests.widget.gallery [folder]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FilePayload, Page, Route, sync_playwright

from tests.plugins.browser import ARGUMENTS, chromium_path

from .driver import Widget
from .host import PICTURE, PNG, Host
from .site import Site

FOLDER = Path("var/screenshots/widget")
DESK: dict[str, Any] = {"viewport": {"width": 1024, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
ANSWER = """You can send anything back within **30 days** of delivery [1].

1. Open *Orders* and choose the parcel.
2. Print the label, or show the code at the counter.
3. The money is on your account five working days after we have it [2].

| Country | Days |
|---|---|
| Germany | 30 |
| Norway | 45 |

Write to help@shop.example if the parcel was damaged."""
ARABIC = "يمكنك إرجاع أي منتج خلال **30 يوماً** من التسليم [1].\n\n1. افتح صفحة الطلبات.\n2. اطبع الملصق."
SOURCES = [
    {
        "n": 1,
        "title": "Returns and refunds › Time limits",
        "url": "https://shop.example/returns",
        "snippet": "Goods may be returned within 30 days of delivery, provided that they are unused.",
    },
    {"n": 2, "title": "Payments", "page": "4", "snippet": "Refunds are paid within five working days."},
]


EVERYTHING: dict[str, Any] = {
    "attachments": {"types": ["image/png"], "max_bytes": 2_000_000},
    "proactive": [{"id": "p1", "text": "Can I help you to find the right size?"}],
    "transcript": True,
    "privacy_panel": True,
    "privacy_url": "https://shop.example/privacy",
    "sound": True,
}


@dataclass
class Scene:
    """One page with the widget open, and the picture's name in front."""

    name: str
    folder: Path
    host: Host
    page: Page
    widget: Widget

    def shoot(self, state: str) -> None:
        self.page.wait_for_timeout(350)
        self.page.screenshot(path=self.folder / f"{self.name}-{state}.png")

    def menu(self, name: str) -> None:
        self.widget.root.locator(".menu > button").click()
        self.widget.root.locator(".menu li").get_by_text(name, exact=True).click()

    def ask(self, text: str) -> None:
        field = self.widget.panel.locator(".composer textarea")
        field.fill(text)
        before = len(self.host.of_type("message"))
        field.press("Enter")
        self.host.wait_for("message", count=before + 1)


@contextmanager
def scene(
    browser: Browser,
    folder: Path,
    name: str,
    query: str,
    screen: dict[str, Any],
    *,
    kind: Callable[[str, Path, Host, Page, Widget], Scene] = Scene,
    **config: Any,
) -> Iterator[Scene]:
    """A page with the widget on it, shut; `config` changes the agent's configuration."""
    host = Host()
    host.start()
    host.config |= config
    shop = Site(host.origin)
    context = browser.new_context(reduced_motion="reduce", **screen)
    page = context.new_page()
    page.goto(f"{shop.origin}/?{query}")
    widget = Widget(page)
    widget.bubble.wait_for()
    yield kind(name, folder, host, page, widget)
    context.close()
    shop.stop()
    host.stop()


def whole_story(at: Scene, *, answer: str = ANSWER) -> None:
    """A conversation from the greeting to the rating, with a picture of each state."""
    host, root = at.host, at.widget.root
    at.shoot("bubble")
    at.widget.open()
    host.wait_for("hello")
    at.shoot("welcome")
    at.ask("How do refunds work?")
    at.shoot("thinking")
    message = host.start_answer()
    host.token(message, answer[:70])
    at.shoot("streaming")
    host.end_answer(message, answer, citations=SOURCES)
    at.shoot("answer")
    root.locator(".chip").first.click()
    at.shoot("sources")
    root.locator(".actions button").last.click()
    at.shoot("feedback")
    root.locator(".why .plain").click()
    at.ask("And for pink elephants?")
    host.answer("I found nothing about that in our documents.", grounded=False)
    at.shoot("no-answer")
    root.locator(".menu > button").click()
    at.shoot("menu")
    at.page.keyboard.press("Escape")
    root.locator(".ending .pill").last.click()
    root.locator(".sheet button[type=submit]").click()
    at.shoot("lead")
    root.locator(".sheet .plain").click()
    host.set_state("waiting")
    at.shoot("waiting")
    host.set_state("human")
    host.say("Hello, I am Grace. Elephants are returned at the zoo.")
    host.see()
    host.send_raw({"type": "typing", "author": {"kind": "human", "name": "Grace"}})
    at.shoot("person")
    host.set_state("closed")
    root.locator(".rating .icon-button").nth(3).click()
    at.shoot("closed")


def more(at: Scene) -> None:
    """Files, several conversations, the visitor's own data."""
    host, root, page = at.host, at.widget.root, at.page
    stored = {
        "id": "f1",
        "name": "parcel.png",
        "type": "image/png",
        "size": 126,
        "url": host.origin + PICTURE,
    }
    page.route("**/widget/upload/**", lambda route: _answer_later(route, stored))
    at.shoot("teaser")
    root.locator(".teaser > button").first.click()
    host.wait_for("hello")
    at.shoot("teaser-opened")
    at.widget.panel.locator("input[type=file]").set_input_files(
        [
            FilePayload(name=name, mimeType="image/png", buffer=PNG)
            for name in ("parcel.png", "a-very-long-name-of-a-file-that-somebody-scanned.png")
        ]
    )
    at.shoot("files")
    root.locator(".composer .send").click()
    host.wait_for("message")
    label = {
        "id": "f2",
        "name": "label.pdf",
        "type": "application/pdf",
        "size": 9,
        "url": "https://shop.example/l",
    }
    host.say("Here is your label.", attachments=[label])
    at.shoot("files-sent")
    at.menu("New conversation")
    host.wait_for("hello", count=2)
    at.ask("Where is my parcel?")
    host.answer("It is on its way [1].", citations=SOURCES[:1])
    at.menu("Your conversations")
    at.shoot("conversations")
    root.locator(".sheet .plain").click()
    at.menu("Save transcript")
    at.shoot("transcript")
    root.locator(".sheet .plain").last.click()
    at.menu("Sound")
    at.menu("Your data")
    at.shoot("data")
    root.get_by_text("Delete my data").click()
    at.shoot("data-sure")
    root.get_by_text("Delete my data").click()
    root.get_by_text("F-2047").wait_for()
    at.shoot("data-deleted")


def _answer_later(route: Route, stored: dict[str, Any]) -> None:
    route.fulfill(status=201, json=stored, headers={"Access-Control-Allow-Origin": "*"})


def away(at: Scene) -> None:
    at.widget.open()
    at.host.wait_for("hello")
    at.shoot("away")


def errors(at: Scene) -> None:
    host = at.host
    at.widget.open()
    host.wait_for("hello")
    host.error_for_next = {"code": "rate_limited", "detail": "You are writing very fast.", "retry_after": 20}
    at.ask("One")
    at.shoot("rate-limited")
    host.error_for_next = {
        "code": "quota_exceeded",
        "detail": "The assistant has answered all it may this month.",
    }
    at.widget.root.locator(".notice .icon-button").click()
    at.page.evaluate("netvexa.logout()")
    at.widget.open()
    at.ask("Two")
    at.shoot("quota")
    at.page.context.set_offline(True)
    host.drop()
    at.widget.panel.locator(".composer textarea").fill("Three")
    at.page.keyboard.press("Enter")
    at.page.wait_for_timeout(2_300)
    at.shoot("offline")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        stories = [
            ("desk", "", DESK, ANSWER),
            ("dark", "attrs=data-theme=dark", DESK, ANSWER),
            ("arabic", "lang=ar", DESK, ARABIC),
            ("phone", "", PHONE, ANSWER),
        ]
        for name, query, screen, answer in stories:
            with scene(browser, folder, name, query, screen) as at:
                whole_story(at, answer=answer)
        for name, query, screen in (
            ("desk", "", DESK),
            ("dark", "attrs=data-theme=dark", DESK),
            ("phone", "", PHONE),
        ):
            with scene(browser, folder, name, query, screen, **EVERYTHING) as at:
                more(at)
        for behaviour in ("answer", "form"):
            hours = {"time_zone": "Europe/Berlin", "week": [[["09:00", "09:01"]]] * 7, "behaviour": behaviour}
            with scene(browser, folder, f"hours-{behaviour}", "", DESK, hours=hours) as at:
                away(at)
        theme = {
            "colour": "#ffd400",
            "position": "left",
            "radius": 4,
            "launcher": "text",
            "launcher_text": "Ask us",
        }
        with scene(browser, folder, "theme", "", DESK, theme=theme, branding=False) as at:
            at.shoot("launcher")
            away(at)
        with scene(browser, folder, "errors", "hostile", DESK) as at:
            errors(at)
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
