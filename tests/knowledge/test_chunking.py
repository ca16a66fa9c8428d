"""Chunks follow the author's sections, keep sentences whole and fit the model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.chunking import ChunkDraft, chunk
from knowledge.sentences import sentence_spans


def words(texts: Sequence[str]) -> list[int]:
    """One token a word, for tests."""
    return [len(text.split()) for text in texts]


def heading(text: str, level: int) -> Block:
    return Block(BlockKind.HEADING, text, level=level, anchor=text.lower())


def paragraph(text: str, page: int | None = None) -> Block:
    return Block(BlockKind.PARAGRAPH, text, page=page, anchor="here")


def chunks(*blocks: Block, max_tokens: int = 60, title: str = "Guide") -> list[ChunkDraft]:
    document = ParsedDocument(title, "en", blocks, "text/plain")
    return chunk(document, count_tokens=words, max_tokens=max_tokens)


LONG = "Every word counts here and so does this one. " * 4


def test_each_section_is_a_chunk_with_the_path_of_its_headings() -> None:
    made = chunks(heading("Setup", 1), paragraph(LONG), heading("Linux", 2), paragraph(LONG))
    assert [draft.heading_path for draft in made] == [("Guide", "Setup"), ("Guide", "Setup", "Linux")]


def test_a_first_heading_that_repeats_the_title_is_not_said_twice() -> None:
    made = chunks(heading("Guide", 1), heading("Linux", 2), paragraph(LONG))
    assert made[0].heading_path == ("Guide", "Linux")


def test_a_long_section_is_cut_in_even_parts_at_sentences() -> None:
    made = chunks(paragraph("Nine words make up each one of these sentences. " * 20))
    assert max(draft.tokens for draft in made) <= 60
    assert min(draft.tokens for draft in made) >= 36
    assert all(draft.text.endswith(".") for draft in made)


def test_very_short_sections_under_one_heading_are_joined_and_keep_their_titles() -> None:
    made = chunks(
        heading("Hours", 1),
        heading("Monday", 2),
        paragraph("Nine to five."),
        heading("Tuesday", 2),
        paragraph(LONG),
    )
    assert len(made) == 1
    assert made[0].heading_path == ("Guide", "Hours")
    assert made[0].text.startswith("Monday\nNine to five.\nTuesday\n")


def test_a_sentence_longer_than_a_chunk_is_cut_and_nothing_is_lost() -> None:
    made = chunks(paragraph("endless " * 500))
    assert all(draft.tokens <= 60 for draft in made)
    assert " ".join(draft.text for draft in made).split() == ["endless"] * 500


def test_sentences_know_their_page() -> None:
    made = chunks(paragraph("It starts on one page.", page=4), paragraph("It goes on here.", page=5))
    assert [
        (sentence.page, made[0].text[sentence.start : sentence.end]) for sentence in made[0].sentences
    ] == [
        (4, "It starts on one page."),
        (5, "It goes on here."),
    ]
    assert made[0].page == 4


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine drawing is slow, and right
@given(
    st.lists(
        st.one_of(
            st.builds(heading, st.text("AB c", min_size=1, max_size=12), st.integers(1, 6)),
            st.builds(paragraph, st.text("Ab. !?。\n", min_size=1, max_size=400)),
        ),
        max_size=30,
    )
)
def test_no_chunk_is_too_long_and_every_span_lies_in_its_text(blocks: list[Block]) -> None:
    for draft in chunks(*blocks, max_tokens=20):
        assert sum(words([draft.text[s.start : s.end] for s in draft.sentences])) <= 20
        assert all(0 <= s.start < s.end <= len(draft.text) for s in draft.sentences)


def test_abbreviations_initials_and_numbers_do_not_end_a_sentence() -> None:
    text = "Ask Dr. Smith, e.g. by mail. It costs 3.50 now! J. Doe agrees? 好的。再见。"
    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "Ask Dr. Smith, e.g. by mail.",
        "It costs 3.50 now!",
        "J. Doe agrees?",
        "好的。",
        "再见。",
    ]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Die Frist endet am 3. Oktober 2024.", "Danach ist Schluss."],
        ["Im 19. Jahrhundert war das so.", "Die 2. Mahnung kostet 5 Euro."],
        ["Mind. 3 Std. Anfahrt, das sind 2 Mio. Euro.", "Siehe Abs. 2 Satz 1."],
        ["EE. UU. tiene 50 estados.", "¿Cómo pago?", "Con tarjeta."],
        ["Им. Пушкина, ул. Ленина, д. 5.", "Это так."],
        ["The U.S. Government pays.", "I am 18.", "Can I open an account?"],
        ["Can I return it?", "No.", "You can exchange it, see no. 5 of the terms."],
        ["السعر ٥ دولار.", "هل يمكنني الدفع؟", "نعم."],
    ],
)
def test_sentences_end_where_their_language_ends_them(sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences
