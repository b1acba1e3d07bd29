"""One record under one key: AES-256-GCM, bound to the record's identity. Pure: the caller brings the nonce.

A sealed record is nonce + ciphertext. The identity is authenticated, so a sealed record that was moved to
another row does not open.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class Unopenable(ValueError):
    """Damaged, under another key, or not the record that it is said to be."""


def seal(key: bytes, identity: str, plain: bytes, nonce: bytes) -> bytes:
    """`nonce`: 12 fresh random bytes; never twice under one key."""
    return nonce + AESGCM(key).encrypt(nonce, plain, identity.encode())


def unseal(key: bytes, identity: str, sealed: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], identity.encode())
    except (InvalidTag, ValueError) as error:
        raise Unopenable(f"{identity} cannot be decrypted: damaged, or sealed under another key") from error


def state_identity(workspace: str, lineage: str, serial: int, sha256: str) -> str:
    return f"state:{workspace}:{lineage}:{serial}:{sha256}"


def webhook_identity(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"


def artifact_identity(run_id: str, name: str) -> str:
    return f"artifact:{run_id}:{name}"
