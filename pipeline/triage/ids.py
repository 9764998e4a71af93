"""Ids derived from what they name, so that a replay makes the same message and every consumer can drop it."""

from __future__ import annotations

from hashlib import sha1
from typing import Final
from uuid import UUID

# The name space of this project's derived ids: a fixed random UUID.
_NAMESPACE: Final = UUID("5d0f3d5e-5c1c-4b8a-9d6e-0f2a6b1c7e42").bytes
_VERSION_5_MASK: Final = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_5: Final = 5 << 76 | 0x8000 << 48


def derive(kind: str, patient: str, *parts: str | int) -> UUID:
    """UUID version 5 (RFC 9562, 5.5) of `kind`, the patient and what tells the thing apart."""
    name = "\x1f".join((kind, patient, *map(str, parts)))
    digest = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16], "big") & _VERSION_5_MASK | _VERSION_5)
