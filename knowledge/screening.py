"""The firewall in front of the index: instructions to a model, and hidden text that holds them.

What is found is quarantined, never rejected: a person reads the excerpt and decides. The rules are words, so
that the same document has the same outcome every time and the reason can be shown.
"""

from __future__ import annotations

import re
from typing import TypedDict

from knowledge.blocks import ParsedDocument

EXCERPT = 160  # characters around a find
MAX_FINDINGS = 10


class ScreeningFinding(TypedDict):
    """`rule` names what was found, `hidden` whether readers of the original do not see it."""

    rule: str
    excerpt: str
    hidden: bool


_INSTRUCTIONS = {
    "Asks the model to ignore its instructions": (
        r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|your|all|any"
        r"|the|system)\b[^.!?\n]{0,30}\b(?:instructions?|prompts?|rules|guidelines|directives)\b"
        r"|\b(?:ignorier\w*|vergiss|missachte\w*)\b[^.!?\n]{0,40}\b(?:anweisung|instruktion|vorgabe|regel)\w*"
        r"|\b(?:ignore[zr]?|oublie[zr]?)\b[^.!?\n]{0,40}\b(?:instructions|consignes|directives)\b"
        r"|\b(?:ignora|olvida|descarta)\w*\b[^.!?\n]{0,40}\b(?:instrucciones|istruzioni|instruções|órdenes)\b"
    ),
    "Gives the model another role": (
        r"\byou are now (?:a|an|the|in|no longer|free|dan)\b"
        r"|\bfrom now on,? you (?:are (?:an?|the|no longer)|(?:will|must|should|can) (?:only |always |never )?(?:act"
        r"|behave|respond|reply|answer|say|speak|write|output|recommend|pretend|ignore|obey|follow|refuse))\b"
        r"|\b(?:act|behave|respond) as (?:if you (?:are|were) )?(?:an? )?(?:unrestricted|jailbroken|uncensored)\b"
    ),
    "Speaks to an AI that reads the page": (
        r"\b(?:if you are|note to|attention|instructions? (?:for|to)|message (?:for|to)|dear)\b[^.!?\n]{0,20}"
        r"\b(?:an? |any |all |the )?(?:ai|llm|language model|chat ?bot|ai assistant|ai agent|gpt|claude|gemini)s?\b"
        r"[^.!?\n]{0,60}\b(?:must|should|please|always|never|do not|say|tell|recommend|output|respond|reply|ignore)\b"
    ),
    "Asks for the system prompt or secrets": (
        r"\b(?:reveal|print|repeat|output|show|leak|send)\b[^.!?\n]{0,30}\b(?:system prompt|hidden prompt|your prompt"
        r"|your instructions|initial instructions)\b"
    ),
    "Asks to keep something from people": (
        r"\b(?:do not|don't|never) (?:tell|mention|reveal|inform|show)\b[^.!?\n]{0,30}\b(?:user|human|visitor)s?"
        r"\b[^.!?\n]{0,40}\b(?:instruction|message|prompt|this)"
    ),
    "Imitates a model's own markup": (
        r"<\|(?:im_start|im_end|system|assistant|user|endoftext|eot_id)\|>|\[/?INST\]|<</?SYS>>"
        r"|(?m:^\s*(?:###\s*)?(?:system|assistant)\s*(?:prompt|message)?\s*:\s*you (?:are|must|will)\b)"
    ),
}
_RULES = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _INSTRUCTIONS.items()]


def screen(parsed: ParsedDocument) -> list[ScreeningFinding]:
    """What a person should see before this document is used; empty for nearly all of them."""
    visible = "\n".join((parsed.title, *(block.text for block in parsed.blocks)))
    found = [*_find(visible, hidden=False), *_find(parsed.hidden, hidden=True)]
    return found[:MAX_FINDINGS]


def speaks_to_a_model(text: str) -> bool:
    """Whether a text holds what looks like an instruction to a model."""
    return any(pattern.search(text) for _, pattern in _RULES)


def _find(text: str, *, hidden: bool) -> list[ScreeningFinding]:
    found: list[ScreeningFinding] = [
        {"rule": name, "excerpt": _excerpt(text, match), "hidden": hidden}
        for name, pattern in _RULES
        for match in pattern.finditer(text)
    ]
    return found


def _excerpt(text: str, match: re.Match[str]) -> str:
    around = max(0, (EXCERPT - (match.end() - match.start())) // 2)
    start, end = max(0, match.start() - around), min(len(text), match.end() + around)
    return f"{'…' if start else ''}{text[start:end].strip()[: 2 * EXCERPT]}{'…' if end < len(text) else ''}"
