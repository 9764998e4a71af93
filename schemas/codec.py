"""How messages are read and written: JSON, strict, unknown fields ignored, errors that name the field."""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeVar

import msgspec

from schemas.dead_letters import DeadLetterReason
from schemas.types import FIRST_VERSION, SCHEMA_VERSION

T = TypeVar("T")
# What msgspec raises on bytes from outside: of the wrong shape, not UTF-8, nested too deeply. Whoever decodes them
# without a `Codec` expects all three.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_encoder: Final = msgspec.json.Encoder()
_PATH: Final = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
_QUOTED_VALUE: Final = re.compile(r"^(Invalid (?:enum )?value) .*$", re.DOTALL)


class _Versioned(msgspec.Struct):
    """Of a message, only what says which reader it is for."""

    schema_version: int = FIRST_VERSION


_versions: Final = msgspec.json.Decoder(_Versioned)


class UnreadableError(ValueError):
    """A message that cannot be read: why, and at which field.

    The text never holds a value of the message, because it ends in logs and headers.
    """

    def __init__(self, reason: DeadLetterReason, field: str | None, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.reason = reason
        self.field = field
        self.problem = problem


class Codec(Generic[T]):
    """Reads and writes one message type, or one tagged union of them.

    >>> from schemas.paging import Tick
    >>> Codec(Tick).decode(b'{"at": "2026-03-01T08:00:00"}')
    Traceback (most recent call last):
        ...
    schemas.codec.UnreadableError: at: Expected `datetime` with a timezone component
    """

    def __init__(self, message: Any) -> None:  # noqa: ANN401 - a Struct type or a union of them, which no type names
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(message, strict=True)

    def decode(self, raw: bytes | None) -> T:
        """Read `raw`; raises UnreadableError with a closed reason and, where it can be told, the field's path."""
        try:
            message = self._decoder.decode(raw if raw is not None else b"")
        except msgspec.ValidationError as error:
            if _is_newer(raw):  # it may be of a shape that only that reader knows
                raise _newer() from None
            text = str(error)
            path = _PATH.search(text)
            field = path["path"] if path else None
            problem = _QUOTED_VALUE.sub(r"\1", _PATH.sub("", text))
            raise UnreadableError(DeadLetterReason.INVALID, field, problem) from None
        except UNREADABLE:
            raise UnreadableError(DeadLetterReason.NOT_JSON, None, "not JSON") from None
        if getattr(message, "schema_version", FIRST_VERSION) > SCHEMA_VERSION:
            raise _newer()
        return message


def _newer() -> UnreadableError:
    return UnreadableError(DeadLetterReason.UNSUPPORTED_VERSION, "schema_version", "newer than this reader")


def _is_newer(raw: bytes | None) -> bool:
    try:
        return _versions.decode(raw or b"").schema_version > SCHEMA_VERSION
    except UNREADABLE:
        return False


def encode(message: msgspec.Struct) -> bytes:
    """JSON bytes of `message`, which name their version unless it is the first."""
    if SCHEMA_VERSION != FIRST_VERSION and hasattr(message, "schema_version"):
        message = msgspec.structs.replace(message, schema_version=SCHEMA_VERSION)
    return _encoder.encode(message)
