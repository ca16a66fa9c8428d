"""The API's door: keys and scopes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants.context import current_workspace, in_tenant
from tenants.keys import Scope, recognise
from tenants.models import ApiKey, Workspace

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time its module reads the settings that name this one

    _View = APIView
else:
    _View = object


class Integrator:
    """Whoever holds an API key: DRF's `request.user`."""

    is_authenticated = True
    is_active = True

    def __init__(self, key: ApiKey) -> None:
        self.pk = key.pk
        self.key = key


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer nvx_live_…`. Another workspace's key is 401, like any wrong one."""

    def authenticate(self, request: Request) -> tuple[Integrator, ApiKey] | None:
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            raise AuthenticationFailed("Send the key as: Authorization: Bearer nvx_live_…")
        key = recognise(parts[1].decode("latin-1"))
        workspace = getattr(request, "workspace", None)
        if key is None or (workspace is not None and key.workspace_id != workspace.id):
            raise AuthenticationFailed("This API key is not valid here.")
        return Integrator(key), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the schema describes the door."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the workspace."}


class HasScope(BasePermission):
    """The view names its scopes: `scopes = {"read": …, "write": …}`; one that names none is shut."""

    message = "This API key does not have the scope that this needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        key = request.auth
        needed = _scope_of(request, view)
        if not isinstance(key, ApiKey) or needed is None:
            return False
        return needed.value in key.scopes or Scope.ADMIN.value in key.scopes


def _scope_of(request: Request, view: APIView) -> Scope | None:
    scopes: dict[str, Scope] = getattr(view, "scopes", {})
    action = getattr(view, "action", None)
    if action in scopes:
        return scopes[action]
    return scopes.get("read" if request.method in ("GET", "HEAD", "OPTIONS") else "write")


def key_of(request: Request) -> ApiKey:
    """The key that a request was let in with."""
    return cast(ApiKey, request.auth)


class WorkspaceAPI(_View):
    """Mixed into every view of the API: it works in the workspace of the host, or else of the key.

    At a workspace's host the middleware has entered it already; at the API host the key says which it is,
    and the view's whole work happens inside it.
    """

    _places: ExitStack

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._places:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            return response

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        key = request.auth
        if isinstance(key, ApiKey) and getattr(request, "workspace", None) is None:
            request._request.workspace = self._places.enter_context(in_tenant(key.workspace))  # type: ignore[attr-defined]

    @property
    def workspace(self) -> Workspace:
        return current_workspace()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell how many calls are left, whatever the answer is."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_headers", {}).items():
            final[name] = value
        return final
