"""The radar finds what contradicts, repeats, or went stale, and stays silent about the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Agent
from knowledge import ingest, radar
from knowledge.documents import add_text, update_file
from knowledge.facts import conflicts, facts_in
from knowledge.models import Document, DocumentStatus, Finding, FindingState, Source, Version
from knowledge.tasks import ingest_document, mail_weekly_radar
from tenants.tasks import deliver_mail


def disagree(first: str, second: str) -> bool:
    facts = [
        fact
        for number, sentence in enumerate((first, second))
        for fact in facts_in(sentence, document=str(number), heading="", language="en")
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
    ],
)
def test_other_subjects_units_or_figures_do_not(first: str, second: str) -> None:
    assert not disagree(first, second)


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
