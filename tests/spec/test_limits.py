"""The plan's absolute limits, and what a value must be to be judged at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from schemas.care import ChangeLimit, Limit, RelativeLimit, SustainedLimit
from tests.histories import at, reading, submitted
from tests.pipeline.triage.test_decisions import judged
from tests.spec.test_signals import GLUCOSE, PULSE, SYSTOLIC, WEIGHT, days, planned, said

FOUR: Final = Limit(code=PULSE, unit="/min", red_low=40, yellow_low=50, yellow_high=100, red_high=120)


@pytest.mark.parametrize(
    ("pulse", "follows"),
    [
        (39, "red limit_low"), (40, "red limit_low"), (41, "yellow limit_low"),
        (49, "yellow limit_low"), (50, "yellow limit_low"), (51, "green"),
        (99, "green"), (100, "yellow limit_high"), (101, "yellow limit_high"),
        (119, "yellow limit_high"), (120, "red limit_high"), (121, "red limit_high"),
    ],
)  # fmt: skip
def test_a_value_at_a_limit_breaks_it(pulse: float, follows: str) -> None:
    assert said([*planned(limits=(FOUR,)), submitted("s", 10, reading(PULSE, pulse, "/min", 10))]) == follows


@pytest.mark.parametrize(
    ("vital", "code", "unit", "value", "quality"),
    [
        ("systolic", "8480-6", "mm[Hg]", 39, "quarantined"), ("systolic", "8480-6", "mm[Hg]", 40, "implausible"),
        ("systolic", "8480-6", "mm[Hg]", 69, "implausible"), ("systolic", "8480-6", "mm[Hg]", 70, "valid"),
        ("systolic", "8480-6", "mm[Hg]", 230, "valid"), ("systolic", "8480-6", "mm[Hg]", 231, "implausible"),
        ("systolic", "8480-6", "mm[Hg]", 300, "implausible"), ("systolic", "8480-6", "mm[Hg]", 301, "quarantined"),
        ("diastolic", "8462-4", "mm[Hg]", 19, "quarantined"), ("diastolic", "8462-4", "mm[Hg]", 20, "implausible"),
        ("diastolic", "8462-4", "mm[Hg]", 39, "implausible"), ("diastolic", "8462-4", "mm[Hg]", 40, "valid"),
        ("diastolic", "8462-4", "mm[Hg]", 130, "valid"), ("diastolic", "8462-4", "mm[Hg]", 131, "implausible"),
        ("diastolic", "8462-4", "mm[Hg]", 200, "implausible"), ("diastolic", "8462-4", "mm[Hg]", 201, "quarantined"),
        ("heart rate", "8867-4", "/min", 19, "quarantined"), ("heart rate", "8867-4", "/min", 20, "implausible"),
        ("heart rate", "8867-4", "/min", 34, "implausible"), ("heart rate", "8867-4", "/min", 35, "valid"),
        ("heart rate", "8867-4", "/min", 180, "valid"), ("heart rate", "8867-4", "/min", 181, "implausible"),
        ("heart rate", "8867-4", "/min", 300, "implausible"), ("heart rate", "8867-4", "/min", 301, "quarantined"),
        ("SpO2", "2708-6", "%", 39, "quarantined"), ("SpO2", "2708-6", "%", 40, "implausible"),
        ("SpO2", "2708-6", "%", 79, "implausible"), ("SpO2", "2708-6", "%", 80, "valid"),
        ("SpO2", "2708-6", "%", 100, "valid"), ("SpO2", "2708-6", "%", 101, "quarantined"),
        ("temperature", "8310-5", "Cel", 24.9, "quarantined"), ("temperature", "8310-5", "Cel", 25, "implausible"),
        ("temperature", "8310-5", "Cel", 33.9, "implausible"), ("temperature", "8310-5", "Cel", 34, "valid"),
        ("temperature", "8310-5", "Cel", 41.5, "valid"), ("temperature", "8310-5", "Cel", 41.6, "implausible"),
        ("temperature", "8310-5", "Cel", 45, "implausible"), ("temperature", "8310-5", "Cel", 45.1, "quarantined"),
        ("weight", "29463-7", "kg", 19.9, "quarantined"), ("weight", "29463-7", "kg", 20, "valid"),
        ("weight", "29463-7", "kg", 400, "valid"), ("weight", "29463-7", "kg", 400.1, "quarantined"),
        ("weight", "29463-7", "g", 80000, "valid"), ("weight", "29563-7", "kg", 80, "valid"),
        ("respiration", "9279-1", "/min", 2, "quarantined"), ("respiration", "9279-1", "/min", 3, "implausible"),
        ("respiration", "9279-1", "/min", 7, "implausible"), ("respiration", "9279-1", "/min", 8, "valid"),
        ("respiration", "9279-1", "/min", 40, "valid"), ("respiration", "9279-1", "/min", 41, "implausible"),
        ("respiration", "9279-1", "/min", 80, "implausible"), ("respiration", "9279-1", "/min", 81, "quarantined"),
        ("glucose", "15074-8", "mmol/L", 0.4, "quarantined"), ("glucose", "15074-8", "mmol/L", 0.5, "implausible"),
        ("glucose", "15074-8", "mmol/L", 2.4, "implausible"), ("glucose", "15074-8", "mmol/L", 2.5, "valid"),
        ("glucose", "15074-8", "mmol/L", 30, "valid"), ("glucose", "15074-8", "mmol/L", 30.1, "implausible"),
        ("glucose", "15074-8", "mmol/L", 60, "implausible"), ("glucose", "15074-8", "mmol/L", 60.1, "quarantined"),
        ("glucose", "15074-8", "mg/dL", 100, "valid"), ("glucose", "15074-8", "g/L", 1, "quarantined"),
        ("FEV1", "20150-9", "L", 0.09, "quarantined"), ("FEV1", "20150-9", "L", 0.1, "valid"),
        ("FEV1", "20150-9", "L", 8, "valid"), ("FEV1", "20150-9", "L", 8.1, "quarantined"),
        ("PEF", "19935-6", "L/min", 29, "quarantined"), ("PEF", "19935-6", "L/min", 30, "valid"),
        ("PEF", "19935-6", "L/min", 900, "valid"), ("PEF", "19935-6", "L/min", 901, "quarantined"),
        ("weight", "29463-7", "g", 19999, "quarantined"), ("weight", "29463-7", "g", 20000, "valid"),
        ("weight", "29463-7", "g", 400000, "valid"), ("weight", "29463-7", "g", 400001, "quarantined"),
        ("glucose", "15074-8", "mg/dL", 9.007, "quarantined"), ("glucose", "15074-8", "mg/dL", 9.008, "implausible"),
        ("glucose", "15074-8", "mg/dL", 45.03, "implausible"), ("glucose", "15074-8", "mg/dL", 45.04, "valid"),
        ("glucose", "15074-8", "mg/dL", 540.48, "valid"), ("glucose", "15074-8", "mg/dL", 540.49, "implausible"),
        ("PEF", "19935-6", "cL/s", 49, "quarantined"), ("PEF", "19935-6", "cL/s", 50, "valid"),
        ("PEF", "19935-6", "cL/s", 1500, "valid"), ("PEF", "19935-6", "cL/s", 1501, "quarantined"),
        ("unknown", "99999-9", "x", 1, "quarantined"),
    ],
)  # fmt: skip
def test_impossible_implausible_and_valid(vital: str, code: str, unit: str, value: float, quality: str) -> None:
    found = judged(*planned(limits=(FOUR,)), submitted("s", 10, reading(code, value, unit, 10))).readings[0]
    assert found.quality == quality
    assert (
        found.vital is None
        or found.vital.replace("_", " ")[:4].lower() == vital.replace("respiration", "resp")[:4].lower()
    )


DIASTOLIC: Final = "8462-4"


@pytest.mark.parametrize(
    ("systolic", "diastolic", "quality"),
    [
        (84, 80, "quarantined"), (85, 80, "quarantined"), (86, 80, "valid"),
        (120, 116, "quarantined"), (120, 115, "quarantined"), (120, 114, "valid"),
        (80, 120, "quarantined"),  # the wrong way round
    ],
)  # fmt: skip
def test_a_systolic_pressure_lies_more_than_five_above_the_diastolic(
    systolic: float, diastolic: float, quality: str
) -> None:
    cuff = (reading(SYSTOLIC, systolic, "mm[Hg]", 10, "cuff"), reading(DIASTOLIC, diastolic, "mm[Hg]", 10, "cuff"))
    found = judged(*planned(limits=(FOUR,)), submitted("s", 10, *cuff))
    assert [one.quality.value for one in found.readings] == [quality, quality]


@pytest.mark.parametrize(
    ("measured", "later_ms", "issue"),
    [
        ("10 min after it was received", -1, "-"),
        ("10 min after it was received", 0, "-"),
        ("10 min after it was received", 1, "future"),
        ("366 days before it was received", -1, "too_old"),
        ("366 days before it was received", 0, "-"),
        ("366 days before it was received", 1, "-"),
    ],
)
def test_when_a_reading_can_have_been_measured(measured: str, later_ms: int, issue: str) -> None:
    away = timedelta(days=-366) if measured.startswith("366") else timedelta(minutes=10)
    told = replace(reading(PULSE, 70, "/min", 10), measured_at=at(10) + away + timedelta(milliseconds=later_ms))
    (found,) = judged(*planned(limits=(FOUR,)), submitted("s", 10, told)).readings
    assert (found.quality.value, found.issue or "-") == ("valid" if issue == "-" else "quarantined", issue)


PEAK_FLOW: Final = "19935-6"


@pytest.mark.parametrize(
    ("limit", "unit", "values", "zones"),
    [
        (Limit(code=WEIGHT, unit="kg", red_low=40.3), "g", (40299, 40300, 40301), ("red", "red", "green")),
        (Limit(code=WEIGHT, unit="kg", yellow_low=64.1), "g", (64099, 64100, 64101), ("yellow", "yellow", "green")),
        (Limit(code=WEIGHT, unit="kg", yellow_high=90.4), "g", (90399, 90400, 90401), ("green", "yellow", "yellow")),
        (Limit(code=WEIGHT, unit="g", red_high=100100), "kg", (100.099, 100.1, 100.101), ("green", "red", "red")),
        (Limit(code=WEIGHT, unit="g", red_low=40300), "kg", (40.299, 40.3, 40.301), ("red", "red", "green")),
        (Limit(code=GLUCOSE, unit="mmol/L", red_low=5), "mg/dL", (90.07, 90.08, 90.09), ("red", "red", "green")),
        (Limit(code=GLUCOSE, unit="mmol/L", red_high=10), "mg/dL", (180.15, 180.16, 180.17), ("green", "red", "red")),
        (Limit(code=GLUCOSE, unit="mg/dL", red_high=180.16), "mmol/L", (9.99, 10, 10.01), ("green", "red", "red")),
        (Limit(code=GLUCOSE, unit="mg/dL", red_high=180), "mg/dL", (179, 180, 181), ("green", "red", "red")),
        (Limit(code=PEAK_FLOW, unit="L/min", red_low=150), "cL/s", (249, 250, 251), ("red", "red", "green")),
        (Limit(code=PEAK_FLOW, unit="L/min", yellow_high=43.2), "cL/s", (71, 72, 73), ("green", "yellow", "yellow")),
        (Limit(code=PEAK_FLOW, unit="cL/s", red_high=72), "L/min", (43.1, 43.2, 43.3), ("green", "red", "red")),
    ],
)  # fmt: skip
def test_a_limit_is_the_same_in_every_unit(
    limit: Limit, unit: str, values: tuple[float, ...], zones: tuple[str, ...]
) -> None:
    """A value a step from the limit, one at it, and one a step on, each sent in the unit that is told."""
    plan = planned(limits=(limit,))
    found = [said([*plan, submitted("s", 10, reading(limit.code, value, unit, 10))]) for value in values]
    assert tuple(one.split()[0] for one in found) == zones


OTHER_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "rise by 1130 g": {"change_limits": (ChangeLimit(code=WEIGHT, unit="g", hours=48, yellow_rise=1130),)},
    "fall by 1130 g": {"change_limits": (ChangeLimit(code=WEIGHT, unit="g", hours=48, yellow_fall=1130),)},
    "1130 g above normal": {"relative_limits": (RelativeLimit(code=WEIGHT, unit="g", yellow_above=1130),)},
    "1130 g below normal": {"relative_limits": (RelativeLimit(code=WEIGHT, unit="g", yellow_below=1130),)},
    "once at 81800 g": {"sustained_limits": (SustainedLimit(code=WEIGHT, unit="g", high=81800, count=1, of=1),)},
    "once down at 80400 g": {"sustained_limits": (SustainedLimit(code=WEIGHT, unit="g", low=80400, count=1, of=1),)},
}


@pytest.mark.parametrize(
    ("limit", "kilograms", "follows"),
    [
        ("rise by 1130 g", 81.129, False), ("rise by 1130 g", 81.13, True), ("rise by 1130 g", 81.131, True),
        ("fall by 1130 g", 78.871, False), ("fall by 1130 g", 78.87, True), ("fall by 1130 g", 78.869, True),
        ("1130 g above normal", 81.129, False), ("1130 g above normal", 81.13, True),
        ("1130 g above normal", 81.131, True),
        ("1130 g below normal", 78.871, False), ("1130 g below normal", 78.87, True),
        ("1130 g below normal", 78.869, True),
        ("once at 81800 g", 81.799, False), ("once at 81800 g", 81.8, True), ("once at 81800 g", 81.801, True),
        ("once down at 80400 g", 80.401, False), ("once down at 80400 g", 80.4, True),
        ("once down at 80400 g", 80.399, True),
    ],
)  # fmt: skip
def test_any_other_kind_of_limit_is_the_same_in_every_unit(limit: str, kilograms: float, *, follows: bool) -> None:
    """The weight was 80 kg on each of five days."""
    plan = planned(limits=(Limit(code=WEIGHT, unit="kg", red_high=200),), **OTHER_LIMITS[limit])
    found = said([*plan, *days(WEIGHT, [80.0] * 5 + [kilograms])])
    assert any(rule in found for rule in ("rise", "fall", "relative", "sustained")) is follows
