"""Everything that a report says in one language: words, numbers, periods, days."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from dashboards.report.views import Both, Hidden, Measured, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dashboards.report.views import Cell, Kind, Number

Lang = Literal["nb", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("nb", "en")
WORDS: Final = msgspec.json.decode(
    (resources.files(__package__) / "words.json").read_bytes(), type=dict[str, tuple[str, str]]
)
DIGITS: Final[Mapping[str, int]] = {"rate": 2, "ratio": 2, "score": 1, "share": 1}  # behind the decimal sign; 0 else
_NARROW: Final = "\N{NARROW NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
_QUARTER: Final = "Q"
_MOST_DIGITS: Final = 3  # along an axis
_NEAR: Final = 1e-9


class Voice:
    """One language.

    Parameters
    ----------
    names
        Of configured things, as `service.lungs`; a code without a name is shown as it is.
    """

    def __init__(self, lang: Lang, names: Mapping[str, str] | None = None) -> None:
        self.lang: Lang = lang
        self._place = LANGUAGES.index(lang)
        self._names = names or {}

    def __call__(self, key: str, **filled: object) -> str:
        """Return the text of a key of the report itself.

        Raises
        ------
        KeyError
            There is none: a text that is missing is our fault, and is seen in a test.
        """
        said = WORDS[key][self._place]
        return said.format(**{name: self._filled(value) for name, value in filled.items()}) if filled else said

    def text(self, text: Text | Both) -> str:
        """Return a text in words."""
        if isinstance(text, Both):
            return text[self._place]
        if not text.kind:
            return self(text.key, **dict(text.filled))
        if text.kind == "period":
            return self.period(text.key)
        if text.kind in {"day", "days", "window"}:
            return self._counted(text.kind, text.key)
        key = f"{text.kind}.{text.key}"
        return self._names.get(key) or (WORDS[key][self._place] if key in WORDS else text.key)

    def cell(self, cell: Cell, kind: Kind) -> str:
        """Return what stands in a table."""
        if isinstance(cell, Text | Both):
            return self.text(cell)
        if isinstance(cell, Measured):
            return self.number(cell.value, cell.kind)
        if isinstance(cell, tuple):
            return self.interval(cell[0], cell[1], _of_interval(kind))
        return self.number(cell, kind)

    def number(self, value: Number, kind: Kind) -> str:
        """Return a number in the form of the language; what is hidden and what there is none of, as words say."""
        if isinstance(value, Hidden):
            return self("hidden")
        if value is None:
            return self("nothing")
        if value in {float("inf"), float("-inf")}:
            return self("unbounded")
        if kind == "share":
            return self._formed(100 * value, DIGITS["share"]) + self("percent")
        return self._formed(value, DIGITS.get(kind, 0))

    def tick(self, value: float, kind: Kind) -> str:
        """Return a number that stands along an axis: with no more digits than it needs."""
        scaled = 100 * value if kind == "share" else value
        digits = next(
            digits for digits in range(4) if digits == _MOST_DIGITS or abs(round(scaled, digits) - scaled) < _NEAR
        )
        return self._formed(scaled, digits) + (self("percent") if kind == "share" else "")

    def interval(self, low: Number, high: Number, kind: Kind) -> str:
        """Return the ends of an interval."""
        if isinstance(low, Hidden) or isinstance(high, Hidden):
            return self("hidden")
        if low is None or high is None:
            return self("nothing")
        return self("interval.form", low=self.number(low, kind), high=self.number(high, kind))

    def period(self, name: str) -> str:
        """Return a calendar period in words: 2026-Q1, 2026-03, 2026, all."""
        year, _, part = name.partition("-")
        if not part:
            return WORDS[f"period.{name}"][self._place] if f"period.{name}" in WORDS else name
        if part.startswith(_QUARTER):
            return self("period.quarter", quarter=part[1:], year=year)
        return f"{self(f'month.{int(part)}')} {year}"

    def day(self, day: date) -> str:
        """Return a date in words."""
        form = "{0}. {1} {2}" if self.lang == "nb" else "{0} {1} {2}"
        return form.format(day.day, self(f"month.{day.month}.long"), day.year)

    def _counted(self, kind: str, value: str) -> str:
        if kind == "window":
            return self._formed(float(value), 0)
        return value

    def _filled(self, value: object) -> str:
        if isinstance(value, Text | Both):
            return self.text(value)
        if isinstance(value, float):
            return self.number(value, "ratio")
        return str(value)

    def _formed(self, value: float, digits: int) -> str:
        shown = f"{value:,.{digits}f}"
        if not float(shown.replace(",", "")):
            shown = shown.removeprefix("-")
        shown = shown.replace("-", _MINUS)
        return shown.replace(",", _NARROW).replace(".", ",") if self.lang == "nb" else shown


def _of_interval(kind: Kind) -> Kind:
    plain: Mapping[str, Kind] = {
        "rate_interval": "rate",
        "share_interval": "share",
        "ratio_interval": "ratio",
        "score_interval": "score",
    }
    return plain[kind]
