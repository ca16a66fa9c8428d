"""The radar finds what contradicts, repeats, or went stale, and stays silent about the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Agent
from knowledge import ingest, radar
from knowledge.documents import add_text, update_file
from knowledge.facts import conflicts, facts_in
from knowledge.figures import value_of
from knowledge.models import Document, DocumentStatus, Finding, FindingState, Source, Version
from knowledge.tasks import ingest_document, mail_weekly_radar
from tenants.tasks import deliver_mail


def disagree(first: str, second: str, *, language: str = "en") -> bool:
    facts = [
        fact
        for number, sentence in enumerate((first, second))
        for fact in facts_in(sentence, document=str(number), heading="", language=language)
    ]
    return bool(conflicts(facts))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The Pro plan costs $49 a month.", "The Pro plan costs $59 a month."),
        ("The Pro plan costs 49 EUR a month.", "Each month the Pro plan costs 59 euros."),
        ("Refunds for lamps take 5 working days.", "Refunds for lamps take 14 days."),
        ("The winter sale ends on 5 March 2026.", "The winter sale ends on 7 March 2026."),
        ("Students get a discount of 20% on lamps.", "Students get a discount of 25 percent on lamps."),
        ("The Pro plan allows up to 5 users.", "The Pro plan allows up to 10 users."),
        ("The Pro plan costs $49 for 5 users.", "The Pro plan costs $59 for 5 users."),
        ("The winter sale ends on March 5.", "The winter sale ends on 2026-03-07."),
        ("The large lamp costs $1,299.00 today.", "The large lamp costs 1.399,00 € today."),
    ],
)
def test_different_figures_about_one_subject_contradict(first: str, second: str) -> None:
    assert disagree(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The Pro plan costs $49 a month.", "The Pro plan costs $49.00 a month, 49 dollars."),
        ("The Pro plan costs $49 a month.", "The Basic plan costs $19 a month."),
        ("Refunds for lamps take 5 days.", "Deliveries of lamps to Norway take 9 days."),
        ("Upload files of up to 20 MB.", "Upload files within 20 days."),
        ("It costs $49.", "It costs $59."),
        ("Plan A: 5 users", "Plan B: 10 users"),
        ("Plan A has up to 5 users a month with support.", "Plan B has up to 10 users a month with support."),
        ("Model 200 of the lamp costs $49 a piece.", "Model 300 of the lamp costs $59 a piece."),
        ("The Pro plan costs $49 for 5 users.", "The Pro plan costs $79 for 10 users."),
        ("The Pro plan allows up to 5 users.", "The Pro plan allows up to 10 projects."),
        ("As step 5 explains lamps need oil.", "As step 6 explains lamps need oil."),
        ("Section 5 covers refunds for broken lamps.", "Section 6 covers refunds for broken lamps."),
        ("In 2025 customers bought lamps from us.", "In 2026 customers bought lamps from us."),
        ("Our lamp shop in London is at 12 Main Street.", "Our lamp shop in London is at 14 Main Street."),
        ("The winter sale ends on 5 March 2026.", "The winter sale ends on March 5."),
        ("The large lamp costs $1,299.00 today.", "The large lamp costs 1.299 € today."),
        ("3. The Pro plan allows up to 5 users.", "4. The Pro plan allows up to 5 users."),
    ],
)
def test_other_subjects_units_or_figures_do_not(first: str, second: str) -> None:
    assert not disagree(first, second)


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("de", "Der große Tarif kostet 49,99 € im Monat.", "Der große Tarif kostet 59,99 € im Monat."),
        ("de", "Die große Lampe kostet nur 1.299,00 €.", "Die große Lampe kostet nur 1.399,00 €."),
        ("de", "Im Tarif Pro sind bis zu 5 Benutzer frei.", "Im Tarif Pro sind bis zu 10 Benutzer frei."),
        ("de", "Der Verkauf von Lampen endet am 5. März.", "Der Verkauf von Lampen endet am 07.03.2026."),
        ("de", "Die Lieferung der Lampe dauert 3 Tage.", "Die Lieferung der Lampe dauert 5 Tage."),
        ("fr", "La grande lampe coûte 1 299,00 €.", "La grande lampe coûte 1 399,00 €."),
        ("fr", "Les soldes lampes durent jusqu'au 1er mars 2026.", "Les soldes lampes durent jusqu'au 7 mars 2026."),
        ("es", "La oferta de lámparas acaba el 5 de marzo.", "La oferta de lámparas acaba el 7 de marzo de 2026."),
        ("es", "El plan Pro admite hasta 1.500 usuarios.", "El plan Pro admite hasta 2.500 usuarios."),
    ],
)  # fmt: skip
def test_figures_are_read_as_other_languages_write_them(language: str, first: str, second: str) -> None:
    assert disagree(first, second, language=language)


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("de", "Der große Tarif kostet 49,90 € im Monat.", "Der große Tarif kostet EUR 49.90 im Monat."),
        ("de", "Die große Lampe kostet nur 1.299,00 €.", "Die große Lampe kostet nur 1299 Euro."),
        ("de", "Der Verkauf von Lampen endet am 5. März 2026.", "Der Verkauf von Lampen endet am 05.03.2026."),
        ("de", "Das Büro liegt am Ring in 10115 Berlin.", "Das Büro liegt am Ring in 10117 Berlin."),
        ("fr", "La grande lampe coûte 1 299,00 €.", "La grande lampe coûte 1299 €."),
        ("es", "La oferta de lámparas acaba el 5 de marzo.", "La oferta de lámparas acaba el 2026-03-05."),
    ],
)  # fmt: skip
def test_one_figure_written_in_two_ways_is_no_contradiction(language: str, first: str, second: str) -> None:
    assert not disagree(first, second, language=language)


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [
        ("49,99", "", "49.99"),
        ("1.299,00", "", "1299"),
        ("1,299.50", "", "1299.5"),
        ("1'299", "", "1299"),
        ("1,234,567", "", "1234567"),
        ("1.299", "de", "1299"),
        ("1.299", "en", "1.299"),
        ("0.125", "", "0.125"),
    ],
)
def test_numbers_are_read_in_both_styles(written: str, language: str, value: str) -> None:
    assert value_of(written, language=language) == value


def test_a_price_with_decimals_is_one_figure() -> None:
    facts = facts_in("Die Lampe kostet 49,95 €.", document="1", heading="", language="de")
    assert [fact.figures for fact in facts] == [{"49.95"}]


@pytest.fixture
def _read_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_document, "delay", lambda *_job: None)


def add(agent: Agent, title: str, text: str) -> Source:
    source = add_text(agent, title=title, text=text)
    ingest.ingest(source.documents.get().pk)
    return source


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_read_now")
def test_findings_open_close_and_stay_dismissed(agent: Agent) -> None:
    add(agent, "Prices", "The Pro plan costs $49 a month.")
    second = add(agent, "Offer", "The Pro plan costs $59 a month.")
    assert radar.scan() == 1
    finding = Finding.objects.get()
    assert finding.kind == "contradiction"
    assert {finding.detail["first"], finding.detail["second"]} == {
        "The Pro plan costs $49 a month.", "The Pro plan costs $59 a month.",
    }  # fmt: skip
    Finding.objects.update(state=FindingState.DISMISSED)
    assert radar.scan() == 0
    Finding.objects.update(state=FindingState.OPEN)
    update_file(second, b"The Pro plan costs $49 a month.")
    ingest.ingest(second.documents.get().pk)
    radar.scan()
    assert set(Finding.objects.values_list("kind", "state")) == {
        ("contradiction", "gone"),
        ("duplicate", "open"),
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_read_now")
def test_dead_stale_and_held_documents_are_found(agent: Agent) -> None:
    old = add(agent, "Old", "Something that was true once.")
    Version.objects.filter(document__source=old).update(created_at=timezone.now() - timedelta(days=400))
    page = Source.objects.create(agent=agent, kind="site", title="Site", url="https://a.example/")
    Document.objects.create(
        source=page, key="https://a.example/x", url="https://a.example/x", title="x", found_on="https://a.example/",
        status=DocumentStatus.FAILED, error_code="fetch_page_missing",
    )  # fmt: skip
    Document.objects.create(source=page, key="y", title="y", status=DocumentStatus.HELD)
    radar.scan()
    assert sorted(Finding.objects.values_list("kind", flat=True)) == ["dead_link", "held", "stale"]
    assert "https://a.example/ links to it" in Finding.objects.get(kind="dead_link").sentence


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_read_now")
def test_the_owner_gets_a_mail_a_week_while_something_is_open(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(deliver_mail, "delay", lambda *mail: sent.append(mail))
    mail_weekly_radar()
    assert sent == []
    source = Source.objects.create(agent=agent, kind="text", title="Lamps")
    Document.objects.create(source=source, title="Lamps", status=DocumentStatus.HELD)
    radar.scan()
    mail_weekly_radar()
    ((to, subject, text, _),) = sent
    assert (to, subject) == ("owner@acme.example", "1 thing to look at in the knowledge of Acme")
    assert "/knowledge/radar/" in text
