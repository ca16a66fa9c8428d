"""Sealing rows anew by a workspace's newest data key: what was never sealed, and what an older key has sealed.

Everything goes in short batches, each its own transaction; whatever stops it, the next run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Max, Q
from django.db.models.functions import Cast
from django.utils import timezone

from netvexa.lib import master_key
from tenants import data_keys
from tenants.context import in_tenant, platform
from tenants.models import DataKey, Workspace
from tenants.sealed import SealedField, SealedJSONField

BATCH = 500
# No process seals with an older key any longer than this after a newer one was made (RING_SECONDS and a long request).
OVERLAP = timedelta(hours=1)


def begin_new_key(workspace: Workspace) -> None:
    """Make a newer data key for the workspace; from now on it seals, and the old one only opens."""
    with platform():
        newest = DataKey.objects.filter(workspace=workspace).aggregate(Max("generation"))["generation__max"]
        data_keys.make(workspace, generation=(newest or 0) + 1)
    data_keys.forget_ring(workspace)


def rewrap_all() -> int:
    """Wrap every data key by the present master key, where another has wrapped it; how many these were."""
    name, count = master_key.wrapping().name, 0
    with platform():
        for row in DataKey.objects.exclude(wrapped_by=name).select_related("workspace").iterator():
            data_keys.rewrap(row, owner=row.workspace.key)
            count += 1
    return count


def reseal(workspace: Workspace) -> int:
    """Seal the workspace's rows by its newest key, and drop older keys that nothing needs; how many rows these were."""
    with in_tenant(workspace):
        count = sum(_reseal_field(model, field) for model, field in sealed_fields())
    _drop_old_keys(workspace)
    return count


def sealed_fields() -> Iterator[tuple[type[models.Model], models.Field]]:  # type: ignore[type-arg]
    """Every sealed field of the workspaces' tables, with its model."""
    for label in settings.TENANT_APPS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.local_fields:
                if isinstance(field, SealedField | SealedJSONField):
                    yield model, field


def _reseal_field(model: type[models.Model], field: models.Field) -> int:  # type: ignore[type-arg]
    """What the database holds is looked at as plain text: a sealed field cannot be searched by its beginning."""
    prefix = data_keys.newest_prefix()
    quoted = f'"{prefix}' if isinstance(field, SealedJSONField) else prefix
    behind = model._default_manager.annotate(held=Cast(field.name, models.TextField())).exclude(
        Q(held__startswith=quoted) | Q(held__in=["", "{}", "[]"]) | Q(held=None)
    )
    count = 0
    while done := _reseal_batch(model, field, behind):
        count += done
    return count


def _reseal_batch(model: type[models.Model], field: models.Field, behind: models.QuerySet) -> int:  # type: ignore[type-arg]
    with transaction.atomic():
        rows = list(behind.select_for_update().order_by("pk").values_list("pk", field.name)[:BATCH])
        for pk, value in rows:
            model._default_manager.filter(pk=pk).update(**{field.name: value})
    return len(rows)


def _drop_old_keys(workspace: Workspace) -> None:
    with platform():
        keys = DataKey.objects.filter(workspace=workspace).order_by("-generation")
        newest = keys.first()
        if newest is not None and newest.created_at < timezone.now() - OVERLAP:
            keys.exclude(pk=newest.pk).delete()
