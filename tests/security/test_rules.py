"""The source keeps to rules of our own; each rule is tried with a line that breaks it."""

from __future__ import annotations

import pytest

from tests.security.rules import ALLOWED, ROOT, RULES, TEMPLATE_RULES, all_broken, broken_by

PLANTED = {
    "row_by_bare_key": "def view(request, pk):\n    return Agent.objects.get(pk=pk)",
    "secret_compared": "def same(given, row):\n    return given.token == row.secret",
    "safe_markup": "def show(name):\n    return mark_safe(name)",
    "csrf_exempt": "@csrf_exempt\ndef view(request): ...",
    "raw_sql": "def find(text):\n    return Lead.objects.raw(text)",
    "own_thread": "from asgiref.sync import sync_to_async",
    "unowned_task": "@shared_task\ndef work(): ...",
    "network_client": "import requests",
    "unchecked_redirect": "def view(request):\n    return redirect(request.GET.get('next'))",
}
PLANTED_MARKUP = {
    "unescaped": "{{ visitor.name|safe }}",
    "inline script": "<script>alert(1)</script>",
    "inline handler": '<a onclick="go()">',
    "inline style": '<p style="color: red">',
}


def test_the_product_keeps_to_them() -> None:
    assert all_broken() == []


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_rule_finds_what_breaks_it(name: str) -> None:
    assert name in {found for found, _ in broken_by(PLANTED[name])}


@pytest.mark.parametrize("name", sorted(TEMPLATE_RULES))
def test_each_rule_for_templates_finds_what_breaks_it(name: str) -> None:
    assert TEMPLATE_RULES[name].search(PLANTED_MARKUP[name])


def test_nothing_is_allowed_to_a_file_that_is_gone() -> None:
    assert [path for path, _ in ALLOWED if not (ROOT / path).exists()] == []
