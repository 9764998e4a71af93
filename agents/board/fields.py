"""Reading a form: each value checked, each fault by field and in words, nothing of what was entered lost."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from schemas.types import DeviceRef, Pseudonym, Slug

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import tzinfo

    from dashboards.board.pages import Voice

NOTE: Final = 500  # characters, as `schemas.types.ShortText`
# A national number or a telephone number as they are written; two blood pressures or a date are none.
_IDENTITY: Final = re.compile(
    r"(?<!\d)(\d{6}[ -]?\d{5}|\d{8}|\d{2} \d{2} \d{2} \d{2}|\d{3} \d{2} \d{3}|\+\d[\d ]{7,})(?!\d)"
)
_LONGEST: Final = 20_000  # characters of any one field


class Entered:
    """What was entered in a form, and what is wrong with it.

    Attributes
    ----------
    faults
        Field -> what is wrong, in the language of the page.
    """

    def __init__(self, values: Mapping[str, Any], voice: Voice, tz: tzinfo) -> None:
        self._values = values
        self._voice = voice
        self._tz = tz
        self.faults: dict[str, str] = {}

    def raw(self, name: str) -> str:
        """Return what stands in a field, without the blanks around it; a file is nothing."""
        value = self._values.get(name, "")
        return value.strip()[:_LONGEST] if isinstance(value, str) else ""

    def all(self) -> dict[str, str]:
        """Return everything that was entered, field by field."""
        return {name: self.raw(name) for name in self._values}

    def fault(self, name: str, key: str, **said: object) -> None:
        """Note what is wrong with a field; the first fault of a field stands."""
        self.faults.setdefault(name, self._voice(f"fault.{key}", **said))

    def text(self, name: str, *, most: int = NOTE, required: bool = True) -> str | None:
        """Return a text; None where there is none."""
        value = self.raw(name)
        if not value:
            if required:
                self.fault(name, "required")
            return None
        if len(value) > most:
            self.fault(name, "long", most=most)
            return None
        return value

    def note(self, name: str = "note") -> str | None:
        """Return a free text in which nobody is named by a number; None where there is none."""
        value = self.text(name, required=False)
        if value is not None and _IDENTITY.search(value):
            self.fault(name, "identity")
            return None
        return value

    def choice(self, name: str, choices: Collection[str], *, required: bool = True) -> str | None:
        """Return one of some choices."""
        value = self.raw(name)
        if value in choices:
            return value
        if value or required:
            self.fault(name, "choice" if value else "required")
        return None

    def tick(self, name: str) -> bool:
        """Return whether a box is ticked."""
        return bool(self.raw(name))

    def slug(self, name: str) -> str | None:
        """Return a configured name."""
        return self._form(name, Slug, "slug")

    def device(self, name: str) -> str | None:
        """Return a device's own reference, which looks like nobody's number."""
        value = self._form(name, DeviceRef, "device")
        if value is not None and re.search(r"\d{11}", value):
            self.fault(name, "device")
            return None
        return value

    def pseudonym(self, name: str) -> str | None:
        """Return a pseudonym; None where there is none."""
        return self._form(name, Pseudonym, "pseudonym") if self.raw(name) else None

    def _form(self, name: str, kind: Any, key: str) -> str | None:  # noqa: ANN401 - an annotated type
        value = self.raw(name)
        if not value:
            self.fault(name, "required")
            return None
        try:
            return str(msgspec.convert(value, kind))
        except msgspec.ValidationError:
            self.fault(name, key)
            return None

    def time_zone(self, name: str) -> str | None:
        """Return an IANA time zone."""
        value = self.raw(name)
        try:
            return ZoneInfo(value).key
        except (ValueError, OSError, LookupError):
            self.fault(name, "time_zone" if value else "required")
            return None

    def instant(
        self, name: str, *, latest: datetime | None = None, earliest: datetime | None = None
    ) -> datetime | None:
        """Return a local date and time as an instant."""
        value = self.raw(name)
        if not value:
            self.fault(name, "required")
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fault(name, "instant")
            return None
        at = at.replace(tzinfo=self._tz) if at.tzinfo is None else at
        if not 2000 <= at.year <= 2100:  # noqa: PLR2004 - before it nobody was followed, after it nobody asks
            self.fault(name, "instant")
            return None
        if latest is not None and at > latest:
            self.fault(name, "future")
            return None
        if earliest is not None and at <= earliest:
            self.fault(name, "ends_early")
            return None
        return at

    def number(self, name: str, *, required: bool = True, positive: bool = False) -> float | None:
        """Return a number, with a comma or a point; None where there is none."""
        value = self.raw(name).replace(",", ".").replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "")
        if not value:
            if required:
                self.fault(name, "required")
            return None
        if not re.fullmatch(r"[+-]?\d{1,12}(\.\d{1,9})?", value) or not isfinite(float(value)):
            self.fault(name, "number")
            return None
        if positive and float(value) <= 0:
            self.fault(name, "positive")
            return None
        return float(value)

    def whole(self, name: str, least: int, most: int, *, required: bool = True) -> int | None:
        """Return a whole number within bounds; None where there is none."""
        value = self.raw(name)
        if not value:
            if required:
                self.fault(name, "required")
            return None
        if not re.fullmatch(r"-?\d{1,9}", value) or not least <= int(value) <= most:
            self.fault(name, "whole", least=least, most=most)
            return None
        return int(value)

    def form_id(self) -> UUID | None:
        """Return the id that the form was given when it was shown: sent twice, it is done once."""
        try:
            return UUID(self.raw("form_id"))
        except ValueError:
            return None
