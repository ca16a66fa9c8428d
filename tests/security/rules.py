"""Rules of our own for the source: mistakes that cost others their customers' data, as patterns that do not pass.

Each finds the lines of a file that break it. What is right all the same stands in ALLOWED with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("agents", "billing", "chat", "knowledge", "netvexa", "tenants")
_SECRET_NAME = re.compile(r"(secret|token|digest|signature|hash|mac|password)$")
_NETWORK = {"requests", "urllib.request", "urllib3", "httpx", "aiohttp", "http.client", "socket", "ftplib"}
_BY_KEY = {"pk", "id", "public_id", "uuid"}
Found = Iterator[int]
Rule = Callable[[ast.AST], Found]

# File and rule → why it is right there.
ALLOWED: dict[tuple[str, str], str] = {
    ("billing/webhooks.py", "csrf_exempt"): "Stripe signs each event, and that is checked",
    ("chat/visitor_views.py", "csrf_exempt"): "a visitor is known by a token in a header, never by a cookie",
    ("knowledge/site_views.py", "csrf_exempt"): "the address itself is the secret; no cookie is looked at",
    (
        "agents/providers/wire.py",
        "network_client",
    ): "speaks to the providers of models, at their fixed addresses",
    ("knowledge/fetching.py", "network_client"): "is the guard",
    ("knowledge/parsing/child.py", "network_client"): "a pair of sockets between two of our own processes",
    ("knowledge/parsing/sandbox.py", "network_client"): "the same",
    ("knowledge/rendering.py", "network_client"): "a browser's own loopback, behind the guard",
    ("netvexa/embedded/ports.py", "network_client"): "looks for a free port of this machine",
    ("netvexa/supervisor/run.py", "network_client"): "asks its own web server whether it is up",
    ("knowledge/ingest.py", "secret_compared"): "the hash of a passage is no secret",
    ("netvexa/lib/idempotency.py", "secret_compared"): "the digest of one's own request is no secret",
    ("netvexa/templatetags/ui.py", "safe_markup"): "a constant of ours",
    ("tenants/views/two_factor.py", "safe_markup"): "a picture that we draw, of an address of our own",
    ("tenants/tasks.py", "unowned_task"): "deliver_mail reads nothing: it sends what it is given",
    ("templates/knowledge/parts/kind.html", "unescaped"): "labels that stand in our own templates",
    ("templates/parts/field.html", "unescaped"): "help texts that stand in our own forms",
    ("templates/site/help_page.html", "unescaped"): "pages of docs/help, which ship with the product",
}
AT_THE_EDGE = re.compile(r"(^|/)(\w*views|\w*api|consumers|team_socket)\.py$|/views/|/pages/")


def _name(node: ast.AST) -> str:
    """The dotted name of an expression; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    return ((node, _name(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call))


def row_by_bare_key(tree: ast.AST) -> Found:
    """A row is reached through an access function, which says what a stranger is told."""
    for call, name in _calls(tree):
        keys = {word.arg for word in call.keywords}
        if name.endswith(".objects.get") and keys & _BY_KEY:
            yield call.lineno


def secret_compared(tree: ast.AST) -> Found:
    """A secret is compared in constant time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = (node.left, node.comparators[0])
            plain = any(isinstance(side, ast.Constant) for side in sides)
            if not plain and all(_SECRET_NAME.search(_name(side).rpartition(".")[2]) for side in sides):
                yield node.lineno


def safe_markup(tree: ast.AST) -> Found:
    """No text is declared safe; format_html escapes."""
    return (
        call.lineno for call, name in _calls(tree) if name.rpartition(".")[2] in ("mark_safe", "SafeString")
    )


def csrf_exempt(tree: ast.AST) -> Found:
    """No view of ours takes a form from another site."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and _name(node).endswith("csrf_exempt"):
            yield node.lineno


def raw_sql(tree: ast.AST) -> Found:
    """The ORM writes SQL; `extra`, `raw` and RawSQL let text into it."""
    for call, name in _calls(tree):
        if name.rpartition(".")[2] in ("RawSQL", "extra") or name.endswith("objects.raw"):
            yield call.lineno


def own_thread(tree: ast.AST) -> Found:
    """`tenants.context.run_in_tenant` switches inside the call that queries; these share one connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if names & {"sync_to_async", "database_sync_to_async"}:
                yield node.lineno


def unowned_task(tree: ast.AST) -> Found:
    """A task says by its base where it works: in a workspace, or for the platform."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                call = mark if isinstance(mark, ast.Call) else None
                called = _name(call.func if call else mark)
                if called == "shared_task" and "base" not in {w.arg for w in (call.keywords if call else ())}:
                    yield node.lineno


def network_client(tree: ast.AST) -> Found:
    """Addresses that people give are fetched by `knowledge.fetching` alone, which guards where they lead."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named = {node.module or ""}
        else:
            continue
        if named & _NETWORK:
            yield node.lineno


def unchecked_redirect(tree: ast.AST) -> Found:
    """What a request names as the next page goes through `safe_path`."""
    for call, name in _calls(tree):
        if name.rpartition(".")[2] in ("redirect", "HttpResponseRedirect") and call.args:
            given = call.args[0]
            if isinstance(given, ast.Call | ast.Subscript):
                inner = given.func if isinstance(given, ast.Call) else given.value
                if re.search(r"request\.(GET|POST|META|headers)", _name(inner)):
                    yield call.lineno


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *(row_by_bare_key, secret_compared, safe_markup, csrf_exempt, raw_sql, own_thread),
        *(unowned_task, network_client, unchecked_redirect),
    )
}
TEMPLATE_RULES = {
    "unescaped": re.compile(r"\|\s*safe\b|autoescape\s+off"),
    "inline script": re.compile(
        r"<script(?![^>]*\b(?:src=|type=\"application/(?:ld\+)?json\"|nonce=))[^>]*>"
    ),
    "inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=\s*[\"']"),
    "inline style": re.compile(r"<[^>{%]*\sstyle\s*=\s*[\"']"),
}


def broken_by(text: str) -> list[tuple[str, int]]:
    """Rule and line, of one file of Python."""
    tree = ast.parse(text)
    return sorted({(name, line) for name, rule in RULES.items() for line in rule(tree)})


def all_broken() -> list[str]:
    """Every place in the product that breaks a rule and is not allowed to."""
    found = []
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        short = path.relative_to(ROOT).as_posix()
        if "migrations/" in short or "management/" in short:
            continue
        found += [
            f"{short}:{line} {name}: {RULES[name].__doc__}"
            for name, line in broken_by(path.read_text())
            if (short, name) not in ALLOWED and (name != "row_by_bare_key" or AT_THE_EDGE.search(short))
        ]
    for path in (ROOT / "templates").rglob("*.html"):
        short, text = path.relative_to(ROOT).as_posix(), path.read_text()
        found += [
            f"{short} {name}"
            for name, pattern in TEMPLATE_RULES.items()
            if pattern.search(text)
            and (short, name) not in ALLOWED
            and not (
                name == "inline style" and short.startswith("templates/mail/")
            )  # mail knows nothing else
        ]
    return sorted(found)
