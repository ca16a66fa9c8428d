"""Each workspace's data keys: what its sealed fields are sealed with, and found again by.

A data key is stored wrapped by the master key only (`netvexa.lib.master_key`). A workspace has one, and for a while
two after `manage.py rotate_keys`: the newest seals, all of them open. Sealed text looks like

    ~1.<generation>.<blind index, or nothing>.<nonce and AES-256-GCM ciphertext, base64>

where the blind index is an HMAC of the text in lower case, by which an equal text is found without being read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from netvexa.lib import master_key
from netvexa.lib.sealing import CannotOpen, derived
from tenants.context import current_workspace, identity
from tenants.models import DataKey, Workspace

PREFIX = "~1."
RING_SECONDS = 60.0  # how long a process goes on sealing with a key after a newer one was made
_NONCE = 12


@dataclass(frozen=True)
class Key:
    """One data key, ready for use."""

    generation: int
    cipher: AESGCM
    index_key: bytes

    def seal(self, text: str, purpose: str, *, is_searchable: bool) -> str:
        nonce = os.urandom(_NONCE)
        sealed = urlsafe_b64encode(nonce + self.cipher.encrypt(nonce, text.encode(), purpose.encode()))
        index = self.index(text, purpose) if is_searchable else ""
        return f"{PREFIX}{self.generation}.{index}.{sealed.decode()}"

    def open(self, body: str, purpose: str) -> str:
        """The text of the last part of a sealed one. Raises CannotOpen."""
        try:
            raw = urlsafe_b64decode(body)
            return self.cipher.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error

    def index(self, text: str, purpose: str) -> str:
        """22 letters that are equal for texts that differ in case and outer spaces only."""
        given = f"{purpose}\n{text.strip().lower()}".encode()
        return urlsafe_b64encode(hmac.new(self.index_key, given, hashlib.sha256).digest()[:16]).decode()[:22]


Ring = dict[int, Key]
_rings: dict[UUID, tuple[float, Ring]] = {}


def make(workspace: Workspace, *, generation: int = 1) -> None:
    """Give the workspace a data key of this generation, unless it has one. Called as the platform."""
    master = master_key.wrapping()
    wrapped = master.wrap(AESGCM.generate_key(bit_length=256), owner=workspace.key)
    DataKey.objects.bulk_create(
        [DataKey(workspace=workspace, generation=generation, wrapped=wrapped, wrapped_by=master.name)],
        ignore_conflicts=True,
    )


def rewrap(row: DataKey, *, owner: str) -> None:
    """Wrap a data key by the present master key. Called as the platform."""
    master = master_key.wrapping()
    with transaction.atomic():
        data_key = master_key.unwrap(row.wrapped, wrapped_by=row.wrapped_by, owner=owner)
        row.wrapped, row.wrapped_by = master.wrap(data_key, owner=owner), master.name
        row.save(update_fields=["wrapped", "wrapped_by"])


def forget_ring(workspace: Workspace) -> None:
    """Read the workspace's keys anew at the next use in this process."""
    _rings.pop(workspace.pk, None)


def seal(text: str, purpose: str, *, is_searchable: bool = False) -> str:
    """The text as it may be stored in the current workspace, in the column that `purpose` names."""
    ring = _ring()
    return ring[max(ring)].seal(text, purpose, is_searchable=is_searchable)


def open_text(stored: str, purpose: str) -> str:
    """The text that was sealed in the current workspace for `purpose`; text that was never sealed as it is.

    Raises CannotOpen for what was sealed elsewhere.
    """
    if not stored.startswith(PREFIX):
        return stored
    try:
        generation, _, body = stored.removeprefix(PREFIX).split(".")
        number = int(generation)
    except ValueError as error:
        raise CannotOpen from error
    ring = _ring()
    if number not in ring:
        ring = _ring(is_fresh=True)  # another process has made a newer key
    if number not in ring:
        raise CannotOpen
    return ring[number].open(body, purpose)


def indexes(text: str, purpose: str) -> list[str]:
    """The blind indexes under which this text may stand, one for each data key."""
    return [key.index(text, purpose) for key in _ring().values()]


def newest_prefix() -> str:
    """How everything begins that the newest data key has sealed."""
    return f"{PREFIX}{max(_ring())}."


def _ring(*, is_fresh: bool = False) -> Ring:
    workspace = current_workspace()
    read_at, ring = _rings.get(workspace.pk, (float("-inf"), {}))
    if not is_fresh and ring and time.monotonic() - read_at < RING_SECONDS:
        return ring
    with identity():
        rows = list(DataKey.objects.filter(workspace=workspace))
    ring = {row.generation: _key(row, workspace) for row in rows}
    if not ring:
        raise RuntimeError(f"{workspace.schema_name} has no data key; provisioning makes it.")
    _rings[workspace.pk] = (time.monotonic(), ring)
    return ring


def _key(row: DataKey, workspace: Workspace) -> Key:
    secret = master_key.unwrap(row.wrapped, wrapped_by=row.wrapped_by, owner=workspace.key)
    return Key(row.generation, AESGCM(secret), derived(secret, "blind index"))
