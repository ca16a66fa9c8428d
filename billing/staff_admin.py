"""A workspace's money in the admin: its timeline, and what staff may do for it, each with a reason."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from billing import staff
from billing.gateway import StripeDown, StripeOff
from billing.models import BilledWorkspace
from billing.subscriptions import standing_of
from netvexa.lib.errors import AppError
from tenants import audit
from tenants.admin import ReadOnly
from tenants.models import Workspace

MOST_USD = 10_000


class ActForm(forms.Form):
    """What every act needs: why, and a mark that makes sending it twice one act."""

    reason = forms.CharField(max_length=200, help_text="Why: it stands in the workspace's audit log.")
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, data: Any = None, *, workspace: Workspace, prefix: str) -> None:
        super().__init__(data, prefix=prefix)
        self.workspace = workspace

    def act(self) -> dict[str, Any]:
        """Do it; what goes into the audit log. Raises AppError."""
        raise NotImplementedError


class CreditForm(ActForm):
    """Credit in US dollars."""

    title, action = "Give credit", "billing.credit"
    usd = forms.DecimalField(label="US dollars", min_value=1, max_value=MOST_USD, decimal_places=2)

    def act(self) -> dict[str, Any]:
        given = self.cleaned_data
        cents, reason, once = int(given["usd"] * 100), given["reason"], given["once"]
        made = staff.give_credit(self.workspace, cents=cents, reason=reason, once=once)
        return {"usd": str(given["usd"]), "stripe": made}


class TrialForm(ActForm):
    """More days of trial."""

    title, action = "Extend the trial", "billing.trial"
    days = forms.IntegerField(min_value=1, max_value=90)

    def act(self) -> dict[str, Any]:
        ends_at = staff.extend_trial(self.workspace, days=self.cleaned_data["days"])
        return {"days": self.cleaned_data["days"], "ends_at": ends_at.isoformat()}


class RefundForm(ActForm):
    """A payment, or a part of it."""

    title, action = "Refund a payment", "billing.refund"
    charge = forms.ChoiceField(label="Payment")
    usd = forms.DecimalField(
        label="US dollars",
        min_value=1,
        max_value=MOST_USD,
        decimal_places=2,
        required=False,
        help_text="Empty gives everything back.",
    )

    def __init__(self, data: Any = None, *, workspace: Workspace, prefix: str) -> None:
        super().__init__(data, workspace=workspace, prefix=prefix)
        self.fields["charge"].choices = _payments(workspace)  # type: ignore[attr-defined]

    def act(self) -> dict[str, Any]:
        given = self.cleaned_data
        cents = int(given["usd"] * 100) if given["usd"] else None
        made = staff.refund(
            charge_id=given["charge"], cents=cents, reason=given["reason"], once=given["once"]
        )
        return {"charge": given["charge"], "usd": str(given["usd"] or "all"), "stripe": made}


FORMS: dict[str, type[CreditForm | TrialForm | RefundForm]] = {
    "credit": CreditForm,
    "trial": TrialForm,
    "refund": RefundForm,
}


def _payments(workspace: Workspace) -> list[tuple[str, str]]:
    try:
        return staff.payments_to_refund(workspace)
    except (StripeOff, StripeDown):
        return []


@admin.register(BilledWorkspace)
class BilledWorkspaceAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Every workspace; its page has the timeline and the acts. Another plan is given under Entitlements."""

    list_display = ("name", "slug", "state", "created_at", "trial_ends_at")
    search_fields = ("name", "slug", "memberships__user__email")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        workspace = get_object_or_404(Workspace, pk=object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_act = request.user.has_perm("billing.change_entitlement")
        chosen = request.POST.get("act", "")
        if request.method == "POST" and not (may_act and chosen in FORMS):
            raise PermissionDenied
        given = {name: _form(name, request if name == chosen else None, workspace) for name in FORMS}
        if chosen and _done(request, given[chosen]):
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": str(workspace),
            "billed": workspace,
            "standing": standing_of(workspace),
            "acts": given if may_act else {},
            "timeline": staff.timeline_of(workspace),
        }
        return render(request, "admin/billing/workspace.html", context, status=422 if chosen else 200)


def _form(
    name: str, request: HttpRequest | None, workspace: Workspace
) -> CreditForm | TrialForm | RefundForm:
    return FORMS[name](request.POST if request else None, workspace=workspace, prefix=name)


def _done(request: HttpRequest, form: CreditForm | TrialForm | RefundForm) -> bool:
    """Whether the act was done, and written down; otherwise the form says why it was not."""
    if not form.is_valid():
        return False
    try:
        after = form.act()
    except AppError as refused:
        form.add_error(None, refused.detail)
        return False
    reason = form.cleaned_data["reason"]
    audit.record(form.action, request=request, after={**after, "reason": reason}, workspace=form.workspace)
    messages.success(request, f"{form.title}: done, and in the audit log.")
    return True
