"""Plans and usage, for NETVEXA's staff. Without Stripe, this is where plans are switched."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from billing import figures_admin, movements, staff_admin  # noqa: F401  two register their pages
from billing.models import (
    BillingAccount,
    BillingNotice,
    DriftFinding,
    Entitlement,
    EntitlementSource,
    OverageEvent,
    UsageBucket,
    UsageEntry,
    UsageHour,
)
from tenants import audit
from tenants.admin import ReadOnly


class EntitlementForm(forms.ModelForm):  # type: ignore[type-arg]
    """A plan, and why staff set it."""

    note = forms.CharField(max_length=200, help_text="Why: it stands in the workspace's audit log.")

    class Meta:
        model = Entitlement
        fields = ("workspace", "tier", "note")


@admin.register(Entitlement)
class EntitlementAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The plan of each workspace that has one; the others are on the trial."""

    form = EntitlementForm
    list_display = ("workspace", "tier", "source", "status", "period_ends_at", "note", "changed_at")
    list_filter = ("tier", "source", "status")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "workspace__name")
    autocomplete_fields = ("workspace",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("workspace",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Entitlement, form: Any, change: bool) -> None:
        earlier = Entitlement.objects.filter(pk=obj.pk).first()
        before = {"tier": earlier.tier} if earlier else None
        obj.source = EntitlementSource.STAFF  # from now on Stripe does not change it
        super().save_model(request, obj, form, change)
        movements.take_down(obj.workspace, earlier, obj)  # what is given brings nothing in
        after = {"tier": obj.tier, "note": obj.note}
        audit.record("plan.set", request=request, before=before, after=after, workspace=obj.workspace)

    def delete_model(self, request: HttpRequest, obj: Entitlement) -> None:
        workspace, before = obj.workspace, {"tier": obj.tier}
        super().delete_model(request, obj)
        audit.record("plan.remove", request=request, before=before, workspace=workspace)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # deleting many at once would pass the audit log by


@admin.register(DriftFinding)
class DriftFindingAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Where the nightly check found that we differed from Stripe; staff are mailed about it, too."""

    list_display = ("found_at", "workspace", "problem", "repaired")
    list_filter = ("repaired",)
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "problem")
    date_hierarchy = "found_at"


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Which customer of Stripe's a workspace is."""

    list_display = ("workspace", "customer_id", "created_at", "refreshed_at")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "customer_id")


@admin.register(BillingNotice)
class BillingNoticeAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Mails about money that were sent."""

    list_display = ("sent_at", "workspace", "kind", "reference")
    list_filter = ("kind",)
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "reference")


@admin.register(UsageBucket)
class UsageBucketAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What each workspace used in each month."""

    list_display = ("workspace", "kind", "period", "used", "over", "tokens", "cost_micro_usd")
    list_filter = ("kind", "period")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug",)


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The ledger, line by line."""

    list_display = ("created_at", "workspace", "kind", "state", "tokens", "cost_micro_usd", "reference")
    list_filter = ("kind", "state")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "reference")


@admin.register(UsageHour)
class UsageHourAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What each workspace used in each hour."""

    list_display = ("hour", "workspace", "kind", "quantity", "cost_micro_usd")
    list_filter = ("kind",)
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug",)
    date_hierarchy = "hour"


@admin.register(OverageEvent)
class OverageEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Answers beyond plans, as they were told to Stripe."""

    list_display = ("at", "workspace", "quantity", "sent_at", "identifier", "refusal")
    list_filter = ("period",)
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug", "identifier")
