"""The seam for single sign-on, with a provider that a test plugs in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client

from billing.models import Entitlement
from billing.plans import Tier
from tenants.context import platform
from tenants.models import User, Workspace
from tenants.sign_on import PROVIDERS, Identity, SignOnFailed
from tests.plugins.people import client_of, give_second_factor

pytestmark = pytest.mark.django_db


class Directory:
    """A provider that vouches for whom its answer names."""

    label = "Acme directory"

    def begin(self, request: HttpRequest, *, state: str) -> HttpResponse:
        return HttpResponseRedirect(f"https://directory.example/?state={state}")

    def finish(self, request: HttpRequest) -> tuple[Identity, str]:
        if "email" not in request.GET:
            raise SignOnFailed
        identity = Identity(
            subject="1",
            email=request.GET["email"],
            email_verified="unverified" not in request.GET,
            second_factor="strong" in request.GET,
        )
        return identity, request.GET.get("state", "")


@pytest.fixture(autouse=True)
def directory(workspace: Workspace) -> Iterator[None]:
    """A provider, and a plan that includes single sign-on."""
    PROVIDERS["directory"] = Directory()
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.BUSINESS)
    yield
    del PROVIDERS["directory"]


def come_back(client: Client, email: str, extra: str = "", state: str = "") -> int:
    """Go there and back; returns the status of the answer."""
    sent = client.post("/log-in/with/directory/")["Location"].split("state=")[1]
    return client.get(f"/log-in/with/directory/done/?email={email}&state={state or sent}{extra}").status_code


def test_a_member_is_let_in(anonymous_client: Client) -> None:
    assert "Acme directory" in anonymous_client.get("/log-in/").content.decode()

    assert come_back(anonymous_client, "Owner@acme.example") == 302
    assert anonymous_client.get("/agents/").status_code == 200


@pytest.mark.parametrize(
    ("email", "extra", "state"),
    [
        ("owner@rival.example", "", ""),
        ("nobody@acme.example", "", ""),
        ("owner@acme.example", "&unverified=1", ""),
        ("owner@acme.example", "", "forged"),
    ],
)
def test_nobody_else_is(
    anonymous_client: Client, other_workspace: Workspace, email: str, extra: str, state: str
) -> None:
    assert come_back(anonymous_client, email, extra, state) == 403
    assert anonymous_client.get("/agents/").status_code == 302


def test_an_answer_works_once(anonymous_client: Client, workspace: Workspace) -> None:
    sent = anonymous_client.post("/log-in/with/directory/")["Location"].split("state=")[1]
    path = f"/log-in/with/directory/done/?email=owner@acme.example&state={sent}"

    assert anonymous_client.get(path).status_code == 302
    assert client_of(workspace).get(path).status_code == 403


def test_our_second_factor_is_asked_unless_the_provider_asked_its_own(workspace: Workspace) -> None:
    give_second_factor(User.objects.get(email="owner@acme.example"))
    plain, strong = client_of(workspace), client_of(workspace)

    come_back(plain, "owner@acme.example")
    come_back(strong, "owner@acme.example", "&strong=1")

    assert plain.get("/agents/").status_code == 302
    assert strong.get("/agents/").status_code == 200


def test_a_smaller_plan_does_not_offer_it(anonymous_client: Client) -> None:
    with platform():
        Entitlement.objects.update(tier=Tier.PROFESSIONAL)

    assert "Acme directory" not in anonymous_client.get("/log-in/").content.decode()
    assert anonymous_client.post("/log-in/with/directory/").status_code == 404


def test_a_provider_that_is_not_there_is_not_found(anonymous_client: Client) -> None:
    assert anonymous_client.post("/log-in/with/nothing/").status_code == 404
    assert anonymous_client.get("/log-in/with/nothing/done/").status_code == 404
