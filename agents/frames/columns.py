"""What a frame's columns hold: each has a kind, which is a dtype, a unit and a meaning."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

DTYPES: Final = {
    "instant": "datetime64[ms, UTC]",
    "code": "category",
    "name": "category",
    "id": "str",
    "number": "float64",
    "count": "Int64",
    "flag": "boolean",
}


class Kind(StrEnum):
    """What a column holds; what is not known is missing in each of them."""

    INSTANT = "instant"  # UTC, whole milliseconds
    CODE = "code"  # one of a closed set of words
    NAME = "name"  # one of a set that configuration or patients make: services, devices, questions
    ID = "id"
    NUMBER = "number"
    COUNT = "count"  # whole numbers
    FLAG = "flag"


class Column(Struct, frozen=True, kw_only=True):
    """One column.

    Attributes
    ----------
    unit
        UCUM, of a number; None: it has none, or `meaning` says in which column it stands.
    codes
        Every word that may stand in it, in their order; of a code alone.
    known_from
        The least number that is one: the store writes a lower one where nothing is known. None: every number is one.
    private
        Whose it is, or what leads back to it: it leaves the system as a key that holds for one export alone.
    stored
        The field of the store's points that it is made of; None: the one of its own name.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    codes: tuple[str, ...] = ()
    known_from: float | None = None
    private: bool = False
    stored: str | None = None

    @property
    def source(self) -> str:
        """The field of the store's points."""
        return self.stored or self.name


def instant(name: str, meaning: str) -> Column:
    """A column of instants; all but `time` stand in the store as milliseconds since 1970, below 0 for none."""
    return Column(name=name, kind=Kind.INSTANT, meaning=meaning)


def code(name: str, meaning: str, codes: Iterable[str], *, stored: str | None = None) -> Column:
    """A column of words out of a closed set."""
    return Column(name=name, kind=Kind.CODE, meaning=meaning, codes=tuple(map(str, codes)), stored=stored)


def named(name: str, meaning: str, *, private: bool = False) -> Column:
    """A column of names out of an open set."""
    return Column(name=name, kind=Kind.NAME, meaning=meaning, private=private)


def identifier(name: str, meaning: str) -> Column:
    """A column of ids, which lead back to what they name."""
    return Column(name=name, kind=Kind.ID, meaning=meaning, private=True)


def number(name: str, meaning: str, unit: str | None = None, *, known_from: float | None = None) -> Column:
    """A column of measured or worked-out numbers."""
    return Column(name=name, kind=Kind.NUMBER, meaning=meaning, unit=unit, known_from=known_from)


def count(name: str, meaning: str, *, known_from: float | None = None) -> Column:
    """A column of whole numbers."""
    return Column(name=name, kind=Kind.COUNT, meaning=meaning, known_from=known_from)


def flag(name: str, meaning: str) -> Column:
    """A column of yes and no."""
    return Column(name=name, kind=Kind.FLAG, meaning=meaning)
