"""A workspace that is deleted: thirty days in which an owner can have it back, then everything goes, with proof.

Deleting goes by steps, each of which may be done twice; whatever stops it, the nightly task takes it up again. The
receipt is stored last, so that a workspace without one is not done.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from redis import Redis

from billing import departures
from netvexa.lib.errors import NotAllowed
from tenants import receipts
from tenants.context import owner, platform
from tenants.models import ErasureReceipt, ProvisioningState, Workspace, WorkspaceOwned
from tenants.postgresql.base import DatabaseRole
from tenants.provisioning import drop_schema

logger = logging.getLogger(__name__)
GRACE = timedelta(days=30)


class NotLeaving(NotAllowed):
    """There is nothing to take back."""

    default_detail = "This workspace is not being deleted."


def begin(workspace: Workspace, *, asked_by: str) -> None:
    """Close the workspace to everybody, and delete it when the days of grace are over. Its plan is not renewed."""
    departures.stop_renewal(workspace)
    workspace.state, workspace.deletion_asked_by = ProvisioningState.SUSPENDED, asked_by
    workspace.deletion_due_at = timezone.now() + GRACE
    with platform():
        workspace.save(update_fields=["state", "deletion_asked_by", "deletion_due_at"])


def take_back(workspace: Workspace) -> None:
    """Open it again, as it was. Raises NotLeaving. Whether the plan is renewed is for the owner to say."""
    with transaction.atomic():
        row = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if row.deletion_due_at is None or row.state != ProvisioningState.SUSPENDED:
            raise NotLeaving
        row.state, row.deletion_asked_by, row.deletion_due_at = ProvisioningState.READY, "", None
        row.save(update_fields=["state", "deletion_asked_by", "deletion_due_at"])


def delete_due() -> int:
    """Delete the workspaces whose grace is over; how many. Called as the platform."""
    leaving = Workspace.objects.filter(state=ProvisioningState.SUSPENDED, deletion_due_at__lte=timezone.now())
    return sum(_delete_one(workspace) for workspace in leaving)


def _delete_one(workspace: Workspace) -> bool:
    try:
        delete(workspace)
    except Exception:  # one workspace's trouble is not the others', and tomorrow it is tried again
        logger.exception("Workspace %s cannot be deleted yet", workspace.key)
        return False
    return True


def delete(workspace: Workspace) -> ErasureReceipt:
    """Delete everything of a workspace, and say so by a receipt without anybody's data. Called as the platform."""
    departures.close_account(workspace)
    drop_schema(workspace)
    counts = {"files": _delete_files(workspace), "keys": _delete_redis_keys(workspace)}
    with transaction.atomic():
        counts["rows"] = _delete_rows(workspace)
        receipt = receipts.issue(workspace, actor="system", subject=workspace.key, counts=counts)
        receipts.bury(workspace, visitors=[], leads=[], name=receipt.pk, is_workspace=True)
    logger.info("Workspace %s was deleted; receipt %s", workspace.key, receipt.pk)
    return receipt


def _delete_files(workspace: Workspace) -> int:
    key = workspace.key
    folders = (f"workspaces/{key}", f"avatars/{key}", f"{receipts.FOLDER}/{key}")
    anchor = f"audit-anchors/{workspace.pk}.json"
    if default_storage.exists(anchor):
        default_storage.delete(anchor)
    return sum(map(_delete_folder, folders))


def _delete_folder(path: str) -> int:
    try:
        folders, names = default_storage.listdir(path)
    except FileNotFoundError:
        return 0
    for name in names:
        default_storage.delete(f"{path}/{name}")
    count = len(names) + sum(_delete_folder(f"{path}/{folder}") for folder in folders)
    default_storage.delete(path)  # a folder of a disk; nothing where folders are only names
    return count


def _delete_redis_keys(workspace: Workspace) -> int:
    """Every key that holds the workspace's own."""
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5.0)
    try:
        found = [
            name for mark in (workspace.key, str(workspace.pk)) for name in redis.scan_iter(f"*{mark}*", 1000)
        ]
        return int(redis.delete(*found)) if found else 0
    finally:
        redis.close()


def _delete_rows(workspace: Workspace) -> int:
    """The rows of the public schema. Logs that neither role may change are deleted by the tables' owner."""
    count = 0
    for model in apps.get_models():
        if issubclass(model, WorkspaceOwned):
            append_only = _is_append_only(model._meta.db_table)
            count += (_delete_as_owner if append_only else _delete_raw)(model, "workspace_id", workspace)
    for relation in Workspace._meta.related_objects:
        model, column = relation.related_model, relation.field.column
        if not issubclass(model, WorkspaceOwned) and relation.field.null:
            model._base_manager.filter(**{relation.field.name: workspace.pk}).update(
                **{relation.field.name: None}
            )
        elif not issubclass(model, WorkspaceOwned):
            count += _delete_raw(model, column, workspace)
    return count + _delete_raw(Workspace, "id", workspace)


def _delete_raw(model: Any, column: str, workspace: Workspace) -> int:
    """Without Django's cascade, which would visit tables that this role may not write."""
    table, name = map(connection.ops.quote_name, (model._meta.db_table, column))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {name} = %s", [workspace.pk])  # noqa: S608  names of our models
        return int(cursor.rowcount)


def _delete_as_owner(model: Any, column: str, workspace: Workspace) -> int:
    """From a log that neither role may change. Its owner is held to Row Level Security, too, but for this moment."""
    table = connection.ops.quote_name(model._meta.db_table)
    with owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        count = _delete_raw(model, column, workspace)
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    return count


def _is_append_only(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, 'DELETE')", [DatabaseRole.PLATFORM.value, table])
        (allowed,) = cursor.fetchone()
    return not allowed
