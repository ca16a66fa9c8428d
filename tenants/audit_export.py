"""The audit log as a file: CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from netvexa.lib.sheets import START, line_of
from tenants.models import AuditEvent

COLUMNS = ("Number", "Time (UTC)", "Person", "Address", "Action", "Subject", "Before", "After", "Digest")
MOST = 100_000  # entries in one file, the newest


def as_csv(events: QuerySet[AuditEvent]) -> str:
    """With a heading and a byte order mark, without which Excel guesses the wrong encoding."""
    return START + line_of(COLUMNS) + "".join(line_of(_cells(event)) for event in events[:MOST])


def _cells(event: AuditEvent) -> list[str]:
    return [
        str(event.number or ""),
        event.at.isoformat(),
        event.actor,
        event.address or "",
        event.action,
        event.subject,
        *(json.dumps(value, ensure_ascii=False) if value else "" for value in (event.before, event.after)),
        event.digest,
    ]


def as_json(events: QuerySet[AuditEvent]) -> str:
    """A list of objects, the newest first."""
    return json.dumps(list(_objects(events[:MOST])), ensure_ascii=False, indent=1)


def _objects(events: QuerySet[AuditEvent]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield {
            "id": str(event.pk),
            "number": event.number,
            "at": event.at.isoformat(),
            "actor": event.actor,
            "actor_id": str(event.actor_id) if event.actor_id else None,
            "address": event.address,
            "action": event.action,
            "subject": event.subject,
            "before": event.before,
            "after": event.after,
            "digest": event.digest,
        }
