"""The knowledge app."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    """Counts documents to the plan's storage."""

    name = "knowledge"

    def ready(self) -> None:
        from billing.storage import counts_to_storage
        from knowledge.models import stored_bytes

        counts_to_storage(stored_bytes)
