"""The chain of a workspace's audit log: each entry's digest covers the entry and the digest before it.

The digest is an HMAC under a key that the database never sees, so that even whoever owns its tables cannot change,
insert or take away an entry unnoticed. Entries cut off at the end are noticed by the anchor: the newest number and
digest, which `anchor` keeps every night in the storage of files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from netvexa.lib.sealing import derived, master_secrets
from tenants.models import AuditEvent, Workspace

_LOCK = 0x61756474  # the first half of PostgreSQL's advisory locks of two numbers: "audt"
_START = "0" * 64
SHORTENED = "audit_log.shortened"  # the entry that tells where the chain begins since older ones went


@dataclass(frozen=True)
class Verdict:
    """What looking through a chain has found. `wrong` is the number of the first entry that does not fit."""

    entries: int
    wrong: int | None = None
    problem: str = ""

    @property
    def holds(self) -> bool:
        return self.wrong is None


def append(event: AuditEvent) -> AuditEvent:
    """Store the entry as the next of its workspace's chain; entries of one workspace wait for each other."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(event.workspace_id)])
        last = chain_of(event.workspace_id).order_by("-number").first()
        event.number = (last.number or 0) + 1 if last else 1
        event.digest = _digest(_key(master_secrets()[0]), event, last.digest if last else _START)
        event.save(force_insert=True)
    return event


def verify(workspace: Workspace | None) -> Verdict:
    """Look through the whole chain of a workspace, or of what staff did to none."""
    keys = [_key(secret) for secret in master_secrets()]
    number, before = _beginning(workspace)
    for event in chain_of(workspace.pk if workspace else None).order_by("number").iterator(2000):
        number += 1
        if event.number != number:
            return Verdict(number - 1, number, "An entry is missing here.")
        if not any(hmac.compare_digest(event.digest, _digest(key, event, before)) for key in keys):
            return Verdict(number - 1, number, "This entry was changed, or one before it was exchanged.")
        before = event.digest
    return _against_anchor(workspace, number)


def anchor(workspace: Workspace | None) -> None:
    """Keep where the chain ends now, outside of the database; an anchor is never put back to an earlier entry."""
    last = chain_of(workspace.pk if workspace else None).order_by("-number").first()
    kept = _anchored(workspace)
    if last is None or (kept and kept["number"] >= (last.number or 0)):
        return
    name = _anchor_name(workspace)
    default_storage.delete(name)
    default_storage.save(
        name, ContentFile(json.dumps({"number": last.number, "digest": last.digest}).encode())
    )


def _beginning(workspace: Workspace | None) -> tuple[int, str]:
    """The number and the digest before the oldest entry that is kept, as the chain itself tells."""
    rows = chain_of(workspace.pk if workspace else None)
    first = rows.order_by("number").values_list("number", flat=True).first()
    if first in (None, 1):
        return 0, _START
    told = rows.filter(action=SHORTENED, after__through=first - 1).values_list("after", flat=True).first()
    return (first - 1, told["ended_with"]) if told else (0, _START)


def _against_anchor(workspace: Workspace | None, entries: int) -> Verdict:
    kept = _anchored(workspace)
    if kept is None:
        return Verdict(entries)
    if kept["number"] > entries:
        return Verdict(entries, entries + 1, "Entries are missing at the end.")
    event = chain_of(workspace.pk if workspace else None).filter(number=kept["number"]).first()
    if event is None:  # it went with what is past its time; the walk has found the rest whole
        return Verdict(entries)
    if not hmac.compare_digest(event.digest, kept["digest"]):
        return Verdict(kept["number"] - 1, kept["number"], "This entry is not the one that was anchored.")
    return Verdict(entries)


def _anchored(workspace: Workspace | None) -> dict[str, Any] | None:
    try:
        with default_storage.open(_anchor_name(workspace)) as file:
            found: dict[str, Any] = json.loads(file.read())
            return found
    except FileNotFoundError:
        return None


def _anchor_name(workspace: Workspace | None) -> str:
    return f"audit-anchors/{workspace.pk if workspace else 'staff'}.json"


def chain_of(workspace_id: Any) -> Any:
    """The entries of a workspace, or of what staff did to none."""
    return AuditEvent.objects.filter(workspace_id=workspace_id).exclude(number=None)


def _digest(key: bytes, event: AuditEvent, before: str) -> str:
    row = [
        before,
        event.number,
        str(event.pk),
        str(event.workspace_id),
        str(event.actor_id),
        event.actor,
        event.action,
        event.subject,
        event.before,
        event.after,
        str(ip_address(event.address)) if event.address else "",  # the database writes it in its own way
        event.at.isoformat(),
    ]
    return hmac.new(key, json.dumps(row, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _key(secret: str) -> bytes:
    return derived(secret, "audit chain")
