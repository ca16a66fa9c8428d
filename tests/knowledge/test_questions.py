"""What a question needs before it is searched: company in the model, and the question before it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.embedding import MULTILINGUAL_PROFILE, Embedded, EmbeddingInput, EmbeddingProfile
from knowledge.embedding.batching import Batcher
from knowledge.embedding.reading import reader_for
from knowledge.evidence import names_in, numbers_in
from knowledge.follow_ups import standalone


class SlowModel:
    """Remembers its passes; the first waits until it is let go, so that the others gather."""

    profile: EmbeddingProfile = MULTILINGUAL_PROFILE

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.go = threading.Event()

    def embed(self, inputs: Sequence[EmbeddingInput]) -> list[Embedded]:
        self.passes.append([item.text for item in inputs])
        assert self.go.wait(10)
        if any(item.text == "bad" for item in inputs):
            raise ValueError("bad")
        return [Embedded(np.full(1, float(item.text)), np.zeros((0, 0), np.int8)) for item in inputs]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]


def ask(batcher: Batcher, text: str) -> float:
    return float(batcher.embed(EmbeddingInput(text)).vector[0])


def waiting_for(batcher: Batcher, count: int) -> bool:
    return len(batcher._waiting) == count


def test_a_lone_question_runs_at_once_and_alone() -> None:
    model = SlowModel()
    model.go.set()
    assert ask(Batcher(model, cores=1), "7") == 7
    assert model.passes == [["7"]]


def test_questions_that_come_while_the_model_works_share_passes_and_get_their_own_answers() -> None:
    model = SlowModel()
    batcher = Batcher(model, cores=1)
    with ThreadPoolExecutor(26) as pool:
        answers = [pool.submit(ask, batcher, str(number)) for number in range(26)]
        while not (model.passes and waiting_for(batcher, 25)):
            threading.Event().wait(0.005)
        model.go.set()
        assert [answer.result(10) for answer in answers] == list(range(26))
    assert [len(texts) for texts in model.passes] == [1, 10, 10, 5]


def test_each_core_takes_a_lone_question_of_its_own() -> None:
    model = SlowModel()
    batcher = Batcher(model, cores=2)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, batcher, str(number)) for number in range(3)]
        while not (len(model.passes) == 2 and waiting_for(batcher, 1)):
            threading.Event().wait(0.005)
        model.go.set()
        assert [answer.result(10) for answer in answers] == [0, 1, 2]
    assert [len(texts) for texts in model.passes] == [1, 1, 1]


def test_a_failing_pass_tells_its_callers_and_the_next_goes_on() -> None:
    model = SlowModel()
    model.go.set()
    batcher = Batcher(model, cores=1)
    with pytest.raises(ValueError, match="bad"):
        ask(batcher, "bad")
    assert ask(batcher, "3") == 3


@pytest.mark.parametrize(
    "text", ["How do I return a parcel?", "Wie gebe ich ein Paket zurück?", "如何退货？", "كيف أعيد الطرد؟"]
)
def test_tokens_of_any_script_know_their_place_in_the_text(text: str) -> None:
    encoded = reader_for(MULTILINGUAL_PROFILE).tokeniser.encode_batch([text])[0]
    places = [place for place in encoded.offsets[1:-1] if place[0] < place[1]]
    covered = "".join(text[start:end] for start, end in places)
    assert covered.replace(" ", "") == text.replace(" ", "")
    assert encoded.ids[0] == 0
    assert encoded.ids[-1] == 2


def test_a_question_that_points_back_is_searched_with_the_one_it_points_to() -> None:
    history = ["How do I return a damaged parcel?", "And how long?"]
    query = standalone("How much does it cost me?", history=history, languages=["en"])
    assert query == "How do I return a damaged parcel? How much does it cost me?"


def test_a_question_that_stands_by_itself_is_left_alone() -> None:
    question = "Which payment methods do you accept for annual plans?"
    assert standalone(question, history=["Do you deliver to islands?"], languages=["en"]) == question


@pytest.mark.parametrize(
    ("language", "before", "question"),
    [
        ("ru", "Сколько стоит доставка посылки в Норвегию?", "и для бизнеса?"),
        ("zh", "个人版每个月的价格是多少？", "那企业版呢？"),
        ("zh", "个人版每个月的价格是多少？", "企业版呢？"),
        ("zh", "如何把损坏的包裹退回商店？", "那要多久？"),
        ("ja", "個人プランの料金はいくらですか？", "ビジネスは？"),
        ("ja", "個人プランの料金はいくらですか？", "では、法人の場合は？"),
        ("ja", "個人プランの料金はいくらですか？", "じゃあ週末は？"),
        ("ko", "개인 요금제의 가격은 얼마입니까?", "그럼 기업용은요?"),
        ("ko", "개인 요금제의 가격은 얼마입니까?", "그리고 주말은요?"),
        ("ar", "كم تكلفة توصيل الطرود إلى النرويج؟", "وماذا عن الشركات؟"),
        ("ar", "كم تكلفة توصيل الطرود إلى النرويج؟", "وكم يستغرق ذلك؟"),
        ("ar", "كم تكلفة توصيل الطرود إلى النرويج؟", "كم السعر؟"),
        ("ru", "Сколько стоит доставка посылки в Норвегию?", "Сколько времени?"),
        ("en", "How much does the Pro plan cost?", "Business plan?"),
        ("en", "Do you deliver parcels to Austria?", "New Zealand?"),
        ("en", "Do you deliver parcels to Austria?", "for large groups?"),
        ("en", "Do you deliver parcels to Austria?", "Total costs?"),
        ("en", "Avez-vous un tarif de groupe ?", "pour entreprises?"),
    ],
)
def test_a_question_that_goes_on_is_searched_with_the_one_before(
    language: str, before: str, question: str
) -> None:
    assert standalone(question, history=[before], languages=[language]) == f"{before} {question}"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Refund policy?"),
        ("en", "opening hours"),
        ("en", "Payment methods?"),
        ("es", "Horario comercial?"),
        ("ru", "Условия возврата?"),
        ("zh", "退款政策是什么？"),
        ("zh", "你们接受哪些付款方式？"),
        ("ja", "返品の方法を教えてください。"),
        ("ko", "환불 정책은 무엇입니까?"),
        ("ar", "ما هي سياسة الاسترداد؟"),
    ],
)
def test_a_short_question_about_something_else_stands_by_itself(language: str, question: str) -> None:
    before = "Do you deliver parcels to islands?"
    assert standalone(question, history=[before], languages=["en", language]) == question


def test_what_goes_on_after_it_leans_on_it() -> None:
    history = ["Do you deliver parcels to islands?", "Refund policy?", "And for groups?"]
    assert standalone("How long?", history=history, languages=["en"]) == "Refund policy? How long?"


def test_names_and_numbers_are_what_a_question_insists_on() -> None:
    assert names_in("Does the Galaxy S24 work with Linux?", languages=["en"]) == {"Galaxy", "S24", "Linux"}
    assert names_in("HOW DO I RESET MY PASSWORD", languages=["en"]) == set()
    assert names_in("Wie lange dauert die Lieferung?", languages=["de"]) == set()
    assert numbers_in("Was it 1,500 in 2014?") == {"1,500", "2014"}
