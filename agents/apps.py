"""The agents app."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Adds the check of the tier table."""

    name = "agents"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers itself
