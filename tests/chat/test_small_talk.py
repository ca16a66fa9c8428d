"""A greeting, thanks or a goodbye gets a friendly reply, in the languages that visitors write, and no search."""

from __future__ import annotations

import pytest

from agents.models import Agent
from chat.small_talk import small_talk
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.plugins.integrators import Integrator

SAID = {
    "en": ("Good morning, team! How are you?", "OK, great, thank you so much :)", "Thanks, bye!"),
    "de": ("Grüß Gott", "Vielen Dank!", "Danke, auf Wiedersehen!"),
    "fr": ("Coucou, ça va ?", "Merci beaucoup", "Merci, au revoir"),
    "es": ("¡Buenos dias!", "Muchísimas gracias.", "¡Hasta luego!"),
    "it": ("Buongiorno", "Grazie mille!", "Arrivederci"),
    "pt": ("Olá, tudo bem?", "Muito obrigada!", "Tchau"),
    "nl": ("Goedemorgen", "Dank je wel!", "Tot ziens"),
    "pl": ("Dzien dobry", "Dziękuję bardzo", "Do widzenia!"),
    "tr": ("MERHABA", "Çok teşekkürler", "Görüşürüz 👋🏽"),
    "ru": ("Здравствуйте!", "Большое спасибо", "До свидания"),
    "zh": ("您好！", "好的，谢谢", "再见"),
    "ja": ("こんにちは。", "どうもありがとうございます！", "さようなら"),
    "ar": ("السَّلامُ عليكم", "شكرًا جزيلًا", "مع السلامة"),
}


@pytest.mark.parametrize("language", SAID)
def test_each_gets_its_own_reply_in_the_agents_language(language: str) -> None:
    replies = [small_talk(text, language=language) for text in SAID[language]]
    assert None not in replies
    assert len(set(replies)) == 3
    assert replies == [small_talk(text, language=f"{language}-XX") for text in ("Hello", "Thanks", "Bye")]


@pytest.mark.parametrize(
    "text",
    [
        "Hello, how do I return a parcel?",
        "Thanks, and express?",
        "Danke für die Rechnung",
        "What is the good morning menu?",
        "Спасибо, а для бизнеса?",
        "你好，怎么退货？",
        "ありがとうカード",
        "شكرا كيف أعيد الطرد",
        "ok",
        "all",
        "How are you",
        "",
        "👋",
        "hi " * 60,
    ],
)
def test_whatever_asks_something_is_a_question(text: str) -> None:
    assert small_talk(text, language="en") is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_searched_for_a_goodbye(api: Integrator, agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(language="ru")
    answer = api.post(f"agents/{agent.pk}/messages/", {"text": "Спасибо, до свидания!"}).json()["answer"]
    assert (answer["outcome"], answer["citations"]) == ("clarify", [])
    assert answer["text"] == "Всего доброго! Я здесь, если появится ещё вопрос."
