"""Who a patient is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from datetime import datetime

BORN: Final = (1890, 2100)
MOST: Final = {"name": 100, "telephone": 30, "relative_name": 100, "relative_telephone": 30, "gp": 100, "note": 500}


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What staff need to reach a patient; no national number.

    Attributes
    ----------
    relative_name, relative_telephone
        Whom to call when the patient does not answer.
    gp
        General practitioner: name or practice.
    """

    name: Annotated[str, Meta(min_length=1, max_length=MOST["name"])]
    year_of_birth: Annotated[int, Meta(ge=BORN[0], le=BORN[1])] | None = None
    telephone: Annotated[str, Meta(max_length=MOST["telephone"])] = ""
    relative_name: Annotated[str, Meta(max_length=MOST["relative_name"])] = ""
    relative_telephone: Annotated[str, Meta(max_length=MOST["relative_telephone"])] = ""
    gp: Annotated[str, Meta(max_length=MOST["gp"])] = ""
    note: Annotated[str, Meta(max_length=MOST["note"])] = ""


class ErasedError(Exception):
    """The patient's entry was erased: there is a tombstone, and nobody can bring it back."""

    def __init__(self, at: datetime | None = None) -> None:
        super().__init__("the patient is erased from the directory")
        self.at = at


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
