"""HTML: the main content with its headings and anchors; no scripts, navigation or hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.decoding import decode_html
from knowledge.parsing.errors import NeedsJavaScript
from knowledge.parsing.limits import MAX_HIDDEN, Limits
from knowledge.parsing.selecting import Selectors, cut
from knowledge.parsing.styles import mark_hidden, sheets_of
from knowledge.parsing.tables import table_rows

_DROPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "canvas",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "map",
        "head",
        "nav",
        "footer",
        "aside",
        "button",
        "select",
        "option",
        "input",
        "textarea",
        "label",
        "dialog",
        "menu",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "ul",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_MAIN = ("main", "[role=main]", "article", "#content", "#main-content", "#main", ".markdown-body", ".content")
_MAIN_SHARE = 0.4  # of the body's text; less, and the supposed main part is a teaser
_XML_EMPTY = re.compile(r"<(a|b|div|em|i|p|script|span|strong|td|th|title)\b([^<>]*?)\s*/>", re.IGNORECASE)
_PERMALINK = frozenset("¶#§🔗")
_NOTES = frozenset({"footnote", "endnote", "rearnote", "doc-footnote", "doc-endnote"})
_NOTE_MARKS = frozenset({"noteref", "doc-noteref", "backlink", "doc-backlink"})
_BEFORE_PUNCTUATION = re.compile(r" (?=[,.;:!?)](?!\w))")  # not before ".doc" or ":8000"
_CALLOUT = re.compile(
    r"(?:^|[\s_-])(?:admonition|alert|callout|caution|danger|hint|important|info|note|notice|starlight-aside|tip|warning)"
    r"(?:[\s_-]|$)",
    re.IGNORECASE,
)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MAX_SPAN = 100
_MAX_DEPTH = 300
_NAVIGATION_LINKS = (
    3  # a short block made of this many links and little else leads elsewhere and says nothing
)
_NAVIGATION_SHARE = 0.5
_SCRIPT_ROOTS = "#root, #app, #__next, #__nuxt, #gatsby-focus-wrapper, #svelte, app-root, [data-reactroot]"
_FEW_CHARACTERS = 200  # of text in a page that a script is to fill
_MAX_LINKS = 5000
_LINK_LIST = 4  # blocks in a row that are each one link
_NO_SHEETS: Mapping[str, str] = MappingProxyType({})


def parse(
    data: bytes,
    *,
    limits: Limits,
    charset: str = "",
    selectors: Selectors | None = None,
    sheets: Mapping[str, str] = _NO_SHEETS,
) -> ParsedDocument:
    """Raises NeedsJavaScript for a page that is an empty frame for a script.

    `sheets` are the style sheets that the page links, by the addresses that an earlier reading gave.
    """
    source = decode_html(data, declared=charset)
    return parse_text(source, limits=limits, selectors=selectors, sheets=sheets)


def parse_text(
    source: str,
    *,
    limits: Limits,
    selectors: Selectors | None = None,
    sheets: Mapping[str, str] = _NO_SHEETS,
) -> ParsedDocument:
    tree = LexborHTMLParser(
        _XML_EMPTY.sub(r"<\1\2></\1>", source) if source.lstrip().startswith("<?xml") else source
    )
    base = _base(tree)
    mark_hidden(tree, base=base, linked=sheets)
    reader = _Reader()
    links, canonical = _links(tree, base), _canonical(tree)
    needs_script = _needs_script(tree)
    root = (cut(tree, selectors) if selectors else None) or _main_content(tree)
    if root is not None:
        reader.read(root, depth=0)
        reader.flush()
    blocks = tuple(cleaned(_without_link_lists(reader)))
    if needs_script and sum(len(block.text) for block in blocks) < _FEW_CHARACTERS:
        raise NeedsJavaScript
    notes = ("Text that the page hides was left out.",) if reader.hidden else ()
    html = tree.css_first("html")
    language = (html.attributes.get("lang") or "" if html else "").split("-")[0].lower()
    return ParsedDocument(
        title=_title(tree, blocks),
        language=language if len(language) == 2 else "",
        blocks=blocks,
        media_type="text/html",
        notes=notes,
        hidden="\n".join(reader.hidden)[:MAX_HIDDEN],
        links=links,
        canonical=canonical,
        sheets=sheets_of(tree, base=base),
        targets=tuple(_resolved(base, reader.targets)),
    )


def _base(tree: LexborHTMLParser) -> str:
    """What the page says its addresses are to be resolved against; itself resolved against the page's own."""
    base = tree.css_first("base[href]")
    return (base.attributes.get("href") or "") if base is not None else ""


def _links(tree: LexborHTMLParser, base: str) -> tuple[str, ...]:
    """Where the page leads, as written; a `<base>` stands first in what is resolved against it."""
    hrefs = (
        href
        for node in tree.css("a[href], area[href]")
        if (href := (node.attributes.get("href") or "").strip())
        and "nofollow" not in (node.attributes.get("rel") or "")
    )
    return tuple(dict.fromkeys(_resolved(base, hrefs)))[:_MAX_LINKS]


def _resolved(base: str, hrefs: Iterable[str]) -> Iterator[str]:
    for href in hrefs:
        try:
            yield urljoin(base, href) if base else href
        except ValueError:
            continue  # such as http://[


def _canonical(tree: LexborHTMLParser) -> str:
    node = tree.css_first("link[rel=canonical]")
    return (node.attributes.get("href") or "").strip() if node is not None else ""


def _needs_script(tree: LexborHTMLParser) -> bool:
    """An empty frame for a script: one of the usual roots, or a plea to switch scripts on."""
    if tree.css_first("script") is None:
        return False
    plea = " ".join(node.text() for node in tree.css("noscript"))
    return tree.css_first(_SCRIPT_ROOTS) is not None or "javascript" in plea.lower()


def _without_link_lists(reader: _Reader) -> Iterator[Block]:
    """Leave out runs of blocks that are nothing but a link: menus, tables of contents, related articles.

    A page that is nothing else keeps them.
    """
    lists: set[int] = set()
    for index in range(len(reader.blocks) - _LINK_LIST + 1):
        run = range(index, index + _LINK_LIST)
        if reader.only_links.issuperset(run):
            lists.update(run)
    kept = [block for index, block in enumerate(reader.blocks) if index not in lists]
    yield from kept if any(block.kind is not BlockKind.HEADING for block in kept) else reader.blocks


def _title(tree: LexborHTMLParser, blocks: tuple[Block, ...]) -> str:
    tops = [block.text for block in blocks if block.kind is BlockKind.HEADING and block.level == 1]
    if len(tops) == 1:
        return tops[0]
    title = tree.css_first("head title")
    return one_line(title.text()) if title else (tops[0] if tops else "")


def _main_content(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the page's own text, or the whole body where none stands out."""
    body = tree.body
    if body is None:
        return tree.root
    whole = len(_own_text(body))
    for selector in _MAIN:
        found = tree.css(selector)
        if len(found) == 1 and not _is_hidden(found[0]) and len(_own_text(found[0])) >= _MAIN_SHARE * whole:
            return found[0]
    return body


def _own_text(node: LexborNode) -> str:
    """Text outside of dropped elements, roughly: enough to compare sizes."""
    return "".join(
        child.text(deep=True) for child in node.iter(include_text=True) if (child.tag or "") not in _DROPPED
    )


def _roles(node: LexborNode) -> set[str]:
    """What books and the DPUB roles of ARIA call an element."""
    attributes = node.attributes
    return set(f"{attributes.get('epub:type') or ''} {attributes.get('role') or ''}".split())


def _is_note(node: LexborNode) -> bool:
    """Also a box beside the text that warns or advises."""
    is_callout = node.tag == "aside" and _CALLOUT.search(node.attributes.get("class") or "")
    return bool(_NOTES & _roles(node) or is_callout)


def _unfolds(node: LexborNode) -> bool:
    """Whether it is a button with a question or title whose text unfolds below; a menu's has a word or two."""
    return node.tag == "button" and "aria-expanded" in node.attributes and len(node.text().split()) >= 3


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return (
        attributes.get("hidden", "until-found")
        != "until-found"  # which browsers show to whoever looks for it
        or attributes.get("aria-hidden") == "true"
        or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))
    )


@dataclass
class _Reader:
    """Walks the tree and collects blocks. `inline` is the text of the block that is being read, `leads` where its
    links lead; `targets` is where those of the blocks so far do.
    """

    blocks: list[Block] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    kind: BlockKind = BlockKind.PARAGRAPH
    anchor: str = ""
    fresh_anchor: str = ""
    term: str = ""
    links: int = 0
    linked: int = 0
    only_links: set[int] = field(default_factory=set)
    hidden: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def read(self, node: LexborNode, *, depth: int) -> None:
        for child in node.iter(include_text=True):
            self._read_one(child, depth=depth + 1)

    def _read_one(self, node: LexborNode, *, depth: int) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self.inline.append(node.text(deep=False))
        elif (tag in _DROPPED and not _is_note(node) and not _unfolds(node)) or tag.startswith(("-", "!")):
            return
        elif _is_hidden(node):
            self._note_hidden(node)
        elif depth > _MAX_DEPTH:
            self.inline.append(node.text())
        else:
            self._read_element(node, tag, depth=depth)

    def _read_element(self, node: LexborNode, tag: str, *, depth: int) -> None:
        self._note_anchor(node)
        if tag in _HEADINGS:
            self._heading(node, _HEADINGS[tag])
        elif tag == "pre":
            self._whole(BlockKind.CODE, node.text())
            self._note_targets(node)
        elif tag == "table" and _is_data_table(node):
            self._table(node)
        elif tag in {"br", "td", "th"}:
            self.inline.append(" ")
            self.read(node, depth=depth)
        elif tag == "a":
            self._link(node, depth=depth)
        elif tag == "sup":
            self._raised(node, depth=depth)
        elif tag in _BLOCKS or tag == "button":
            self._block(node, tag, depth=depth)
        else:
            self.read(node, depth=depth)

    def _raised(self, node: LexborNode, *, depth: int) -> None:
        """Figures behind a figure stay raised: 10³ is not 103, nor is a price with a note's mark a higher one."""
        text = node.text().strip()
        if text.isdecimal() and "".join(self.inline[-2:])[-1:].isdecimal():
            self.inline.append(text.translate(_RAISED))
        else:
            self.read(node, depth=depth)

    def _note_hidden(self, node: LexborNode) -> None:
        if text := one_line(node.text()):
            self.hidden.append(text)

    def _note_anchor(self, node: LexborNode) -> None:
        attributes = node.attributes
        name = attributes.get("id") or (attributes.get("name") if node.tag == "a" else None)
        if name:
            self.fresh_anchor = name

    def _note_targets(self, node: LexborNode) -> None:
        """Of what is read as a whole."""
        self.targets += [link.attributes.get("href") or "" for link in node.css("a[href]")]

    def _heading(self, node: LexborNode, level: int) -> None:
        self.flush()
        self._note_targets(node)
        inner = node.css_first("a[id], a[name], span[id]")
        own = node.attributes.get("id") or (
            (inner.attributes.get("id") or inner.attributes.get("name")) if inner is not None else None
        )
        self.anchor = own or self.fresh_anchor or self.anchor
        text = one_line(node.text()).rstrip("¶§# ")
        if text:
            self.blocks.append(Block(BlockKind.HEADING, text, level=level, anchor=self.anchor))

    def _whole(self, kind: BlockKind, text: str) -> None:
        self.flush()
        if text.strip():
            self.blocks.append(Block(kind, self._with_term(text), anchor=self.anchor))

    def _table(self, node: LexborNode) -> None:
        self.flush()
        self._note_targets(node)
        if caption := node.css_first("caption"):
            self._whole(BlockKind.PARAGRAPH, one_line(caption.text()))
        rows, heads = _grid(node)
        if heads > 1:
            names = [
                " ".join(dict.fromkeys(filter(None, column))) for column in zip(*rows[:heads], strict=True)
            ]
            rows[:heads] = [names]
        for text in table_rows(rows, has_header=heads > 0):
            self.blocks.append(Block(BlockKind.TABLE_ROW, text, anchor=self.anchor))

    def _link(self, node: LexborNode, *, depth: int) -> None:
        if node.text().strip() in _PERMALINK or _NOTE_MARKS & _roles(node):
            return
        self.leads.append(node.attributes.get("href") or "")
        before = sum(map(len, self.inline))
        self.read(node, depth=depth)
        self.links += 1
        self.linked += max(0, sum(map(len, self.inline)) - before)

    def _block(self, node: LexborNode, tag: str, *, depth: int) -> None:
        self.flush()
        outer, self.kind = self.kind, BlockKind.LIST_ITEM if tag == "li" else self.kind
        self.read(node, depth=depth)
        if tag == "dt":
            self._keep_term()
        self.flush()
        self.kind = outer

    def _keep_term(self) -> None:
        """A `dt` joins the `dd` that explains it: neither says much alone."""
        text = one_line("".join(self.inline))
        self.inline.clear()
        self.term = f"{self.term}, {text}" if self.term and text else self.term or text

    def _with_term(self, text: str) -> str:
        term, self.term = self.term, ""
        return f"{term}: {text}" if term else text

    def flush(self) -> None:
        text = one_line("".join(self.inline))
        navigation = self.links >= _NAVIGATION_LINKS and self.linked >= _NAVIGATION_SHARE * len(text)
        if self.links and self.linked >= len(text) - 2:
            self.only_links.add(len(self.blocks))
        self.targets += () if navigation else self.leads
        self.inline.clear()
        self.leads.clear()
        self.links = self.linked = 0
        if text and not navigation:
            self.blocks.append(
                Block(self.kind, self._with_term(text), anchor=self.anchor or self.fresh_anchor)
            )


def _is_data_table(node: LexborNode) -> bool:
    """Tables that only lay out a page hold other blocks, or one column."""
    if node.css_first("table table, h1, h2, h3, pre, p + p"):
        return False
    return any(len(list(_cells(row))) > 1 for row in node.css("tr"))


def _grid(table: LexborNode) -> tuple[list[list[str]], int]:
    """The cells of each row, as many in all, and how many rows name the columns. A cell over several rows stands in
    each of them, one over several columns in the first, or if it is a name in all.
    """
    rows: list[list[str]] = []
    heads, is_head = 0, True
    going_on: dict[int, tuple[int, str]] = {}  # by column: for how many rows more, and the text
    for row in table.css("tr"):
        is_head = is_head and _names_columns(row)
        heads += is_head
        texts: list[str] = []
        for cell in row.css("th, td"):
            _go_on(texts, going_on)
            text, high = _text_of(cell), _span(cell, "rowspan")
            for offset in range(_span(cell, "colspan")):
                shown = text if is_head or not offset else ""
                if high > 1:
                    going_on[len(texts)] = high - 1, shown
                texts.append(shown)
        _go_on(texts, going_on)
        rows.append(texts)
    width = max(map(len, rows), default=0)
    rows = [[*texts, *[""] * (width - len(texts))] for texts in rows]
    return rows, heads if heads < len(rows) else 0


def _go_on(texts: list[str], going_on: dict[int, tuple[int, str]]) -> None:
    """Add the cells that began in a row above and stand here."""
    while found := going_on.pop(len(texts), None):
        left, text = found
        if left > 1:
            going_on[len(texts)] = left - 1, text
        texts.append(text)


def _names_columns(row: LexborNode) -> bool:
    """Whether it stands in the table's head, or all its cells that say something are `th`."""
    if row.parent is not None and row.parent.tag == "thead":
        return True
    return bool(row.css("th")) and not any(map(_text_of, row.css("td")))


def _span(cell: LexborNode, name: str) -> int:
    told = cell.attributes.get(name) or ""
    return max(1, min(int(told), _MAX_SPAN)) if told.isdecimal() and len(told) < 6 else 1


def _text_of(cell: LexborNode) -> str:
    return _BEFORE_PUNCTUATION.sub("", one_line(cell.text(separator=" ")))


def _cells(row: LexborNode) -> Iterator[str]:
    for cell in row.css("th, td"):
        yield _text_of(cell)
