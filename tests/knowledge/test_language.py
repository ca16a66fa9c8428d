"""Languages are told apart, and words meet their other forms."""

from __future__ import annotations

import pytest

from knowledge.language import guess_language
from knowledge.terms import content_terms, query_terms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How can I change the address of my order after it was sent?", "en"),
        ("Wie kann ich die Adresse meiner Bestellung noch ändern?", "de"),
        ("¿Cómo puedo cambiar la dirección de mi pedido cuando ya está enviado?", "es"),
        ("Comment est-ce que je peux changer mon adresse pour la livraison ?", "fr"),
        ("Как я могу изменить адрес моего заказа?", "ru"),
        ("如何更改我的订单地址？", "zh"),
        ("注文の住所を変更するにはどうすればいいですか", "ja"),
        ("كيف يمكنني تغيير عنوان طلبي؟", "ar"),
        ("XK-200 4711", ""),
    ],
)
def test_the_language_of_a_text_is_guessed(text: str, language: str) -> None:
    assert guess_language(text) == language


def terms(text: str, language: str = "en") -> list[str]:
    return [term.text for term in content_terms(text, language=language)]


def test_forms_of_a_word_share_a_term_and_function_words_have_none() -> None:
    assert terms("The invoices were charged") == terms("invoice, charging")


def test_particles_that_carry_the_meaning_stay() -> None:
    assert terms("turn off") != terms("turn")


def test_numbers_prices_and_versions_are_whole() -> None:
    assert terms("$1,200.50 v2.0.1 10th") == ["1200.50", "v2.0.1", "10th"]


def test_accents_and_apostrophes_do_not_hide_words() -> None:
    assert terms("café’s menu") == terms("cafe menu")
    assert terms("l'eau", "fr") == terms("eau", "fr")


def test_scripts_without_spaces_become_pairs() -> None:
    assert terms("重置密码", "zh") == ["重置", "置密", "密码"]


def test_a_question_of_function_words_keeps_them() -> None:
    assert [term.text for term, _ in query_terms("what is it", languages=["en"])] == ["what", "is", "it"]


def test_a_question_is_stemmed_in_every_language_of_the_documents() -> None:
    ((_, forms),) = query_terms("Häuser", languages=["de", "en"])
    assert {term.text for term in content_terms("Haus", language="de")} < forms


def test_terms_point_at_the_characters_they_came_from() -> None:
    text = "Reset your passwords"
    assert [text[t.start : t.end] for t in content_terms(text, language="en")] == ["Reset", "passwords"]
