"""Questions that a cosine takes for one another and that ask different things, in several languages."""

from __future__ import annotations

import pytest

from knowledge.sameness import difference


@pytest.mark.parametrize(
    ("language", "asked", "kept"),
    [
        ("en", "Can you call me?", "Can I call you?"),
        ("en", "What do I owe you?", "What do you owe me?"),
        ("en", "Can a manager remove an admin?", "Can an admin remove a manager?"),
        ("en", "Do you take anything but cards?", "Do you take cards?"),
        ("en", "Does it cost ₽500?", "Does it cost ₺500?"),
        ("en", "Is it stored at -5 degrees?", "Is it stored at 5 degrees?"),
        ("en", "Do you support C?", "Do you support C++?"),
        ("en", "Do you support C?", "Do you support C#?"),
        ("de", "Kann ich von Basic zu Pro wechseln?", "Kann ich von Pro zu Basic wechseln?"),
        ("de", "Ist Pro billiger als Basic?", "Ist Basic billiger als Pro?"),
        ("de", "Zahlung an den Verkäufer", "Zahlung durch den Verkäufer"),
        ("fr", "Livrez-vous de Paris à Lyon ?", "Livrez-vous de Lyon à Paris ?"),
        ("fr", "Il n'y a plus de frais ?", "Il y a plus de frais ?"),
        ("es", "¿Hay envío de Madrid a Sevilla?", "¿Hay envío de Sevilla a Madrid?"),
        ("it", "Spedite da Roma a Milano?", "Spedite da Milano a Roma?"),
        ("nl", "Levert u van Gent naar Brugge?", "Levert u van Brugge naar Gent?"),
        ("pl", "Wysyłka z Krakowa do Warszawy", "Wysyłka z Warszawy do Krakowa"),
        ("ru", "Доставка из Москвы в Казань", "Доставка из Казани в Москву"),
    ],
)
def test_they_differ(language: str, asked: str, kept: str) -> None:
    assert difference(asked, kept, language=language) is not None


@pytest.mark.parametrize(
    ("language", "asked", "kept"),
    [
        ("en", "How do I cancel my order?", "Can I cancel an order, please?"),
        ("en", "How can I pay the $10 fee?", "How do I pay the 10 dollar fee?"),
        ("en", "Is there a fee that I pay for delivery?", "Is there a delivery fee to pay?"),
        ("de", "Wie kann ich eine Rechnung bezahlen?", "Wie kann ich die Rechnung bezahlen?"),
        ("fr", "Comment payer la facture ?", "Comment payer une facture ?"),
    ],
)
def test_they_are_the_same(language: str, asked: str, kept: str) -> None:
    assert difference(asked, kept, language=language) is None
