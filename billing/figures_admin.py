"""The business figures in the admin: a page, and two files for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from billing import figures
from billing.figures import Month, WorkspaceMonth, in_percent
from billing.models import AcquisitionSpend, BusinessFigures
from billing.models import MovementKind as Kind
from netvexa.lib.sheets import START, line_of
from tenants import audit
from tenants.admin import ReadOnly

MONTH_COLUMNS = (
    "Month", "MRR", "ARR", "Customers", "New", "Return", "Expansion", "Contraction", "Churned", "Churn",
    "Signed up", "Trial conversion", "Beyond plans", "Models' cost", "Margin",
)  # fmt: skip
# The page shows the columns after the month in two tables, as wide as a desk's screen: revenue, then what comes of it.
_REVENUE = slice(1, MONTH_COLUMNS.index("Signed up"))
_MARGIN = slice(MONTH_COLUMNS.index("Signed up"), None)
WORKSPACE_COLUMNS = ("Workspace", "Address", "Revenue", "Models' cost", "Margin", "Margin in percent")
SHOWN = 100


@admin.register(AcquisitionSpend)
class AcquisitionSpendAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was spent on winning customers, month by month."""

    list_display = ("month", "usd", "note")
    date_hierarchy = "month"

    def save_model(self, request: HttpRequest, obj: AcquisitionSpend, form: Any, change: bool) -> None:
        obj.month = obj.month.replace(day=1)
        super().save_model(request, obj, form, change)
        after = {"usd": obj.usd, "note": obj.note}
        audit.record("figures.spend", request=request, subject=f"{obj.month:%Y-%m}", after=after)


@admin.register(BusinessFigures)
class BusinessFiguresAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Recurring revenue, churn, conversion and margins, with what each of them means."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("months.csv", view(self.months_file), name="billing_figures_months"),
            path("workspaces.csv", view(self.workspaces_file), name="billing_figures_workspaces"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check(request)
        months = figures.months()
        first = _month_asked(request, months)
        rows = figures.by_workspace(first)
        context = {
            **self.admin_site.each_context(request),
            "title": "Business figures",
            "month_tables": [
                ("Recurring revenue by month, in US dollars", *_table(months, _REVENUE)),
                ("Trials, cost and margin by month, in US dollars", *_table(months, _MARGIN)),
            ],
            "now": months[-1],
            "targets": figures.targets(months),
            "ltv": figures.ltv_cents(months),
            "cac": figures.cac_cents(months),
            "workspace_columns": WORKSPACE_COLUMNS,
            "workspace_lines": [_workspace_cells(row) for row in rows[:SHOWN]],
            "more": max(0, len(rows) - SHOWN),
            "month": first,
            "month_choices": [month.first for month in reversed(months)],
            "spend_address": reverse("admin:billing_acquisitionspend_changelist"),
        }
        return render(request, "admin/billing/figures.html", context)

    def months_file(self, request: HttpRequest) -> HttpResponse:
        """The figures of each month, oldest first."""
        self._check(request)
        return _file("months", MONTH_COLUMNS, map(_month_cells, figures.months()))

    def workspaces_file(self, request: HttpRequest) -> HttpResponse:
        """Revenue and cost of every workspace in a month."""
        self._check(request)
        first = _month_asked(request, figures.months())
        rows = figures.by_workspace(first)
        return _file(f"workspaces-{first:%Y-%m}", WORKSPACE_COLUMNS, map(_workspace_cells, rows))

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _month_asked(request: HttpRequest, months: list[Month]) -> date:
    asked = request.GET.get("month", "")
    return next((month.first for month in months if f"{month.first:%Y-%m}" == asked), months[-1].first)


def _table(months: list[Month], part: slice) -> tuple[list[str], list[list[str]]]:
    """Some columns of the months, newest first: their heads, and their lines."""
    rows = ([*MONTH_COLUMNS], *map(_month_cells, reversed(months)))
    columns, *lines = ([row[0], *row[part]] for row in rows)
    return columns, lines


def _month_cells(month: Month) -> list[str]:
    money = [month.cents.get(kind, 0) for kind in (Kind.NEW, Kind.RETURN, Kind.EXPANSION)]
    lost = [month.cents.get(kind, 0) for kind in (Kind.CONTRACTION, Kind.CHURN)]
    return [
        f"{month.first:%Y-%m}",
        _usd(month.closing_cents),
        _usd(month.arr_cents),
        str(month.closing_customers),
        *map(_usd, [*money, *lost]),
        in_percent(month.churn),
        str(month.signed_up),
        in_percent(month.conversion),
        _usd(month.overage_cents),
        _usd(month.cost_cents),
        in_percent(month.margin),
    ]


def _workspace_cells(row: WorkspaceMonth) -> list[str]:
    money = map(_usd, (row.revenue_cents, row.cost_cents, row.margin_cents))
    return [row.workspace.name, row.workspace.slug, *money, in_percent(row.margin)]


def _usd(cents: float) -> str:
    """Plain numbers, so that a spreadsheet can add them up: 1234.50. A lost amount is in brackets."""
    return f"({-cents / 100:.2f})" if round(cents) < 0 else f"{abs(cents) / 100:.2f}"


def _file(name: str, columns: Iterable[str], lines: Iterable[list[str]]) -> HttpResponse:
    text = START + "".join(line_of(cells) for cells in (columns, *lines))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
