"""Prices and plans on pages."""

from __future__ import annotations

from django import template

from billing import wording
from billing.plans import Plan

register = template.Library()


@register.filter
def cents(amount: int) -> str:
    """1234 as "$12.34"; less than nothing as "−$12.34"."""
    return f"{'−' if amount < 0 else ''}${abs(amount) / 100:,.2f}"


@register.filter
def included(plan: Plan) -> list[str]:
    """The lines beside a price."""
    return wording.included(plan)
