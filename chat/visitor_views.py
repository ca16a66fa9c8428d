"""What a visitor's browser asks for beside its socket: files up and down, the visitor's own data, faces.

No cookie is looked at: the visitor's token stands in the `Authorization` header, and a file's link carries
its own signature. Pages of other sites than the agent's own may not read any of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from agents.models import Agent
from agents.origins import may_show
from billing import limits, storage
from billing.plans import Limit
from billing.subscriptions import standing_of
from chat import attachments, own_data, tokens
from chat.attachments import FileTooLarge
from chat.doors import OriginRefused
from chat.models import Conversation
from netvexa.lib.client import client_address, counted_as
from netvexa.lib.errors import AppError, Invalid, NotAllowed, NotFound
from netvexa.lib.pictures import picture_type
from netvexa.lib.ratelimit import Bucket, RateLimited, spend
from tenants.context import current_workspace
from tenants.faces import face_of

P = ParamSpec("P")
_FORM_OVERHEAD = 64 * 1024  # what a multipart body has beside its file
_UPLOADS = (10, 20)  # a minute and at once, of one visitor
_UPLOADS_OF_ADDRESS = (60, 120)
_NO_STORE = "private, no-store"
AgentView = Callable[Concatenate[HttpRequest, Agent, P], HttpResponseBase]


class NoToken(NotAllowed):
    """No visitor's token, or one that is not good."""

    code = "not_authenticated"
    status = 401
    default_detail = "This chat has expired. Please open it again."


def _for_own_sites(view: AgentView[P]) -> Callable[..., HttpResponseBase]:
    """Find the agent, answer preflights, and let only pages of the agent's own sites read the answer."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, public_id: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        origin = request.headers.get("Origin", "")
        try:
            agent = Agent.objects.published(public_id)
            if not may_show(agent, origin=origin, host=request.get_host()):
                raise OriginRefused
        except AppError as error:
            return _refused(error)
        if request.method == "OPTIONS":
            return _readable(HttpResponse(status=204), origin)
        try:
            return _readable(view(request, agent, *args, **kwargs), origin)
        except AppError as error:
            return _readable(_refused(error), origin)

    return guarded


def _refused(error: AppError) -> HttpResponse:
    response = JsonResponse(error.as_json(), status=error.status)
    response["Cache-Control"] = _NO_STORE
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def _readable(response: HttpResponseBase, origin: str) -> HttpResponseBase:
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Max-Age"] = "600"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Origin"])
    return response


def _visitor_of(request: HttpRequest, agent: Agent) -> UUID:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NoToken
    try:
        return tokens.visitor_of(token.strip(), agent=agent)
    except tokens.BadToken as error:
        raise NoToken from error


@_for_own_sites
@require_http_methods(["POST", "OPTIONS"])
def upload(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Take a file for the visitor's next message: 201 with its id."""
    visitor_id = _visitor_of(request, agent)
    if not agent.attachments_enabled:
        raise NotAllowed("Files cannot be sent to this agent.")
    _take_upload(request, visitor_id)
    if int(request.META.get("CONTENT_LENGTH") or 0) > attachments.MAX_BYTES + _FORM_OVERHEAD:
        raise FileTooLarge  # before the body is read
    given = request.FILES.get("file")
    if given is None:
        raise Invalid("Send one file, as the field “file”.")
    _check_conversation(request.POST.get("conversation", ""), agent, visitor_id)
    checked = attachments.check_file(given)
    standing = standing_of(current_workspace())
    limits.check(standing, Limit.STORAGE_BYTES, storage.stored_bytes(), adding=len(checked.data))
    row = attachments.add_of_visitor(agent, visitor_id, checked)
    response = JsonResponse(attachments.entry_of(row), status=201)
    response["Cache-Control"] = _NO_STORE
    return response


def _take_upload(request: HttpRequest, visitor_id: UUID) -> None:
    key, address = current_workspace().key, counted_as(client_address(request) or "-")
    for name, (rate, burst) in ((str(visitor_id), _UPLOADS), (address, _UPLOADS_OF_ADDRESS)):
        if wait := spend(Bucket(f"{key}:upload:{name}", rate, burst)).wait:
            raise RateLimited(retry_after=wait)


def _check_conversation(given: str, agent: Agent, visitor_id: UUID) -> None:
    """A conversation that stands must be the visitor's own; its row may not have been made yet."""
    try:
        conversation_id = UUID(given)
    except ValueError:
        raise Invalid("conversation must be a UUID.") from None
    row = Conversation.objects.filter(pk=conversation_id).first()
    if row is not None and (row.visitor_id != visitor_id or row.agent_id != agent.pk):
        raise NotFound("There is no such conversation.")


@_for_own_sites
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def own(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Everything that is kept of the visitor, as a file."""
    visitor_id = _visitor_of(request, agent)
    if not agent.privacy_enabled:
        raise NotAllowed("Ask the owner of this site for your data.")
    if wait := spend(Bucket(f"{current_workspace().key}:data:{visitor_id}", 2, 5)).wait:
        raise RateLimited(retry_after=wait)
    response = JsonResponse(
        own_data.data_of(visitor_id), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    response["Content-Disposition"] = 'attachment; filename="my-chat-data.json"'
    response["Cache-Control"] = _NO_STORE
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def attachment(request: HttpRequest, ticket: str) -> HttpResponseBase:
    """A file, to whoever holds its link."""
    origin = request.headers.get("Origin", "")
    try:
        row = attachments.of_ticket(ticket)
        if not may_show(row.agent, origin=origin, host=request.get_host()):
            raise OriginRefused
        return _readable(attachments.as_download(row), origin)
    except AppError as error:
        return _refused(error)


@require_safe
def face(_request: HttpRequest, user_id: UUID, version: str) -> HttpResponse:
    """The picture of a person of the team; another picture has another address."""
    try:
        body = face_of(user_id, version)
    except NotFound as error:
        return _refused(error)
    response = HttpResponse(body, content_type=picture_type(body) or "application/octet-stream")
    response["Cache-Control"] = "public, max-age=86400, immutable"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
