"""Bytes to text: the byte-order mark, then what the page declares, then UTF-8, then a guess."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Labels as browsers read them (WHATWG Encoding): pages that declare the one are written in the other.
_MEANT = {
    **dict.fromkeys(
        ("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "us-ascii", "ascii"), "cp1252"
    ),
    **dict.fromkeys(("iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    **dict.fromkeys(("iso-8859-11", "tis-620"), "cp874"),
}
_FEW = 0.15  # of the bytes are no ASCII in western text; scripts of their own have half or more
_META_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)""", re.IGNORECASE)


def decode(data: bytes, *, declared: str = "") -> str:
    """Never fails: what cannot be decoded becomes U+FFFD. `declared` is the charset of an HTTP header."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    for encoding in ("utf-8", declared):
        text = _try(data, encoding)
        if text is not None:
            return text
    if sum(byte > 127 for byte in data[:65536]) < _FEW * len(data[:65536]):
        return data.decode("cp1252", errors="replace")
    guess = from_bytes(data[:262_144]).best()
    return data.decode(guess.encoding if guess else "cp1252", errors="replace")


def decode_html(data: bytes, *, declared: str = "") -> str:
    """As `decode`, and a `<meta charset>` in the first 4 KB counts as declared."""
    meta = _META_CHARSET.search(data[:4096])
    return decode(data, declared=declared or (meta.group(1).decode("ascii") if meta else ""))


def _try(data: bytes, encoding: str) -> str | None:
    if not encoding:
        return None
    try:
        return data.decode(_MEANT.get(encoding.lower(), encoding))
    except (UnicodeDecodeError, LookupError):
        return None
