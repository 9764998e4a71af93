"""Who a patient is."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

_Text = Annotated[str, Meta(max_length=100)]


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What staff need to reach a patient; no national number.

    Attributes
    ----------
    relative_name, relative_telephone
        Whom to call when the patient does not answer.
    gp
        General practitioner: name or practice.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    year_of_birth: Annotated[int, Meta(ge=1890, le=2100)] | None = None
    telephone: Annotated[str, Meta(max_length=30)] = ""
    relative_name: _Text = ""
    relative_telephone: Annotated[str, Meta(max_length=30)] = ""
    gp: _Text = ""
    note: Annotated[str, Meta(max_length=500)] = ""


FIELDS: Final = Identity.__struct_fields__


def to_fields(identity: Identity) -> dict[str, str]:
    """Return the fields that are set, as text."""
    values = msgspec.structs.asdict(identity)
    return {name: str(value) for name, value in values.items() if value not in {None, ""}}


def from_fields(fields: dict[str, str]) -> Identity:
    """Return what `to_fields` took apart; raises msgspec.ValidationError."""
    return msgspec.convert(fields, Identity, strict=False)


def checked(identity: Identity) -> None:
    """Raise msgspec.ValidationError where it is not as it must be."""
    msgspec.convert(msgspec.to_builtins(identity), Identity)
