"""Each sentence of a hosted model is held against what it cites; whatever a model sends, no turn ends empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.models import Agent
from chat.claims import sentences_of
from chat.models import Message
from knowledge.support import Lack, lack_of
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.improve.test_exact_answers import QUESTION, asked

pytestmark = pytest.mark.django_db(transaction=True)
PASSAGE = (
    "Standard delivery to Austria takes three to five working days. Orders above 50 euros are free of charge. "
    "Gift cards cannot be returned. Ada Lovelace runs the shop in Graz."
)
RIGHT = "Standard delivery to Austria takes three to five working days [1]."
WRONG = "It costs 99 euros [1]."


@pytest.mark.parametrize(
    ("sentence", "lack"),
    [
        ("Delivery to Austria takes 3 to 5 working days.", None),
        ("Orders above 50 euros are free.", None),
        ("Gift cards can't be returned.", None),
        ("Delivery to Austria takes seven working days.", Lack.NUMBER),
        ("Orders above 60 euros are free.", Lack.NUMBER),
        ("The shop in Graz is run by Grace Hopper.", Lack.NAME),
        ("Gift cards can be returned.", Lack.NEGATION),
        ("Orders above 50 euros are not free of charge.", Lack.NEGATION),
        ("The refund arrives on your card after a while.", Lack.WORDS),
        ("Die Lieferung nach Wien dauert sieben Tage.", Lack.NUMBER),
        ("Die Lieferung nach Wien dauert eine Weile.", Lack.WORDS),  # for the embedding model to judge
    ],
)
def test_numbers_names_negation_and_words_have_to_stand_there(sentence: str, lack: Lack | None) -> None:
    assert lack_of(sentence, [PASSAGE]) == lack


@pytest.mark.parametrize(
    ("sentence", "cited", "lack"),
    [
        ("退货期限为30天。", "我们的退货期限为14天。", Lack.NUMBER),
        ("我们提供现金退款。", "我们不提供现金退款。", Lack.NEGATION),
        ("返金できません。", "返金できます。", Lack.NEGATION),
        ("لا يمكن استرداد المبلغ نقدا.", "يمكن استرداد المبلغ نقدا.", Lack.NEGATION),
        ("المدة ٥ أيام.", "المدة 5 أيام.", None),
        ("Die Frist beträgt fünf Tage.", "Die Frist beträgt drei Tage.", Lack.NUMBER),
        ("Die Frist beträgt 3 Tage.", "Die Frist beträgt drei Tage.", None),
        ("El plazo es de cinco días.", "El plazo es de tres días.", Lack.NUMBER),
        ("Возврат возможен в течение пяти дней.", "Возврат возможен в течение трёх дней.", Lack.NUMBER),
        ("Die Anfahrt dauert 1,5 Stunden.", "Die Anfahrt dauert 1.5 Stunden.", None),
        ("It takes 1 day.", "It takes one day.", None),
        ("It takes 1 day.", "It takes two days.", Lack.NUMBER),
    ],
)
def test_so_do_they_in_other_languages(sentence: str, cited: str, lack: Lack | None) -> None:
    assert lack_of(sentence, [cited]) == lack


@pytest.mark.parametrize(
    ("sentence", "cited", "lack"),
    [
        ("Delivery takes 5 weeks.", "Delivery takes 5 days.", Lack.UNIT),
        ("Delivery takes five weeks.", "Delivery takes 5 working days.", Lack.UNIT),
        ("A parcel costs $20.", "A parcel costs €20.", Lack.UNIT),
        ("A parcel costs 20 USD.", "A parcel costs EUR 20.", Lack.UNIT),
        ("A parcel costs US$20.", "A parcel costs CA$20.", Lack.UNIT),
        ("A parcel weighs 20 lbs.", "A parcel weighs 20 kg.", Lack.UNIT),
        ("Files of 10 GB are read.", "Files of 10 MB are read.", Lack.UNIT),
        ("The discount is 20 €.", "The discount is 20 %.", Lack.UNIT),
        ("Die Lieferung dauert 5 Wochen.", "Die Lieferung dauert 5 Werktage.", Lack.UNIT),
        ("Die Lieferung dauert fünf Monate.", "Die Lieferung dauert 5 Tage.", Lack.UNIT),
        ("El plazo es de 5 semanas.", "El plazo es de 5 días hábiles.", Lack.UNIT),
        ("Le délai est de 5 mois.", "Le délai est de 5 jours.", Lack.UNIT),
        ("Il termine è di 5 settimane.", "Il termine è di 5 giorni.", Lack.UNIT),
        ("O prazo é de 5 meses.", "O prazo é de 5 dias úteis.", Lack.UNIT),
        ("De levering duurt 5 weken.", "De levering duurt 5 werkdagen.", Lack.UNIT),
        ("Die Lieferung dauert 5 Wochen.", "Delivery takes 5 days.", Lack.UNIT),
        ("Delivery takes 5 days.", "Our 5-day delivery.", None),
        ("Delivery takes 5 days.", "Delivery takes 5 full days.", None),
        ("Delivery takes 3 days.", "Delivery takes 3 to 5 days.", None),
        ("Support answers in 24 hours.", "Support answers in 24h.", None),
        ("Support answers in 24 h.", "Support answers in twenty-four or 24 hrs.", None),
        ("A parcel costs €20.", "A parcel costs 20 EUR.", None),
        ("A parcel costs 20 euros.", "A parcel costs 20\u00a0€.", None),
        ("A parcel costs US$20.", "A parcel costs $20.", None),
        ("A parcel costs £20.", "A parcel costs 20 pounds.", None),
        ("A parcel costs $20.", "Parcel | costs | 20", None),
        ("A parcel costs $20.", "A parcel costs €20. 20 for the US.", None),
        ("A parcel costs $20 a month.", "A parcel costs $20/month.", None),
        ("The discount is 20 percent.", "The discount is 20%.", None),
        ("Files of 10 MB are read.", "Files of 10 megabytes are read.", None),
        ("Take 5 days.", "A parcel costs 8 EUR. 5 days later, 5 $20 vouchers arrive.", None),
        ("Garantie de 2 ans.", "Garantie : 2 années.", None),
        ("El plazo es de 5 dias.", "El plazo es de 5 días.", None),
    ],
)
def test_a_number_counts_what_it_counts_there(sentence: str, cited: str, lack: Lack | None) -> None:
    found = lack_of(sentence, [cited])
    assert (found if found == Lack.UNIT else None) == lack


def test_a_claim_in_chinese_is_checked_sentence_by_sentence() -> None:
    text = "退货期限为30天。[1]运费由客户承担。我们不提供现金退款。[2]"
    assert sentences_of(text) == ["退货期限为30天。[1]", "运费由客户承担。", "我们不提供现金退款。[2]"]


def test_a_date_is_no_end_of_a_claim() -> None:
    text = "Die Frist endet am 3. Oktober, z. B. für Dr. Müller [1]. Danach ist Schluss."
    assert "".join(sentences_of(text)) == text
    assert len(sentences_of(text)) == 2


def policy(agent: Agent, workspace: Workspace, value: str) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(unsupported_claims=value)


def test_what_is_supported_is_left_alone(
    agent: Agent, workspace: Workspace, says: Callable[..., None]
) -> None:
    says(RIGHT)
    answer = asked(workspace, agent, QUESTION)
    assert (answer["text"], answer["grounded"], answer["outcome"]) == (RIGHT, True, "answered")


def test_a_claim_that_is_not_there_is_left_out(
    agent: Agent, workspace: Workspace, says: Callable[..., None]
) -> None:
    policy(agent, workspace, "drop")
    says(f"{RIGHT} {WRONG}")
    answer = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        receipt = Message.objects.get(pk=answer["id"]).receipt
    assert answer["text"].strip() == RIGHT
    assert receipt["unsupported"] == ["It costs 99 euros ."]


def test_or_it_is_shown_with_a_word_that_it_could_not_be_confirmed(
    agent: Agent, workspace: Workspace, says: Callable[..., None]
) -> None:
    says(f"{RIGHT} {WRONG}")
    answer = asked(workspace, agent, QUESTION)
    assert answer["text"].startswith(f"{RIGHT} {WRONG}")
    assert "could not confirm" in answer["text"]
    assert not answer["grounded"]


def test_where_nothing_is_left_the_agent_says_that_it_does_not_know(
    agent: Agent, workspace: Workspace, says: Callable[..., None]
) -> None:
    policy(agent, workspace, "drop")
    says(WRONG)
    answer = asked(workspace, agent, QUESTION)
    assert (answer["outcome"], answer["citations"]) == ("abstained", [])
    assert "could not find an answer" in answer["text"]


SENT = ["", " ", "\n\n \n", "[1]", " [1] [2]\n", "[9]", "…", "**", "NO_ANSWER", "NO_ANS", "[1"]


@pytest.mark.parametrize("value", ["flag", "drop"])
def test_no_turn_ends_empty_whatever_a_model_sends(
    agent: Agent, workspace: Workspace, says: Callable[..., None], value: str
) -> None:
    policy(agent, workspace, value)
    answers = {}
    for sent in SENT:
        says(sent, words=0)
        answers[sent] = asked(workspace, agent, QUESTION)
    assert {answer["outcome"] for answer in answers.values()} <= {"answered", "abstained"}
    assert [sent for sent, answer in answers.items() if len(answer["text"].split()) < 4] == []
    assert [sent for sent, answer in answers.items() if "NO_ANS" in answer["text"]] == []
