"""The API's door: keys, tokens and scopes; and how often one address may knock."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from netvexa.lib.client import client_address, counted_as, is_within
from netvexa.lib.errors import NotAllowed
from netvexa.lib.ratelimit import Bucket, Left, RateLimited, spend
from tenants import audit, credentials, tokens
from tenants.context import current_workspace, in_tenant
from tenants.credentials import Credential
from tenants.keys import PREFIX, Scope, recognise
from tenants.models import Workspace

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time its module reads the settings that name this one

    _View = APIView
else:
    _View = object

REFUSED_COSTS = 20  # what a wrong credential takes out of the address' bucket, beside the call itself


class AddressNotAllowed(NotAllowed):
    """The key is right, but was limited to other addresses."""

    code = "address_not_allowed"
    default_detail = "This API key may not be used from this address."


_DONE = {"create": "created", "update": "changed", "partial_update": "changed", "destroy": "deleted"}


class Integrator:
    """Whoever calls the API: DRF's `request.user`."""

    is_authenticated = True
    is_active = True

    def __init__(self, credential: Credential) -> None:
        self.pk: UUID = credential.holder_id
        self.name = credential.name

    def __str__(self) -> str:
        return self.name


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer` with a key (`nvx_live_…`) or an access token.

    Another workspace's is 401 at this host, like any wrong one. Cookies count for nothing here.
    """

    def authenticate(self, request: Request) -> tuple[Integrator, Credential] | None:
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            raise AuthenticationFailed("Send the key as: Authorization: Bearer nvx_live_…")
        credential = _credential_of(parts[1].decode("latin-1"), getattr(request, "workspace", None))
        key = credential.key
        if key and key.allowed_addresses and not is_within(client_address(request), key.allowed_addresses):
            raise AddressNotAllowed
        return Integrator(credential), credential

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _credential_of(given: str, workspace: Workspace | None) -> Credential:
    if not given.startswith(PREFIX):
        try:
            return tokens.recognise(given, workspace)
        except tokens.TokenRefused as refused:
            raise AuthenticationFailed("This key or token is not valid here.", refused.code) from None
    key = recognise(given)
    if key is None or (workspace is not None and key.workspace_id != workspace.id):
        raise AuthenticationFailed("This API key is not valid here.")
    return credentials.of_key(key)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the schema describes the door."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the workspace, or an access token from `auth/token/`.",
        }


class HasScope(BasePermission):
    """The view names its scopes: `scopes = {"read": …, "write": …}`; one that names none is shut."""

    message = "This API key does not have the scope that this needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed = _named(getattr(view, "scopes", {}), request, view)
        return isinstance(request.auth, Credential) and needed is not None and request.auth.allows(needed)


def _named(values: dict[str, Any], request: Request, view: APIView) -> Any:
    """What a view names for its action, or else for reading or for writing."""
    action = getattr(view, "action", None)
    if action in values:
        return values[action]
    return values.get("read" if request.method in ("GET", "HEAD", "OPTIONS") else "write")


def cost_of(request: Request, view: APIView) -> int:
    """How many calls this one counts as; a view says it as it says its scopes: `costs = {"create": 5}`."""
    return int(_named(getattr(view, "costs", {}), request, view) or 1)


def credential_of(request: Request) -> Credential:
    """What a request was let in with."""
    return cast(Credential, request.auth)


class Knocking(_View):
    """Mixed into every view of the API: counts calls by address before a credential is looked at."""

    def perform_authentication(self, request: Request) -> None:
        _take(request, 1)
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            count_refused(request)
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell how many calls are left, whatever the answer is: of the plan or the key, or else of the address."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_headers", {}).items():
            final[name] = value
        return final


def count_refused(request: Request) -> None:
    """Make a wrong credential cost its address more than a call: twenty, or all that is left."""
    left = spend(_bucket(request), cost=REFUSED_COSTS)
    if left.wait:
        left = spend(_bucket(request), cost=left.tokens[0])
    _tell(request, left)


def _bucket(request: Request) -> Bucket:
    per_minute = settings.API_CALLS_PER_ADDRESS
    return Bucket(f"api-address:{counted_as(client_address(request))}", per_minute, per_minute)


def _tell(request: Request, left: Left) -> None:
    request._request.rate_headers = _bucket(request).headers(left.tokens[0])  # type: ignore[attr-defined]


def _take(request: Request, cost: int) -> None:
    left = spend(_bucket(request), cost=cost)
    _tell(request, left)
    if left.wait:
        raise RateLimited("Too many requests come from your address.", retry_after=left.wait)


class WorkspaceAPI(Knocking):
    """Mixed into every view that works in the workspace of the host, or else of the credential.

    At a workspace's host the middleware has entered it already; at the API host the credential says which it
    is, and the view's whole work happens inside it.
    """

    _places: ExitStack
    scopes: ClassVar[dict[str, Scope]]
    costs: ClassVar[dict[str, int]] = {}
    audited: ClassVar[str] = ""  # what it changes, as the audit log calls it; nothing is not noted
    audited_fields: ClassVar[tuple[str, ...]] = ()  # of the row that is changed; nothing that visitors wrote
    _before: dict[str, Any] | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._places:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            return response

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        credential = request.auth
        if isinstance(credential, Credential) and getattr(request, "workspace", None) is None:
            request._request.workspace = self._places.enter_context(in_tenant(credential.workspace))  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take down how a row is before it is changed, once it is sure who may change it."""
        super().initial(request, *args, **kwargs)
        if self.audited and request.method not in SAFE_METHODS:
            self._before = self._settings_of(self.kwargs.get("pk"))

    @property
    def workspace(self) -> Workspace:
        return current_workspace()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Note what was changed."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.audited and request.method not in SAFE_METHODS and final.status_code < 400:
            self._note_change(request, final)
        return final

    def _note_change(self, request: Request, response: Any) -> None:
        done = _DONE.get(action := getattr(self, "action", ""), action)
        given = response.data if isinstance(response.data, dict) else {}
        if waits := given.get("code") == "tested_first":
            done = f"{done}.tested_first"
        subject = str(self.kwargs.get("pk") or given.get("id", ""))
        changed = audit.difference(self._before or {}, self._settings_of(subject))
        changed["after"]["by"] = "API"
        if waits:
            changed["after"]["run"] = given["run"]
        audit.record(
            f"{self.audited}.{done}",
            request=request._request,
            subject=subject,
            before=changed["before"],
            after=changed["after"],
        )

    def _settings_of(self, pk: Any) -> dict[str, Any]:
        """The row as far as the audit log tells of it; nothing while there is none."""
        rows: Any = getattr(self, "queryset", None)
        row = rows.model._default_manager.filter(pk=pk).first() if rows is not None and pk else None
        return audit.changes(row, list(self.audited_fields)) if row is not None else {}
