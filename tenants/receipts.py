"""Receipts of erasures, and the tombstones by which a restored backup is erased again.

A receipt says how much was erased and when, and nothing of whom: who knows the address can prove by `mark_of` that
the receipt is about it. A tombstone holds the ids of the rows that went. It stands in the storage of files and not
in the database, because a database that is restored has forgotten what was erased after its backup.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any, TypedDict
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from netvexa.lib.sealing import derived, master_secrets
from tenants.models import ErasureReceipt, Workspace

FOLDER = "tombstones"


class Tombstone(TypedDict):
    """Ids of rows that were erased. All of a workspace's rows went where `is_workspace` says so."""

    workspace: str
    at: str
    visitors: list[str]
    leads: list[str]
    is_workspace: bool


def issue(
    workspace: Workspace, *, actor: str, subject: str, counts: dict[str, int], is_workspace: bool = False
) -> ErasureReceipt:
    """Store the receipt of an erasure. Called where the row may be written."""
    row = ErasureReceipt(
        workspace=workspace, actor=actor, subject_mark=mark_of(workspace.key, subject), counts=counts
    )
    row.digest = _hmac(master_secrets()[0], _canonical(row))
    row.save(force_insert=True)
    return row


def as_json(row: ErasureReceipt) -> dict[str, Any]:
    """The receipt as a file to keep."""
    return {**_content(row), "digest": row.digest, "digest_holds": holds(row)}


def holds(row: ErasureReceipt) -> bool:
    """Whether the row is as it was issued."""
    return any(hmac.compare_digest(row.digest, _hmac(one, _canonical(row))) for one in master_secrets())


def mark_of(workspace_key: str, subject: str) -> str:
    """What a receipt keeps of whom it is about: only who knows the subject can tell that it is the same."""
    return marks_of(workspace_key, subject)[0]


def marks_of(workspace_key: str, subject: str) -> list[str]:
    """The marks that a receipt about this subject may have, the present one first."""
    return [_hmac(one, f"{workspace_key}\n{subject.strip().lower()}") for one in master_secrets()]


def _content(row: ErasureReceipt) -> dict[str, Any]:
    return {
        "receipt": str(row.pk),
        "workspace": str(row.workspace_id),
        "at": row.at.isoformat(),
        "by": row.actor,
        "subject_mark": row.subject_mark,
        "erased": row.counts,
    }


def _canonical(row: ErasureReceipt) -> str:
    return json.dumps(_content(row), sort_keys=True)


def _hmac(secret: str, text: str) -> str:
    return hmac.new(derived(secret, "receipts"), text.encode(), hashlib.sha256).hexdigest()


def bury(
    workspace: Workspace, *, visitors: list[UUID], leads: list[UUID], name: UUID, is_workspace: bool = False
) -> None:
    """Write the tombstone of an erasure; without it there is none. `name` is the receipt's."""
    stone: Tombstone = {
        "workspace": workspace.key,
        "at": timezone.now().isoformat(),
        "visitors": list(map(str, visitors)),
        "leads": list(map(str, leads)),
        "is_workspace": is_workspace,
    }
    default_storage.save(f"{FOLDER}/{workspace.key}/{name}.json", ContentFile(json.dumps(stone).encode()))


def tombstones() -> Iterator[Tombstone]:
    """Everything that was ever erased, by workspace."""
    for key in _listed(FOLDER, folders=True):
        for name in _listed(f"{FOLDER}/{key}"):
            with default_storage.open(f"{FOLDER}/{key}/{name}") as file:
                yield json.loads(file.read())


def _listed(path: str, *, folders: bool = False) -> list[str]:
    try:
        return sorted(default_storage.listdir(path)[0 if folders else 1])
    except FileNotFoundError:
        return []
