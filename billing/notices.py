"""Mails about money to a workspace's owners, each sent once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from djstripe.models import Invoice

from billing.models import BillingAccount, BillingNotice, Entitlement, EntitlementSource
from billing.plans import FREE, PLANS, Limit, Tier
from billing.refresh import Refreshed
from billing.states import OVERAGE, OWING, Json
from billing.subscriptions import FREE_AFTER, GRACE, Access, access_of
from tenants import mail
from tenants.addresses import named_workspace_address
from tenants.models import Membership, Role, Workspace

REMIND_BEFORE = timedelta(days=2)  # the end of grace


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One mail. `kind` and `reference` together are sent once to a workspace."""

    kind: str
    reference: str
    subject: str
    paragraphs: tuple[str, ...]
    button: str = "Open the billing page"
    href: str = ""  # the billing page, unless another is given


def send(workspace: Workspace, notice: Notice) -> bool:
    """Mail it to the owners once the open transaction is committed; False if it was sent before."""
    with transaction.atomic():
        _, is_new = BillingNotice.objects.get_or_create(
            workspace=workspace, kind=notice.kind, reference=notice.reference
        )
        if is_new:
            href = notice.href or named_workspace_address(workspace, "workspace:plan")
            owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER).with_people()
            for member in owners:
                context = {"notice": notice, "href": href, "workspace": workspace}
                mail.send("billing", to=member.user.email, context=context)
    return is_new


def tell_of_change(change: Refreshed) -> None:
    """What a refresh found that people want to know: the plan began, or it is over."""
    after, state = change.after, change.state
    if after is None or state is None or after.source != EntitlementSource.STRIPE:
        return
    plan = PLANS[Tier(after.tier)].name
    if state.status in ("active", "trialing"):
        text = (f"The {plan} plan counts from now on for {change.workspace}. Thank you!",)
        send(change.workspace, _notice("started", state.subscription_id, f"Your {plan} plan", text))
    elif access_of(after, now=after.now) is Access.FREE:
        send(change.workspace, _over(state.subscription_id, plan, change.workspace))


def tell_of_invoice(data: Json) -> None:
    """A receipt for what was paid; word of a payment that failed, each time it does."""
    account = BillingAccount.objects.select_related("workspace").filter(customer_id=data["customer"]).first()
    if account is None:
        return
    if data["status"] == "paid" and data["amount_paid"]:
        send(account.workspace, _receipt(data))
    elif data["status"] == "open" and data["attempt_count"]:
        send(account.workspace, _failed(data, account.workspace))


def remind() -> None:
    """Tell the owners of unpaid plans what comes next; run every hour, as the platform."""
    owing = Entitlement.objects.filter(
        Q(status__in=OWING), source=EntitlementSource.STRIPE, past_due_since__isnull=False
    ).select_related("workspace")
    for row in owing:
        if (notice := _reminder(row)) is not None:
            send(row.workspace, notice)


def _reminder(row: Entitlement) -> Notice | None:
    since = row.past_due_since
    if since is None:
        return None
    owing, reference, plan = row.now - since, f"{since:%Y-%m-%d %H:%M}", PLANS[Tier(row.tier)].name
    if owing >= FREE_AFTER:
        return _over(reference, plan, row.workspace)
    if owing >= GRACE:
        text: tuple[str, ...] = (
            (
                f"The {plan} plan of {row.workspace} has not been paid for seven days, so the workspace is read"
                " only now: agents do not answer, and nothing can be added."
            ),
            "Nothing was deleted. Everything goes on as soon as the open invoice is paid.",
        )
        return _notice("read_only", reference, f"{row.workspace} is read only now", text)
    if owing >= GRACE - REMIND_BEFORE:
        text = (
            (
                f"The {plan} plan of {row.workspace} is still not paid. Without a payment the workspace becomes"
                f" read only on {since + GRACE:%-d %B}. Nothing will be deleted."
            ),
        )
        return _notice("grace_ends", reference, f"Please pay for {row.workspace} in time", text)
    return None


def _notice(kind: str, reference: str, subject: str, paragraphs: tuple[str, ...]) -> Notice:
    return Notice(kind=kind, reference=reference, subject=subject, paragraphs=paragraphs)


def _over(reference: str, plan: str, workspace: Workspace) -> Notice:
    text = (
        (
            f"The {plan} plan of {workspace} is over. The workspace goes on with the free limits:"
            f" {FREE.limits[Limit.AGENTS]} agent and {FREE.limits[Limit.ANSWERS]} answers a month."
        ),
        "Nothing was deleted: what is above these limits stays and can be read. A plan brings it back.",
    )
    return _notice("over", reference, f"Your {plan} plan is over", text)


def _receipt(data: Json) -> Notice:
    amount = f"${data['amount_paid'] / 100:,.2f}"
    return Notice(
        kind="receipt",
        reference=data["id"],
        subject=f"Receipt {data['number']}: {amount}",
        paragraphs=(
            f"We received {amount}. Thank you!",
            f"Invoice {data['number']} is ready as a PDF; all invoices stand on the billing page, too.",
        ),
        button="Download the invoice",
        href=data["invoice_pdf"] or "",
    )


def _failed(data: Json, workspace: Workspace) -> Notice:
    amount = f"${data['amount_remaining'] / 100:,.2f}"
    again = " We try again in a few days." if data["next_payment_attempt"] else ""
    details = (data.get("parent") or {}).get("subscription_details") or {}
    is_overage = (details.get("metadata") or {}).get("purpose") == OVERAGE
    return Notice(
        kind="payment_failed",
        reference=f"{data['id']} {data['attempt_count']}",
        subject=f"The payment of {amount} for {workspace} did not go through",
        paragraphs=(
            (
                f"The bank declined the payment of {amount} for {workspace}.{again} Please pay the invoice with"
                " another card, or ask your bank."
            ),
            _what_failing_means(is_overage),
        ),
        button="Pay the invoice",
        href=data["hosted_invoice_url"] or "",
    )


def _what_failing_means(is_overage: bool) -> str:
    if is_overage:
        return (
            "This invoice is for answers beyond the plan. Your plan works as always; until it is paid, agents stop"
            " at the plan's limit."
        )
    return (
        f"Everything works as always for {GRACE.days} days after the first failure. After that the workspace"
        " becomes read only; nothing is deleted."
    )


def tell_staff(subject: str, paragraphs: tuple[str, ...], *, to: list[str]) -> None:
    """A mail to NETVEXA's own staff."""
    notice = _notice("staff", "", subject, paragraphs)
    for address in to:
        href = settings.ROOT_URL.replace("://", "://admin.", 1) + "/billing/driftfinding/"
        mail.send("billing", to=address, context={"notice": notice, "href": href})


def invoice_data(invoice_id: str) -> Json | None:
    """What Stripe last told us of an invoice."""
    row = Invoice.objects.filter(id=invoice_id).first()
    data: Json | None = row.stripe_data if row else None
    return data
