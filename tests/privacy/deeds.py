"""What each form and each call of the API needs to do its work once: fields, and how things must stand before.

Those that are not named here are buttons that work on any row. A deed that leaves no entry in the audit log stands in
UNTOLD with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from chat.models import Expectation, Trial
from knowledge import documents
from knowledge.models import Document, DocumentStatus, Finding, Source
from knowledge.parsing.qa import Pair
from tenants.context import identity, platform
from tenants.models import Membership, Passkey, Role, Session, User
from tests.dashboard.test_agents import settings_of
from tests.isolation.matrix import client_at
from tests.isolation.world import World
from tests.plugins.people import PASSWORD, code_of, give_second_factor

Body = dict[str, Any] | Callable[[World], dict[str, Any]]
MONEY = "asks Stripe first; tests/billing/test_subscription_life.py looks for its entry"

UNTOLD: dict[str, str] = {
    "post api agents/<uuid:pk>/messages/": "a conversation, which is its own record",
    "post api conversations/<uuid:pk>/messages/": "the same",
    "post api messages/<uuid:pk>/replay/": "is stored nowhere",
    "post api sources/preview/": "adds nothing",
    "post api auth/refresh/": "goes on with a token whose issue was noted",
    "post workspace knowledge/preview/": "adds nothing",
    "post workspace knowledge/radar/scan/": "looks, and changes nothing",
    "post workspace conversations/<uuid:conversation_id>/receipts/<uuid:message_id>/replay/": "is stored nowhere",
    "post workspace welcome/install/<uuid:agent_id>/send/": "a mail with the public snippet",
    "post workspace privacy/person/": "shows what is kept; handing it out and erasing it are noted",
    "post workspace account/": "one's own name and picture, which are shown to everybody anyway",
    "post workspace confirm/": "sends the mail again that confirms an address",
    "post workspace audit-log/verify/": "reads the log",
    "post workspace switch/<uuid:workspace_id>/": "goes elsewhere",
    "post workspace two-factor/passkeys/new/": "takes an authenticator; tests/accounts/test_passkeys.py has one",
    "post workspace plan/portal/": "leads to Stripe, whose changes are noted as they arrive",
    "post workspace plan/checkout/": MONEY,
    "post workspace plan/change/": MONEY,
    "post workspace plan/keep/": MONEY,
    "post workspace plan/cancel/": MONEY,
    "post workspace plan/resume/": MONEY,
    "post workspace plan/overage/": MONEY,
    "post workspace plan/overage/stop/": MONEY,
}


def _file(text: str = "question,answer\nDo you deliver?,Yes.\n", name: str = "a.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), "text/csv")


def _sheet(_world: World) -> dict[str, Any]:
    return {"file": _file()}


def _person(world: World) -> dict[str, Any]:
    return {"person": world.ids["person"]}


def _refresh_token(world: World) -> dict[str, Any]:
    api = client_at(world.host, bearer=world.key.secret)
    return {"refresh": api.post("/api/v1/auth/token/", {}, "application/json").json()["refresh"]}


def _for_agent(**fields: Any) -> Body:
    return lambda world: {"agent": str(world.agent.pk), **fields}


TEXT = {"kind": "text", "title": "A", "text": "Some words that are read."}
NEW_AGENT = {"name": "Ada", "tone": "friendly", "greeting": "Hi"}
PASSWORD_AGAIN = {"password": PASSWORD}

GIVEN: dict[str, Body] = {
    "post api agents/": {"name": "Ada"},
    "patch api agents/<uuid:pk>/": {"tone": "formal"},
    "post api sources/": _for_agent(**TEXT),
    "patch api sources/<uuid:pk>/": {"interval_hours": 0},
    "put api sources/<uuid:pk>/content/": {"text": "Other words that are read."},
    "post api documents/": _for_agent(external_id="1", title="A", content="Some words."),
    "patch api conversations/<uuid:pk>/": {"title": "A title"},
    "post api conversations/<uuid:pk>/reply/": {"text": "Hello"},
    "post api curated-answers/": _for_agent(questions=["Do you deliver?"], answer="Yes."),
    "patch api curated-answers/<uuid:pk>/": {"answer": "No."},
    "post api curated-answers/import/": lambda world: {"agent": str(world.agent.pk), "file": _file()},
    "patch api gaps/<uuid:pk>/": {"state": "dismissed"},
    "post api test-questions/": _for_agent(question="Do you deliver?", must=["yes"]),
    "patch api test-questions/<uuid:pk>/": {"must": ["no"]},
    "post api test-runs/": _for_agent(),
    "post api people/export/": _person,
    "post api people/erase/": _person,
    "post api auth/revoke/": _refresh_token,
    "post workspace agents/new/": NEW_AGENT,
    "post workspace agents/<uuid:agent_id>/settings/": lambda world: settings_of(world.agent, name="Max"),
    "post workspace agents/<uuid:agent_id>/delete/": lambda world: {"confirm": world.face},
    "post workspace agents/<uuid:agent_id>/widget/<slug:name>/": {"sound": "on"},
    "post workspace welcome/agent/": NEW_AGENT,
    "post workspace welcome/knowledge/": TEXT,
    "post workspace knowledge/agents/<uuid:agent_id>/add/": TEXT,
    "post workspace knowledge/agents/<uuid:agent_id>/languages/": {"knowledge_languages": "english"},
    "post workspace knowledge/<uuid:source_id>/text/": {"text": "Other words."},
    "post workspace knowledge/<uuid:source_id>/replace/": lambda _world: {"file": _file("Other.", "a.txt")},
    "post workspace knowledge/<uuid:source_id>/questions/": {
        "version": "1",
        "question": "When?",
        "answer": "Now.",
    },
    "post workspace conversations/<uuid:conversation_id>/reply/": {"text": "Hello"},
    "post workspace members/invite/": {"email": "guest@acme.example", "role": "viewer"},
    "post workspace members/<uuid:member_id>/role/": {"role": "admin"},
    "post workspace settings/": {"name": "Acme", "time_zone": "Europe/Vienna"},
    "post workspace settings/delete/": {"name": "Acme", **PASSWORD_AGAIN},
    "post workspace api-keys/new/": {"name": "CI", "scopes": ["read:agents"], "expires": "30"},
    "post workspace api-keys/<uuid:key_id>/rotate/": {"overlap": "24"},
    "post workspace costs/keys/add/": {"provider": "openai", "key": "sk-" + "a" * 40},
    "post workspace costs/budgets/": {"monthly_budget_micro_usd": "5"},
    "post workspace costs/cache/<uuid:entry_id>/": {"action": "pin"},
    "post workspace privacy/retention/": {"conversations": "30"},
    "post workspace improve/runs/<uuid:trial_id>/": {"action": "drop"},
    "post workspace improve/agents/<uuid:agent_id>/answers/new/": {
        "wordings": "Do you deliver?",
        "answer": "Yes.",
    },
    "post workspace improve/answers/<uuid:curated_id>/": {"wordings": "Do you deliver?", "answer": "Yes."},
    "post workspace improve/agents/<uuid:agent_id>/answers/import/": _sheet,
    "post workspace improve/agents/<uuid:agent_id>/tests/import/": _sheet,
    "post workspace improve/agents/<uuid:agent_id>/tests/new/": {
        "question": "Deliver?",
        "outcome": "answered",
    },
    "post workspace improve/tests/<uuid:expectation_id>/": {"question": "Deliver?", "outcome": "answered"},
    "post workspace improve/gaps/<uuid:gap_id>/": {"state": "dismissed"},
    "post workspace two-factor/set-up/": lambda world: {
        "code": code_of(world.ids["device"]),
        **PASSWORD_AGAIN,
    },
    "post workspace two-factor/recovery-codes/": PASSWORD_AGAIN,
    "post workspace two-factor/turn-off/": PASSWORD_AGAIN,
    "post workspace two-factor/passkeys/<int:passkey_id>/remove/": PASSWORD_AGAIN,
    "post workspace account/e-mail/": {"email": "new@acme.example", **PASSWORD_AGAIN},
    "post workspace account/password/": {
        "old_password": PASSWORD,
        "new_password1": "a new horse and battery",
        "new_password2": "a new horse and battery",
    },
}


# How things must stand before; run in the workspace. What is returned takes the place of parts of the address.

Ready = Callable[[World], dict[str, Any] | None]


def _source(**fields: Any) -> Ready:
    def ready(world: World) -> None:
        Source.objects.filter(pk=world.ids["source"]).update(**fields)

    return ready


def _document(**fields: Any) -> Ready:
    def ready(world: World) -> None:
        Document.objects.filter(pk=world.ids["document"]).update(**fields)

    return ready


def _newer(*, draft: bool) -> Ready:
    """A second version; the address names the draft, or else the older one."""

    def ready(world: World) -> dict[str, Any]:
        document = documents.update_file(Source.objects.get(), b"Newer words.", draft=draft)
        version = document.versions.get(draft=True) if draft else document.versions.order_by("number")[0]
        return {"pk": version.pk, "number": version.number}

    return ready


def _untested(_world: World) -> None:
    """Without test questions a change counts at once; with them it waits, and is noted when it comes to count."""
    Expectation.objects.all().delete()


def _held_run(world: World) -> None:
    change, basis = {"tone": "formal"}, {"agent_version": world.agent.version, "told": []}
    Trial.objects.filter(pk=world.ids["trial"]).update(
        verdict="held", state="done", change=change, basis=basis, judge="off"
    )


def _untested_draft(world: World) -> dict[str, Any] | None:
    _untested(world)
    return DRAFT(world)


def _questions(world: World) -> dict[str, Any]:
    source = documents.add_questions(world.agent, title="Set", pairs=[Pair("Do you deliver?", "Yes.")])
    return {"source_id": source.pk}


def _finding(world: World) -> dict[str, Any]:
    document = Document.objects.get()
    return {
        "finding_id": Finding.objects.create(kind="stale", key="1", document=document, sentence="Old.").pk
    }


@identity()
def _colleague(world: World) -> dict[str, Any]:
    user = User.objects.create_user("ada@acme.example", PASSWORD)
    with platform():
        member = Membership.objects.create(workspace=world.workspace, user=user, role=Role.AGENT)
    return {"member_id": member.pk}


@identity()
def _second_owner(world: World) -> None:
    user = User.objects.create_user("ada@acme.example", PASSWORD)
    with platform():
        Membership.objects.create(workspace=world.workspace, user=user, role=Role.OWNER)


@identity()
def _authenticator(world: World) -> None:
    world.ids["device"] = give_second_factor(world.user)


@identity()
def _unconfirmed(world: World) -> None:
    world.ids["device"] = device = give_second_factor(world.user)
    device.confirmed = False
    device.save()


@identity()
def _passkey(world: World) -> dict[str, Any]:
    row = Passkey.objects.create(user=world.user, name="Key", credential_id="a", rp_id="a", public_key=b"a")
    return {"passkey_id": row.pk}


def _another_browser(world: World) -> dict[str, Any]:
    form = {"email": world.user.email, "password": PASSWORD}
    client_at(world.host).post("/log-in/", form)
    with identity():
        return {"login_id": Session.objects.exclude(login_id="").get().login_id}


WATCHED = _source(kind="site", url="https://acme.example/")
HELD, PUSHED = _document(status=DocumentStatus.HELD), _source(kind="push")
OLDER, DRAFT = _newer(draft=False), _newer(draft=True)
VERSION = "post workspace knowledge/documents/<uuid:document_id>/versions/<int:number>"

READY: dict[str, Ready] = {
    "post api sources/<uuid:pk>/sync/": WATCHED,
    "patch api sources/<uuid:pk>/": WATCHED,
    "delete api documents/<uuid:pk>/": PUSHED,
    "post api documents/<uuid:pk>/approve/": HELD,
    "post api documents/<uuid:pk>/refuse/": HELD,
    "post api test-runs/<uuid:pk>/apply/": _held_run,
    "post api test-runs/<uuid:pk>/drop/": _held_run,
    "post api test-runs/<uuid:pk>/retry/": _held_run,
    "post api versions/<uuid:pk>/publish/": DRAFT,
    "post api versions/<uuid:pk>/restore/": OLDER,
    f"{VERSION}/publish/": _untested_draft,
    "post workspace agents/<uuid:agent_id>/settings/": _untested,
    f"{VERSION}/restore/": OLDER,
    "post workspace agents/<uuid:agent_id>/widget/<slug:name>/": lambda _world: {"name": "features"},
    "post workspace knowledge/<uuid:source_id>/sync/": WATCHED,
    "post workspace knowledge/<uuid:source_id>/interval/": WATCHED,
    "post workspace knowledge/<uuid:source_id>/replace/": _source(kind="file"),
    "post workspace knowledge/<uuid:source_id>/questions/": _questions,
    "post workspace knowledge/radar/<uuid:finding_id>/dismiss/": _finding,
    "post workspace knowledge/documents/<uuid:document_id>/approve/": HELD,
    "post workspace knowledge/documents/<uuid:document_id>/refuse/": HELD,
    "post workspace knowledge/documents/<uuid:document_id>/refetch/": WATCHED,
    "post workspace members/leave/": _second_owner,
    "post workspace members/<uuid:member_id>/role/": _colleague,
    "post workspace members/<uuid:member_id>/remove/": _colleague,
    "post workspace two-factor/set-up/": _unconfirmed,
    "post workspace two-factor/recovery-codes/": _authenticator,
    "post workspace two-factor/turn-off/": _authenticator,
    "post workspace two-factor/passkeys/<int:passkey_id>/remove/": _passkey,
    "post workspace account/devices/": _another_browser,
    "post workspace account/devices/<str:login_id>/": _another_browser,
}
