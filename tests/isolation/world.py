"""A workspace with a row of everything, each carrying a text that nobody else may ever read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection, models
from django.utils import timezone

from agents.models import Agent, ModelSettings
from agents.publishing import preview_ticket
from chat import attachments, curated, tokens
from chat.models import (
    Attachment,
    CachedAnswer,
    Conversation,
    CuratedAnswer,
    Expectation,
    Gap,
    Lead,
    Message,
    SpendingDay,
    Trial,
    Visitor,
)
from chat.spending import today
from knowledge import documents, ingest
from knowledge.models import Document
from netvexa.lib.ids import short_id
from tenants import audit, receipts
from tenants.context import in_tenant, owner, platform
from tenants.keys import NewKey, Scope, make_key
from tenants.models import (
    Domain,
    Invitation,
    Membership,
    Role,
    User,
    Workspace,
    schema_name_of,
)
from tenants.provisioning import provision

TENANT_APPS = ("agents", "knowledge", "chat")
CHANGES_BY_ITSELF = {"public.tenants_apikey": ("last_used_at",)}  # a key's own use


@dataclass
class World:
    """One workspace, what stands in it, and the credentials of its people."""

    workspace: Workspace
    canary: str
    face: str
    user: User
    agent: Agent
    key: NewKey
    visitor_token: str
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.workspace.slug}.localhost"

    def secrets(self) -> dict[str, str]:
        """What nobody outside may read, by name."""
        return {
            "canary": self.canary,
            "owner's address": self.user.email,
            "identity secret": self.agent.identity_secret,
            "key": self.key.secret,
            "key's hash": self.key.row.key_hash,
        }


def make_world(slug: str) -> World:
    """Sign a workspace up and put one of everything into it."""
    canary = f"canary-{secrets.token_hex(8)}"
    workspace, user = sign_up(slug, canary)
    with in_tenant(workspace):
        agent = Agent.objects.create(
            name=f"face-{slug}", instructions=canary, contact_email=user.email, attachments_enabled=True
        )
        world = World(
            workspace=workspace,
            canary=canary,
            face=agent.name,
            user=user,
            agent=agent,
            key=make_key(name=canary, scopes=[Scope.ADMIN], created_by=user),
            visitor_token="",
        )
        _knowledge(world)
        _conversation(world)
        _people(world)
    return world


def sign_up(slug: str, name: str) -> tuple[Workspace, User]:
    """A ready workspace and its owner, `name`@`slug`.example."""
    key = short_id()
    with platform():
        workspace = Workspace.objects.create(
            key=key, slug=slug, name=slug.title(), schema_name=schema_name_of(key)
        )
        Domain.objects.create(domain=f"{slug}.localhost", tenant=workspace, is_primary=True)
    provision(workspace)
    user = User.objects.create_user(f"{name}@{slug}.example", secrets.token_hex(8))
    with platform():
        member = Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    user.member_id = member.pk  # type: ignore[attr-defined]
    return workspace, user


def _knowledge(world: World) -> None:
    text = f"# Terms\n\nThe secret word of our shop is {world.canary}. Returns are taken within 30 days."
    source = documents.add_text(world.agent, title=f"Terms {world.canary}", text=text)
    document = Document.objects.get(source=source)
    ingest.ingest(document.pk)
    document.refresh_from_db()
    world.ids |= {"source": source.pk, "document": document.pk, "version": document.live_id}


def _conversation(world: World) -> None:
    canary, agent = world.canary, world.agent
    visitor = Visitor.objects.create(name=canary, email=f"{canary}@visitor.example", external_id=canary)
    conversation = Conversation.objects.create(agent=agent, visitor=visitor, title=canary)
    message = Message.objects.create(conversation=conversation, ordinal=1, author="visitor", text=canary)
    answer = Message.objects.create(
        conversation=conversation, ordinal=2, author="ai", text=canary, reply_to=message
    )
    attachment = Attachment(
        agent=agent,
        visitor_id=visitor.pk,
        conversation=conversation,
        message=message,
        name=f"{canary}.txt",
        media_type="text/plain",
        size=len(canary),
    )
    attachment.file.save(f"{attachments.folder()}/{short_id(20)}", ContentFile(canary.encode()))
    person = f"{secrets.token_hex(8)}@lead.example"  # what a stranger types comes back; so no canary in it
    lead = Lead.objects.create(conversation=conversation, name=canary, email=person)
    entry = _kept_answer(world, answer)
    gap = Gap.objects.create(
        agent=agent,
        answers=[answer.pk],
        asked=1,
        profile="p",
        embedding=[0.0] * 384,
        first_at=timezone.now(),
        last_at=timezone.now(),
    )
    expectation = Expectation.objects.create(agent=agent, question=canary, must=[canary])
    trial = Trial.objects.create(agent=agent, change={"instructions": canary}, verdict="held", state="done")
    exact = curated.save(CuratedAnswer(agent=agent, answer=canary, message=answer), [f"Word {canary}?"])
    SpendingDay.objects.create(agent=agent, day=today(), cost_micro_usd=1)
    ModelSettings.objects.create(keys={"openai": {"key": canary, "ending": "abcd"}})
    world.visitor_token = tokens.visitor_token(visitor.pk, agent=agent)
    world.ids |= {
        "visitor": visitor.pk,
        "conversation": conversation.pk,
        "message": answer.pk,
        "attachment": attachment.pk,
        "attachment_ticket": attachments.entry_of(attachment)["url"].rstrip("/").rpartition("/")[2],
        "preview_ticket": preview_ticket(agent),
        "lead": lead.pk,
        "person": person,
        "entry": entry.pk,
        "receipt": receipts.issue(world.workspace, actor=canary, subject=canary, counts={}).pk,
        "curated": exact.pk,
        "gap": gap.pk,
        "expectation": expectation.pk,
        "trial": trial.pk,
    }


def _kept_answer(world: World, answer: Message) -> CachedAnswer:
    kept: CachedAnswer = CachedAnswer.objects.create(
        agent=world.agent,
        key=short_id(),
        question=world.canary,
        language="en",
        agent_version=1,
        knowledge_version="1",
        profile="p",
        embedding=[0.0] * 384,
        text=world.canary,
        message=answer,
        expires_at=timezone.now() + timedelta(days=1),
    )
    return kept


def _people(world: World) -> None:
    with platform():
        invitation = Invitation.objects.create(
            workspace=world.workspace,
            email=f"{world.canary}@invited.example",
            token_hash=secrets.token_hex(32),
            invited_by=world.user,
            expires_at=timezone.now() + timedelta(days=1),
        )
    audit.note("isolation.canary", actor="system", after={"canary": world.canary})
    world.ids |= {
        "workspace": world.workspace.pk,
        "user": world.user.pk,
        "member": world.user.member_id,  # type: ignore[attr-defined]
        "invitation": invitation.pk,
        "key": world.key.row.pk,
    }


def tenant_models() -> list[type[models.Model]]:
    return [model for app in TENANT_APPS for model in apps.get_app_config(app).get_models()]


def models_without_rows(world: World) -> list[str]:
    """Models of a workspace of which this one has no row: nothing is proven about them."""
    with in_tenant(world.workspace):
        return [model.__name__ for model in tenant_models() if not model._default_manager.exists()]


def digest_of(world: World) -> dict[str, str]:
    """A fingerprint of each table of the workspace, and of its rows in each table of the public schema."""
    schema = world.workspace.schema_name
    own = [_fingerprint(f"own.{table}", f'"{schema}"."{table}"', "true") for table in _tables(schema)]
    mine = f"= '{world.workspace.pk}'"
    shared = [
        _fingerprint(f"public.{table}", f'public."{table}"', f'"{column}" {mine}')
        for table, column in _shared_tables()
    ]
    with owner(schema), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(own + shared))
        return dict(cursor.fetchall())


def _fingerprint(name: str, table: str, condition: str) -> str:
    row = "to_jsonb(t)" + "".join(f" - '{column}'" for column in CHANGES_BY_ITSELF.get(name, ()))
    return (
        f"SELECT '{name}', md5(coalesce(string_agg(({row})::text, ',' ORDER BY ({row})::text), ''))"  # noqa: S608  names of our own
        f" FROM {table} t WHERE {condition}"
    )


@cache
def _tables(schema: str) -> list[str]:
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return [name for (name,) in cursor.fetchall() if name != "django_migrations"]


@cache
def _shared_tables() -> list[tuple[str, str]]:
    """The tables of the public schema whose rows belong to a workspace, with the column that says to which."""
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            " AND a.attname IN ('workspace_id', 'tenant_id') AND a.atttypid = 'uuid'::regtype"
        )
        return list(cursor.fetchall())
