"""Which part of a web page counts: chosen by its owner with CSS selectors, else found by the reader."""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from netvexa.lib.errors import Invalid


@dataclass(frozen=True, slots=True)
class Selectors:
    """`keep` names the one part to read, `drop` what to leave out; "" leaves the choice to the reader."""

    keep: str = ""
    drop: str = ""

    def __bool__(self) -> bool:
        return bool(self.keep or self.drop)


def check(selectors: Selectors) -> None:
    """Raise Invalid where one of them is no CSS selector."""
    for text in filter(None, (selectors.keep, selectors.drop)):
        try:
            LexborHTMLParser("<body></body>").css(text)
        except Exception:  # the library raises several kinds, some of them its own C errors
            raise Invalid(f"“{text}” is not a CSS selector.") from None


def cut(tree: LexborHTMLParser, selectors: Selectors) -> LexborNode | None:
    """Take out of the tree what is to be dropped; return the part to keep, if it is there."""
    if selectors.drop:
        for node in tree.css(selectors.drop):
            node.decompose()
    return tree.css_first(selectors.keep) if selectors.keep else None
