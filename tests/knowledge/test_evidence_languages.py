"""Evidence means the same in every language, and where the question is in another one than its answer."""

from __future__ import annotations

import pytest

from agents.models import Agent, KnowledgeLanguages
from knowledge.documents import add_text
from knowledge.ingest import ingest
from knowledge.language import is_foreign
from knowledge.retrieval import search

pytestmark = pytest.mark.django_db

THRESHOLD = 0.5  # an agent's default
TEXTS = {
    "退货和配送": "# 退货\n\n您可以在三十天内退回任何商品。"
    "如果商品损坏，我们承担退货运费。退款会退回到您付款时使用的银行卡。"
    "\n\n# 配送\n\n我们在五个工作日内送货。如果家里没有人，包裹会交给邻居。运往岛屿需要多两天。",
    "Возврат": "Вы можете вернуть любой товар в течение тридцати дней. Если товар повреждён, мы оплачиваем обратную"
    " пересылку. Деньги возвращаются на карту, с которой была произведена оплата.",
    "Returns and delivery": "# Returns\n\nYou can return any item within thirty days. We pay for sending it back if the"
    " item is damaged. The money goes back to the card that was used for the payment.\n\n# Delivery\n\nWe deliver"
    " within five working days. The parcel is handed to the neighbours when nobody is at home.",
}
CHINESE, RUSSIAN, ENGLISH = TEXTS


def evidence(agent: Agent, title: str, question: str) -> float:
    agent.knowledge_languages = KnowledgeLanguages.MULTILINGUAL
    agent.save()
    ingest(add_text(agent, title=title, text=TEXTS[title]).documents.get().pk)
    return search(question, agent_id=agent.pk).evidence


@pytest.mark.parametrize(
    ("title", "question", "is_answered"),
    [
        (CHINESE, "退货运费由谁承担？", True),
        (CHINESE, "送货需要多长时间？", True),
        (CHINESE, "今晚我该做什么饭？", False),
        (CHINESE, "谁赢得了一九七二年的国际象棋冠军？", False),
        (CHINESE, "你能给我唱首歌吗？", False),
        (RUSSIAN, "Кто платит за пересылку повреждённого товара?", True),
        (RUSSIAN, "Сколько стоит билет в театр?", False),
        (ENGLISH, "Who pays for sending a damaged item back?", True),
        (ENGLISH, "Who won the chess championship in 1972?", False),
        (ENGLISH, "Wer hat die Weltmeisterschaft im Schach gewonnen?", False),
        (ENGLISH, "¿Quién paga el envío de vuelta si el artículo está dañado?", True),
        (ENGLISH, "如果商品损坏，谁承担退货运费？", True),
        (ENGLISH, "谁赢得了国际象棋冠军？", False),
        (CHINESE, "Who sang at the opening of the Olympic games?", False),
    ],
)
def test_the_usual_threshold_tells_what_is_answered(
    agent: Agent, title: str, question: str, is_answered: bool
) -> None:
    assert (evidence(agent, title, question) >= THRESHOLD) == is_answered


@pytest.mark.parametrize(
    ("question", "home", "foreign"),
    [
        ("Was kostet der Versand nach Wien?", "en", True),
        ("Was kostet das?", "de", False),
        ("Сколько стоит доставка?", "en", True),
        ("How much is it?", "zh", True),
        ("iPhone 15?", "zh", False),
        ("opening hours", "de", False),
        ("¿Cuál era la población de Varsovia en 1901?", "es", False),
        ("営業時間", "ja", False),
        ("ساعت کار", "fa", False),
    ],
)
def test_only_what_is_surely_in_another_language_counts_as_such(
    question: str, home: str, foreign: bool
) -> None:
    assert is_foreign(question, home) == foreign
