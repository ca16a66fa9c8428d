"""Credit and refunds that staff give: at Stripe, once, and in the audit log."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tenants.context import platform
from tenants.models import AuditEvent, User
from tests.plugins.payers import Payer
from tests.plugins.people import PASSWORD, verify

pytestmark = pytest.mark.django_db


def act(payer: Payer, name: str, **given: str) -> int:
    user = User.objects.filter(email="staff@netvexa.example").first()
    user = user or User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    verify(client, user)
    address = reverse(
        "admin:billing_billedworkspace_change", urlconf="netvexa.urls.admin", args=[payer.workspace.pk]
    )
    fields = {f"{name}-{field}": value for field, value in given.items()}
    return client.post(address, {"act": name, f"{name}-reason": "An outage.", **fields}).status_code


def test_credit_sent_twice_is_given_once(payer: Payer) -> None:
    payer.check_out("growth")
    once = str(uuid4())
    for _ in range(2):
        assert act(payer, "credit", usd="20", once=once) == 302

    assert payer.stripe.world.get("customers", payer.stripe.customer)["balance"] == -2000
    with platform():
        event = AuditEvent.objects.filter(action="billing.credit").first()
    assert event is not None
    assert event.after is not None
    assert (event.after["usd"], event.after["reason"]) == ("20", "An outage.")


def test_a_part_of_a_payment_is_refunded_and_never_more_than_it(payer: Payer) -> None:
    payer.check_out("growth")
    charge = payer.stripe.world.all("charges")[0]

    assert act(payer, "refund", charge=charge["id"], usd="9", once=str(uuid4())) == 302
    assert act(payer, "refund", charge=charge["id"], usd="95", once=str(uuid4())) == 422
    assert payer.stripe.world.get("charges", charge["id"])["amount_refunded"] == 900
