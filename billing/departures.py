"""What Stripe is told of a workspace that is deleted."""

from __future__ import annotations

import logging

from billing.accounts import account_of
from billing.changes import cancel
from billing.gateway import Refused, StripeOff, asking
from billing.states import LIVE
from tenants.context import platform
from tenants.models import Workspace

logger = logging.getLogger(__name__)


def stop_renewal(workspace: Workspace) -> None:
    """Let the subscription end with what is paid for, if there is one. Raises StripeDown."""
    try:
        cancel(workspace)
    except (StripeOff, Refused) as error:
        logger.info("No subscription to end for %s: %s", workspace.key, error)


def close_account(workspace: Workspace) -> None:
    """End what still runs at once, and mark the customer: invoices stay with Stripe, as the law of taxes asks.

    Raises StripeDown.
    """
    with platform():
        account = account_of(workspace)
    if account is None:
        return
    try:
        with asking() as client:
            found = client.v1.subscriptions.list(
                {"customer": account.customer_id, "status": "all", "limit": 20}
            )
            for row in found.data:
                if row.status in LIVE:
                    client.v1.subscriptions.cancel(row.id)
            client.v1.customers.update(account.customer_id, {"metadata": {"workspace_deleted": "true"}})
    except (StripeOff, Refused) as error:
        logger.warning("Stripe was not told that %s is deleted: %s", workspace.key, error)
