"""The knowledge app."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    """Counts documents to the plan's storage, and their pages; tells the audiences of sources."""

    name = "knowledge"

    def ready(self) -> None:
        from agents.audiences import told_by
        from billing.measures import measured_by
        from billing.models import UsageKind
        from billing.storage import counts_to_storage
        from knowledge.models import Source, counted_pages, stored_bytes

        counts_to_storage(stored_bytes)
        measured_by(UsageKind.PAGES, counted_pages)
        told_by(Source.objects.audiences)
