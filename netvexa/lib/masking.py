"""Personal data out of a text: card numbers always, e-mail addresses and telephone numbers where asked for."""

from __future__ import annotations

import logging
import re

CARD, EMAIL, PHONE = "[card number]", "[e-mail address]", "[telephone number]"
# In one piece or in groups; by points only as cards are grouped, for a decimal number has one of them.
_DIGITS = re.compile(r"(?<![\d.])(?<!\d,)(?:\d(?:[ \-–\u00a0]?\d){12,18}|\d{4}(?:\.\d{3,6}){2,4})(?!\.?\d)")
# Figures in whatever else people put between them. In such a run only what is grouped and numbered as cards are is one.
_RUN = re.compile(r"\d{4,}(?:[\s\-–—_/.,·*\u200b-\u200d\u2060\ufeff]{1,3}\d+)*")
_FIGURES = re.compile(r"\d+")
_GROUPED = re.compile(r"1[3-9]|4 4 4 4(?: [1-3])?|4 6 [45]|4 4 4 [123]")  # digits in each group
_AFTER_POINT, _POINT = re.compile(r"\d[.,]$"), re.compile(r"\.\d")
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|220[0-4]\d{12}"  # Visa, Mastercard, Mir
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d|2\d\d)\d{12}|(?:5[06-8]|6[37])\d{11,17}",
    re.ASCII,
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
# International with a plus or two zeros, or grouped digits as people write them; a date or a price is neither.
_PHONE = re.compile(
    r"(?<![\w.,/])(?:\+|00)\d(?:[ \-./()\u00a0]{0,2}\d){6,13}(?!\d)"
    r"|(?<![\w.,/+:\-])(?!\d{2}[-/]\d{2}[-/]\d{2})\(?0\d{1,5}\)?(?:[ \-/\u00a0]\d{2,}){1,4}(?![\d.:])"
    r"|(?<![\w.,/+])\(?\d{3}\)?[ \-.]\d{3}[ \-.]\d{4}(?!\d)"
)
_IDENTIFIER = re.compile(r"\d(?:[ -]?\d){4,}|\b(?=\w*\d)(?=\w*[a-z])\w{8,}\b", re.IGNORECASE)
_ABOUT_ONESELF = re.compile(
    r"\b(?:my name is|i am called|my (?:order|booking|invoice|ticket|customer|account) (?:number|no|id|is)\b"
    r"|ich hei(?:ß|ss)e|mein name|je m'appelle|me llamo|mi nombre)",
    re.IGNORECASE,
)


def is_card(digits: str) -> bool:
    """Whether these digits pass Luhn's check, as every payment card's do, and are not one digit repeated."""
    numbers = [int(digit) for digit in digits]
    doubled = [sum(divmod(number * 2, 10)) for number in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(numbers)) > 1


def mask_cards(text: str) -> str:
    """The text without payment card numbers (13 to 19 digits that pass Luhn's check)."""
    return _RUN.sub(_masked_run, _DIGITS.sub(_masked_card, text))


def _masked_card(found: re.Match[str]) -> str:
    return CARD if is_card(re.sub(r"\D", "", found[0])) else found[0]


def _masked_run(found: re.Match[str]) -> str:
    """The cards among other figures: a date of expiry behind the number, a count before it, other separators."""
    text, at, end = found.string, *found.span()
    groups, shown, place = list(_FIGURES.finditer(text, at, end)), "", 0
    while place < len(groups):
        taken = next((n for n in (5, 4, 3, 1) if _is_card_of(text, groups[place : place + n], n)), 0)
        if taken:
            shown += text[at : groups[place].start()] + CARD
            at = groups[place + taken - 1].end()
        place += taken or 1
    return shown + text[at:end]


def _is_card_of(text: str, groups: list[re.Match[str]], number: int) -> bool:
    """Whether these groups of figures, so many of them, are a card number, and not a part of a decimal number."""
    if len(groups) != number or not _GROUPED.fullmatch(" ".join(str(len(group[0])) for group in groups)):
        return False
    start, end = groups[0].start(), groups[-1].end()
    if number == 1 and (_AFTER_POINT.search(text, max(0, start - 2), start) or _POINT.match(text, end)):
        return False
    digits = "".join(str(int(digit)) for group in groups for digit in group[0])
    return _BRANDS.fullmatch(digits) is not None and is_card(digits)


def mask_contacts(text: str) -> str:
    """The text without e-mail addresses and telephone numbers."""
    return _PHONE.sub(PHONE, _EMAIL.sub(EMAIL, text))


def is_personal(text: str) -> bool:
    """Whether a question carries something of its asker's own: a name, an address, a number."""
    return bool(
        mask_contacts(mask_cards(text)) != text or _IDENTIFIER.search(text) or _ABOUT_ONESELF.search(text)
    )


class MaskingLogFilter(logging.Filter):
    """Keeps card numbers, e-mail addresses and telephone numbers out of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        masked = mask_contacts(mask_cards(text))
        if masked != text:
            record.msg, record.args = masked, None
        if record.exc_info and not record.exc_text:  # what the formatter takes instead of making its own
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text = mask_contacts(mask_cards(trace))
        return True
