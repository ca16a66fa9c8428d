"""Mails about money: to the owners, each once."""

from __future__ import annotations

import pytest
from django.core import mail
from pytest_django import Settings

from billing import tasks
from tenants.context import platform
from tenants.models import Role
from tests.plugins.payers import Payer
from tests.plugins.people import add_member

OWNER = "owner@acme.example"


@pytest.fixture(autouse=True)
def _outbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def remind(payer: Payer) -> None:
    with payer.stripe.capture(execute=True):
        tasks.remind_of_payment.delay()


def test_who_pays_gets_a_receipt_with_the_pdf(payer: Payer) -> None:
    payer.check_out("growth")

    (receipt,) = [message for message in mail.outbox if message.subject.startswith("Receipt")]
    assert receipt.to == [OWNER]
    assert "$99.00" in receipt.subject
    assert payer.stripe.world.all("invoices")[0]["invoice_pdf"] in receipt.body
    assert "Your Growth plan" in subjects()


def test_every_owner_is_told_and_nobody_else(payer: Payer) -> None:
    add_member(payer.workspace, "second@acme.example", Role.OWNER)
    add_member(payer.workspace, "admin@acme.example", Role.ADMIN)
    payer.check_out("growth")

    told = {message.to[0] for message in mail.outbox}
    assert told == {OWNER, "second@acme.example"}


def test_a_failed_payment_is_told_with_each_try_and_the_way_to_pay(payer: Payer) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    mail.outbox.clear()
    payer.pass_period(plus_days=1)

    (message,) = mail.outbox
    assert "did not go through" in message.subject
    assert payer.stripe.world.all("invoices")[0]["hosted_invoice_url"] in message.body
    payer.stripe.advance(4)
    assert len(mail.outbox) == 2


def test_what_comes_next_is_told_once(payer: Payer) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    payer.pass_period(plus_days=1)
    mail.outbox.clear()
    remind(payer)
    assert mail.outbox == []

    payer.stripe.advance(4.5)
    mail.outbox.clear()
    remind(payer)
    remind(payer)
    assert subjects() == ["Please pay for Acme in time"]

    payer.stripe.advance(3)
    mail.outbox.clear()
    remind(payer)
    remind(payer)
    assert subjects() == ["Acme is read only now"]


def test_the_end_of_a_plan_is_told_with_what_is_left(payer: Payer) -> None:
    payer.check_out("growth")
    payer.do("cancel")
    mail.outbox.clear()
    payer.pass_period(plus_days=0.1)

    (message,) = mail.outbox
    assert message.subject == "Your Growth plan is over"
    assert "Nothing was deleted" in message.body


def test_a_name_with_special_characters_stays_as_it_is(payer: Payer) -> None:
    payer.workspace.name = "Smith & Söhne"
    with platform():
        payer.workspace.save()
    payer.check_out("growth")

    assert any("Smith & Söhne" in str(message.body) for message in mail.outbox)
