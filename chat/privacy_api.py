"""A person's data in the API: what is kept of them, and erasing it, for a system that takes such requests."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import persons
from netvexa.lib.api import Strict
from tenants import audit, receipts
from tenants.api import WorkspaceAPI
from tenants.keys import Scope


class PersonSerializer(Strict):
    """An e-mail address, a visitor's id, or the site's own id of its user."""

    person = serializers.CharField(max_length=254)


class ErasureReceiptSerializer(serializers.Serializer[Any]):
    """What was erased, by kind; the digest proves that nobody has changed the receipt."""

    receipt = serializers.UUIDField()
    workspace = serializers.UUIDField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    subject_mark = serializers.CharField()
    erased = serializers.DictField(child=serializers.IntegerField())
    digest = serializers.CharField()
    digest_holds = serializers.BooleanField()


def _person_of(request: Request) -> persons.Person:
    given = PersonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return persons.find(given.validated_data["person"])


class ExportPersonView(WorkspaceAPI, APIView):
    """All that is kept of a person."""

    scopes: ClassVar = {"write": Scope.ADMIN}
    costs: ClassVar = {"write": 10}

    @extend_schema(request=PersonSerializer, responses=OpenApiTypes.OBJECT, operation_id="people_export")
    def post(self, request: Request) -> Response:
        """Everything that is kept of a person, as JSON. Asked by POST, so that no address comes into a log."""
        found = _person_of(request)
        audit.record("person.exported", request=request._request, after=found.counts())
        return Response(persons.exported(found))


class ErasePersonView(WorkspaceAPI, APIView):
    """Erase a person for ever."""

    scopes: ClassVar = {"write": Scope.ADMIN}
    costs: ClassVar = {"write": 10}

    @extend_schema(request=PersonSerializer, responses=ErasureReceiptSerializer, operation_id="people_erase")
    def post(self, request: Request) -> Response:
        """Erase all that is kept of a person; the receipt. An unknown person's receipt says that nothing was there."""
        receipt = persons.erase(_person_of(request), actor=str(request.user))
        return Response(receipts.as_json(receipt))
