"""The demo workspace: NETVEXA's own help centre, ingested for real, and an agent that answers from it."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.models import Agent
from knowledge.documents import add_file, update_file
from netvexa.lib.ids import short_id
from tenants.context import in_tenant, platform
from tenants.models import Domain, Membership, Role, User, Workspace, schema_name_of
from tenants.provisioning import provision

SLUG = "demo"
EMAIL = "demo@netvexa.example"
HELP = settings.BASE_DIR / "docs" / "help"


def password() -> str:
    """The demo person's password: made at random once, and kept in the var folder."""
    path: Path = settings.NETVEXA_VAR / "demo_password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9), encoding="ascii")
    return path.read_text(encoding="ascii")


def ensure() -> Workspace:
    """Make what is missing of the demo workspace. In production nothing is made."""
    workspace = _workspace()
    provision(workspace)
    with in_tenant(workspace):
        agent = Agent.objects.first() or _agent()
        _bring_help_centre(agent)
    return workspace


def _workspace() -> Workspace:
    with platform(), transaction.atomic():
        existing: Workspace | None = Workspace.objects.filter(slug=SLUG).first()
        if existing is not None:
            return existing
        user = User.objects.create_superuser(
            EMAIL, password(), name="Demo Owner", email_confirmed_at=timezone.now()
        )
        key = short_id()
        workspace: Workspace = Workspace.objects.create(
            key=key, slug=SLUG, name="NETVEXA Help", schema_name=schema_name_of(key)
        )
        Domain.objects.create(domain=f"{SLUG}.{settings.ROOT_HOST}", tenant=workspace, is_primary=True)
        Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return workspace


def _agent() -> Agent:
    return Agent.objects.create(
        name="Vexa",
        greeting="Hi, I'm Vexa. Ask me anything about NETVEXA.",
        suggestions=[
            "How do I put the widget on my site?",
            "Which file types can I upload?",
            "What does the Growth plan include?",
        ],
        contact_email=EMAIL,
    )


def _bring_help_centre(agent: Agent) -> None:
    """Add each page of the help centre that is new, and replace each that changed since the last start."""
    known = {source.url: source for source in agent.sources.prefetch_related("documents")}
    for page in sorted(set(HELP.glob("*.md")) - {HELP / "index.md"}):
        url = f"{settings.ROOT_URL}/help/{page.stem}/"
        content = page.read_bytes()
        title = content.decode().partition("\n")[0].removeprefix("# ")
        if url in known:
            update_file(known[url], content)
        else:
            add_file(agent, name=page.name, content=content, title=title, url=url)
