"""Looks at every state of the widget as axe and the page's policy do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .driver import Widget
from .gallery import Scene
from .host import Host

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def findings(page: Page) -> list[str]:
    """What axe holds against a page, serious or worse."""
    result = Axe().run(page, options=RULES)
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in result.response["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]


@dataclass
class Inspector:
    """Findings by state."""

    found: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def scene(self, name: str, folder: Path, host: Host, page: Page, widget: Widget) -> Inspected:
        page.on("console", self._hear)
        return Inspected(name, folder, host, page, widget, self)

    def _hear(self, message: object) -> None:
        text = getattr(message, "text", "")
        if "Content Security Policy" in text or "TrustedHTML" in text or "TrustedScript" in text:
            self.refused.append(text)

    @property
    def states(self) -> int:
        return len(self.found)

    @property
    def serious(self) -> int:
        return sum(map(len, self.found.values()))

    @property
    def violations(self) -> int:
        return len(self.refused)

    def lines(self) -> list[str]:
        return [
            f"{state}: {finding}" for state, found in self.found.items() for finding in found
        ] + self.refused


@dataclass
class Inspected(Scene):
    """A scene whose states are examined instead of photographed."""

    inspector: Inspector

    def shoot(self, state: str) -> None:
        self.inspector.found[f"{self.name}-{state}"] = findings(self.page)
