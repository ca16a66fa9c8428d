"""The chat app."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Counts attachments to the plan's storage, tries changes of agents on their test sets, and tells the audiences of
    exact answers.
    """

    name = "chat"

    def ready(self) -> None:
        from agents.audiences import told_by
        from agents.gates import tries_changes
        from billing.storage import counts_to_storage
        from chat.attachments import stored_bytes
        from chat.change_gate import GATE
        from chat.models import CuratedAnswer

        counts_to_storage(stored_bytes)
        tries_changes(GATE)
        told_by(CuratedAnswer.objects.audiences)
