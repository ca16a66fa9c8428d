"""The chat app."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Counts attachments to the plan's storage."""

    name = "chat"

    def ready(self) -> None:
        from billing.storage import counts_to_storage
        from chat.attachments import stored_bytes

        counts_to_storage(stored_bytes)
