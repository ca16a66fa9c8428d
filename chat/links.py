"""Links in what a model writes: only to hosts the business knows, and never an image.

Text that a model writes may carry what somebody put into a document or a message for it to repeat: a link to
elsewhere, or a remote image whose address carries data away as soon as it is shown. Such a link is reduced to
its words, such an address to nothing. Works on a stream: what may still become a link is held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LONGEST = 2_000  # characters of one link that are waited for
_INLINE = re.compile(
    r"(!?)\[((?:[^\[\]\\]|\\.)*)\]\(\s*<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+[^)]*)?\)"
)
# As far as a browser may read an address; `//host` and `/\host` are addresses, too. Not inside of a word: "_" is none.
_BARE = re.compile(
    r"""<?(?<![^\W_])((?:https?|ftp|file|data|javascript|vbscript):[^\s<>\[\]"'`]+|www\.[^\s<>\[\]"'`]+"""
    r"""|(?<![:/\\])/[/\\][\w-]+\.[^\s<>\[\]"'`]+)>?""",
    re.IGNORECASE,
)
_QUOTED = r"""[^<>"']|"[^"]{0,1500}"|'[^']{0,1500}'"""
_TAG = re.compile(rf"</?[a-zA-Z](?:(?:{_QUOTED}){{0,1500}}|[^<>]{{0,1500}})>")
# A tag that is spoken of, such as "just before </body>": it has no attributes, and nothing acts on it.
_SPOKEN_OF = re.compile(
    r"</?(?:html|head|title|body|header|footer|main|nav|section|article|aside|div|p|span|br|hr|ul|ol|li|dl|dt|dd"
    r"|h[1-6]|b|i|em|strong|code|pre|kbd|blockquote|table|thead|tbody|tr|th|td|label|button)\s*/?>",
    re.IGNORECASE,
)
# What a reader is to put something in place of, such as "/chat/<agent_id>/": no browser knows such an element.
_PLACEHOLDER = re.compile(
    r"<(?:[a-z]+(?:[_-][a-z0-9]+)+|date|domain|email|file|host|id|key|name|number|password|path|token|url|user"
    r"|username|value|version)>",
    re.IGNORECASE,
)
_WORD = re.compile(r"[!-~]+$")  # may go on to become an address
_OPENING = re.compile(r"!?\[|<(?=[a-zA-Z/]|$)")
_TRAILING = ".,;:!?*_~"
_HOST = re.compile(r"[\w.-]+")
_MISREAD = re.compile(
    r"[\\\x00-\x20\x7f]"
)  # browsers take a backslash for a slash, and leave out control characters


@dataclass
class Links:
    """`hosts` may be linked to, with their subdomains. `removed` says what was not."""

    hosts: Iterable[str]
    removed: list[str] = field(default_factory=list)
    _held: str = ""

    def feed(self, text: str) -> str:
        """The text that can be shown now."""
        text = self._held + text
        cut = _safe_until(text)
        self._held = text[cut:]
        return self._clean(text[:cut])

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return self._clean(held)

    def _clean(self, text: str) -> str:
        if not any(sign in text.lower() for sign in ("](", ":", "//", "/\\", "www.", "<")):
            return text
        kept: list[str] = []
        text = text.replace("\0", "")
        for _ in range(3):  # an image may stand in a link
            text = _INLINE.sub(lambda found: self._inline(found, kept), text)
        return _restored(self._unlinked(text), kept)

    def _unlinked(self, text: str) -> str:
        """The text without tags, and without bare addresses that are not allowed."""
        return _BARE.sub(self._bare, _TAG.sub(self._tag, text))

    def _inline(self, found: re.Match[str], kept: list[str]) -> str:
        image, words, address = found[1], found[2], found[3]
        if image or not self._is_allowed(address):
            self.removed.append(address)
            return words
        kept.append(f"[{_restored(self._unlinked(words), kept)}]({address})")
        return f"\0{len(kept) - 1}\0"

    def _tag(self, found: re.Match[str]) -> str:
        if any(harmless.fullmatch(found[0]) for harmless in (_BARE, _SPOKEN_OF, _PLACEHOLDER)):
            return found[0]  # <https://example.com> is a link, and looked at as one
        self.removed.append(found[0])
        return ""

    def _bare(self, found: re.Match[str]) -> str:
        address = _trimmed(found[1])
        if self._is_allowed(address):
            return found[0]
        self.removed.append(address)
        return found[1][len(address) :]

    def _is_allowed(self, address: str) -> bool:
        if address.lower().startswith("www."):
            address = f"https://{address}"
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or parts.username or _MISREAD.search(address):
            return False  # also one relative to the customer's page, which the model does not know
        host = parts.hostname or ""
        named = any(host == known or host.endswith("." + known) for known in self.hosts)
        return named and _HOST.fullmatch(host) is not None


def _restored(text: str, kept: list[str]) -> str:
    """The text with the links that were set aside."""
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)


def _trimmed(address: str) -> str:
    """An address without the punctuation of the sentence around it."""
    trimmed = address.rstrip(_TRAILING)
    while trimmed.endswith(")") and trimmed.count("(") < trimmed.count(")"):
        trimmed = trimmed[:-1].rstrip(_TRAILING)
    return trimmed


def _safe_until(text: str) -> int:
    """How much of the text holds no link or tag that is still under way."""
    place = 0
    while (opening := _OPENING.search(text, place)) is not None:
        end = _end_of(text, opening)
        if end is None and len(text) - opening.start() <= LONGEST:
            return opening.start()
        place = end or opening.end()
    word = _WORD.search(text, place)
    return word.start() if word and len(word[0]) <= LONGEST else len(text)


def _end_of(text: str, opening: re.Match[str]) -> int | None:
    """Where what opens here ends; None where that is not known yet."""
    if opening[0] == "<":
        return text.find(">", opening.end()) + 1 or None
    closed = text.find("]", opening.end()) + 1
    if not closed or closed == len(text):
        return None
    if text[closed] != "(":
        return closed
    depth = 0
    for place in range(
        closed, min(len(text), closed + LONGEST)
    ):  # else many that never close cost their square
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return None
