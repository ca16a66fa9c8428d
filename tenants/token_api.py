"""Getting, renewing and ending the API's tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from netvexa.lib.api import Strict
from netvexa.lib.errors import AppError, Invalid, NotAllowed
from tenants import audit, credentials, proof, second_factor, tokens
from tenants.access import membership_of
from tenants.api import Knocking, count_refused
from tenants.context import in_tenant, platform
from tenants.credentials import Credential
from tenants.keys import Scope
from tenants.models import Membership, User, Workspace


class CodeNeeded(AppError):
    """The password is right, but the account has a second factor."""

    code = "code_needed"
    status = 401
    default_detail = "This account has two-factor log-in. Send the code of its authenticator as `code`."


class TokenRequest(Strict):
    """With an API key: only `scopes`, or nothing. As a member: e-mail address and password, and a code if need be."""

    email = serializers.EmailField(required=False)
    password = serializers.CharField(required=False, max_length=256, trim_whitespace=False, write_only=True)
    code = serializers.CharField(required=False, max_length=40, default="")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[scope.value for scope in Scope]), required=False, min_length=1
    )


class RefreshRequest(Strict):
    """The refresh token."""

    refresh = serializers.CharField(max_length=2000)


class TokenPairSerializer(serializers.Serializer[Any]):
    """An access token for `expires_in` seconds, and a refresh token that works once."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()
    scopes = serializers.ListField(child=serializers.CharField())


@method_decorator(sensitive_post_parameters(), name="dispatch")
class TokenView(Knocking, APIView):
    """Tokens for a key or for a member."""

    permission_classes = ()  # who may have one is what it finds out

    @extend_schema(
        request=TokenRequest,
        responses={201: TokenPairSerializer},
        operation_id="auth_token",
        auth=[{"bearer": []}, {}],  # type: ignore[list-item]  # as OpenAPI has it
    )
    def post(self, request: Request) -> Response:
        """Get a pair: with a key in `Authorization`, or with e-mail address and password."""
        given = TokenRequest(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        asked = frozenset(Scope(value) for value in fields["scopes"]) if "scopes" in fields else None
        if isinstance(request.auth, Credential):
            _note_issued(request.auth.workspace, str(request.user), pair := _for_key(request.auth, asked))
        else:
            pair = _for_member(request, fields, asked)
            _note_issued(request._request.workspace, fields["email"], pair)  # type: ignore[attr-defined]
        return _answer(pair)


class RefreshView(Knocking, APIView):
    """A new pair."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        request=RefreshRequest, responses={201: TokenPairSerializer}, operation_id="auth_refresh", auth=[]
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. Shown twice, it ends every token that came of it."""
        return _answer(_counted(request, tokens.refresh))


class RevokeView(Knocking, APIView):
    """The end of a pair."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(request=RefreshRequest, responses={204: None}, operation_id="auth_revoke", auth=[])
    def post(self, request: Request) -> Response:
        """End a refresh token and every access token that came of it."""
        workspace: Workspace = _counted(request, tokens.revoke)
        with platform():
            audit.note("api_token.revoked", actor="whoever held the token", workspace=workspace)
        return Response(status=204)


def _note_issued(workspace: Workspace, actor: str, pair: tokens.Pair) -> None:
    with in_tenant(workspace):
        audit.note("api_token.issued", actor=actor, after={"scopes": list(pair.scopes)})


def _for_key(credential: Credential, asked: frozenset[Scope] | None) -> tokens.Pair:
    if credential.key is None or credential.is_token:
        raise NotAllowed("A token cannot make another. Use the API key, or the refresh token.")
    own = credential.scopes
    wanted = own if asked is None else asked
    if credentials.within(own, wanted) != wanted:
        raise NotAllowed("The key does not have all of these scopes.")
    return tokens.issue(credential.workspace, scopes=wanted, key=credential.key)


def _for_member(request: Request, fields: dict[str, Any], asked: frozenset[Scope] | None) -> tokens.Pair:
    workspace: Workspace | None = getattr(request, "workspace", None)
    if "email" not in fields or "password" not in fields:
        raise Invalid("Send an API key in the Authorization header, or `email` and `password`.")
    if workspace is None:
        raise Invalid("Members get tokens at their workspace's own host.")
    try:
        member = _proved(request, fields, workspace)
    except (proof.WrongLogIn, second_factor.WrongCode):
        count_refused(request)
        raise
    own = credentials.scopes_of(member)
    wanted = own if asked is None else asked
    if not wanted <= own:
        raise NotAllowed("Your role in this workspace does not include all of these scopes.")
    return tokens.issue(workspace, scopes=wanted, member=member)


def _proved(request: Request, fields: dict[str, Any], workspace: Workspace) -> Membership:
    """The member; a stranger with a right password is told what a wrong password is told."""
    user = proof.by_password(request._request, email=fields["email"], password=fields["password"])
    member = membership_of(user, workspace)
    if member is None:
        raise proof.WrongLogIn
    _second_step(user, fields["code"], workspace)
    return member


def _second_step(user: User, code: str, workspace: Workspace) -> None:
    if second_factor.has_one(user):
        if not code:
            raise CodeNeeded
        second_factor.check(user, code)
    elif workspace.two_factor_required:
        raise NotAllowed("This workspace requires two-factor log-in. Set it up in the dashboard first.")


def _counted(request: Request, use: Any) -> Any:
    given = RefreshRequest(data=request.data)
    given.is_valid(raise_exception=True)
    try:
        return use(given.validated_data["refresh"], getattr(request, "workspace", None))
    except tokens.TokenRefused:
        count_refused(request)
        raise


def _answer(pair: tokens.Pair) -> Response:
    return Response(asdict(pair), status=201, headers={"Cache-Control": "no-store"})
