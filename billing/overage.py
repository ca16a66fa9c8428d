"""Answers beyond the plan: an owner lets them be, up to what they may cost in a month.

They are paid by a subscription of their own beside the plan's: it runs from month to month like the quota, whether
the plan is paid by the month or the year, and a change of the plan does not touch it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import stripe
from django.db import transaction

from billing.accounts import account_of
from billing.catalogue import overage_price_id
from billing.gateway import Refused, asking, plain
from billing.models import BillingAccount, Entitlement
from billing.refresh import refresh
from billing.states import LIVE, OVERAGE, Json, deciding, overage_of
from billing.subscriptions import Standing, standing_of
from billing.usage import end_of
from netvexa.lib.errors import AppError
from tenants.context import platform
from tenants.models import Workspace


class NoPlanToExceed(AppError):
    """Beyond a plan there is something only where a plan is paid."""

    code = "no_plan"
    status = 409
    default_detail = "Answers beyond the plan need a paid plan in good order. Choose or pay a plan first."


def allow(workspace: Workspace, *, cap_usd: int) -> None:
    """Let answers go beyond the plan for at most `cap_usd` a month, from now on.

    Raises NoPlanToExceed, Refused, CardDeclined, StripeDown; then nothing is changed.
    """
    account = _account(workspace)
    with asking() as client:
        _ensure(client, account, workspace)
    _set_cap(account, cap_usd)


def stop(workspace: Workspace) -> None:
    """Stop at the plan's limit from now on. What was used beyond it is invoiced when the month ends."""
    account = _account(workspace)
    _set_cap(account, None)
    with asking() as client:
        _end(client, account)


def end_with_plan(workspace: Workspace) -> None:
    """Where no plan is paid any more there is nothing beyond it; called after each refresh."""
    row = Entitlement.objects.filter(workspace=workspace).first()
    if row is None or row.overage_cap_usd is None or row.status in LIVE:
        return
    account = BillingAccount.objects.get(workspace=workspace)
    with asking() as client:
        _end(client, account)
    _set_cap(account, None)


def may_allow(standing: Standing) -> bool:
    """Whether there is a paid plan with a limit that could be gone beyond."""
    row = standing.subscription
    return row is not None and row.status == "active"


def _account(workspace: Workspace) -> BillingAccount:
    account = account_of(workspace)
    if account is None or not may_allow(standing_of(workspace)):
        raise NoPlanToExceed
    return account


def _ensure(client: stripe.StripeClient, account: BillingAccount, workspace: Workspace) -> None:
    """The subscription, made or taken out of its end."""
    rows = _held(client, account)
    found = overage_of(rows)
    if found is None or found["status"] not in LIVE:
        _create(client, account, workspace, rows)
    elif found["status"] != "active":
        raise Refused("The last invoice for answers beyond the plan is not paid. Please pay it first.")
    elif found["cancel_at_period_end"]:
        client.v1.subscriptions.update(found["id"], {"cancel_at_period_end": False})


def _create(
    client: stripe.StripeClient, account: BillingAccount, workspace: Workspace, rows: list[Json]
) -> None:
    plan = deciding(rows)
    if plan is None:
        raise NoPlanToExceed
    row = standing_of(workspace).entitlement
    now = row.now if row else datetime.now(UTC)
    begins = end_of(now.astimezone(UTC).date().replace(day=1))
    given: Any = {
        "customer": account.customer_id,
        "items": [{"price": overage_price_id(client)}],
        "billing_cycle_anchor": int(begins.timestamp()),
        "proration_behavior": "none",
        "off_session": True,
        "metadata": {"workspace": str(workspace.pk), "purpose": OVERAGE},
    }
    if method := plan.get("default_payment_method"):
        given["default_payment_method"] = method
    ended = sum(row["status"] not in LIVE for row in rows)
    client.v1.subscriptions.create(given, {"idempotency_key": f"overage-{workspace.pk}-{ended}"})


def _end(client: stripe.StripeClient, account: BillingAccount) -> None:
    """At the month's end, so that everything told until then is on the last invoice."""
    found = overage_of(_held(client, account))
    if found is not None and found["status"] in LIVE and not found["cancel_at_period_end"]:
        client.v1.subscriptions.update(found["id"], {"cancel_at_period_end": True})


def _held(client: stripe.StripeClient, account: BillingAccount) -> list[Json]:
    given: Any = {"customer": account.customer_id, "status": "all", "limit": 20}
    return [plain(row) for row in client.v1.subscriptions.list(given).data]


def _set_cap(account: BillingAccount, cap_usd: int | None) -> None:
    """Under the account's lock, as every change of the row; then it is read back from Stripe."""
    with platform():
        with transaction.atomic():
            BillingAccount.objects.select_for_update().get(pk=account.pk)
            Entitlement.objects.filter(workspace=account.workspace_id).update(overage_cap_usd=cap_usd)
        refresh(account.customer_id)
