"""What an owner does about paying; every way leads back to the plan page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import changes, checkout, overage
from billing.gateway import StripeOff
from billing.models import Entitlement
from billing.plans import FOR_SALE, OVERAGE_CAPS_USD, PLANS, Interval, Plan, Tier
from billing.subscriptions import Standing, standing_of
from netvexa.lib.errors import AppError, Invalid
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.addresses import named_workspace_address

View = Callable[[MemberRequest], HttpResponse]
ASK_SECONDS = 4  # between two questions to Stripe of one workspace


class PlanForm(forms.Form):
    """A plan that is for sale, and how often it is paid."""

    tier = forms.ChoiceField(choices=[(plan.tier.value, plan.name) for plan in FOR_SALE])
    interval = forms.ChoiceField(choices=[(item.value, item.value) for item in Interval])
    at = forms.IntegerField(required=False, min_value=0)

    @property
    def chosen(self) -> tuple[Tier, Interval]:
        return Tier(self.cleaned_data["tier"]), Interval(self.cleaned_data["interval"])


class OverageForm(forms.Form):
    """What answers beyond the plan may cost in a month, in whole US dollars."""

    cap_usd = forms.IntegerField(min_value=OVERAGE_CAPS_USD[0], max_value=OVERAGE_CAPS_USD[1])


def _or_back(view: View) -> View:
    """Show what went wrong on the plan page instead of a page of its own."""

    @wraps(view)
    def guarded(request: MemberRequest) -> HttpResponse:
        try:
            if not settings.STRIPE_ENABLED:
                raise StripeOff
            return view(request)
        except AppError as error:
            messages.error(request, error.detail)
            return redirect("workspace:plan")

    return guarded


@member_required(Permission.MANAGE_BILLING)
@require_safe
def choose(request: MemberRequest) -> HttpResponse:
    """Every plan beside the present one."""
    standing = standing_of(request.workspace)
    interval = Interval.YEAR if request.GET.get("period") == "year" else Interval.MONTH
    context = {
        "standing": standing,
        "interval": interval,
        "yearly": interval is Interval.YEAR,
        "offers": [_offer(plan, standing, interval) for plan in FOR_SALE],
        "stripe_enabled": settings.STRIPE_ENABLED,
    }
    return render(request, "billing/choose.html", context)


def _offer(plan: Plan, standing: Standing, interval: Interval) -> dict[str, object]:
    row = _living(standing)
    present = row is not None and (row.tier, row.interval) == (plan.tier.value, interval.value)
    larger = row is not None and plan.tier.rank > Tier(row.tier).rank
    return {
        "plan": plan,
        "price": plan.price_usd(interval),
        "is_present": present,
        "is_change": row is not None,
        "is_larger": larger,
    }


def _living(standing: Standing) -> Entitlement | None:
    return None if standing.is_free else standing.subscription


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def start(request: MemberRequest) -> HttpResponse:
    """To Stripe's checkout."""
    form = PlanForm(request.POST)
    if not form.is_valid():
        return redirect("billing:choose")
    tier, interval = form.chosen
    back = named_workspace_address(request.workspace, "workspace:plan")
    address = checkout.start_checkout(request.workspace, tier=tier, interval=interval, back=back)
    audit.record("billing.checkout", request=request, after={"tier": tier.value, "interval": interval.value})
    return redirect(address)


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def portal(request: MemberRequest) -> HttpResponse:
    """To Stripe's portal."""
    back = named_workspace_address(request.workspace, "workspace:plan")
    return redirect(checkout.portal(request.workspace, back=back))


@member_required(Permission.MANAGE_BILLING)
@require_http_methods(["GET", "HEAD", "POST"])
@_or_back
def change(request: MemberRequest) -> HttpResponse:
    """What a change costs; confirmed, it is made."""
    form = PlanForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return redirect("billing:choose")
    tier, interval = form.chosen
    if request.method == "POST":
        return _change(request, tier, interval, form.cleaned_data["at"] or 0)
    preview = changes.preview_change(request.workspace, tier=tier, interval=interval)
    context = {"preview": preview, "plan": PLANS[tier], "standing": standing_of(request.workspace)}
    return render(request, "billing/change.html", context)


def _change(request: MemberRequest, tier: Tier, interval: Interval, at: int) -> HttpResponse:
    at_once = changes.change_plan(request.workspace, tier=tier, interval=interval, at=at)
    after = {"tier": tier.value, "interval": interval.value, "at_once": at_once}
    audit.record("billing.plan_changed", request=request, after=after)
    name = PLANS[tier].name
    words = f"You are on {name} now." if at_once else f"{name} begins when the present period ends."
    messages.success(request, words)
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def keep(request: MemberRequest) -> HttpResponse:
    """Take back a change that waits."""
    changes.keep_plan(request.workspace)
    audit.record("billing.change_withdrawn", request=request)
    messages.success(request, "Your plan stays as it is.")
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def cancel(request: MemberRequest) -> HttpResponse:
    """End the subscription when the paid period ends."""
    changes.cancel(request.workspace)
    audit.record("billing.canceled", request=request)
    messages.success(request, "Your plan is canceled. Everything works until the paid period ends.")
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def resume(request: MemberRequest) -> HttpResponse:
    """Take back a cancellation."""
    changes.resume(request.workspace)
    audit.record("billing.resumed", request=request)
    messages.success(request, "Your plan goes on.")
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def allow_overage(request: MemberRequest) -> HttpResponse:
    """Let answers go beyond the plan, up to a cap."""
    form = OverageForm(request.POST)
    if not form.is_valid():
        least, most = OVERAGE_CAPS_USD
        raise Invalid(f"Give the most it may cost in a month as whole dollars, from ${least} to ${most:,}.")
    cap = form.cleaned_data["cap_usd"]
    overage.allow(request.workspace, cap_usd=cap)
    audit.record("billing.overage_allowed", request=request, after={"cap_usd": cap})
    messages.success(request, f"Agents may go beyond the plan now, for at most ${cap:,} a month.")
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_POST
@_or_back
def stop_overage(request: MemberRequest) -> HttpResponse:
    """Stop at the plan's limit again."""
    overage.stop(request.workspace)
    audit.record("billing.overage_stopped", request=request)
    messages.success(request, "Agents stop at the plan's limit from now on.")
    return redirect("workspace:plan")


@member_required(Permission.MANAGE_BILLING)
@require_safe
def arrived(request: MemberRequest) -> HttpResponse:
    """Asked every two seconds after a payment: is it here?

    The worker may be busy and a webhook late or lost, so Stripe is asked, too, now and then.
    """
    if _living(standing_of(request.workspace)) is None:
        with suppress(AppError):
            _ask_now_and_then(request)
    if _living(standing_of(request.workspace)) is None:
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Redirect": named_workspace_address(request.workspace, "workspace:plan")})


def _ask_now_and_then(request: MemberRequest) -> None:
    if cache.add(f"{request.workspace.key}:payment-asked", True, ASK_SECONDS):
        changes.read_back(request.workspace)
