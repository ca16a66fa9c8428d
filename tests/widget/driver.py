"""What a visitor does with the widget, said in their words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class Widget:
    """The widget on a page. Playwright's locators see into its open shadow root."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("netvexa-widget")
        self.bubble = self.root.locator(".b")
        self.panel = self.root.get_by_role("dialog")
        self.field = self.panel.get_by_role("textbox", name="Ask a question")

    def open(self) -> Widget:
        self.bubble.click()
        self.panel.wait_for()
        return self

    def ask(self, text: str) -> Widget:
        self.field.fill(text)
        self.field.press("Enter")
        return self

    @property
    def answer(self) -> Locator:
        return self.root.locator(".entry.bot .text")

    @property
    def own(self) -> Locator:
        return self.root.locator(".entry.visitor .bubble")
