"""NEWS2 of one registration, as far as it can be told: seven parts, their sum, and the zone it raises.

The bands and the thresholds are those of the Royal College of Physicians: National Early Warning Score (NEWS) 2, 2017,
ISBN 978-1-86016-682-2. What nobody measured or said is missing and has no points: a sum with parts missing can prove
that a patient is unwell, never that all is well.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.triage.vitals import HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, TEMPERATURE
from schemas.assessments import News2, News2Part
from schemas.care import News2Scale
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RED_TOTAL: Final = 7
YELLOW_TOTAL: Final = 5
YELLOW_PART: Final = 3  # points of any one part


class _Bands(NamedTuple):
    """The bands of one part, lowest first, in whole steps of the chart."""

    starts: tuple[int, ...]  # the lowest step of every band but the first
    points: tuple[int | None, ...]  # one more than starts; None where it cannot be told
    decimals: int = 0  # of the chart: a step is 1 or 0.1 of the vital's unit


_RESPIRATORY_RATE: Final = _Bands((9, 12, 21, 25), (3, 1, 0, 2, 3))
_SPO2_1: Final = _Bands((92, 94, 96), (3, 2, 1, 0))
_SPO2_2_ON_AIR: Final = _Bands((84, 86, 88), (3, 2, 1, 0))
_SPO2_2_ON_OXYGEN: Final = _Bands((84, 86, 88, 93, 95, 97), (3, 2, 1, 0, 1, 2, 3))
_SPO2_2_UNKNOWN: Final = _Bands((84, 86, 88, 93), (3, 2, 1, 0, None))
_SYSTOLIC: Final = _Bands((91, 101, 111, 220), (3, 2, 1, 0, 3))
_HEART_RATE: Final = _Bands((41, 51, 91, 111, 131), (3, 1, 0, 1, 2, 3))
_TEMPERATURE: Final = _Bands((351, 361, 381, 391), (3, 1, 0, 1, 2), decimals=1)
_BANDS: Final = {
    RESPIRATORY_RATE.index: _RESPIRATORY_RATE,
    SYSTOLIC.index: _SYSTOLIC,
    HEART_RATE.index: _HEART_RATE,
    TEMPERATURE.index: _TEMPERATURE,
}
_OXYGEN: Final = 2
# Alert, new confusion, voice, pain, unresponsive.
_CONSCIOUSNESS: Final[dict[str | None, int]] = {"A": 0, "C": 3, "V": 3, "P": 3, "U": 3}


def score(
    values: Mapping[int, float], *, oxygen_l_min: float | None, consciousness: str | None, scale: News2Scale
) -> News2:
    """NEWS2 of the known parts, in the order of the chart.

    `values` by vital index [the vital's unit], one that is not finite counts as missing. Oxygen 0 is room air and None
    that nobody said [L/min]; consciousness is one of A, C, V, P and U, and anything else is missing.
    """
    on_oxygen = None if oxygen_l_min is None or not oxygen_l_min >= 0 else oxygen_l_min > 0
    found = (
        (RESPIRATORY_RATE.name, _points(values.get(RESPIRATORY_RATE.index), _RESPIRATORY_RATE)),
        (SPO2.name, _points(values.get(SPO2.index), _spo2_bands(scale, on_oxygen=on_oxygen))),
        ("oxygen", None if on_oxygen is None else _OXYGEN * on_oxygen),
        (SYSTOLIC.name, _points(values.get(SYSTOLIC.index), _SYSTOLIC)),
        (HEART_RATE.name, _points(values.get(HEART_RATE.index), _HEART_RATE)),
        ("consciousness", _CONSCIOUSNESS.get(consciousness)),
        (TEMPERATURE.name, _points(values.get(TEMPERATURE.index), _TEMPERATURE)),
    )
    known = [points for _, points in found if points is not None]
    return News2(
        total=sum(known),
        known=len(known),
        parts=tuple([News2Part(part=part, points=points) for part, points in found]),
        scale=scale,
    )


def worst(index: int, values: Sequence[float], *, oxygen_l_min: float | None, scale: News2Scale) -> float:
    """Of several values of one vital the one with the most points: a later, better one takes none of them away.

    Of equal ones the last; one that is not finite counts for nothing.
    """
    on_oxygen = None if oxygen_l_min is None or not oxygen_l_min >= 0 else oxygen_l_min > 0
    bands = _spo2_bands(scale, on_oxygen=on_oxygen) if index == SPO2.index else _BANDS.get(index)
    ranked = [(-1 if bands is None else _rank(_points(value, bands)), place) for place, value in enumerate(values)]
    return values[max(ranked)[1]]


def _rank(points: int | None) -> int:
    return -1 if points is None else points


def zone(found: News2) -> Zone | None:
    """The zone that the score raises, if any: never green, as a low score may be one with parts missing."""
    if found.total >= RED_TOTAL:
        return Zone.RED
    if found.total >= YELLOW_TOTAL or any(part.points == YELLOW_PART for part in found.parts):
        return Zone.YELLOW
    return None


def rule(found: News2) -> str:
    """What a score that raises a zone does it by: its sum, or one part that has three points on its own."""
    return "news2" if found.total >= YELLOW_TOTAL else "news2_part"


def _spo2_bands(scale: News2Scale, *, on_oxygen: bool | None) -> _Bands:
    if scale is News2Scale.SCALE_1:
        return _SPO2_1
    if on_oxygen is None:
        return _SPO2_2_UNKNOWN
    return _SPO2_2_ON_OXYGEN if on_oxygen else _SPO2_2_ON_AIR


def _points(value: float | None, bands: _Bands) -> int | None:
    if value is None or not isfinite(value):
        return None
    return bands.points[bisect_right(bands.starts, _steps(value, bands.decimals))]


def _steps(value: float, decimals: int) -> int:
    """`value` in whole steps of the chart, half a step up; as it is written, not as binary: 38.05 is 381 tenths."""
    return int(Decimal(str(value)).scaleb(decimals).to_integral_value(ROUND_HALF_UP))
