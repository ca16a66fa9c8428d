"""NETVEXA's staff at the admin host."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from billing.models import Entitlement, UsageKind
from billing.plans import Tier
from billing.subscriptions import trial_end_of
from billing.usage import reserve
from tenants import second_factor
from tenants.context import in_tenant, platform
from tenants.keys import Scope, make_key
from tenants.models import AuditEvent, ProvisioningState, User, Workspace
from tests.plugins.people import PASSWORD, code_of, give_second_factor

pytestmark = pytest.mark.django_db
HOST = {"host": "admin.localhost"}
ADMIN = "netvexa.urls.admin"


def page(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", urlconf=ADMIN, args=args)


def test_staff_log_in_with_e_mail_and_password() -> None:
    User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers=HOST)

    sent = client.get("/tenants/workspace/", follow=True)
    assert sent.redirect_chain[-1][0] == "/log-in/?next=/tenants/workspace/"
    form = {"email": "Staff@netvexa.example", "password": PASSWORD, "next": "/tenants/workspace/"}
    set_up = client.post("/log-in/", form, follow=True)

    assert set_up.redirect_chain[-1][0].startswith("/two-factor/set-up/?next=")
    done = client.post(set_up.redirect_chain[-1][0], {"code": code_of(TOTPDevice.objects.get())})
    assert "recovery codes" in done.content.decode()
    assert client.get("/tenants/workspace/").status_code == 200


def test_staff_with_a_second_factor_prove_it_at_every_log_in() -> None:
    device = give_second_factor(User.objects.create_superuser("staff@netvexa.example", PASSWORD))
    client = Client(headers=HOST)

    step = client.post("/log-in/", {"email": "staff@netvexa.example", "password": PASSWORD})
    assert step["Location"] == "/log-in/code/"
    assert client.get("/tenants/workspace/").status_code == 302

    client.post("/log-in/code/", {"code": code_of(device)})
    assert client.get("/tenants/workspace/").status_code == 200


def test_guessing_at_the_admin_is_slowed_down() -> None:
    User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers=HOST)
    for _ in range(10):
        client.post("/log-in/", {"email": "staff@netvexa.example", "password": "a guess"})

    answer = client.post("/log-in/", {"email": "staff@netvexa.example", "password": PASSWORD})

    assert answer.status_code == 429
    cache.clear()


def test_the_admins_own_log_in_lets_nobody_in() -> None:
    User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers=HOST)

    answer = client.post("/login/", {"username": "staff@netvexa.example", "password": PASSWORD})

    assert answer["Location"].startswith("/log-in/")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("model", sorted(model._meta.label_lower for model in admin.site._registry))
def test_every_list_opens(staff: Client, workspace: Workspace, model: str) -> None:
    answer = staff.get(page(f"{model.replace('.', '_')}_changelist"))

    assert answer.status_code == 200


def test_the_owner_of_a_workspace_is_no_staff(workspace: Workspace) -> None:
    for path in ("/", page("tenants_workspace_changelist")):
        client = Client(headers=HOST)
        client.force_login(User.objects.get(email="owner@acme.example"))
        assert client.get(path, follow=True).status_code == 403


def test_the_admin_is_on_no_other_host(workspace: Workspace) -> None:
    for host in ("localhost", "acme.localhost", "api.localhost"):
        assert Client(headers={"host": host}).get("/tenants/workspace/").status_code == 404


def test_a_failed_workspace_is_provisioned_again(staff: Client, workspace: Workspace) -> None:
    workspace.state, workspace.error = ProvisioningState.FAILED, "build_schema: no space left"
    workspace.save()
    url = page("tenants_workspace_changelist")
    assert "no space left" in staff.get(url).content.decode()

    staff.post(url, {"action": "retry_provisioning", "_selected_action": [str(workspace.pk)]})

    workspace.refresh_from_db()
    assert workspace.is_ready
    with platform():
        assert AuditEvent.objects.get().action == "workspace.provision"


def test_a_plan_is_switched_with_a_note_that_the_workspaces_log_keeps(
    staff: Client, workspace: Workspace
) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)

    answer = staff.post(
        page("billing_entitlement_change", workspace.pk), {"tier": "business", "note": "Pilot customer"}
    )

    assert answer.status_code == 302
    with in_tenant(workspace):
        assert Entitlement.objects.get().tier == Tier.BUSINESS
        event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("plan.set", "staff@netvexa.example")
    assert (event.before, event.after) == (
        {"tier": "starter"},
        {"tier": "business", "note": "Pilot customer"},
    )


def test_a_plan_is_not_switched_without_a_note(staff: Client, workspace: Workspace) -> None:
    staff.post(page("billing_entitlement_add"), {"workspace": str(workspace.pk), "tier": "business"})

    with platform():
        assert not Entitlement.objects.exists()


def test_usage_of_every_workspace_is_seen(staff: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        reserve(workspace, kind=UsageKind.ANSWERS, limit=None, reference="a message")

    assert "Acme" in staff.get(page("billing_usagebucket_changelist")).content.decode()


def test_a_key_is_shown_without_what_could_be_used(staff: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        key = make_key(name="CI", scopes=[Scope.ADMIN], created_by=None)

    content = staff.get(page("tenants_apikey_change", key.row.pk)).content.decode()

    assert key.row.prefix in content
    assert key.secret not in content
    assert key.row.key_hash not in content


def test_the_audit_log_is_only_looked_at(staff: Client, workspace: Workspace) -> None:
    with platform():
        event = AuditEvent.objects.create(workspace=workspace, actor="owner@acme.example", action="login")

    assert staff.get(page("tenants_auditevent_change", event.pk)).status_code == 200
    assert staff.get(page("tenants_auditevent_add")).status_code == 403
    assert staff.post(page("tenants_auditevent_delete", event.pk), {"post": "yes"}).status_code == 403


def test_stripes_secrets_have_no_page() -> None:
    shown = {model._meta.label_lower for model in admin.site._registry}

    assert "djstripe.customer" in shown
    assert not shown & {"djstripe.apikey", "djstripe.webhookendpoint"}


def test_a_password_alone_is_not_enough(staff: Client) -> None:
    person = User.objects.get(email="staff@netvexa.example")
    client = Client(headers=HOST)
    client.force_login(person)

    assert client.get("/", follow=True).redirect_chain[-1][0].startswith("/log-in/code/")
    assert staff.get("/").status_code == 200


def test_staff_let_a_person_back_in_who_lost_everything(
    staff: Client, workspace: Workspace, owner_client: Client
) -> None:
    person = User.objects.get(email="owner@acme.example")
    give_second_factor(person)
    url = page("tenants_user_changelist")

    staff.post(url, {"action": "remove_second_factor", "_selected_action": [str(person.pk)]})

    assert not second_factor.has_one(person)
    assert owner_client.get("/account/").status_code == 302
    with in_tenant(workspace):
        assert AuditEvent.objects.get().action == "two_factor.removed_by_staff"


def test_a_command_makes_somebody_staff(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_staff", email="New@netvexa.example")

    user = User.objects.get(email="new@netvexa.example")
    assert user.is_staff
    assert user.check_password(capsys.readouterr().out.split("Password: ")[1].split()[0])


def test_the_command_lets_staff_back_in_who_lost_their_second_factor(workspace: Workspace) -> None:
    person = User.objects.get(email="owner@acme.example")
    give_second_factor(person)

    call_command("create_staff", email="owner@acme.example", remove_second_factor=True)

    assert not second_factor.has_one(person)


def test_the_command_keeps_the_password_somebody_has(workspace: Workspace) -> None:
    call_command("create_staff", email="owner@acme.example")

    user = User.objects.get(email="owner@acme.example")
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_the_command_refuses_what_is_no_address() -> None:
    with pytest.raises(CommandError, match="no e-mail address"):
        call_command("create_staff", email="nobody")


def money(workspace: Workspace) -> str:
    return page("billing_billedworkspace_change", workspace.pk)


def test_staff_extend_a_trial_with_a_reason(staff: Client, workspace: Workspace) -> None:
    once = "8d1f5d7e-2f63-4c58-9b0e-0c0f5a3c2b11"
    given = {"act": "trial", "trial-days": 10, "trial-reason": "They asked kindly.", "trial-once": once}
    before = trial_end_of(workspace)
    answer = staff.post(money(workspace), given)

    assert answer.status_code == 302
    workspace.refresh_from_db()
    assert trial_end_of(workspace) - before == timedelta(days=10)
    with platform():
        event = AuditEvent.objects.get(action="billing.trial", workspace=workspace)
    assert event.after is not None
    assert (event.actor, event.after["reason"]) == ("staff@netvexa.example", "They asked kindly.")
    assert "They asked kindly." in staff.get(money(workspace)).content.decode()


def test_no_act_without_a_reason(staff: Client, workspace: Workspace) -> None:
    answer = staff.post(money(workspace), {"act": "trial", "trial-days": 10})

    assert answer.status_code == 422
    workspace.refresh_from_db()
    assert workspace.trial_ends_at is None


def test_an_owner_acts_on_no_money(workspace: Workspace) -> None:
    client = Client(headers=HOST)
    client.force_login(User.objects.get(email="owner@acme.example"))

    assert client.post(money(workspace), {"act": "trial", "trial-days": 10}).status_code == 302
    workspace.refresh_from_db()
    assert workspace.trial_ends_at is None
