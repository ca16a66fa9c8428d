"""A data key for each workspace that stands already; new ones get theirs while they are provisioned."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import migrations

from netvexa.lib.master_key import wrapping
from tenants.context import platform


def make_first(apps: Any, _schema_editor: Any) -> None:
    data_key, master = apps.get_model("tenants", "DataKey"), wrapping()
    with platform():  # the owner itself sees no row of a guarded table
        for workspace in apps.get_model("tenants", "Workspace").objects.only("pk", "key"):
            wrapped = master.wrap(AESGCM.generate_key(bit_length=256), owner=workspace.key)
            row = data_key(workspace=workspace, generation=1, wrapped=wrapped, wrapped_by=master.name)
            data_key.objects.bulk_create([row], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0007_sealed"),
    ]
    operations = [
        migrations.RunPython(make_first, migrations.RunPython.noop),
    ]
