"""The plan's absolute limits, and what a value must be to be judged at all."""

from __future__ import annotations

from typing import Final

import pytest

from schemas.care import Limit
from tests.histories import reading, submitted
from tests.pipeline.triage.test_decisions import judged
from tests.spec.test_signals import PULSE, planned, said

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
        ("PEF", "19935-6", "cL/s", 500, "valid"),
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
