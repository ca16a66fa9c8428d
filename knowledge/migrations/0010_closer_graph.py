from django.db import migrations
from pgvector.django import HnswIndex


class Migration(migrations.Migration):
    """A graph that is built closer is walked less wide; what is built already stays as it is."""

    dependencies = [
        ("knowledge", "0009_staged"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX chunk_embedding_hnsw SET (ef_construction = 128)",
                    "ALTER INDEX chunk_embedding_hnsw SET (ef_construction = 64)",
                ),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="chunk", name="chunk_embedding_hnsw"),
                migrations.AddIndex(
                    model_name="chunk",
                    index=HnswIndex(
                        name="chunk_embedding_hnsw",
                        fields=["embedding"],
                        m=16,
                        ef_construction=128,
                        opclasses=["halfvec_cosine_ops"],
                    ),
                ),
            ],
        ),
    ]
