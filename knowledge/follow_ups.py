"""A question that leans on what was asked before, made one that can be searched by itself.

"And for groups?", "How long does it take?" say too little alone; the last question that stood by itself says the
rest. No model: the words decide. A question that leans only by a pronoun and says enough otherwise is left alone, since
adding another question's words would only blur it. So is a phrase that names something new ("Refund policy?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.language import SCRIPT_ALONE, guess_language, is_function_word
from knowledge.terms import is_unspaced, query_terms, words_of

FEW_TERMS = 2  # content words with which a question leans in any case
SOME_TERMS = 4  # content words with which it leans if it also opens like one, or points back
SOME_PAIRS = 8  # the same in a script without spaces, where each pair of characters is a term
MAX_CARRIED = 600  # characters of the earlier question

# What opens a continuation, and what points back, in the languages of most visitors.
_OPENS = re.compile(
    r"\s*(?:and|but|or|so|also|then|what about|how about|und|oder|aber|wie ist es|y|o|pero|et|ou|mais|e|ma|"
    r"en|maar|а|и|но|أو|لكن|ماذا عن|و(?:ماذا|هل|كم|كيف|متى|أين))\b"
    r"|\s*(?:那么|那(?![个些里边個裡邊])|还有|還有|另外|但是|可是|如果是|では|じゃあ?|それでは|それなら|それで|そして|あと、|でも|"
    r"그럼|그러면|그리고|그런데|근데|하지만)",
    re.IGNORECASE,
)
# What closes one, where it names a thing and asks nothing of it.
_CLOSES = re.compile(r"(?:呢|の場合は|(?<!何)(?<!どれ)(?<!いつ)(?<!どこ)は|은요|는요)\s*[?？]?\s*$")
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|there|he|him|his|she|her|one|ones|same|"
    r"das|dies|diese[rsmn]?|dort|dafür|damit|davon|dazu|er|sie|ihn|ihm|ihr|"
    r"eso|esto|esta|ese|esa|ellos|ellas|ahí|allí|cela|ça|celui|celle|ils|elles|"
    r"quello|questo|questa|это|этот|эта|они|там)\b",
    re.IGNORECASE,
)
# What is asked of a thing, and names none.
_ASKED_OF = frozenset(
    (  # noqa: SIM905  words read better in lines than as a list
        "price prices pricing cost costs fee fees charges time times duration deadline size sizes limit limits amount"
        " details info information examples colour colours color colors exceptions sure please thanks"
        " preis preise kosten dauer frist größe precio precios coste costo plazo prix coût délai tarif"
        " prezzo costi preço custo prijs kosten цена стоимость срок сроки размер"
    ).split()
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
    if is_unspaced(query):
        return terms <= SOME_PAIRS and bool(_OPENS.match(query) or _CLOSES.search(query))
    return terms <= SOME_TERMS and bool(_OPENS.match(query) or _POINTS_BACK.search(query))


def standalone(query: str, *, history: Sequence[str], languages: Sequence[str]) -> str:
    """The question, with the last one that stood by itself in front where it leans. `history`: oldest first."""
    if not history or not leans(query, languages=languages):
        return query
    topic = ""
    for earlier in history:
        if not leans(earlier, languages=languages) or _is_new(earlier, topic, languages):
            topic = earlier
    topic = topic or history[-1]
    return query if _is_new(query, topic, languages) else f"{topic[:MAX_CARRIED]} {query}"


def _is_new(query: str, topic: str, languages: Sequence[str]) -> bool:
    """Whether a short question is a phrase of several words that names something which the topic does not: no name,
    which may stand in another's place ("New Zealand?"), no number, and nothing that is asked of a thing.
    """
    words = query.split()
    if len(words) < 2 or any(word[0].isupper() for word in words[1:]) or _OPENS.match(query):
        return False
    if guess_language(query) in SCRIPT_ALONE:
        return False  # for which there are no lists of function words
    plain = [word for _, word in words_of(query, language="")]
    if any(not word.isalpha() or word in _ASKED_OF or is_function_word(word) for word in plain):
        return False
    return _forms(query, languages).isdisjoint(_forms(topic, languages))


def _forms(text: str, languages: Sequence[str]) -> frozenset[str]:
    return frozenset[str]().union(*(forms for _, forms in query_terms(text, languages=languages)))
