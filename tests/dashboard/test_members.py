"""Members, invitations and seats, as a person uses them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import Entitlement
from billing.plans import Tier
from tenants import invitations
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, Invitation, Membership, Role, User, Workspace
from tests.plugins.people import ClientAs, add_member, client_of

NEW = {"email": "Mia@acme.example", "role": "agent"}


def membership(workspace: Workspace, email: str) -> Membership:
    with platform():
        return Membership.objects.get(workspace=workspace, user__email=email)


def open_invitation(workspace: Workspace, email: str = "mia@acme.example") -> Invitation:
    with platform():
        return Invitation.objects.get(workspace=workspace, email=email)


def actions(workspace: Workspace) -> list[str]:
    with platform():
        return list(AuditEvent.objects.filter(workspace=workspace).values_list("action", flat=True))


def test_the_page_lists_members_and_invitations(owner_client: Client) -> None:
    owner_client.post("/members/invite/", NEW)

    shown = owner_client.get("/members/").content.decode()

    assert "owner@acme.example" in shown
    assert "mia@acme.example" in shown
    assert "2 of 5 seats" in shown


def test_an_invitation_is_kept_as_a_hash_and_noted(owner_client: Client, workspace: Workspace) -> None:
    response = owner_client.post("/members/invite/", NEW)

    assert response.status_code == 302
    row = open_invitation(workspace)
    assert row.role == Role.AGENT
    assert timedelta(days=6) < row.expires_at - timezone.now() <= timedelta(days=7)
    assert actions(workspace) == ["invitation.sent"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": "no address", "role": "agent"}, "valid email"),
        ({"email": "mia@acme.example", "role": "emperor"}, "valid choice"),
        ({"email": "owner@acme.example", "role": "agent"}, "member of the workspace already"),
        ({}, "required"),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong(
    given: dict[str, str], said: str, owner_client: Client, workspace: Workspace
) -> None:
    response = owner_client.post("/members/invite/", given)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert actions(workspace) == []


def test_an_admin_does_not_invite_an_owner(client_as: ClientAs) -> None:
    response = client_as(Role.ADMIN).post("/members/invite/", {**NEW, "role": "owner"})

    assert response.status_code == 422
    assert "Only an owner can invite an owner" in response.content.decode()


def test_open_invitations_take_seats(owner_client: Client, workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)  # two seats
    owner_client.post("/members/invite/", NEW)

    refused = owner_client.post("/members/invite/", {"email": "third@acme.example", "role": "viewer"})

    assert refused.status_code == 422
    assert "The Starter plan includes 2 seats, and 2 are used" in refused.content.decode()


def test_an_invitation_that_has_expired_takes_no_seat(owner_client: Client, workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    owner_client.post("/members/invite/", NEW)
    with platform():
        Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))

    assert "Expired" in owner_client.get("/members/").content.decode()
    again = owner_client.post("/members/invite/", {"email": "third@acme.example", "role": "viewer"})
    assert again.status_code == 302


def test_sending_again_makes_a_new_link_in_the_same_seat(owner_client: Client, workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    owner_client.post("/members/invite/", NEW)
    old = open_invitation(workspace)

    owner_client.post(f"/members/invitations/{old.pk}/resend/")

    assert open_invitation(workspace).token_hash != old.token_hash


def test_an_invitation_is_taken_back(owner_client: Client, workspace: Workspace) -> None:
    owner_client.post("/members/invite/", NEW)

    owner_client.post(f"/members/invitations/{open_invitation(workspace).pk}/withdraw/")

    with in_tenant(workspace):
        assert invitations.pending() == []


def test_a_role_is_changed_and_noted(owner_client: Client, workspace: Workspace) -> None:
    add_member(workspace, "mia@acme.example", Role.VIEWER)

    owner_client.post(f"/members/{membership(workspace, 'mia@acme.example').pk}/role/", {"role": "admin"})

    assert membership(workspace, "mia@acme.example").role == Role.ADMIN
    with platform():
        event = AuditEvent.objects.get(workspace=workspace)
    assert (event.before, event.after) == ({"role": "viewer"}, {"role": "admin"})


def test_an_unknown_role_changes_nothing(owner_client: Client, workspace: Workspace) -> None:
    add_member(workspace, "mia@acme.example", Role.VIEWER)

    owner_client.post(f"/members/{membership(workspace, 'mia@acme.example').pk}/role/", {"role": "emperor"})

    assert membership(workspace, "mia@acme.example").role == Role.VIEWER


def test_an_admin_neither_makes_nor_removes_an_owner(client_as: ClientAs, workspace: Workspace) -> None:
    client = client_as(Role.ADMIN)
    owner, admin = membership(workspace, "owner@acme.example"), membership(workspace, "admin@acme.example")

    client.post(f"/members/{owner.pk}/remove/")
    client.post(f"/members/{owner.pk}/role/", {"role": "viewer"})
    client.post(f"/members/{admin.pk}/role/", {"role": "owner"})

    assert membership(workspace, "owner@acme.example").role == Role.OWNER
    assert membership(workspace, "admin@acme.example").role == Role.ADMIN


def test_the_last_owner_stays_an_owner(owner_client: Client, workspace: Workspace) -> None:
    owner = membership(workspace, "owner@acme.example")

    for path, given in (
        (f"/members/{owner.pk}/role/", {"role": "admin"}),
        (f"/members/{owner.pk}/remove/", {}),
        ("/members/leave/", {}),
    ):
        response = owner_client.post(path, given, follow=True)
        assert "A workspace needs an owner" in response.content.decode()
    assert membership(workspace, "owner@acme.example").role == Role.OWNER


def test_who_is_removed_does_not_enter_any_more(owner_client: Client, workspace: Workspace) -> None:
    mia = add_member(workspace, "mia@acme.example", Role.ADMIN)
    client = client_of(workspace, mia)
    assert client.get("/members/").status_code == 200

    owner_client.post(f"/members/{membership(workspace, 'mia@acme.example').pk}/remove/")

    assert client.get("/members/").status_code == 404
    assert User.objects.filter(pk=mia.pk).exists()


def test_a_member_of_another_workspace_is_not_found(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    theirs = membership(other_workspace, "owner@rival.example")

    assert owner_client.post(f"/members/{theirs.pk}/remove/").status_code == 404
    assert owner_client.post(f"/members/{theirs.pk}/role/", {"role": "viewer"}).status_code == 404
    assert membership(other_workspace, "owner@rival.example").role == Role.OWNER


def test_a_member_leaves(client_as: ClientAs, workspace: Workspace) -> None:
    client = client_as(Role.VIEWER)

    response = client.post("/members/leave/")

    assert response["Location"].endswith("/workspaces/")
    assert client.get("/members/").status_code == 404
