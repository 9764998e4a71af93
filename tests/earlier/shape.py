"""The fields of everything that a state holds, with their defaults and the values of enumerations, as text."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec

from pipeline.triage import standing
from pipeline.triage.state import Content, State
from schemas.assessments import Reason
from schemas.care import Acknowledged
from schemas.paging import PageRequest
from schemas.submissions import Correction

# What a state holds packed, and so names in none of its fields.
_PACKED = (Content, Reason, PageRequest, Correction, standing.TakenOver, *get_args(standing.Kept))


def kinds() -> dict[str, type[Any]]:
    """Every struct and enumeration that a state holds, by name."""
    found: dict[str, type[Any]] = {}
    waiting: list[Any] = [State, *(kind for kind in _PACKED if kind is not Acknowledged)]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct | Enum):
            if kind.__name__ not in found:
                found[kind.__name__] = kind
                waiting += get_type_hints(kind).values() if issubclass(kind, msgspec.Struct) else ()
        else:
            waiting += get_args(kind)
    return dict(sorted(found.items()))


def in_order(kind: type[Any]) -> bool:
    """Whether something is a struct that is written without the names of its fields."""
    return issubclass(kind, msgspec.Struct) and bool(kind.__struct_config__.array_like)


def text() -> str:
    """One line for each; `[...]` where the order of the fields is what tells them apart."""
    return "".join(f"{name} {_listed(kind)}\n" for name, kind in kinds().items())


def _listed(kind: type[Any]) -> str:
    if issubclass(kind, Enum):
        return f"({', '.join(sorted(str(member.value) for member in kind))})"
    fields = [_field(field) for field in msgspec.structs.fields(kind)]
    return f"[{', '.join(fields)}]" if in_order(kind) else f"{{{', '.join(sorted(fields))}}}"


def _field(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return field.name
    if field.default is msgspec.NODEFAULT:
        return f"{field.name}={field.default_factory.__name__}()"  # type: ignore[union-attr] # not required: it has one
    return f"{field.name}={_shown(field.default)}"


def _shown(default: object) -> str:
    match default:
        case msgspec.Struct():
            return f"{type(default).__name__}()"  # its own fields have a line of their own
        case Enum():
            return str(default.value)
        case msgspec.Raw():
            return repr(bytes(default))
    return repr(default)
