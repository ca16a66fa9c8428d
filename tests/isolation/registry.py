"""What every route, task, command, frame, file and Redis key is to a stranger. The one file to extend.

A route without a line here fails the suite. Add one under its kind:

* PAGE: for members of the workspace. A stranger sees 404, the anonymous the log-in.
* API: for a key or a token of the workspace. Without one, or with another's: 401.
* VISITOR: for a visitor's token or a signed link of this workspace.
* PERSON: about the person who asks, at whatever host.
* OPEN: for everybody; shows what the workspace shows the public, and no more.
* STAFF: the admin host.

`body` is what a stranger would send to reach another workspace's rows by it; `given` are the values of the
pattern's parts where ARGUMENTS does not say them. A line of a route that is gone does no harm; take it out when
you see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

from tests.isolation.surface import Route
from tests.isolation.world import World

Values = Callable[[World], dict[str, Any]]


class Kind(StrEnum):
    PAGE = "page"
    API = "api"
    VISITOR = "visitor"
    PERSON = "person"
    OPEN = "open"
    STAFF = "staff"


def _nothing(_world: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Entry:
    """What a route is to a stranger."""

    kind: Kind
    body: Values = _nothing
    given: Values = _nothing
    is_link: bool = False  # its address is the credential: at its own host it opens to whoever holds it
    names_no_row: bool = False  # its values are made up: it opens to nobody, not even to its own people


PAGE, API, VISITOR, PERSON, OPEN, STAFF = (Entry(kind) for kind in Kind)

# What a part of a pattern is called, and which row of the workspace's it then names.
ARGUMENTS: dict[str, Callable[[World], Any]] = {
    "agent_id": lambda world: world.agent.pk,
    "public_id": lambda world: world.agent.public_id,
    "source_id": lambda world: world.ids["source"],
    "document_id": lambda world: world.ids["document"],
    "conversation_id": lambda world: world.ids["conversation"],
    "attachment_id": lambda world: world.ids["attachment"],
    "receipt_id": lambda world: world.ids["receipt"],
    "entry_id": lambda world: world.ids["entry"],
    "message_id": lambda world: world.ids["message"],
    "expectation_id": lambda world: world.ids["expectation"],
    "trial_id": lambda world: world.ids["trial"],
    "gap_id": lambda world: world.ids["gap"],
    "curated_id": lambda world: world.ids["curated"],
    "member_id": lambda world: world.ids["member"],
    "invitation_id": lambda world: world.ids["invitation"],
    "key_id": lambda world: world.ids["key"],
    "workspace_id": lambda world: world.ids["workspace"],
    "user_id": lambda world: world.ids["user"],
    "uid": lambda world: world.ids["user"],
    "token": lambda _world: "made-up",
    "uuid": lambda _world: uuid4(),
    "finding_id": lambda _world: uuid4(),
    "login_id": lambda _world: "made-up",
    "passkey_id": lambda _world: 1,  # a person's own; a row would make every log-in here wait for it
    "secret": lambda _world: "made-up",
    "number": lambda _world: 1,
    "object_id": lambda world: world.ids["workspace"],
    "pk": lambda world: world.ids["workspace"],
    "id": lambda world: world.ids["workspace"],
    "content_type_id": lambda _world: 1,
    "app_label": lambda _world: "tenants",
    "model_name": lambda _world: "workspace",
    "action_name": lambda _world: "delete",
    "url": lambda _world: "nowhere",
    "provider": lambda _world: "openai",
    "slug": lambda _world: "api-keys",
    "name": lambda _world: "look",
    "version": lambda _world: "v1",
}


def entry_of(route: Route) -> Entry | None:
    """The route's own line, or the one of all its kind."""
    return ROUTES.get(f"{route.host} {route.pattern}") or ROUTES.get(route.key)


def _pk(name: str) -> Values:
    return lambda world: {"pk": world.agent.pk if name == "agent" else world.ids[name]}


def _api(name: str, body: Values = _nothing) -> Entry:
    return Entry(Kind.API, given=_pk(name), body=body)


def _of_agent(world: World) -> dict[str, Any]:
    return {"agent": str(world.agent.pk), "title": "Mine", "text": "Mine"}


def _asking(world: World) -> dict[str, Any]:
    return {"text": "What is the secret word?", "conversation": str(world.ids["conversation"])}


def _person(world: World) -> dict[str, Any]:
    return {"subject": world.ids["person"], "confirm": "erase"}


def _ticket(name: str) -> Values:
    return lambda world: {"ticket": world.ids[name]}


def _file(_world: World) -> dict[str, Any]:
    return {"version": "v1", "name": "netvexa.min.js"}


MADE_UP = Entry(Kind.PAGE, names_no_row=True)

ROUTES: dict[str, Entry] = {
    # Root host
    "root healthz": OPEN,
    "root readyz": OPEN,
    "root widget/config/<str:public_id>.json": OPEN,
    "root widget/avatar/<str:public_id>": OPEN,
    "root widget/^(?P<version>v1|v2|beta)/(?P<name>.+)$": Entry(Kind.OPEN, given=_file),
    "root stripe/webhook/<uuid:uuid>/": OPEN,
    "root ": OPEN,
    "root pricing/": OPEN,
    "root help/": OPEN,
    "root help/<slug:slug>/": OPEN,
    "root robots.txt": OPEN,
    "root .well-known/security.txt": OPEN,
    "root sign-up/": OPEN,
    "root sign-up/address/": OPEN,
    "root log-in/": OPEN,
    "root log-out/": OPEN,
    "root password/": OPEN,
    "root password/<str:uid>/<str:token>/": OPEN,
    "root confirm/<str:token>/": OPEN,
    "root confirm/": PERSON,
    "root invitations/<str:token>/": OPEN,
    "root log-in/code/": OPEN,
    "root e-mail/<str:token>/": OPEN,
    "root two-factor/": PERSON,
    "root two-factor/set-up/": PERSON,
    "root two-factor/recovery-codes/": PERSON,
    "root two-factor/turn-off/": PERSON,
    "root two-factor/passkeys/new/": PERSON,
    "root two-factor/passkeys/<int:passkey_id>/remove/": PERSON,
    "root workspaces/": PERSON,
    "root workspaces/new/": PERSON,
    "root workspaces/<uuid:workspace_id>/": PERSON,
    # A workspace's host: visitors and the public
    "workspace healthz": OPEN,
    "workspace readyz": OPEN,
    "workspace widget/upload/<str:public_id>/": VISITOR,
    "workspace widget/data/<str:public_id>/": VISITOR,
    "workspace widget/attachment/<str:ticket>/": Entry(
        Kind.VISITOR, given=_ticket("attachment_ticket"), is_link=True
    ),
    "workspace widget/face/<uuid:user_id>/<str:version>": OPEN,
    "workspace widget/config/<str:public_id>.json": OPEN,
    "workspace widget/avatar/<str:public_id>": OPEN,
    "workspace widget/^(?P<version>v1|v2|beta)/(?P<name>.+)$": Entry(Kind.OPEN, given=_file),
    "workspace agents/preview/<str:ticket>/widget/config/<str:public_id>.json": Entry(
        Kind.OPEN, given=_ticket("preview_ticket")
    ),
    # The API, at both doors
    "api agents/<uuid:pk>/messages/": _api("agent", _asking),
    "api conversations/<uuid:pk>/messages/": _api("conversation"),
    "api usage/": API,
    "api people/export/": Entry(Kind.API, body=lambda world: {"person": world.ids["person"]}),
    "api people/erase/": Entry(Kind.API, body=lambda world: {"person": world.ids["person"]}),
    "api schema/": OPEN,
    "api docs/": OPEN,
    "api agents/": API,
    "api agents/<uuid:pk>/": _api("agent"),
    "api sources/": Entry(Kind.API, body=_of_agent),
    "api sources/<uuid:pk>/": _api("source"),
    "api sources/<uuid:pk>/retry/": _api("source"),
    "api documents/": API,
    "api documents/<uuid:pk>/": _api("document"),
    "api conversations/": API,
    "api conversations/<uuid:pk>/": _api("conversation"),
    "api conversations/<uuid:pk>/close/": _api("conversation"),
    "api conversations/<uuid:pk>/hand-back/": _api("conversation"),
    "api conversations/<uuid:pk>/reply/": _api("conversation", lambda _world: {"text": "Hello"}),
    "api conversations/<uuid:pk>/take-over/": _api("conversation"),
    "api leads/": API,
    "api leads/<uuid:pk>/": _api("lead"),
    "api ": OPEN,
    "api auth/token/": OPEN,
    "api auth/refresh/": OPEN,
    "api auth/revoke/": OPEN,
    "api sources/<uuid:pk>/sync/": _api("source"),
    "api sources/<uuid:pk>/content/": _api("source", lambda _world: {"text": "Mine"}),
    "api sources/<uuid:pk>/hook/": _api("source"),
    "api sources/preview/": Entry(Kind.API, body=_of_agent),
    "api documents/<uuid:pk>/approve/": _api("document"),
    "api documents/<uuid:pk>/refuse/": _api("document"),
    "api messages/<uuid:pk>/receipt/": _api("message"),
    "api messages/<uuid:pk>/replay/": _api("message"),
    "api test-questions/": Entry(Kind.API, body=_of_agent),
    "api test-questions/<uuid:pk>/": _api("expectation"),
    "api test-runs/": Entry(Kind.API, body=lambda world: {"agent": str(world.agent.pk)}),
    "api test-runs/<uuid:pk>/": _api("trial"),
    "api test-runs/<uuid:pk>/apply/": _api("trial"),
    "api test-runs/<uuid:pk>/drop/": _api("trial"),
    "api test-runs/<uuid:pk>/retry/": _api("trial"),
    "api gaps/": API,
    "api gaps/<uuid:pk>/": _api("gap", lambda _world: {"state": "dismissed"}),
    "api curated-answers/": Entry(Kind.API, body=_of_agent),
    "api curated-answers/import/": Entry(Kind.API, body=_of_agent),
    "api curated-answers/<uuid:pk>/": _api("curated"),
    "api versions/": API,
    "api versions/<uuid:pk>/": _api("version"),
    "api versions/<uuid:pk>/compare/": Entry(
        Kind.API, given=_pk("version"), names_no_row=True
    ),  # has no earlier one
    "api versions/<uuid:pk>/publish/": _api("version"),
    "api versions/<uuid:pk>/restore/": _api("version"),
    # A workspace's host: the team's pages
    "workspace ": PAGE,
    "workspace welcome/": PAGE,
    "workspace welcome/agent/": PAGE,
    "workspace welcome/knowledge/": PAGE,
    "workspace welcome/try/": PAGE,
    "workspace welcome/install/": PAGE,
    "workspace welcome/install/<uuid:agent_id>/send/": PAGE,
    "workspace agents/": PAGE,
    "workspace agents/new/": PAGE,
    "workspace agents/<uuid:agent_id>/": PAGE,
    "workspace agents/<uuid:agent_id>/settings/": PAGE,
    "workspace agents/<uuid:agent_id>/active/": PAGE,
    "workspace agents/<uuid:agent_id>/delete/": PAGE,
    "workspace agents/<uuid:agent_id>/install/": PAGE,
    "workspace agents/<uuid:agent_id>/try/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/identity/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/identity/show/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/identity/exchange/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/identity/end-old/": PAGE,
    "workspace agents/<uuid:agent_id>/widget/<slug:name>/": PAGE,
    "workspace agents/<uuid:agent_id>/your-site/": PAGE,
    "workspace knowledge/": PAGE,
    "workspace knowledge/agents/<uuid:agent_id>/": PAGE,
    "workspace knowledge/agents/<uuid:agent_id>/add/": PAGE,
    "workspace knowledge/<uuid:source_id>/": PAGE,
    "workspace knowledge/<uuid:source_id>/row/": PAGE,
    "workspace knowledge/<uuid:source_id>/delete/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/state/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/retry/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/refetch/": PAGE,
    "workspace knowledge/agents/<uuid:agent_id>/languages/": PAGE,
    "workspace knowledge/preview/": PAGE,
    "workspace knowledge/radar/": PAGE,
    "workspace knowledge/radar/scan/": PAGE,
    "workspace knowledge/radar/<uuid:finding_id>/dismiss/": MADE_UP,
    "workspace knowledge/known/": PAGE,
    "workspace knowledge/hooks/<uuid:source_id>/<slug:secret>/": OPEN,
    "workspace knowledge/<uuid:source_id>/sync/": PAGE,
    "workspace knowledge/<uuid:source_id>/sync/state/": PAGE,
    "workspace knowledge/<uuid:source_id>/interval/": PAGE,
    "workspace knowledge/<uuid:source_id>/hook/": PAGE,
    "workspace knowledge/<uuid:source_id>/audience/": PAGE,
    "workspace knowledge/<uuid:source_id>/replace/": PAGE,
    "workspace knowledge/<uuid:source_id>/text/": PAGE,
    "workspace knowledge/<uuid:source_id>/questions/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/versions/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/versions/<int:number>/restore/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/versions/<int:number>/publish/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/release/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/approve/": PAGE,
    "workspace knowledge/documents/<uuid:document_id>/refuse/": PAGE,
    "workspace conversations/": PAGE,
    "workspace conversations/<uuid:conversation_id>/": PAGE,
    "workspace conversations/<uuid:conversation_id>/files/<uuid:attachment_id>/": PAGE,
    "workspace conversations/<uuid:conversation_id>/receipts/<uuid:message_id>/": PAGE,
    "workspace conversations/<uuid:conversation_id>/receipts/<uuid:message_id>/replay/": PAGE,
    "workspace conversations/<uuid:conversation_id>/reply/": PAGE,
    "workspace conversations/<uuid:conversation_id>/take-over/": PAGE,
    "workspace conversations/<uuid:conversation_id>/hand-back/": PAGE,
    "workspace conversations/<uuid:conversation_id>/close/": PAGE,
    "workspace conversations/<uuid:conversation_id>/delete/": PAGE,
    "workspace conversations/<uuid:conversation_id>/title/": PAGE,
    "workspace members/": PAGE,
    "workspace members/invite/": PAGE,
    "workspace members/leave/": PAGE,
    "workspace members/<uuid:member_id>/role/": PAGE,
    "workspace members/<uuid:member_id>/remove/": PAGE,
    "workspace members/invitations/<uuid:invitation_id>/resend/": PAGE,
    "workspace members/invitations/<uuid:invitation_id>/withdraw/": PAGE,
    "workspace leads/": PAGE,
    "workspace leads/export/": PAGE,
    "workspace privacy/": PAGE,
    "workspace privacy/retention/": PAGE,
    "workspace privacy/person/": Entry(Kind.PAGE, body=_person),
    "workspace privacy/person/download/": Entry(Kind.PAGE, body=_person),
    "workspace privacy/person/erase/": Entry(Kind.PAGE, body=_person),
    "workspace privacy/receipts/<uuid:receipt_id>/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/answers/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/answers/new/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/answers/import/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/tests/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/tests/new/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/tests/import/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/tests/run/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/tests/from/<uuid:message_id>/": PAGE,
    "workspace improve/tests/<uuid:expectation_id>/": PAGE,
    "workspace improve/tests/<uuid:expectation_id>/delete/": PAGE,
    "workspace improve/runs/<uuid:trial_id>/": PAGE,
    "workspace improve/agents/<uuid:agent_id>/gaps/": PAGE,
    "workspace improve/gaps/<uuid:gap_id>/": PAGE,
    "workspace improve/answers/<uuid:curated_id>/": PAGE,
    "workspace improve/answers/<uuid:curated_id>/delete/": PAGE,
    "workspace costs/": PAGE,
    "workspace costs/budgets/": PAGE,
    "workspace costs/keys/add/": PAGE,
    "workspace costs/keys/<slug:provider>/test/": PAGE,
    "workspace costs/keys/<slug:provider>/remove/": PAGE,
    "workspace costs/cache/": PAGE,
    "workspace costs/cache/<uuid:entry_id>/": PAGE,
    "workspace api-keys/": PAGE,
    "workspace api-keys/new/": PAGE,
    "workspace api-keys/<uuid:key_id>/revoke/": PAGE,
    "workspace settings/": PAGE,
    "workspace settings/delete/": PAGE,
    "workspace audit-log/verify/": PAGE,
    "workspace audit-log/export.<str:kind>": Entry(Kind.PAGE, given=lambda _world: {"kind": "csv"}),
    "workspace audit-log/": PAGE,
    "workspace isolation/": PAGE,
    "workspace plan/": PAGE,
    "workspace plan/choose/": PAGE,
    "workspace plan/checkout/": PAGE,
    "workspace plan/portal/": PAGE,
    "workspace plan/change/": PAGE,
    "workspace plan/keep/": PAGE,
    "workspace plan/cancel/": PAGE,
    "workspace plan/resume/": PAGE,
    "workspace plan/arrived/": PAGE,
    "workspace plan/overage/": PAGE,
    "workspace plan/overage/stop/": PAGE,
    "workspace api-keys/<uuid:key_id>/rotate/": PAGE,
    # A workspace's host: the person
    "workspace enter/": OPEN,
    "workspace log-in/": OPEN,
    "workspace log-out/": OPEN,
    "workspace confirm/": PERSON,
    "workspace workspace-menu/": PERSON,
    "workspace switch/<uuid:workspace_id>/": PERSON,
    "workspace account/": PERSON,
    "workspace account/password/": PERSON,
    "workspace account/devices/": PERSON,
    "workspace log-in/code/": OPEN,
    "workspace log-in/with/<slug:provider>/": OPEN,
    "workspace log-in/with/<slug:provider>/done/": OPEN,
    "workspace account/e-mail/": PERSON,
    "workspace account/e-mail/take-back/": PERSON,
    "workspace account/devices/<str:login_id>/": PERSON,
    "workspace two-factor/": PERSON,
    "workspace two-factor/set-up/": PERSON,
    "workspace two-factor/recovery-codes/": PERSON,
    "workspace two-factor/turn-off/": PERSON,
    "workspace two-factor/passkeys/new/": PERSON,
    "workspace two-factor/passkeys/<int:passkey_id>/remove/": PERSON,
    # A workspace's host while it is being made
    "preparing log-in/code/": OPEN,
    "preparing two-factor/": OPEN,
    "preparing two-factor/set-up/": OPEN,
    "preparing two-factor/recovery-codes/": OPEN,
    "preparing two-factor/turn-off/": OPEN,
    "preparing two-factor/passkeys/new/": OPEN,
    "preparing two-factor/passkeys/<int:passkey_id>/remove/": OPEN,
    "preparing healthz": OPEN,
    "preparing readyz": OPEN,
    "preparing enter/": OPEN,
    "preparing log-in/": OPEN,
    "preparing log-out/": OPEN,
    "preparing preparing/retry/": OPEN,
    "preparing preparing/restore/": OPEN,
    "preparing ^": OPEN,
    # Staff
    "admin *": STAFF,
    "admin login/": OPEN,
    "admin logout/": OPEN,
    "admin log-in/": OPEN,
    "admin log-in/code/": OPEN,
    "admin log-out/": OPEN,
    "admin two-factor/": PERSON,
    "admin two-factor/set-up/": PERSON,
    "admin two-factor/recovery-codes/": PERSON,
    "admin two-factor/turn-off/": PERSON,
    "admin two-factor/passkeys/new/": PERSON,
    "admin two-factor/passkeys/<int:passkey_id>/remove/": PERSON,
}

# How a stranger would call a workspace's task: with the own workspace's id and another's rows. What works
# across workspaces by its nature (PlatformTask) takes no ids of a stranger's choice; it says why.
TASKS: dict[str, Callable[[World], list[Any]] | str] = {
    "chat.tasks.clear_attachments": "every workspace in turn, inside it",
    "chat.tasks.run_trial": lambda world: [str(world.ids["trial"])],
    "chat.tasks.try_content": lambda world: [str(world.agent.pk)],
    "chat.tasks.make_curated_vectors": lambda world: [str(world.agent.pk)],
    "chat.tasks.digest_quiet_conversations": "a task for every workspace where there was talk",
    "chat.tasks.digest_conversations": lambda world: [],
    "chat.tasks.digest_conversation": lambda world: [str(world.ids["conversation"])],
    "chat.tasks.resume_trials": "every workspace in turn, inside it",
    "chat.tasks.tend_answers": "every workspace in turn, inside it",
    "chat.tasks.finish_answer": lambda world: [str(world.ids["message"])],
    "chat.tasks.finish_orphaned_answers": "every workspace in turn, inside it",
    "chat.tasks.mail_transcript": lambda world: [str(world.ids["conversation"]), "thief@acme.example"],
    "chat.tasks.probe_isolation": "a task for every workspace",
    "chat.tasks.probe_workspace": "looks for leaks between two workspaces, inside each",
    "chat.tasks.notify_handoff": lambda world: [str(world.ids["conversation"])],
    "chat.tasks.notify_lead": lambda world: [str(world.ids["lead"])],
    "knowledge.tasks.ingest_document": lambda world: [str(world.ids["document"])],
    "knowledge.tasks.resume_ingestion": "every workspace in turn, inside it",
    "knowledge.tasks.sync_source": lambda world: [str(world.ids["source"])],
    "knowledge.tasks.settle_profile": lambda world: [str(world.agent.pk)],
    "knowledge.tasks.scan_knowledge": lambda _world: [],
    "knowledge.tasks.scan_all_knowledge": "a task for every workspace",
    "knowledge.tasks.check_links": lambda _world: [],
    "knowledge.tasks.check_all_links": "a task for every workspace",
    "knowledge.tasks.mail_weekly_radar": "every workspace in turn, inside it",
    "billing.tasks.take_up_event": "takes up what Stripe has sent and signed",
    "billing.tasks.take_up_waiting_events": "a task for each of those that wait",
    "billing.tasks.tell_of_overage": "tells Stripe what each customer used beyond its plan",
    "billing.tasks.take_down_usage": "every workspace in turn, inside it",
    "billing.tasks.refresh_customer": "asks Stripe about one customer of ours",
    "billing.tasks.refresh_clock": "asks Stripe about test customers",
    "billing.tasks.tell_of_invoice": "mails the owners of the invoice's own customer",
    "billing.tasks.remind_of_payment": "mails the owners of each unpaid plan",
    "billing.tasks.replay_events": "takes up what Stripe has sent",
    "billing.tasks.check_drift": "compares each account with Stripe",
    "billing.tasks.look_at_usage": "every workspace in turn",
    "billing.tasks.tell_of_usage": "mails the owners of the workspace it is about",
    "billing.tasks.prune_webhooks": "deletes what arrived long ago",
    "tenants.tasks.clear_sessions": "sessions that are over, of everybody",
    "chat.tasks.apply_retention": "every workspace in turn, inside it",
    "netvexa.tasks.delete_workspaces": "deletes the workspaces whose grace is over",
    "tenants.tasks.anchor_audit_logs": "reads each audit log, as the platform",
    "tenants.tasks.shorten_audit_logs": "every audit log in turn, as the platform",
    "tenants.tasks.seal_rows": "every workspace in turn, inside it",
    "tenants.tasks.deliver_mail": "sends what it is given and reads nothing",
    "tenants.tasks.provision_workspace": "makes the schema of a workspace that has none",
    "tenants.tasks.resume_provisioning": "makes the schemas of workspaces that have none",
    "tenants.reset.send_password_link": "mails a person, who is of no workspace",
}

# Commands are typed by whoever runs the machine; each says what it does with workspaces.
COMMANDS: dict[str, str] = {
    "prepare": "migrates, and makes the demo's workspace",
    "connect_stripe": "makes the webhook at Stripe",
    "sync_plans": "makes the plans at Stripe",
    "apply_tombstones": "erases again, inside each workspace, who was erased there",
    "verify_audit_log": "reads each audit log, as the platform",
    "rotate_keys": "seals rows anew, inside each workspace",
    "dedicate_role": "gives one workspace a database role of its own, reads no rows of it",
    "create_staff": "makes a person of NETVEXA's staff",
    "make_tenant_template": "reads an empty schema that it makes itself",
    "migrate_schemas": "changes tables, reads no rows",
}

# What a visitor of one workspace says on its own socket to reach another's rows.
FRAMES: dict[str, Values] = {
    "hello": lambda world: {"visitor": world.visitor_token, "conversation": str(world.ids["conversation"])},
    "message": lambda world: {
        "client_id": str(uuid4()),
        "text": "What is the secret word of the shop?",
        "attachments": [str(world.ids["attachment"])],
    },
    "stop": lambda world: {"message": str(world.ids["message"])},
    "typing": _nothing,
    "feedback": lambda world: {"message": str(world.ids["message"]), "value": 1},
    "rating": lambda _world: {"score": 5},
    "lead": lambda _world: {"fields": {"email": "thief@acme.example"}},
    "handoff": lambda _world: {"reason": "I want a person"},
    "end": _nothing,
    "ping": _nothing,
    "read": lambda _world: {"seq": 1},
    "conversations": _nothing,
    "transcript": lambda _world: {"email": "thief@acme.example"},
    "forget": _nothing,
    "resolved": lambda _world: {"value": True},
}
SOCKETS = {"ws/v1/chat/<str:public_id>/", "ws/v1/team/<uuid:conversation_id>/"}

# Models of a workspace of which the world has no row, and why.
NO_ROW: dict[str, str] = {
    "ExternalLink": "made by the nightly look at links; no route takes or shows one",
    "Finding": "made by the nightly look at a knowledge base; its routes are tried with ids that are made up",
}

# Fields of files, and where each one's files stand: always under the workspace's immutable key.
FILES: dict[str, str] = {
    "knowledge.Version.file": "workspaces/{key}/knowledge/",
    "knowledge.Version.text_file": "workspaces/{key}/knowledge/",
    "chat.Attachment.file": "workspaces/{key}/chat/",
    "agents.Agent.avatar": "avatars/{key}/",
}

# Keys in Redis, as patterns: each holds the workspace's key, or nothing that is a workspace's.
REDIS_KEYS: dict[str, str] = {
    r"nv:chat:\{{{key}:[0-9a-f-]{{36}}\}}:(seq|frames|watch)": "a conversation's line",
    r".*\b{key}:.*": "a bucket of a workspace's rate limit",
    r"nv:chat:(epoch|busy.*)": "which workspaces may have answers in the making: ids only",
    r"nv:1:handover:\w+": "a token that was used: one bit",
    r".*(address|attempts|log_in|login|throttle).*": "how often an address or a person tried",
    r"breaker:.*": "the state of a provider",
    r"(_kombu|celery|unacked).*": "Celery's own",
}
