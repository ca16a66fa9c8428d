"""Text that a page hides by its own style sheets, marked as what HTML's `hidden` hides.

Only rules that stand alone count: a class or id that a script, or another rule, may show again is in plain view
for whoever clicks (answers that unfold, tabs). Linked sheets are fetched by whoever has the page parsed
(`knowledge.style_sheets`), with what they import.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote_to_bytes, urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_SHEETS = 8  # linked and imported ones of a page
RAN = "<template data-scripts-ran></template>"  # stands for the scripts of a page that a browser service rendered
MAX_IMPORTS = 3  # of a sheet
_MAX_CHARACTERS = 500_000
_MAX_SELECTORS = 200
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PLAIN = re.compile(r"[a-z]*([.#][a-z_][\w-]*)", re.IGNORECASE)
_NAME = re.compile(r"[.#](?:[\w-]|\\.)+")
_GONE = re.compile(r"display\s*+:\s*+none|visibility\s*+:\s*+hidden", re.IGNORECASE)
_IMPORT = re.compile(
    r"""@import\s++(?:url\(\s*+)?["']?+(?P<address>[^"'()\s;]++)["']?+\s*+\)?+(?P<media>[^;{}]{0,200}+)(?:;|\Z)""",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"display\s*+:\s*+(?!none)|visibility\s*+:\s*+(?!hidden)", re.IGNORECASE)
_TINY = re.compile(r"font-size\s*+:\s*+0(?![.\d])", re.IGNORECASE)
_HIDES = re.compile(f"{_GONE.pattern}|{_TINY.pattern}", re.IGNORECASE)
_SIZED = re.compile(r"font(?:-size)?\s*+:\s*+(?!0(?![.\d]))", re.IGNORECASE)
_SCREENS = frozenset({"", "all", "screen"})
_NO_SCREENS = ("print", "speech", "aural")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """`always`: its rules hold on every screen, not on some only."""

    text: str
    always: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """`alone`: it stands outside of `@media` and the like, in a sheet that always holds."""

    selectors: str
    body: str
    alone: bool


def sheets_of(tree: LexborHTMLParser, *, base: str) -> tuple[str, ...]:
    """The first style sheets that the page links for screens, as written; `base` is what its `<base>` says."""
    nodes = [node for node in tree.css("style, link[href]") if _media(node)]
    named = (address for node in nodes for address in _addresses(node, base) if not _is_data(address))
    return tuple(dict.fromkeys(filter(None, named)))[:MAX_SHEETS]


def with_imported(sheet: str, fetched: Callable[[str], str]) -> str:
    """The text of a sheet behind those that it imports; `fetched` gives a text by the address as written."""
    parts = [
        f"@media {media} {{ {text} }}" if media else text
        for found in islice(_IMPORT.finditer(_COMMENT.sub(" ", sheet)), MAX_IMPORTS)
        for media, text in [(found["media"].strip(), fetched(found["address"]))]
    ]
    return "\n".join((*parts, sheet))


def _addresses(node: LexborNode, base: str) -> Iterator[str]:
    """Of the sheet that a `<link>` names, or of those that a `<style>` imports."""
    if node.tag == "style":
        for found in islice(_IMPORT.finditer(_COMMENT.sub(" ", node.text())), MAX_IMPORTS):
            yield _resolved(base, found["address"])
    else:
        yield _linked(node, base)


def _is_data(address: str) -> bool:
    return address[:5].lower() == "data:"


def _text_at(address: str, linked: Mapping[str, str]) -> str:
    """A sheet's text: written in its address, or fetched before."""
    if not _is_data(address):
        return linked.get(address, "")
    kind, _, data = address[5:].partition(",")
    if not kind.lower().startswith("text/css"):
        return ""
    plain = unquote_to_bytes(data)
    try:
        return (b64decode(plain) if kind.lower().endswith(";base64") else plain).decode(errors="replace")
    except ValueError:
        return ""


def mark_hidden(tree: LexborHTMLParser, *, base: str, linked: Mapping[str, str]) -> None:
    """Give the `hidden` attribute to what the rules of the page's `<style>` elements and linked sheets hide.

    `linked` are the texts of sheets by the address that `sheets_of` gave.
    """
    sheets = list(_sheets(tree, base, linked))
    rules = [rule for sheet in sheets for rule in _rules(sheet)]
    has_script = tree.css_first("script, template[data-scripts-ran]") is not None
    hiding = [rule for rule in rules if rule.alone and (_TINY if has_script else _HIDES).search(rule.body)]
    if not hiding:
        return
    shown, sized = _names(rules, _SHOWN), _names(rules, _SIZED)
    for selector, name, body in islice(_found(hiding, sheets, tree), _MAX_SELECTORS):
        is_gone = _GONE.search(body) is not None and not has_script
        is_tiny = _TINY.search(body) is not None
        for node in tree.css(selector):
            others = _names_of(node) - {name}
            if (is_gone and not others & shown and not _SHOWN.search(node.attributes.get("style") or "")) or (
                is_tiny and not others & sized and _is_text(node)
            ):
                node.attrs["hidden"] = ""


def _found(
    hiding: Iterable[_Rule], sheets: Iterable[_Sheet], tree: LexborHTMLParser
) -> Iterator[tuple[str, str, str]]:
    """Selector, its class or id, and declarations, where the page has that and the sheets name it once."""
    mentions = Counter(name for sheet in sheets for name in _NAME.findall(sheet.text))
    present = set[str]().union(*map(_names_of, tree.css("[class], [id]")))
    for rule in hiding:
        for selector in rule.selectors.split(","):
            plain = _PLAIN.fullmatch(selector.strip())
            if plain and mentions[plain.group(1)] == 1 and plain.group(1) in present:
                yield plain.group(), plain.group(1), rule.body


def _names_of(node: LexborNode) -> set[str]:
    """The classes and the id of an element, as selectors write them."""
    attributes = node.attributes
    names = {f".{name}" for name in (attributes.get("class") or "").split()}
    return names | {f"#{attributes['id']}"} if attributes.get("id") else names


def _names(rules: Iterable[_Rule], declared: re.Pattern[str]) -> set[str]:
    """The classes and ids in the selectors of rules that declare this, such as `.md:block` of `.md\\:block`."""
    told = (rule.selectors for rule in rules if declared.search(rule.body))
    return {name.replace("\\", "") for selectors in told for name in _NAME.findall(selectors)}


def _sheets(tree: LexborHTMLParser, base: str, linked: Mapping[str, str]) -> Iterator[_Sheet]:
    """Those for screens in the order of the document, each linked one once, until there is too much of them."""
    left, seen = _MAX_CHARACTERS, set[str]()
    for node in tree.css("style, link[href]"):
        if not (media := _media(node)):
            continue
        if node.tag == "style":
            text = with_imported(node.text(), lambda address: _text_at(_resolved(base, address), linked))
        else:
            address = _linked(node, base)
            text = "" if address in seen else _text_at(address, linked)
            seen.add(address)
        yield _Sheet(_COMMENT.sub(" ", text[:left]), media == "always")
        left -= len(text[:left])


def _linked(node: LexborNode, base: str) -> str:
    """The address of the sheet that a `<link>` names, "" where it names none."""
    kinds = (node.attributes.get("rel") or "").lower().split()
    href = (node.attributes.get("href") or "").strip()
    if "stylesheet" not in kinds or "alternate" in kinds or not href:
        return ""
    return _resolved(base, href)


def _resolved(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


def _media(node: LexborNode) -> str:
    """Whether a sheet holds on screens: "always", "sometimes", or "" for never."""
    media = [part.strip() for part in (node.attributes.get("media") or "").lower().split(",")]
    if not _SCREENS.isdisjoint(media):
        return "always"
    return "" if all(part.startswith(_NO_SCREENS) for part in media) else "sometimes"


def _is_text(node: LexborNode) -> bool:
    """Without elements, which may have a size of their own."""
    return all(child.tag == "-text" for child in node.iter(include_text=True))


def _rules(sheet: _Sheet) -> Iterator[_Rule]:
    """All rules, also those within `@media` and the like."""
    text = sheet.text
    around: list[str] = []
    start = body = 0
    for mark in re.finditer(r"[{};]", text):
        if mark.group() == "{":
            around.append(text[start : mark.start()].strip())
        elif mark.group() == "}" and around:
            selectors = around.pop()
            if not selectors.startswith("@"):
                yield _Rule(selectors, text[body : mark.start()], sheet.always and not around)
        start = mark.end()
        if mark.group() != ";":
            body = mark.end()
