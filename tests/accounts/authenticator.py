"""An authenticator in software: makes passkeys and signs with them, as WebAuthn Level 2 says, and lies if asked to."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import struct
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _ATTESTED = 0x01, 0x40
_OPTIONS = re.compile(r'data-options="([^"]+)"')


def options_on(page: bytes) -> dict[str, Any]:
    """What a page asks the browser for."""
    found = _OPTIONS.search(page.decode())
    assert found, "the page asks for no passkey"
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


class Authenticator:
    """Holds one key. `count` is what it will say next of how often it has signed."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.count = os.urandom(16), 1

    def make(self, options: dict[str, Any], *, origin: str = "http://acme.localhost") -> str:
        public = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        data = self._data(options["rp"]["id"], _PRESENT | _ATTESTED) + attested
        return self._answer(
            clientDataJSON=self._client("webauthn.create", options, origin),
            attestationObject=cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}),
        )

    def prove(self, options: dict[str, Any], *, origin: str = "http://acme.localhost") -> str:
        client, data = self._client("webauthn.get", options, origin), self._data(options["rpId"], _PRESENT)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signed)

    def _data(self, rp_id: str, flags: int) -> bytes:
        self.count += 1
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count - 1)

    @staticmethod
    def _client(kind: str, options: dict[str, Any], origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": origin}).encode()

    def _answer(self, **response: bytes) -> str:
        given = {name: encode(value) for name, value in response.items()}
        return json.dumps(
            {"id": encode(self.id), "rawId": encode(self.id), "type": "public-key", "response": given}
        )
