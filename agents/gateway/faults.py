"""Every field of a message that is wrong, by its path and never with its value.

The decoder stops at the first wrong field, which is enough for a consumer. A vendor's developer is helped by all of
them at once, so a message that was refused is read again here, field by field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from schemas.codec import Codec, UnreadableError
from schemas.submissions import Answer, Correction, Reading, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(NamedTuple):
    """What is wrong with one field."""

    field: str  # path as `readings[0].unit`; in a batch `[3].readings[0].unit`; `$`: the item itself
    problem: str


class _FieldReader(NamedTuple):
    codec: Codec[Any]
    required: bool


_PARTS: Final[dict[str, type[msgspec.Struct]]] = {"readings": Reading, "answers": Answer}
_OBJECT: Final = Codec[dict[str, msgspec.Raw]](dict[str, msgspec.Raw])
_ARRAY: Final = Codec[tuple[msgspec.Raw, ...]](tuple[msgspec.Raw, ...])
_READERS: Final[dict[type[msgspec.Struct], dict[str, _FieldReader]]] = {
    kind: {info.encode_name: _FieldReader(Codec(info.type), info.required) for info in msgspec.structs.fields(kind)}
    for kind in (Submission, Correction, Reading, Answer)
}


def joined(path: str, inner: str) -> str:
    """Return the path of `inner` within `path`.

    >>> joined("[3]", "readings[0].unit"), joined("", "patient"), joined("readings[0]", "$")
    ('[3].readings[0].unit', 'patient', 'readings[0]')
    """
    if inner in ("", "$"):
        return path or "$"
    if not path or path == "$":
        return inner
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


def faults_of(raw: msgspec.Raw | bytes, kind: type[msgspec.Struct], path: str = "") -> Iterator[Fault]:
    """Yield what is wrong with the fields of `raw`, read as a `kind`.

    Nothing is yielded for a message whose fields are right one by one and contradict each other: only reading it as a
    whole tells.
    """
    try:
        fields = _OBJECT.decode(bytes(raw))
    except UnreadableError as error:
        yield Fault(path or "$", error.problem)
        return
    for name, reader in _READERS[kind].items():
        if name not in fields:
            if reader.required:
                yield Fault(joined(path, name), "is required")
        else:
            yield from _faults_of_field(name, fields[name], reader, path)


def _faults_of_field(name: str, raw: msgspec.Raw, reader: _FieldReader, path: str) -> Iterator[Fault]:
    try:
        reader.codec.decode(bytes(raw))
    except UnreadableError as error:
        inner = _faults_of_part(name, raw, joined(path, name))
        # A list can be wrong itself (too long) while each of its elements is right.
        yield next(inner, None) or Fault(joined(joined(path, name), error.field or "$"), error.problem)
        yield from inner


def _faults_of_part(name: str, raw: msgspec.Raw, path: str) -> Iterator[Fault]:
    part = _PARTS.get(name)
    if part is None:
        return
    try:
        elements = _ARRAY.decode(bytes(raw))
    except UnreadableError:
        return
    for index, element in enumerate(elements):
        yield from faults_of(element, part, f"{path}[{index}]")
