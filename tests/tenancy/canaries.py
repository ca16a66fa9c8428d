"""An agent in each workspace whose name tells whose it is: whoever reads another's has leaked."""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction

from agents.models import Agent
from tenants.context import in_tenant
from tenants.models import Workspace


def put_canary(workspace: Workspace) -> None:
    with in_tenant(workspace):
        Agent.objects.create(name=workspace.slug)


def read_canary() -> list[str]:
    """The names of the agents where this code stands."""
    return sorted(Agent.objects.values_list("name", flat=True))


def is_refused(statement: str) -> bool:
    """Whether the database refuses this to whoever stands here."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return "permission denied" in str(error)
    return False
