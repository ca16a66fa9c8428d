"""Text that a page hides by its own style sheet, marked as what HTML's `hidden` hides.

Only rules that stand alone count: a class or id that a script, or another rule, may show again is in plain view
for whoever clicks (answers that unfold, tabs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAX_CHARACTERS = 500_000
_MAX_RULES = 200
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[a-z]*[.#][a-z_][\w-]*", re.IGNORECASE)
_GONE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TINY = re.compile(r"font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_SCREENS = frozenset({"", "all", "screen"})


def mark_hidden(tree: LexborHTMLParser) -> None:
    """Give the `hidden` attribute to what the rules of the page's `<style>` elements hide."""
    sheets = [node.text() for node in tree.css("style") if _is_for_screens(node)]
    sheet = _COMMENT.sub(" ", "\n".join(sheets)[:_MAX_CHARACTERS])
    has_script = tree.css_first("script") is not None
    hiding = [rule for rule in _rules(sheet) if _GONE.search(rule[1]) or _TINY.search(rule[1])]
    for selectors, body in hiding[:_MAX_RULES]:
        for selector in selectors.split(","):
            if not _NAME.fullmatch(selector.strip()) or _mentions(sheet, selector) > 1:
                continue
            is_gone = _GONE.search(body) is not None and not has_script
            for node in tree.css(selector.strip()):
                if is_gone or (_TINY.search(body) and _is_plain(node)):
                    node.attrs["hidden"] = ""


def _is_for_screens(node: LexborNode) -> bool:
    return (node.attributes.get("media") or "").strip().lower() in _SCREENS


def _mentions(sheet: str, selector: str) -> int:
    name = re.search(r"[.#].*", selector.strip())
    return len(re.findall(rf"{re.escape(name.group())}(?![\w-])", sheet)) if name else 0


def _is_plain(node: LexborNode) -> bool:
    """Without elements, which may have a size of their own."""
    return all(child.tag == "-text" for child in node.iter(include_text=True))


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations of the rules outside of `@media` and the like."""
    depth, start, selectors = 0, 0, ""
    for brace in re.finditer(r"[{};]", sheet):
        if brace.group() == "{":
            if depth == 0:
                selectors, start = sheet[start : brace.start()].strip(), brace.end()
            depth += 1
        elif brace.group() == "}":
            depth = max(0, depth - 1)
            if depth == 0:
                if not selectors.startswith("@"):
                    yield selectors, sheet[start : brace.start()]
                start = brace.end()
        elif depth == 0:
            start = brace.end()
