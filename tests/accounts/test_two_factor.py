"""Two-factor log-in: setting it up, the second step, recovery codes, and workspaces that require it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from tenants import second_factor
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, RecoveryCodes, Role, Session, User, Workspace
from tests.plugins.people import (
    PASSWORD,
    ClientAs,
    add_member,
    client_of,
    code_of,
    give_second_factor,
    verify,
)

pytestmark = pytest.mark.django_db
OWNER = {"email": "owner@acme.example", "password": PASSWORD}
CODE = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")
SET_UP, STEP = "/two-factor/set-up/", "/log-in/code/"


@pytest.fixture
def device(person: User) -> TOTPDevice:
    return give_second_factor(person)


@pytest.fixture
def recent(anonymous_client: Client, person: User) -> Client:
    """The owner, who has just logged in with the password."""
    anonymous_client.post("/log-in/", OWNER)
    return anonymous_client


def turn_on(client: Client) -> list[str]:
    client.get(SET_UP)
    page = client.post(SET_UP, {"code": code_of(TOTPDevice.objects.get())}).content.decode()
    return CODE.findall(page)


def test_setting_it_up_shows_a_picture_and_then_ten_codes_once(recent: Client, person: User) -> None:
    page = recent.get(SET_UP).content.decode()
    codes = turn_on(recent)

    assert "<svg" in page
    assert "<path" in page
    assert len(set(codes)) == second_factor.CODES
    assert second_factor.has_one(person)
    assert not CODE.search(recent.get("/two-factor/").content.decode())
    assert recent.get(SET_UP)["Location"] == "/two-factor/"


def test_recovery_codes_are_kept_as_hashes(recent: Client) -> None:
    codes = turn_on(recent)

    kept = str(RecoveryCodes.objects.get().hashes)
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_a_wrong_first_code_turns_nothing_on(recent: Client, person: User) -> None:
    recent.get(SET_UP)

    assert recent.post(SET_UP, {"code": "000000"}).status_code == 422
    assert not second_factor.has_one(person)


def test_long_after_the_log_in_setting_it_up_takes_the_password(owner_client: Client, person: User) -> None:
    owner_client.get(SET_UP)
    code = code_of(TOTPDevice.objects.get())

    assert owner_client.post(SET_UP, {"code": code, "password": "a guess"}).status_code == 422
    assert not second_factor.has_one(person)
    assert owner_client.post(SET_UP, {"code": code, "password": PASSWORD}).status_code == 200


def test_setting_it_up_logs_other_devices_out(recent: Client, owner_client: Client) -> None:
    turn_on(recent)

    assert owner_client.get("/account/").status_code == 302


def test_the_password_alone_does_not_log_in(anonymous_client: Client, device: TOTPDevice) -> None:
    answer = anonymous_client.post("/log-in/", OWNER)

    assert answer["Location"] == STEP
    assert anonymous_client.get("/agents/")["Location"].startswith("/log-in/")


def test_the_code_logs_in_and_leads_on(anonymous_client: Client, device: TOTPDevice) -> None:
    anonymous_client.post("/log-in/", {**OWNER, "next": "/agents/"})

    assert anonymous_client.post(STEP, {"code": code_of(device)})["Location"] == "/agents/"
    assert anonymous_client.get("/agents/").status_code == 200


def test_a_code_works_once(workspace: Workspace, device: TOTPDevice) -> None:
    code, answers = code_of(device), []
    for _ in range(2):
        client = client_of(workspace)
        client.post("/log-in/", OWNER)
        answers.append(client.post(STEP, {"code": code}).status_code)

    assert answers == [302, 422]


def test_a_recovery_code_works_once_however_it_is_typed(workspace: Workspace, person: User) -> None:
    give_second_factor(person)
    code, answers = second_factor.new_codes(person)[0], []
    for typed in (code.upper().replace("-", " "), code):
        client = client_of(workspace)
        client.post("/log-in/", OWNER)
        answers.append(client.post(STEP, {"code": typed}).status_code)

    assert answers == [302, 422]
    assert second_factor.codes_left(person) == second_factor.CODES - 1


def test_another_persons_code_is_wrong(
    anonymous_client: Client, device: TOTPDevice, other_workspace: Workspace
) -> None:
    theirs = give_second_factor(User.objects.get(email="owner@rival.example"))
    anonymous_client.post("/log-in/", OWNER)

    assert anonymous_client.post(STEP, {"code": code_of(theirs)}).status_code == 422


def test_guessing_codes_is_stopped_even_for_the_right_one(
    anonymous_client: Client, device: TOTPDevice
) -> None:
    anonymous_client.post("/log-in/", OWNER)
    for _ in range(6):
        anonymous_client.post(STEP, {"code": "000000"})

    assert anonymous_client.post(STEP, {"code": code_of(device)}).status_code == 429


def test_without_the_first_step_there_is_no_second(anonymous_client: Client, device: TOTPDevice) -> None:
    assert anonymous_client.post(STEP, {"code": code_of(device)})["Location"] == "/log-in/"


def test_a_password_changed_meanwhile_ends_the_wait(
    anonymous_client: Client, person: User, device: TOTPDevice
) -> None:
    anonymous_client.post("/log-in/", OWNER)
    person.set_password("seven grey pelicans")
    person.save()

    assert anonymous_client.post(STEP, {"code": code_of(device)})["Location"] == "/log-in/"


def test_the_second_factor_goes_along_to_another_host(workspace: Workspace, device: TOTPDevice) -> None:
    Workspace.objects.update(two_factor_required=True)
    root, inside = Client(headers={"host": "localhost"}), client_of(workspace)
    root.post("/log-in/", OWNER)
    link = urlsplit(root.post(STEP, {"code": code_of(device)})["Location"])

    inside.get(f"{link.path}?{link.query}")

    assert inside.get("/agents/").status_code == 200


@pytest.mark.parametrize("path", ["recovery-codes", "turn-off"])
def test_what_weakens_the_account_takes_the_password(
    owner_client: Client, person: User, device: TOTPDevice, path: str
) -> None:
    before = second_factor.new_codes(person)
    verify(owner_client, person)

    assert owner_client.post(f"/two-factor/{path}/", {"password": "a guess"}).status_code == 422
    assert second_factor.has_one(person)
    assert RecoveryCodes.hash_of(before[0]) in RecoveryCodes.objects.get().hashes


def test_new_codes_replace_the_old(owner_client: Client, person: User, device: TOTPDevice) -> None:
    old = second_factor.new_codes(person)

    page = owner_client.post("/two-factor/recovery-codes/", {"password": PASSWORD}).content.decode()

    assert len(CODE.findall(page)) == second_factor.CODES
    assert not set(old) & set(CODE.findall(page))
    assert RecoveryCodes.hash_of(old[0]) not in RecoveryCodes.objects.get().hashes


def test_turned_off_the_password_is_enough_again(
    owner_client: Client, workspace: Workspace, person: User, device: TOTPDevice
) -> None:
    owner_client.post("/two-factor/turn-off/", {"password": PASSWORD})

    assert client_of(workspace).post("/log-in/", OWNER)["Location"] == "/"
    with in_tenant(workspace):
        assert AuditEvent.objects.filter(action="two_factor.off").count() == 1


def test_guessing_the_password_there_is_stopped(owner_client: Client, device: TOTPDevice) -> None:
    for _ in range(10):
        owner_client.post("/two-factor/turn-off/", {"password": "a guess"})

    owner_client.post("/two-factor/turn-off/", {"password": PASSWORD})

    assert TOTPDevice.objects.exists()


def test_where_it_is_required_a_member_sets_it_up_before_anything_else(
    workspace: Workspace, client_as: ClientAs
) -> None:
    Workspace.objects.update(two_factor_required=True)
    client = client_as(Role.AGENT)

    assert client.get("/conversations/")["Location"] == f"{SET_UP}?next=%2Fconversations%2F"
    assert client.post("/members/leave/")["Location"].startswith(SET_UP)
    turn_on_with_password(client)
    assert client.get("/conversations/").status_code == 200


def turn_on_with_password(client: Client) -> None:
    client.get(SET_UP)
    client.post(SET_UP, {"code": code_of(TOTPDevice.objects.get()), "password": PASSWORD})


def test_where_it_is_required_a_session_without_it_is_raised_by_a_code(
    owner_client: Client, device: TOTPDevice
) -> None:
    Workspace.objects.update(two_factor_required=True)

    assert owner_client.get("/agents/")["Location"] == f"{STEP}?next=%2Fagents%2F"
    step = owner_client.post(STEP, {"code": code_of(device), "next": "/agents/"})

    assert step["Location"] == "/agents/"
    assert owner_client.get("/agents/").status_code == 200


def test_one_workspaces_rule_is_not_anothers(
    workspace: Workspace, other_workspace: Workspace, person: User
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(two_factor_required=True)
    add_member(other_workspace, person.email, Role.VIEWER)

    assert client_of(other_workspace, person).get("/agents/").status_code == 200


def test_only_who_has_it_can_require_it(owner_client: Client, person: User, workspace: Workspace) -> None:
    given = {"name": "Acme", "time_zone": "UTC", "two_factor_required": "on"}

    assert owner_client.post("/settings/", given).status_code == 422
    verify(owner_client, person)
    assert owner_client.post("/settings/", given).status_code == 302
    workspace.refresh_from_db()
    assert workspace.two_factor_required


def test_the_list_of_members_tells_who_has_it(owner_client: Client, person: User) -> None:
    assert "Two-factor</span>" not in owner_client.get("/members/").content.decode()

    give_second_factor(person)

    assert "Two-factor</span>" in owner_client.get("/members/").content.decode()


def test_the_anonymous_are_sent_to_the_log_in(anonymous_client: Client) -> None:
    for path in ("/two-factor/", SET_UP):
        assert anonymous_client.get(path)["Location"].startswith("/log-in/")
    for path in ("recovery-codes", "turn-off"):
        assert anonymous_client.post(f"/two-factor/{path}/")["Location"].startswith("/log-in/")


def test_each_workspace_of_the_person_reads_it_in_its_log(
    recent: Client, workspace: Workspace, other_workspace: Workspace, person: User
) -> None:
    add_member(other_workspace, person.email, Role.VIEWER)

    turn_on(recent)

    with platform():
        events = AuditEvent.objects.filter(action__startswith="two_factor")
        assert set(events.values_list("workspace__slug", "action")) == {
            ("acme", "two_factor.on"),
            ("rival", "two_factor.on"),
        }
    assert Session.objects.filter(user_id=person.pk).count() == 1
