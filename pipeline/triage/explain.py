"""Reasons in words, for nurses: Norwegian bokmål and English, with numbers and units in the language's form."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal

from pipeline.triage.sentences import EDGES, ISSUES, SENTENCES, VITALS, WHY_NOT, ZONES
from pipeline.triage.vitals import BY_CODE
from pipeline.triage.zones import SEVERITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.assessments import JudgedReading, Reason
    from schemas.types import Zone

Language = Literal["nb", "en"]

_NBSP: Final = "\N{NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
_PLACE: Final = {"nb": 0, "en": 1}
_HOURS_OF_A_DAY: Final = 24
_MOST_DIGITS: Final = 6  # behind the decimal sign; two values that differ by less are told as alike
_LIMIT_DIGITS: Final = 3  # a limit is told as it was written, but for what computing it left behind these
_HALF_UP: Final = Context(prec=400, rounding=ROUND_HALF_UP)
RULES_TOLD: Final = frozenset(SENTENCES)


def headline(zone: Zone, language: Language) -> str:
    """The zone in one or a few words."""
    word = ZONES[zone][_PLACE[language]]
    return word[0].upper() + word[1:]


def explain(reasons: Iterable[Reason], language: Language, readings: Sequence[JudgedReading] = ()) -> tuple[str, ...]:
    """One sentence a reason, the worst first; equal ones once.

    Parameters
    ----------
    readings
        Those of the assessment that the reasons are of: a value measured on oxygen is told with it. Without them
        nothing is said of oxygen.
    """
    ordered = sorted(reasons, key=lambda reason: -SEVERITY[reason.zone])
    return tuple(dict.fromkeys(sentence(reason, language, readings) for reason in ordered))


def sentence(reason: Reason, language: Language, readings: Sequence[JudgedReading] = ()) -> str:
    """One reason in words. A rule that is not known is named as it is."""
    place = _PLACE[language]
    found = SENTENCES.get(reason.rule)
    if found is None:
        return ("Regel: ", "Rule: ")[place] + reason.rule.replace("_", " ") + "."
    return found[place].format_map(_Words(reason, language, readings))


class _Words(dict[str, str]):
    """What a sentence asks for, worked out when it asks."""

    def __init__(self, reason: Reason, language: Language, readings: Sequence[JudgedReading]) -> None:
        super().__init__()
        self._reason = reason
        self._readings = readings
        self._language = language
        self._place = _PLACE[language]
        known = BY_CODE.get(reason.code or "")
        self._vital = None if known is None else VITALS[known.name]

    def __missing__(self, name: str) -> str:
        found: str = getattr(self, f"_{name.lower()}_word")()
        return found[:1].upper() + found[1:] if name[0].isupper() else found

    def _vital_word(self) -> str:
        if self._vital is None:
            return ("måling", "reading")[self._place]
        return self._vital.names[self._place]

    def _value_word(self) -> str:
        if self._reason.change is not None:  # a limit is then one of the change, which the value is to agree with
            return self._with_unit(self._reason.value, digits=self._finer()) + self._on_oxygen()
        return self._with_unit(self._reason.value, beside=self._reason.limit) + self._on_oxygen()

    def _limit_word(self) -> str:
        limit = self._reason.limit
        return self._with_unit(limit, digits=_LIMIT_DIGITS if self._vital is not None else 1)

    def _center_word(self) -> str:
        deviation = self._reason.deviation
        return self._with_unit(None if deviation is None else deviation.center, digits=self._finer())

    def _change_word(self) -> str:
        change = self._reason.change
        shown = self._with_unit(
            None if change is None else abs(change), beside=self._reason.limit, digits=self._finer()
        )
        if not shown.endswith("%"):
            return shown
        points = ("prosentpoeng", "percentage points")[self._place]
        return f"{shown.rstrip('%').rstrip(_NBSP)}{_NBSP}{points}"

    def _apart_word(self) -> str:
        """How far from the usual a value lies, and on which side: so much above it, below it, or at it."""
        change = self._reason.change
        if change is not None and not rounded(change, self._finer()):
            return ("på linje med", "level with")[self._place]
        above = change is None or change > 0
        return f"{self._change_word()} " + (("over", "above") if above else ("under", "below"))[self._place]

    def _missing_word(self) -> str:
        names = [name.strip() for name in (self._reason.detail or "").split(",") if name.strip()]
        told = [VITALS[name].names[self._place] if name in VITALS else name.replace("_", " ") for name in names]
        return ", ".join(told) or ("ukjent", "unknown")[self._place]

    def _days_word(self) -> str:
        return str(0 if self._reason.deviation is None else self._reason.deviation.days)

    def _score_word(self) -> str:
        score = 0.0 if self._reason.deviation is None else self._reason.deviation.score
        return ("+" if score > 0 else "") + number(score, 1, self._language)

    def _edge_word(self) -> str:
        return EDGES.get(self._reason.zone, ("grensen", "the limit"))[self._place]

    def _window_word(self) -> str:
        hours = self._reason.hours or 0
        if hours % _HOURS_OF_A_DAY or not hours:
            return (
                f"{hours}{_NBSP}"
                + (("time" if hours == 1 else "timer"), ("hour" if hours == 1 else "hours"))[self._place]
            )
        days = hours // _HOURS_OF_A_DAY
        return f"{days}{_NBSP}" + (("døgn", "døgn"), ("day", "days"))[self._place][days != 1]

    def _count_word(self) -> str:
        return str(self._reason.count or 0)

    def _of_word(self) -> str:
        return str(self._reason.of or 0)

    def _total_word(self) -> str:
        return number(self._reason.value or 0.0, 0, self._language)

    def _question_word(self) -> str:
        return (self._reason.question or "").replace("_", " ")

    def _zone_word(self) -> str:
        word = ZONES[self._reason.zone][self._place]
        return {"gul": "gult", "rød": "rødt", "grønn": "grønt"}.get(word, word)

    def _issue_word(self) -> str:
        issue = ISSUES.get(self._reason.detail or "", ("målingen kan ikke brukes", "the reading cannot be used"))
        return issue[self._place]

    def _why_word(self) -> str:
        why, _, field = (self._reason.detail or "").partition(":")
        said = WHY_NOT.get(why, ("grunnen er ukjent", "the reason is unknown"))[self._place]
        return f"{said} ({field.replace('_', ' ')})" if field else said

    def _finer(self) -> int:
        """Digits of differences, and of what a difference is from: a center may lie half-way between two values."""
        return 1 if self._vital is None else max(self._vital.digits, 1)

    def _on_oxygen(self) -> str:
        """The oxygen that the value was measured on, in brackets; empty on air, or where nobody said."""
        places = [place for place in self._reason.readings if place < len(self._readings)]
        flow = next((flow for place in places if (flow := self._readings[place].oxygen_l_min)), None)
        return (
            ""
            if flow is None
            else (f" (på {self._flow(flow)} oksygen)", f" (on {self._flow(flow)} oxygen)")[self._place]
        )

    def _flow(self, l_min: float | None) -> str:
        if l_min is None or not isfinite(l_min):
            return ("ukjent", "unknown")[self._place]
        return number(l_min, 2, self._language) + _NBSP + ("l/min", "L/min")[self._place]

    def _with_unit(self, value: float | None, *, beside: float | None = None, digits: int | None = None) -> str:
        """`value` with its unit, and with so many digits that it lies on its own side of what stands beside it."""
        if value is None or not isfinite(value):
            return ("ukjent", "unknown")[self._place]
        least = 1 if self._vital is None else self._vital.digits
        shown = number(value, _telling(value, beside, least if digits is None else digits), self._language)
        if self._vital is None:
            return shown
        unit = self._vital.units[self._place]
        return f"{shown}{unit}" if unit == "%" and self._language == "en" else f"{shown}{_NBSP}{unit}"


def rounded(value: float, digits: int) -> Decimal:
    """`value` with so many digits behind the decimal sign, halves away from zero, as charts have it."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), context=_HALF_UP)


def number(value: float, digits: int, language: Language) -> str:
    """`value` with at most so many digits behind the decimal sign, which is the language's own."""
    shown = f"{rounded(value, digits):f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    shown = "0" if shown == "-0" else shown.replace("-", _MINUS)
    return shown.replace(".", ",") if language == "nb" else shown


def _telling(value: float, beside: float | None, digits: int) -> int:
    """The least digits from `digits` on with which `value` is told on its own side of `beside`, or as equal to it."""
    if beside is None or not isfinite(beside):
        return digits
    limit = rounded(beside, _LIMIT_DIGITS).normalize()
    digits = max(digits, -int(limit.as_tuple().exponent))
    exactly = rounded(value, _MOST_DIGITS).compare(rounded(beside, _MOST_DIGITS))
    sides = (found for found in range(digits, _MOST_DIGITS) if rounded(value, found).compare(limit) == exactly)
    return next(sides, _MOST_DIGITS)
