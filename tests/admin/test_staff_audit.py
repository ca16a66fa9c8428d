"""What staff change in the admin stands in the audit log of the workspace that it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from tenants.admin import Noted
from tenants.context import platform
from tenants.models import AuditEvent, Membership, Role, User, Workspace
from tests.admin.test_staff import page
from tests.plugins.people import add_member

pytestmark = pytest.mark.django_db
OTHERWISE = {
    "billing.entitlement": "plan.set and plan.remove, with the note",
    "billing.billedworkspace": "each act by a form of its own, with its reason",
    "billing.acquisitionspend": "of no workspace; noted for the platform",
}


@pytest.fixture
def ada(workspace: Workspace) -> Membership:
    user = add_member(workspace, "ada@acme.example", Role.AGENT)
    with platform():
        return Membership.objects.get(user=user)


def entry(workspace: Workspace) -> AuditEvent:
    with platform():
        return AuditEvent.objects.filter(workspace=workspace).latest("number")


def test_a_role_that_staff_change(staff: Client, workspace: Workspace, ada: Membership) -> None:
    form = {"user": str(ada.user_id), "workspace": str(workspace.pk), "role": "admin"}
    assert staff.post(page("tenants_membership_change", ada.pk), form).status_code == 302

    told = entry(workspace)
    assert (told.action, told.actor) == ("member.changed", "staff@netvexa.example")
    assert told.after is not None
    assert told.after["changes"] == [{"changed": {"fields": ["Role"]}}]


def test_members_who_are_taken_out_together(staff: Client, workspace: Workspace, ada: Membership) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [str(ada.pk)], "post": "yes"}
    staff.post(page("tenants_membership_changelist"), chosen)

    assert entry(workspace).action == "member.deleted"
    with platform():
        assert not Membership.objects.filter(pk=ada.pk).exists()


def test_an_account_that_is_closed(staff: Client, workspace: Workspace, ada: Membership) -> None:
    shown = staff.get(page("tenants_user_change", ada.user_id)).context["adminform"].form
    form = {name: value for name, value in shown.initial.items() if isinstance(value, str | bool) and value}
    form.pop("is_active")

    assert staff.post(page("tenants_user_change", ada.user_id), form).status_code == 302

    assert not User.objects.get(pk=ada.user_id).is_active
    assert entry(workspace).action == "user.changed"


def test_an_account_that_is_deleted(staff: Client, workspace: Workspace, ada: Membership) -> None:
    staff.post(page("tenants_user_delete", ada.user_id), {"post": "yes"})

    assert entry(workspace).action == "user.deleted"


def test_every_page_that_changes_something_of_ours_notes_it() -> None:
    request: Any = RequestFactory().get("/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    changing = {
        model._meta.label_lower: made
        for model, made in admin.site._registry.items()
        if model._meta.app_label in ("tenants", "billing") and any(made.get_model_perms(request).values())
    }
    silent = {
        label
        for label, made in changing.items()
        if not isinstance(made, Noted) and any(_may(made, request)) and label not in OTHERWISE
    }

    assert silent == set()
    assert set(changing) >= {"tenants.user", "tenants.membership", "tenants.workspace", *OTHERWISE}


def _may(made: Any, request: Any) -> list[bool]:
    perms = made.get_model_perms(request)
    return [perms["add"], perms["change"], perms["delete"]]
