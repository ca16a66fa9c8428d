"""Personal data out of a text: card numbers always, e-mail addresses and telephone numbers where asked for."""

from __future__ import annotations

import logging
import re

CARD, EMAIL, PHONE = "[card number]", "[e-mail address]", "[telephone number]"
# In one piece or in groups; by points only as cards are grouped, for a decimal number has one of them.
_DIGITS = re.compile(r"(?<![\d.])(?<!\d,)(?:\d(?:[ \-–\u00a0]?\d){12,18}|\d{4}(?:\.\d{3,6}){2,4})(?!\.?\d)")
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
    return _DIGITS.sub(_masked_card, text)


def _masked_card(found: re.Match[str]) -> str:
    return CARD if is_card(re.sub(r"\D", "", found[0])) else found[0]


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
