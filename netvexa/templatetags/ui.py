"""The small parts every page is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from netvexa.lib.hosts import shown_address
from netvexa.lib.quotes import quoted_url
from tenants.addresses import root_address
from tenants.devices import name_of

register = template.Library()


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it says what it means."""
    sprite = static("img/icons.svg")
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, sprite, name
    )


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, **extra: Any) -> dict[str, Any]:
    """A form field with its label, hint and errors; `label`, `hint`, `prefix`, `suffix` replace or add."""
    return {"field": bound, "kind": getattr(bound.field.widget, "input_type", ""), **extra}


@register.simple_tag
def root_url(name: str, *args: object) -> str:
    """The whole address of a page of the root host, whichever host this is."""
    return root_address(name, *args)


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], *prefixes: str) -> SafeString:
    """`aria-current="page"` when the page is one of, or below one of, these paths."""
    request: HttpRequest = context["request"]
    here = any(
        request.path == prefix or (prefix != "/" and request.path.startswith(prefix)) for prefix in prefixes
    )
    return SafeString('aria-current="page"' if here else "")


@register.filter
def open_at_quote(citation: dict[str, Any]) -> str:
    """A citation's address, at the quoted words or at the PDF's page."""
    return quoted_url(citation.get("url", ""), citation.get("snippet", ""), page=citation.get("page", ""))


@register.filter
def place(citation: dict[str, Any]) -> str:
    """A citation's title with its section, whose path often begins with the title itself."""
    title, path = citation["title"], citation.get("heading", "").split(" › ")
    return " › ".join([title, *filter(None, path[1:] if path[0] == title else path)])


register.filter(shown_address)


@register.filter
def filesize_of(size: int) -> str:
    """Bytes as people read them: 1.4 MB."""
    number = float(size)
    for unit in ("bytes", "KB", "MB"):
        if round(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


@register.filter
def dollars(micro_usd: int | None) -> str:
    """Micro-USD as people read them: $12.30, or $0.0042 where cents say too little."""
    amount = (micro_usd or 0) / 1_000_000
    return f"${amount:,.2f}" if not amount or amount >= 0.1 else f"${amount:.4f}"


@register.filter
def seconds_of(milliseconds: int | None) -> str:
    """Milliseconds as people read them: 1.3 s, 4 min, 2.5 h."""
    seconds = (milliseconds or 0) / 1000
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


@register.simple_tag(takes_context=True)
def page_query(context: dict[str, Any], number: int) -> str:
    """The query of this page with another page number."""
    query = context["request"].GET.copy()
    query["page"] = str(number)
    return str(query.urlencode())


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits: "5 min", "3 h", "2 d", then the date."""
    if moment is None:
        return "never"
    minutes = max(0, int((timezone.now() - moment).total_seconds() // 60))
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    if minutes < 7 * 24 * 60:
        return f"{minutes // (24 * 60)} d ago"
    return f"{timezone.localtime(moment):%-d %b %Y}"


_STEPS = {
    "fetch": "Fetching",
    "parse": "Taking the text out",
    "scan": "Reading scanned pages",
    "clean": "Cleaning",
    "chunk": "Cutting into passages",
    "embed": "Computing meanings",
    "index": "Storing for search",
}


@register.simple_tag
def step_name(step: str) -> str:
    """A step of reading a document, as people read it."""
    return _STEPS.get(step, "Reading")


@register.simple_tag
def step_bar(step: str) -> list[bool]:
    """One entry a step: is it reached?"""
    names = list(_STEPS)
    reached = names.index(step) if step in names else -1
    return [at <= reached for at in range(len(names))]


@register.filter
def device_name(agent: str) -> str:
    """A browser's own long name as people know it: "Chrome on Windows"."""
    return name_of(agent)
