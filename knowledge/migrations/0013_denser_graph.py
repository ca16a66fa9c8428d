from django.db import migrations
from pgvector.django import HnswIndex


class Migration(migrations.Migration):
    """A graph built closer still: how much of a cluster a walk misses hangs on it more than on the links of each chunk.
    What is built already stays as it is.
    """

    dependencies = [
        ("knowledge", "0012_external_links"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX chunk_embedding_hnsw SET (ef_construction = 400)",
                    "ALTER INDEX chunk_embedding_hnsw SET (ef_construction = 128)",
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
                        ef_construction=400,
                        opclasses=["halfvec_cosine_ops"],
                    ),
                ),
            ],
        ),
    ]
