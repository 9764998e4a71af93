"""One entry of the access log, and how each is chained to the one before and sealed.

`prev` is the SHA-256 of the whole line before. `seal` is an HMAC over the entry itself, `prev` among it, by a key that
does not lie beside the log: whoever can only write the files can neither change an entry nor make one.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.codec import UNREADABLE
from schemas.types import Pseudonym, ShortText, Slug, StaffRef

if TYPE_CHECKING:
    from agents.keys import Keys

FIRST_PREV: Final = "0" * 64
# `begun` stands before a change, and one of the others after it; a view is `done` at once.
Outcome = Literal["begun", "done", "failed", "unconfirmed", "refused"]
Action = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$(?!\n)")]
_Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who did what, about whom.

    Attributes
    ----------
    seq
        One more than that of the entry before; the first is 1.
    at
        UTC.
    patient, service
        None: it was about no patient, or of no service.
    why
        In words, for what cannot be taken back.
    key
        Version of the key that sealed it.
    """

    seq: Annotated[int, Meta(ge=1)]
    at: Annotated[datetime, Meta(tz=True)]
    person: StaffRef
    action: Action
    outcome: Outcome
    patient: Pseudonym | None = None
    service: Slug | None = None
    why: ShortText | None = None
    prev: _Digest
    key: Annotated[int, Meta(ge=1)]
    seal: str = ""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Entry)


class EntryError(ValueError):
    """A line is no entry, or not one of ours; the text says which, and holds nothing of the line."""


def sealed(entry: Entry, keys: Keys) -> bytes:
    """Return the line of `entry`, without its end."""
    return _ENCODER.encode(msgspec.structs.replace(entry, seal=_seal(entry, keys.versions[entry.key])))


def digest(line: bytes) -> str:
    """Return what the next entry names as the one before."""
    return hashlib.sha256(line).hexdigest()


def opened(line: bytes, keys: Keys) -> Entry:
    """Return the entry that a line holds; raises EntryError."""
    try:
        entry = _DECODER.decode(line)
    except UNREADABLE:
        raise EntryError("is no entry") from None
    key = keys.versions.get(entry.key)
    if key is None:
        raise EntryError(f"is sealed with version {entry.key} of the key, which the key file lacks")
    if not hmac.compare_digest(entry.seal.encode(), _seal(entry, key).encode()) or _ENCODER.encode(entry) != line:
        raise EntryError("is not as it was sealed")
    return entry


def _seal(entry: Entry, key: bytes) -> str:
    unsealed = _ENCODER.encode(msgspec.structs.replace(entry, seal=""))
    return hmac.new(key, unsealed, hashlib.sha256).hexdigest()
