"""Business figures for staff: made by what subscriptions really did, and the same on the page and in the file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing import figures
from billing.figures import Month
from billing.models import AcquisitionSpend, MovementKind, PlanMovement, UsageBucket, UsageKind
from billing.plans import PLANS, Tier
from tenants.context import platform
from tenants.models import AuditEvent, User, Workspace
from tests.plugins.payers import Payer
from tests.plugins.people import PASSWORD, MakeWorkspace, client_of, verify

pytestmark = pytest.mark.django_db
PAGE = "/billing/businessfigures/"
PRICE = {tier: 100 * (plan.monthly_usd or 0) for tier, plan in PLANS.items()}


@pytest.fixture
def staff(db: None) -> Client:
    user = User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return verify(client, user)


def kinds() -> list[tuple[str, int, int]]:
    with platform():
        rows = PlanMovement.objects.order_by("at", "pk")
        return list(rows.values_list("kind", "before_cents", "after_cents"))


def move(workspace: Workspace, at: datetime, before: int, after: int, kind: MovementKind) -> None:
    with platform():
        PlanMovement.objects.create(
            workspace=workspace, at=at, kind=kind, before_cents=before, after_cents=after, tier=Tier.GROWTH
        )


def month(number: int) -> datetime:
    """The middle of a month, so many months ago."""
    first = timezone.now().astimezone(UTC).replace(day=1)
    for _ in range(number):
        first = (first - timedelta(days=1)).replace(day=1)
    return first.replace(day=15)


def found() -> list[Month]:
    with platform():
        return figures.months()


def test_a_life_of_a_subscription_is_taken_down_as_what_it_means(payer: Payer) -> None:
    payer.check_out("starter")
    payer.change("growth")
    payer.change("starter")
    payer.pass_period(plus_days=0.1)
    payer.do("cancel")
    payer.pass_period(plus_days=0.1)
    payer.check_out("growth", "year")

    small, large = PRICE[Tier.STARTER], PRICE[Tier.GROWTH]
    assert kinds() == [
        ("new", 0, small),
        ("expansion", small, large),
        ("contraction", large, small),
        ("churn", small, 0),
        ("return", 0, large * 10 // 12),
    ]


def test_a_renewal_moves_nothing_and_grace_is_not_churn(payer: Payer) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    payer.pass_period(plus_days=1)

    assert payer.row.status == "past_due"
    assert [kind for kind, *_ in kinds()] == ["new"]


def test_the_months_add_up(workspace: Workspace, other_workspace: Workspace) -> None:
    move(workspace, month(3), 0, 2900, MovementKind.NEW)
    move(other_workspace, month(2), 0, 9900, MovementKind.NEW)
    move(workspace, month(1), 2900, 9900, MovementKind.EXPANSION)
    move(other_workspace, month(1), 9900, 0, MovementKind.CHURN)

    *_, before, last, now = found()
    assert (before.closing_cents, before.closing_customers) == (12800, 2)
    assert (last.opening_cents, last.closing_cents, last.arr_cents) == (12800, 9900, 118800)
    assert last.cents == {"expansion": 7000, "churn": -9900}
    assert last.churn == 0.5
    assert (now.opening_cents, now.closing_customers) == (9900, 1)


def test_trial_conversion_counts_who_signed_up_in_the_month(make_workspace: MakeWorkspace) -> None:
    paying, _trying = make_workspace("acme"), make_workspace("rival")
    move(paying, timezone.now(), 0, 2900, MovementKind.NEW)

    now = found()[-1]
    assert (now.signed_up, now.converted, now.conversion) == (2, 1, 0.5)


def test_margin_is_revenue_less_what_the_models_cost(workspace: Workspace) -> None:
    move(workspace, month(2), 0, 10_000, MovementKind.NEW)
    first = month(1).date().replace(day=1)
    with platform():
        UsageBucket.objects.create(
            workspace=workspace, kind=UsageKind.ANSWERS, period=first, used=5, cost_micro_usd=25_000_000
        )
        (row,) = figures.by_workspace(first)

    assert (row.revenue_cents, row.cost_cents, row.margin) == (10_000, 2_500, 0.75)
    assert found()[-2].margin == 0.75


def test_the_targets_are_held_against_the_figures(workspace: Workspace, other_workspace: Workspace) -> None:
    for one in (workspace, other_workspace):
        move(one, month(4), 0, 10_000, MovementKind.NEW)
    move(other_workspace, month(1), 10_000, 0, MovementKind.CHURN)
    with platform():
        AcquisitionSpend.objects.create(month=month(2).date().replace(day=1), usd=300)
        churn, ratio, margin = figures.targets(figures.months())

    assert (churn.value, churn.met) == ("50.0 %", False)
    assert ratio.met is None  # nobody was won in those months
    assert (margin.value, margin.met) == ("100.0 %", True)


def test_ltv_and_cac(make_workspace: MakeWorkspace) -> None:
    a, b, c = (make_workspace(slug) for slug in ("one", "two", "three"))
    for one in (a, b):
        move(one, month(6), 0, 10_000, MovementKind.NEW)
    move(b, month(1), 10_000, 0, MovementKind.CHURN)
    move(c, month(2), 0, 10_000, MovementKind.NEW)
    with platform():
        AcquisitionSpend.objects.create(month=month(2).date().replace(day=1), usd=150)
        months = figures.months()

    # 2, 2 and 3 paid when the last three months began, and 1 left: 1/7 a month; everything is margin
    assert figures.ltv_cents(months) == pytest.approx(70_000)
    assert figures.cac_cents(months) == 15_000
    ratio = figures.targets(months)[1]
    assert (ratio.value, ratio.met) == ("4.7", True)


def test_with_nothing_to_compute_from_nothing_is_claimed(staff: Client) -> None:
    text = staff.get(PAGE).content.decode()

    assert text.count("not known yet") == 5  # three targets, LTV and CAC
    assert "type in the spend" in text


def test_page_and_file_say_the_same_and_explain_every_figure(staff: Client, payer: Payer) -> None:
    payer.check_out("growth")
    page = staff.get(PAGE).content.decode()
    rows = list(csv.reader(io.StringIO(staff.get(f"{PAGE}months.csv").content.decode("utf-8-sig"))))

    now = dict(zip(rows[0], rows[-1], strict=True))
    assert (now["MRR"], now["ARR"], now["New"], now["Customers"]) == ("99.00", "1188.00", "99.00", "1")
    assert len(rows) == figures.MONTHS + 2
    for cell in rows[-1]:
        assert not cell or f"<td>{cell.replace(chr(39), '&#x27;')}</td>" in page
    for name in ("MRR", "ARR", "Trial conversion", "Margin", "LTV", "CAC"):
        assert f"<dt>{name}</dt>" in page.split("What the figures mean")[1]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_workspaces_name_runs_nothing_in_a_spreadsheet(
    staff: Client, make_workspace: MakeWorkspace, start: str
) -> None:
    workspace = make_workspace("acme")
    with platform():
        Workspace.objects.filter(pk=workspace.pk).update(name=f"{start}cmd|' /C calc'!A0")
    move(workspace, timezone.now() - timedelta(minutes=1), 0, 2900, MovementKind.NEW)

    text = staff.get(f"{PAGE}workspaces.csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][0].startswith(f"'{start}cmd")


def test_the_margin_of_an_earlier_month_can_be_looked_at(staff: Client, workspace: Workspace) -> None:
    move(workspace, month(2), 0, 9900, MovementKind.NEW)
    asked = f"{month(1):%Y-%m}"

    assert "<td>99.00</td>" in staff.get(PAGE, {"month": asked}).content.decode()
    assert staff.get(PAGE, {"month": "nonsense"}).status_code == 200


def test_staff_type_in_what_was_spent_and_it_is_in_the_audit_log(staff: Client) -> None:
    given: dict[str, Any] = {"month": "2026-10-17", "usd": "1200", "note": "Fair"}
    assert staff.post("/billing/acquisitionspend/add/", given).status_code == 302

    with platform():
        assert AcquisitionSpend.objects.get().month == date(2026, 10, 1)
        assert AuditEvent.objects.filter(action="figures.spend").exists()


def test_what_staff_give_is_no_revenue(payer: Payer, staff: Client) -> None:
    payer.check_out("growth")
    given = {"tier": "business", "note": "A partner."}
    staff.post(f"/billing/entitlement/{payer.workspace.pk}/change/", given)

    assert [kind for kind, *_ in kinds()] == ["new", "churn"]


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}months.csv", f"{PAGE}workspaces.csv"])
def test_nobody_else_sees_them(workspace: Workspace, owner_client: Client, path: str) -> None:
    owner = User.objects.get(email="owner@acme.example")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(owner)

    assert client.get(path).status_code in (302, 403, 404)
    assert client_of(workspace, owner).get(path).status_code == 404
