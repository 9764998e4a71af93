"""How a patient's fields are closed: AES-256-GCM, a key for each patient, itself closed under a master key.

What a ciphertext belongs to is bound to it: a field moved to another patient or another field does not open. Texts are
padded to whole blocks of 64 bytes, so that the length of a name is not told by that of its ciphertext.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agents.keys import KEY_BYTES

if TYPE_CHECKING:
    from agents.keys import Keys

NONCE_BYTES: Final = 12
BLOCK: Final = 64
_KEY: Final = "key"


class UnopenableError(Exception):
    """What stands in the directory does not open: another key file, or somebody changed it."""


def new_key() -> bytes:
    """Return a key for one patient."""
    return token_bytes(KEY_BYTES)


def wrap(key: bytes, patient: str, keys: Keys) -> tuple[int, bytes]:
    """Close a patient's key; return the master key's version and what to keep."""
    version = keys.newest
    return version, _close(keys.versions[version], key, _about(patient, _KEY))


def unwrap(wrapped: bytes, version: int, patient: str, keys: Keys) -> bytes:
    """Open a patient's key; raises UnopenableError."""
    master = keys.versions.get(version)
    if master is None:
        raise UnopenableError(f"the directory needs version {version} of its key, which the key file lacks")
    return _open(master, wrapped, _about(patient, _KEY))


def close(text: str, field: str, patient: str, key: bytes) -> bytes:
    """Close one field."""
    plain = text.encode() + b"\x80"
    return _close(key, plain.ljust(-(-len(plain) // BLOCK) * BLOCK, b"\0"), _about(patient, field))


def open_(closed: bytes, field: str, patient: str, key: bytes) -> str:
    """Open one field; raises UnopenableError."""
    return _open(key, closed, _about(patient, field)).rpartition(b"\x80")[0].decode()


def _about(patient: str, field: str) -> bytes:
    return f"{patient}\n{field}".encode()


def _close(key: bytes, plain: bytes, about: bytes) -> bytes:
    nonce = token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def _open(key: bytes, closed: bytes, about: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(closed[:NONCE_BYTES], closed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise UnopenableError("the directory does not open: is SONEVAKT_DIRECTORY_KEY_FILE the right one?") from None
