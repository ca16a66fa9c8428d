"""A question that leans on what was asked before, made one that can be searched by itself.

"And for groups?", "How long does it take?" say too little alone; the last question that stood by itself says the
rest. No model: the words decide. A question that leans only by a pronoun and says enough otherwise is left alone, since
adding another question's words would only blur it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.terms import query_terms

FEW_TERMS = 2  # content words with which a question leans in any case
SOME_TERMS = 4  # content words with which it leans if it also opens like one, or points back
MAX_CARRIED = 600  # characters of the earlier question

# What opens a continuation, and what points back, in the languages of most visitors.
_OPENS = re.compile(
    r"\s*(?:and|but|or|so|also|then|what about|how about|und|oder|aber|wie ist es|y|o|pero|et|ou|mais|e|ma|"
    r"en|maar|а|и|но)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|there|he|him|his|she|her|one|ones|same|"
    r"das|dies|diese[rsmn]?|dort|dafür|damit|davon|dazu|er|sie|ihn|ihm|ihr|"
    r"eso|esto|esta|ese|esa|ellos|ellas|ahí|allí|cela|ça|celui|celle|ils|elles|"
    r"quello|questo|questa|это|этот|эта|они|там)\b",
    re.IGNORECASE,
)
# What only points, and never goes before a noun or means somebody.
_ONLY_POINTS = re.compile(r"\b(?:it|them|eso|esto|cela|ça)\b", re.IGNORECASE)


def is_brief(query: str, *, languages: Sequence[str]) -> bool:
    """Whether a question says so little that it may mean several things."""
    return len(query_terms(query, languages=languages)) <= FEW_TERMS


def points_at_nothing(query: str, *, languages: Sequence[str]) -> bool:
    """Whether a question before which nothing was asked says only what is done with "it"."""
    return bool(_ONLY_POINTS.search(query)) and len(query_terms(query, languages=languages)) == 1


def leans(query: str, *, languages: Sequence[str]) -> bool:
    """Whether a question needs the one before it to be understood."""
    if is_brief(query, languages=languages):
        return True
    terms = len(query_terms(query, languages=languages))
    return terms <= SOME_TERMS and bool(_OPENS.match(query) or _POINTS_BACK.search(query))


def standalone(query: str, *, history: Sequence[str], languages: Sequence[str]) -> str:
    """The question, with the last one that stood by itself in front where it leans. `history`: oldest first."""
    if not history or not leans(query, languages=languages):
        return query
    whole = (earlier for earlier in reversed(history) if not leans(earlier, languages=languages))
    return f"{next(whole, history[-1])[:MAX_CARRIED]} {query}"
