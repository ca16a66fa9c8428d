"""Single sign-on: where an identity provider (OpenID Connect, SAML) plugs in. None comes with the product yet.

A provider is one adapter in `PROVIDERS`, by the name that stands in its addresses:

* `begin` sends the browser to the provider. `state` ties the answer to this browser; it has to come back.
* `finish` reads the provider's answer and checks all that the protocol wants checked: signature, audience,
  issuer, age, replay. It raises `SignOnFailed`, and never trusts an address that the provider has not verified.

Everything after that is the product's: only a member of the workspace gets in, by their verified address;
where the provider has not asked a second factor, ours is asked as after a password; the session begins in
`tenants.arrival`. Fetching metadata goes through the guard that all fetches share. A provider that answers by POST
(SAML) needs a view that takes the POST and comes back here by GET: the session's cookie does not travel with a POST
from another site.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from netvexa.lib.errors import AppError, NotFound
from tenants import context
from tenants.access import membership_of
from tenants.models import User, Workspace

_STATE = "sign_on_state"


class SignOnFailed(AppError):
    """The provider's answer does not hold, or the person is nobody here."""

    code = "sign_on_failed"
    status = 403
    default_detail = "Single sign-on did not let you in. Try again, or ask who manages this workspace."


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a provider vouches for. `second_factor` says that it asked for one itself."""

    subject: str
    email: str
    email_verified: bool
    second_factor: bool = False


class Provider(Protocol):
    """One identity provider."""

    label: str  # on the button: "Log in with …"

    def begin(self, request: HttpRequest, *, state: str) -> HttpResponse: ...

    def finish(self, request: HttpRequest) -> tuple[Identity, str]:
        """The identity, and the state as it came back. Raises SignOnFailed."""
        ...


PROVIDERS: dict[str, Provider] = {}
_included: list[Callable[[Workspace], bool]] = []  # billing says which plans include it


def only_where(included: Callable[[Workspace], bool]) -> None:
    """Offer single sign-on only to the workspaces for which `included` says so, called inside them."""
    _included.append(included)


def providers_of(workspace: Workspace) -> dict[str, Provider]:
    """The providers that a workspace's people may log in with."""
    return PROVIDERS if all(included(workspace) for included in _included) else {}


def provider_named(name: str, workspace: Workspace) -> Provider:
    """Raises NotFound, also where the workspace's plan does not include single sign-on."""
    found = providers_of(workspace)
    if name not in found:
        raise NotFound("This way to log in does not exist, or the workspace's plan does not include it.")
    return found[name]


def new_state(request: HttpRequest) -> str:
    """A state that only this browser can bring back, once."""
    state = request.session[_STATE] = secrets.token_urlsafe(24)
    return state


def person_of(request: HttpRequest, provider: Provider, workspace: Workspace) -> tuple[User, Identity]:
    """The member whom the provider's answer vouches for. Raises SignOnFailed."""
    identity, state = provider.finish(request)
    expected = request.session.pop(_STATE, "")
    if not expected or not constant_time_compare(state, expected) or not identity.email_verified:
        raise SignOnFailed
    with context.identity():
        user = User.objects.filter(email=identity.email.strip().lower()).first()
    if user is None or membership_of(user, workspace) is None:
        raise SignOnFailed
    return user, identity
