"""Several usage entries are named as such in the admin."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0007_overage_and_figures")]

    operations: ClassVar = [
        migrations.AlterModelOptions(name="usageentry", options={"verbose_name_plural": "usage entries"}),
    ]
