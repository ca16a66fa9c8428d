"""The workspace as Stripe's customer."""

from __future__ import annotations

from djstripe.models import Customer

from billing.gateway import asking, secret_key
from billing.models import BillingAccount
from tenants.context import platform
from tenants.models import Workspace


def account_of(workspace: Workspace) -> BillingAccount | None:
    """The workspace's account with Stripe, if it ever began to pay."""
    with platform():
        return BillingAccount.objects.filter(workspace=workspace).first()


def ensure_account(workspace: Workspace) -> BillingAccount:
    """The same, made where there is none. The key makes two at once one customer."""
    if (account := account_of(workspace)) is not None:
        return account
    with platform(), asking() as client:
        made = client.v1.customers.create(
            {
                "email": workspace.email,
                "name": workspace.name,
                "metadata": {"djstripe_subscriber": str(workspace.pk), "workspace": workspace.slug},
            },
            {"idempotency_key": f"customer-{workspace.pk}"},
        )
        customer = Customer.sync_from_stripe_data(made, api_key=secret_key())
        customer.subscriber = workspace
        customer.save()
        return BillingAccount.objects.get_or_create(workspace=workspace, defaults={"customer_id": made.id})[0]
