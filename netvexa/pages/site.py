"""What anybody may read on the root host: homepage, prices, help centre, and files for robots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from agents.models import Agent
from billing.plans import PLANS, TRIAL_ANSWERS, TRIAL_DAYS, Tier
from billing.wording import feature_rows, limit_rows
from netvexa import help_centre
from tenants.context import in_tenant
from tenants.models import Workspace

_DEMO_SLUG = "demo"
_WHO = {
    Tier.STARTER: "One site, first agent",
    Tier.GROWTH: "A growing shop or product",
    Tier.PROFESSIONAL: "Several brands or teams",
    Tier.BUSINESS: "Many sites, large knowledge",
    Tier.ENTERPRISE: "Special terms",
}


@dataclass(frozen=True)
class DemoAgent:
    """The agent that visitors of the homepage can talk to."""

    loader: str
    public_id: str
    suggestions: list[str]


@require_safe
def homepage(request: HttpRequest) -> HttpResponse:
    """What NETVEXA is; with the demo agent on the page where there is one."""
    return render(request, "site/home.html", {"demo": demo_agent()})


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """What it costs, from the same table that limits what is used."""
    yearly = request.GET.get("period") == "year"
    context = {
        "plans": [
            {
                "plan": plan,
                "who": _WHO[plan.tier],
                "limits": limit_rows(plan),
                "features": feature_rows(plan),
            }
            for plan in PLANS.values()
        ],
        "yearly": yearly,
        "trial_days": TRIAL_DAYS,
        "trial_answers": TRIAL_ANSWERS,
        "checkout": settings.STRIPE_ENABLED,
    }
    return render(request, "site/pricing.html", context)


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """Every help page by topic, or those that a search finds."""
    query = request.GET.get("q", "").strip()[:200]
    groups = [help_centre.Section("Found", help_centre.search(query))] if query else help_centre.sections()
    context = {"groups": groups, "query": query, "demo": demo_agent()}
    part = getattr(request, "htmx", False)
    return render(request, "site/parts/help_list.html" if part else "site/help.html", context)


@require_safe
def help_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One help page beside the list of all."""
    context = {"page": help_centre.page_of(slug), "groups": help_centre.sections(), "demo": demo_agent()}
    return render(request, "site/help_page.html", context)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines may read."""
    lines = ["User-agent: *", "Disallow: /invitations/", "Disallow: /widget/config/", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell about a weakness (RFC 9116)."""
    expires = (timezone.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{contact_address()}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.ROOT_URL}/.well-known/security.txt",
        f"Policy: {settings.ROOT_URL}/help/security/",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def demo_agent() -> DemoAgent | None:
    """The demo workspace's agent, where there is one."""
    workspace = Workspace.objects.filter(slug=_DEMO_SLUG).first()
    if workspace is None or not workspace.is_ready:
        return None
    with in_tenant(workspace):
        agent = Agent.objects.filter(is_active=True).first()
    if agent is None:
        return None
    # From this very host: the page then needs no exception in its Content Security Policy.
    loader = f"{reverse('widget:file', args=['v1', 'netvexa.min.js'])}?agent={agent.public_id}"
    return DemoAgent(loader, agent.public_id, list(agent.suggestions))


def contact_address() -> str:
    """Where people write to whoever runs this installation: the bare address that its mail comes from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
