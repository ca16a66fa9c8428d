"""The API's tokens: for keys and for members, for one workspace, for a short time, and ended at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tenants.context import platform
from tenants.keys import Scope, revoke
from tenants.models import Membership, Role, TokenGrant, User, Workspace
from tests.plugins.integrators import Integrator, at_api_host, at_host, new_key
from tests.plugins.people import PASSWORD, add_member, client_of, code_of, give_second_factor

pytestmark = pytest.mark.django_db
OWNER = {"email": "owner@acme.example", "password": PASSWORD}
Pair = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def pair(api: Integrator) -> Pair:
    """A pair for a key, got at each of the two doors."""
    return got(api.post("auth/token/"))


@pytest.fixture
def member_pair(workspace: Workspace) -> Pair:
    return got(at_host(workspace, "").post("auth/token/", OWNER))


def got(answer: Any) -> Pair:
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    given: Pair = answer.json()
    return given


def test_a_keys_token_opens_both_doors_for_ten_minutes(workspace: Workspace, pair: Pair) -> None:
    assert pair["expires_in"] == 600
    assert at_host(workspace, pair["access"]).get("agents/").status_code == 200
    assert at_api_host(pair["access"]).get("agents/").status_code == 200


def test_its_audience_is_the_workspace(workspace: Workspace, pair: Pair) -> None:
    claims = jwt.decode(pair["access"], options={"verify_signature": False})

    assert claims["aud"] == str(workspace.pk)


def test_a_members_token_may_do_what_their_role_may(workspace: Workspace) -> None:
    add_member(workspace, "viewer@acme.example", Role.VIEWER)
    given = {"email": "viewer@acme.example", "password": PASSWORD}
    viewer = at_host(workspace, got(at_host(workspace, "").post("auth/token/", given))["access"])

    assert viewer.get("agents/").status_code == 200
    assert viewer.post("agents/", {"name": "Mine"}).status_code == 403


def test_a_members_token_shrinks_with_their_role(workspace: Workspace, member_pair: Pair) -> None:
    integrator = at_host(workspace, member_pair["access"])
    assert integrator.post("agents/", {"name": "One"}).status_code == 201
    with platform():
        Membership.objects.update(role=Role.VIEWER)

    assert integrator.post("agents/", {"name": "Two"}).status_code == 403


@pytest.mark.parametrize("holder", ["key", "member"])
def test_a_token_of_another_workspace_is_401_whatever_else_is_sent(
    workspace: Workspace, other_workspace: Workspace, holder: str
) -> None:
    given = {} if holder == "key" else {"email": "owner@rival.example", "password": PASSWORD}
    secret = new_key(other_workspace, Scope.ADMIN).secret if holder == "key" else ""
    theirs = got(at_host(other_workspace, secret).post("auth/token/", given))
    with_cookie = client_of(workspace, User.objects.get(email="owner@acme.example"))
    bearer = {"Authorization": f"Bearer {theirs['access']}"}

    assert at_host(workspace, theirs["access"]).get("agents/").status_code == 401
    assert with_cookie.get("/api/v1/agents/", headers=bearer).status_code == 401
    assert at_host(workspace, "").post("auth/refresh/", {"refresh": theirs["refresh"]}).status_code == 401


def test_a_cookie_alone_opens_nothing(owner_client: Client) -> None:
    assert owner_client.get("/api/v1/agents/").status_code == 401


def test_a_refresh_token_gives_a_new_pair_once(workspace: Workspace, pair: Pair) -> None:
    integrator = at_host(workspace, "")

    second = got(integrator.post("auth/refresh/", {"refresh": pair["refresh"]}))

    assert second["refresh"] != pair["refresh"]
    assert at_host(workspace, second["access"]).get("agents/").status_code == 200


def test_a_refresh_token_that_is_shown_twice_ends_everything_that_came_of_it(
    workspace: Workspace, pair: Pair
) -> None:
    integrator = at_host(workspace, "")
    second = got(integrator.post("auth/refresh/", {"refresh": pair["refresh"]}))

    stolen = integrator.post("auth/refresh/", {"refresh": pair["refresh"]})

    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_refused")
    assert integrator.post("auth/refresh/", {"refresh": second["refresh"]}).status_code == 401
    assert at_host(workspace, second["access"]).get("agents/").status_code == 401


def test_a_revoked_pair_is_dead_at_once(workspace: Workspace, pair: Pair) -> None:
    assert at_api_host("").post("auth/revoke/", {"refresh": pair["refresh"]}).status_code == 204

    assert at_host(workspace, pair["access"]).get("agents/").status_code == 401
    assert at_host(workspace, "").post("auth/refresh/", {"refresh": pair["refresh"]}).status_code == 401


def test_a_token_dies_with_its_key(workspace: Workspace) -> None:
    key = new_key(workspace, Scope.READ_AGENTS)
    pair = got(at_api_host(key.secret).post("auth/token/"))
    with platform():
        revoke(key.row)

    assert at_api_host(pair["access"]).get("agents/").status_code == 401


@pytest.mark.parametrize("what", ["leaves", "is closed", "resets the password"])
def test_a_members_token_dies_when_the_member(workspace: Workspace, member_pair: Pair, what: str) -> None:
    if what == "leaves":
        with platform():
            Membership.objects.all().delete()
    elif what == "is closed":
        User.objects.update(is_active=False)
    else:
        new = "seven grey pelicans"
        form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        client_of(workspace, User.objects.get()).post("/account/password/", form)

    assert at_host(workspace, member_pair["access"]).get("agents/").status_code == 401
    refresh = at_host(workspace, "").post("auth/refresh/", {"refresh": member_pair["refresh"]})
    assert refresh.status_code == 401


def test_a_grant_ends_after_thirty_days(workspace: Workspace, pair: Pair) -> None:
    with platform():
        TokenGrant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert at_host(workspace, pair["access"]).get("agents/").status_code == 401
    assert at_host(workspace, "").post("auth/refresh/", {"refresh": pair["refresh"]}).status_code == 401


def forged(workspace: Workspace, pair: Pair, **how: Any) -> str:
    claims = jwt.decode(pair["access"], options={"verify_signature": False})
    claims.update(how.pop("claims", {}))
    return jwt.encode(claims, how.get("key", ""), how.get("algorithm", "none"))


@pytest.mark.parametrize("kind", ["unsigned", "SECRET_KEY", "refresh as access", "expired", "other audience"])
def test_a_forged_token_is_401(
    workspace: Workspace, other_workspace: Workspace, pair: Pair, kind: str
) -> None:
    signing = {"key": settings.SIMPLE_JWT["SIGNING_KEY"], "algorithm": "HS256"}
    past = {"exp": int(timezone.now().timestamp()) - 1}
    token = {
        "unsigned": lambda: forged(workspace, pair),
        "SECRET_KEY": lambda: forged(workspace, pair, key=settings.SECRET_KEY, algorithm="HS256"),
        "refresh as access": lambda: str(pair["refresh"]),
        "expired": lambda: forged(workspace, pair, claims=past, **signing),
        "other audience": lambda: forged(workspace, pair, claims={"aud": str(other_workspace.pk)}, **signing),
    }[kind]()

    for integrator in (at_host(workspace, token), at_host(other_workspace, token), at_api_host(token)):
        assert integrator.get("agents/").status_code == 401


def test_a_token_has_no_more_scopes_than_the_key(workspace: Workspace) -> None:
    integrator = at_api_host(new_key(workspace, Scope.READ_AGENTS, Scope.READ_LEADS).secret)

    fewer = got(integrator.post("auth/token/", {"scopes": ["read:agents"]}))

    assert integrator.post("auth/token/", {"scopes": ["admin"]}).status_code == 403
    assert at_api_host(fewer["access"]).get("agents/").status_code == 200
    assert at_api_host(fewer["access"]).get("leads/").status_code == 403


def test_a_token_makes_no_other(pair: Pair) -> None:
    assert at_api_host(pair["access"]).post("auth/token/").status_code == 403


def test_a_key_bound_to_addresses_binds_its_tokens(workspace: Workspace) -> None:
    key = new_key(workspace, Scope.ADMIN)
    pair = got(at_api_host(key.secret).post("auth/token/"))
    key.row.allowed_addresses = ["192.0.2.0/24"]
    with platform():
        key.row.save()

    assert at_api_host(pair["access"]).get("agents/").status_code == 403


@pytest.mark.parametrize("email", ["owner@acme.example", "nobody@acme.example", "owner@rival.example"])
def test_wrong_password_unknown_address_and_stranger_look_alike(
    workspace: Workspace, other_workspace: Workspace, email: str
) -> None:
    password = PASSWORD if "rival" in email else "a guess"

    answer = at_host(workspace, "").post("auth/token/", {"email": email, "password": password})

    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_log_in")


def test_guessing_passwords_here_is_counted_as_at_the_log_in(workspace: Workspace) -> None:
    integrator = at_host(workspace, "")
    for _ in range(10):
        integrator.post("auth/token/", {**OWNER, "password": "a guess"})

    answer = integrator.post("auth/token/", OWNER)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_a_member_with_a_second_factor_needs_it_here_too(workspace: Workspace) -> None:
    device = give_second_factor(User.objects.get())
    integrator = at_host(workspace, "")

    assert integrator.post("auth/token/", OWNER).json()["code"] == "code_needed"
    assert integrator.post("auth/token/", {**OWNER, "code": "000000"}).json()["code"] == "wrong_code"
    assert integrator.post("auth/token/", {**OWNER, "code": code_of(device)}).status_code == 201


def test_where_a_second_factor_is_required_a_member_without_one_gets_no_token(workspace: Workspace) -> None:
    Workspace.objects.update(two_factor_required=True)

    assert at_host(workspace, "").post("auth/token/", OWNER).status_code == 403


def test_members_get_no_token_where_no_workspace_is_named(workspace: Workspace) -> None:
    assert at_api_host("").post("auth/token/", OWNER).status_code == 400
