"""Words go into their index at once.

Entries that wait in the index' pending list are read through one after the other by every search, so that PostgreSQL
prefers to read all rows instead, with their words out of line: 10 ms a search in 2,000 chunks instead of 4.
"""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("knowledge", "0005_vectors_in_line")]

    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER INDEX chunk_search_gin SET (fastupdate = off);"
            " SELECT gin_clean_pending_list('chunk_search_gin'::regclass)",
            "ALTER INDEX chunk_search_gin RESET (fastupdate)",
            state_operations=[
                migrations.RemoveIndex(model_name="chunk", name="chunk_search_gin"),
                migrations.AddIndex(
                    model_name="chunk",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["search"], name="chunk_search_gin"
                    ),
                ),
            ],
        ),
    ]
