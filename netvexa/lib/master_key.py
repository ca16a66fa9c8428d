"""What wraps the data key of each workspace: a master key of the environment, or one that never leaves AWS KMS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from functools import lru_cache
from hashlib import sha256

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from netvexa.lib.errors import Unavailable
from netvexa.lib.sealing import CannotOpen, master_secrets, seal, unseal

PURPOSE = "data key"


class KeyServiceAway(Unavailable):
    """The key service cannot be asked; trying again may help."""

    code = "key_service_away"
    default_detail = "The service that keeps the keys cannot be reached. Please try again in a moment."


class MasterKey(ABC):
    """Wraps data keys of 32 bytes. `name` tells which master key wrapped one, and is no secret."""

    name: str

    @abstractmethod
    def wrap(self, data_key: bytes, *, owner: str) -> str:
        """The data key as it may be stored, for the workspace with the key `owner`."""

    @abstractmethod
    def unwrap(self, wrapped: str, *, owner: str) -> bytes:
        """The data key again. Raises CannotOpen, KeyServiceAway."""


class OfEnvironment(MasterKey):
    """The first of NETVEXA_MASTER_KEYS wraps, and all of them unwrap."""

    def __init__(self) -> None:
        mark = sha256(f"netvexa master key\n{master_secrets()[0]}".encode()).hexdigest()
        self.name = f"environment {mark[:8]}"

    def wrap(self, data_key: bytes, *, owner: str) -> str:
        return seal(b64encode(data_key).decode(), purpose=PURPOSE, owner=owner)

    def unwrap(self, wrapped: str, *, owner: str) -> bytes:
        return b64decode(unseal(wrapped, purpose=PURPOSE, owner=owner))


class OfAws(MasterKey):
    """A key of AWS KMS. Whoever holds the database and our environment still has to be let in by AWS."""

    def __init__(self, key_id: str) -> None:
        import boto3  # only who uses it pays for its import

        self.name = f"aws {key_id}"[:200]
        self._key_id = key_id
        self._client = boto3.client("kms", region_name=_region_of(key_id))

    def wrap(self, data_key: bytes, *, owner: str) -> str:
        try:
            answer = self._client.encrypt(
                KeyId=self._key_id, Plaintext=data_key, EncryptionContext=_context(owner)
            )
        except (BotoCoreError, ClientError) as error:
            raise KeyServiceAway from error
        return b64encode(answer["CiphertextBlob"]).decode()

    def unwrap(self, wrapped: str, *, owner: str) -> bytes:
        try:
            answer = self._client.decrypt(
                CiphertextBlob=b64decode(wrapped), EncryptionContext=_context(owner)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidCiphertextException":
                raise CannotOpen from error
            raise KeyServiceAway from error
        except BotoCoreError as error:
            raise KeyServiceAway from error
        return bytes(answer["Plaintext"])


def _context(owner: str) -> dict[str, str]:
    return {"purpose": PURPOSE, "workspace": owner}


def _region_of(key_id: str) -> str | None:
    """The region that an ARN names; a bare id is looked for in the environment's."""
    parts = key_id.split(":")
    return parts[3] if len(parts) > 4 else None


def wrapping() -> MasterKey:
    """The master key that wraps new data keys."""
    return _of_aws(settings.MASTER_KEY_KMS) if settings.MASTER_KEY_KMS else OfEnvironment()


def unwrap(wrapped: str, *, wrapped_by: str, owner: str) -> bytes:
    """A data key, by whatever kind of master key has wrapped it: an installation may move from one to the other."""
    return _unwrapped(wrapped, wrapped_by, owner)


@lru_cache(maxsize=4096)
def _unwrapped(wrapped: str, wrapped_by: str, owner: str) -> bytes:
    kind, _, key_id = wrapped_by.partition(" ")
    master = _of_aws(key_id) if kind == "aws" else OfEnvironment()
    return master.unwrap(wrapped, owner=owner)


@lru_cache(maxsize=4)
def _of_aws(key_id: str) -> OfAws:
    return OfAws(key_id)
