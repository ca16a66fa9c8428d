"""Log lines carry the workspace they are about."""

from __future__ import annotations

import logging
from contextvars import ContextVar

workspace_key: ContextVar[str] = ContextVar("workspace_key", default="-")


class WorkspaceLogFilter(logging.Filter):
    """Puts the workspace's key on every log line, `-` where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.workspace = workspace_key.get()
        return True
