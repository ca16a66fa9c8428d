"""Asking back: where a question may mean several things, the visitor chooses which one is meant.

The choices are the headings of what was found, so that a visitor reads of nothing that an answer could not have come
from. They stand on the receipt of the message that asks back; the next message may take one, by number or by words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from agents.providers import Turn
from chat.small_talk import small_talk
from chat.wording import Say, said
from knowledge.language import guess_language
from knowledge.retrieval import Passage
from knowledge.terms import content_terms

MOST = 4
MAX_LABEL = 90  # characters

_NUMBERS = (
    "1|one|first|eins|erste[rsn]?|un|une|uno|una|premier|première|primer[oa]?",
    "2|two|second|zwei|zweite[rsn]?|deux|deuxième|seconde?|dos|segund[oa]",
    "3|three|third|drei|dritte[rsn]?|trois|troisième|tres|tercer[oa]?",
    "4|four|fourth|vier|vierte[rsn]?|quatre|quatrième|cuatro|cuart[oa]",
    "last|letzte[rsn]?|derni(?:er|ère)|últim[oa]",
)
_AROUND = (
    r"(?:\b(?:the|number|no|option|choice|one|please|das|die|der|den|nummer|bitte|le|la|l|numéro|choix|s'il vous plaît|"
    r"el|lo|número|opción|por favor)\b|[^\w])*"
)
# What is said around the words of a choice; stemmed as its language is.
_FILLING = frozenset(("mean", "meant", "want", "about", "one", "mein", "veux", "quier"))
_TAKES = [re.compile(f"{_AROUND}(?:{number}){_AROUND}", re.IGNORECASE) for number in _NUMBERS]


class Choices(TypedDict):
    """What was asked back, as a receipt keeps it: the question as it was searched, and the choices as they stood."""

    question: str
    choices: list[str]


@dataclass(frozen=True)
class AskingBack(Turn):
    """What the agent said where it asked back."""

    question: str = ""
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, kept: str) -> AskingBack:
        """The turn of a message with this text; `kept` are its choices as JSON."""
        choices: Choices = json.loads(kept)
        return cls("agent", text, choices["question"], tuple(choices["choices"]))

    def taken_by(self, text: str) -> str:
        """Which of the choices a message takes; none where it says something else."""
        for place, takes in enumerate(_TAKES):
            if takes.fullmatch(text):
                at = len(self.choices) - 1 if place == len(_TAKES) - 1 else place
                return self.choices[at] if at < len(self.choices) else ""
        return self._named_by(text)

    def _named_by(self, text: str) -> str:
        """The one choice that holds every word of the message: one with other words is a question of its own."""
        language = guess_language(" ".join(self.choices), default="en")
        words = {choice: _words(choice, language) for choice in self.choices}
        wanted = _words(text[: MOST * MAX_LABEL], language) - _FILLING
        named = [choice for choice in self.choices if wanted <= words[choice]]
        named = [choice for choice in named if wanted == words[choice]] or named
        return named[0] if wanted and len(named) == 1 else ""

    def completed(self, choice: str) -> str:
        """The question that was asked at first, with what is meant."""
        return f"{self.question} {choice}"


def asked_back(history: Sequence[Turn]) -> AskingBack | None:
    """What the agent has just asked back."""
    last = history[-1] if history else None
    return last if isinstance(last, AskingBack) else None


def questions_in(history: Sequence[Turn]) -> list[str]:
    """What the visitor asked, oldest first, without greetings; where a choice was taken, the question with it."""
    questions = list[str]()
    for place, turn in enumerate(history):
        if turn.role != "visitor" or small_talk(turn.text, language="") is not None:
            continue
        before = asked_back(history[:place])
        choice = before.taken_by(turn.text) if before else ""
        questions.append(before.completed(choice) if before and choice else turn.text)
    return questions


def choices_of(question: str, passages: Sequence[Passage]) -> Choices | None:
    """The sections to choose among, told apart; None where there are not two that can be."""
    labels = [_label(passage) for passage in passages]
    told = [
        label if labels.count(label) == 1 else _full_label(passage)
        for label, passage in zip(labels, passages, strict=True)
    ]
    choices = list(dict.fromkeys(told))[:MOST]
    return {"question": question, "choices": choices} if len(choices) > 1 else None


def is_of(passage: Passage, choice: str) -> bool:
    """Whether a passage stands in the section of this choice."""
    return bool(choice) and choice in (_label(passage), _full_label(passage))


def worded(choices: Choices, *, language: str) -> str:
    listed = [f"{number}. {choice}" for number, choice in enumerate(choices["choices"], start=1)]
    return "\n".join((said(Say.WHICH, language=language), "", *listed))


def _label(passage: Passage) -> str:
    return _cut(passage.heading_path[-1] if passage.heading_path else passage.title)


def _full_label(passage: Passage) -> str:
    return _cut(f"{passage.title}: {_label(passage)}")


def _cut(label: str) -> str:
    """On one line, and without what Markdown would read as a link."""
    label = " ".join(label.replace("[", "(").replace("]", ")").split())
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1].rsplit(' ', 1)[0]}…"


def _words(text: str, language: str) -> set[str]:
    return {term.text for term in content_terms(text, language=language)}
