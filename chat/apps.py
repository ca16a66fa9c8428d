"""The chat app."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Counts attachments to the plan's storage, and tries changes of agents on their test sets."""

    name = "chat"

    def ready(self) -> None:
        from agents.gates import tries_changes
        from billing.storage import counts_to_storage
        from chat.attachments import stored_bytes
        from chat.change_gate import try_change

        counts_to_storage(stored_bytes)
        tries_changes(try_change)
