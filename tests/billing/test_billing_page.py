"""The plan page as others than owners see it."""

from __future__ import annotations

from django.test import Client

from tenants.models import Role
from tests.plugins.payers import Payer
from tests.plugins.people import ClientAs


def test_a_member_sees_the_plan_but_neither_card_nor_invoices(payer: Payer, client_as: ClientAs) -> None:
    payer.check_out("growth")
    shown = client_as(Role.VIEWER).get("/plan/").content.decode()

    assert "Growth" in shown
    for hidden in ("4242", "Invoices", "Change plan", "Cancel plan", "/plan/portal/"):
        assert hidden not in shown


def test_a_member_of_an_unpaid_workspace_knows_who_can_pay(payer: Payer, client_as: ClientAs) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    payer.pass_period(plus_days=9)
    shown = client_as(Role.AGENT).get("/plan/").content.decode()

    assert "read only" in shown
    assert "An owner of the workspace can pay." in shown
    assert "hosted" not in shown


def test_a_stranger_sees_nothing(payer: Payer, stranger_client: Client) -> None:
    payer.check_out("growth")

    assert stranger_client.get("/plan/").status_code == 404
