"""How ripe a lead is: a score from 0 to 100, and why, in the visitor's own words.

The score is arithmetic on signs that stand word for word in what the visitor wrote, and on the contact details they
left. A model may find the signs, with a quotation for each; it never names a number. So a visitor who tells it to
score them highly moves nothing, and every point can be read in the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from chat.models import Lead

Kind = Literal[
    "wants_to_buy",
    "asks_price",
    "names_time",
    "names_size",
    "wants_contact",
    "not_interested",
    "needs_support",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
POINTS: dict[Kind, int] = {
    "wants_to_buy": 30,
    "asks_price": 15,
    "names_time": 10,
    "names_size": 10,
    "wants_contact": 15,
    "not_interested": -30,
    "needs_support": -15,
}
CONTACT_POINTS = {"email": 8, "phone": 8, "company": 4}
QUOTE_CHARS = 120
_IN_WORDS: dict[Kind, str] = {
    "wants_to_buy": "Wants to buy",
    "asks_price": "Asks for the price",
    "names_time": "Names a time",
    "names_size": "Names a size",
    "wants_contact": "Wants to be called or shown",
    "not_interested": "Not interested",
    "needs_support": "Needs help with something bought",
}
_WORDS: dict[Kind, str] = {
    "wants_to_buy": (
        r"\b(?:(?:want|like|ready|going|need|plan|looking)\s+to\s+(?:buy|order|purchase|subscribe|sign\s+up|upgrade"
        r"|get\s+started|switch)|we\W*(?:ll|\s+will)\s+take|(?:kaufen|bestellen|abonnieren)\b|acheter|commander"
        r"|comprar|contratar)"
    ),
    "asks_price": (
        r"\b(?:pric(?:e|es|ing)|how\s+much|costs?|quote|quotation|discount|preise?|kosten|kostet|angebot|prix"
        r"|tarifs?|devis|combien|precios?|cu[aá]nto\s+cuesta|presupuesto)\b"
    ),
    "names_time": (
        r"\b(?:asap|urgent(?:ly)?|today|tomorrow|(?:this|next)\s+(?:week|month|quarter)|by\s+(?:monday|tuesday"
        r"|wednesday|thursday|friday|january|february|march|april|may|june|july|august|september|october|november"
        r"|december)|heute|morgen|n[äa]chste[nr]?\s+(?:woche|monat)|demain|semaine\s+prochaine|mañana)\b"
    ),
    "names_size": (
        r"\b\d[\d.,]*\s*(?:seats?|users?|people|persons?|employees|licen[cs]es?|units|pieces|stores?|agents?"
        r"|locations|mitarbeiter\w*|nutzer\w*|lizenzen|st[üu]ck|utilisateurs|employés|licences|usuarios|empleados)\b"
    ),
    "wants_contact": (
        r"\b(?:call\s+me|ring\s+me|contact\s+me|get\s+in\s+touch|talk\s+to\s+(?:sales|somebody|someone)"
        r"|(?:a|see\s+a|book\s+a)\s+(?:demo|meeting|call)|r[üu]ckruf|rufen\s+sie|termin|rappele[rz]|llamar?me)\b"
    ),
    "not_interested": (
        r"\b(?:not\s+interested|just\s+(?:looking|browsing|curious)|no\s+thanks|kein\s+interesse|pas\s+int[ée]ress"
        r"|no\s+me\s+interesa)"
    ),
    "needs_support": (
        r"\b(?:refund|broken|does(?:n.t|\s+not)\s+work|cancel\s+my|my\s+(?:order|invoice|account|parcel)|complain\w*"
        r"|r[üu]ckerstattung|kaputt|reklamation|remboursement|reembolso)\b"
    ),
}
_BY_WORDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDS.items()]


@dataclass(frozen=True)
class Sign:
    """One thing that a visitor said that speaks for or against."""

    kind: Kind
    quote: str


@dataclass(frozen=True)
class Ripeness:
    """What a lead is worth, and why."""

    score: int
    reason: str


def signs_by_words(said: Iterable[str]) -> list[Sign]:
    """What the rules find in a visitor's messages: the first sentence for each kind."""
    sentences = [
        part.strip() for text in said for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()
    ]
    found = ((kind, next(filter(pattern.search, sentences), None)) for kind, pattern in _BY_WORDS)
    return [Sign(kind, quote) for kind, quote in found if quote]


def proven(signs: Iterable[Sign], said: Iterable[str]) -> Iterator[Sign]:
    """Those whose quotation stands in one of the visitor's messages; one for each kind, each quotation once."""
    messages, known = [_plain(text) for text in said], set[str]()
    for sign in signs:
        quote = _plain(sign.quote)
        is_there = len(quote.split()) >= 2 and any(quote in message for message in messages)
        if is_there and not {sign.kind, quote} & known:
            known |= {sign.kind, quote}
            yield sign


def ripeness_of(lead: Lead, signs: Iterable[Sign]) -> Ripeness:
    """The score of these contact details and signs."""
    left = [name for name in CONTACT_POINTS if getattr(lead, name)]
    found = list(signs)
    score = sum(CONTACT_POINTS[name] for name in left) + sum(POINTS[sign.kind] for sign in found)
    said = [f"{_IN_WORDS[sign.kind]}: {in_quotes(_cut(sign.quote))}" for sign in found]
    contact = {"email": "e-mail", "phone": "telephone", "company": "company"}
    gave = [f"Left {' and '.join(contact[name] for name in left)}."] if left else []
    return Ripeness(max(0, min(100, score)), " ".join([*said, *gave])[:600])


def in_quotes(text: str) -> str:
    """A quotation that ends its sentence, with one mark at its end."""
    bare = text.rstrip(".")
    return f"“{bare}”" if bare.endswith(("?", "!", "…")) else f"“{bare}”."


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _cut(quote: str) -> str:
    flat = " ".join(quote.split())
    return flat if len(flat) <= QUOTE_CHARS else f"{flat[: QUOTE_CHARS - 1].rstrip()}…"
