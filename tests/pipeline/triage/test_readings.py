"""What is told of a reading: what was made of it, beside what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from schemas.assessments import BaselineStatus, JudgedReading, Quality, QualityIssue
from schemas.submissions import Context, Correction, CorrectionAction, EntryMode, Reading
from tests.histories import PATIENT, at, named, reading, spo2, submitted
from tests.pipeline.triage.test_decisions import PLANNED, judged, zone_and_rules

LEARNING = BaselineStatus.LEARNING


def told(code: str, vital: str | None, value: float, unit: str, **more: Any) -> JudgedReading:  # noqa: ANN401
    common: dict[str, Any] = {"measured_at": at(10), "quality": Quality.VALID, "baseline_status": LEARNING}
    return JudgedReading(code=code, vital=vital, value=value, unit=unit, **{**common, **more})


QUARANTINED: dict[str, Any] = {"quality": Quality.QUARANTINED, "baseline_status": None}
SEEN_IN_THE_WILD: dict[str, Any] = {"issue": QualityIssue.CONVERTED}


@pytest.mark.parametrize(
    ("sent", "follows"),
    [
        (reading("8867-4", 70, "/min", 10), told("8867-4", "heart_rate", 70, "/min")),
        (reading("8867-4", 70, "/min", 9), told("8867-4", "heart_rate", 70, "/min", measured_at=at(9))),
        (reading("8867-4", 70, "/min", 10, "belt-1"), told("8867-4", "heart_rate", 70, "/min", device="belt-1")),
        (
            reading("29563-7", 80_500, "g", 10),
            told("29463-7", "weight", 80.5, "kg", **SEEN_IN_THE_WILD, sent_value=80_500, sent_unit="g"),
        ),
        (reading("59408-5", 95, "%", 10), told("2708-6", "spo2", 95, "%", **SEEN_IN_THE_WILD)),
        (
            reading("8867-4", 185, "/min", 10),
            told("8867-4", "heart_rate", 185, "/min", quality=Quality.IMPLAUSIBLE, issue=QualityIssue.IMPLAUSIBLE),
        ),
        (
            reading("8867-4", 70, "bpm", 10),
            told("8867-4", "heart_rate", 70, "bpm", **QUARANTINED, issue=QualityIssue.UNKNOWN_UNIT),
        ),
        (reading("99999-9", 1, "x", 10), told("99999-9", None, 1, "x", **QUARANTINED, issue=QualityIssue.UNKNOWN_CODE)),
        (
            structs.replace(
                spo2(95, 10), entry_mode=EntryMode.MANUAL, attempt=2, context=Context(oxygen_l_min=1.5, at_rest=True)
            ),
            told(
                "2708-6",
                "spo2",
                95,
                "%",
                device="oximeter-1",
                entry_mode=EntryMode.MANUAL,
                attempt=2,
                oxygen_l_min=1.5,
            ),
        ),
    ],
)
def test_a_reading_is_told_in_the_vitals_own_terms(sent: Reading, follows: JudgedReading) -> None:
    (found,) = judged(*PLANNED, submitted("s", 10, sent)).readings
    assert found == follows
    assert isinstance(found.value, float)
    assert found.sent_value is None or isinstance(found.sent_value, float)


def test_nobody_is_judged_unmonitored_and_the_readings_are_told_all_the_same() -> None:
    found = judged(submitted("s", 10, reading("8867-4", 70, "/min", 9, "belt-1")))
    heart = told("8867-4", "heart_rate", 70, "/min", measured_at=at(9), device="belt-1", baseline_status=None)
    assert (found.zone, found.readings, found.news2) == ("not_monitored", (heart,), None)


def corrected(*readings: Reading) -> Correction:
    return Correction(
        correction_id=named("corrected"),
        submission_id=named("s"),
        patient=PATIENT,
        recorded_at=at(12),
        action=CorrectionAction.REPLACED if readings else CorrectionAction.ENTERED_IN_ERROR,
        readings=readings,
    )


def test_what_was_entered_in_error_is_told_as_withdrawn() -> None:
    session = submitted("s", 10, reading("8867-4", 70, "bpm", 9, "belt-1"), reading("29463-7", 80_000, "g", 10))
    found = judged(*PLANNED, session, corrected()).readings
    assert [type(one.value) for one in found] == [float, float]
    assert found == (
        told(
            "8867-4",
            "heart_rate",
            70,
            "bpm",
            **QUARANTINED,
            issue=QualityIssue.UNKNOWN_UNIT,
            measured_at=at(9),
            device="belt-1",
            withdrawn=True,
        ),
        told(
            "29463-7",
            "weight",
            80,
            "kg",
            **SEEN_IN_THE_WILD,
            sent_value=80_000,
            sent_unit="g",
            baseline_status=None,
            withdrawn=True,
        ),
    )


@pytest.mark.parametrize(
    ("instead", "withdrawn"),
    [
        (reading("8867-4", 90, "/min", 10, "belt-1"), False),
        (reading("8867-4", 90, "/min", 9, "belt-1"), True),
        (reading("8867-4", 90, "/min", 10, "belt-2"), True),
        (reading("8867-4", 90, "/min", 10), True),
        (reading("9279-1", 15, "/min", 10, "belt-1"), True),
    ],
)
def test_a_corrected_value_takes_the_place_of_that_of_its_code_time_and_device(
    instead: Reading,
    withdrawn: bool,  # noqa: FBT001 - a column
) -> None:
    found = judged(*PLANNED, submitted("s", 10, reading("8867-4", 70, "/min", 10, "belt-1")), corrected(instead))
    assert [one.value for one in found.readings] == [instead.value, *([70] if withdrawn else [])]
    assert [one.withdrawn for one in found.readings] == [False, *([True] if withdrawn else [])]


def test_a_corrected_value_without_a_device_takes_the_place_of_one_without() -> None:
    session = submitted("s", 10, reading("8867-4", 70, "/min", 10), spo2(95, 10))
    found = judged(*PLANNED, session, corrected(reading("8867-4", 90, "/min", 10), spo2(95, 10)))
    assert [(one.value, one.withdrawn) for one in found.readings] == [(90, False), (95, False)]


def test_a_withdrawn_reading_of_the_future_is_one_still() -> None:
    ahead = reading("8867-4", 70, "/min", 10.5)
    found = judged(*PLANNED, submitted("s", 10, ahead, spo2(95, 10)), corrected(spo2(96, 10)))
    assert [(one.value, one.issue, one.withdrawn) for one in found.readings] == [
        (96, None, False),
        (70, QualityIssue.FUTURE, True),
    ]


def daily(code: str, unit: str, *values: float) -> list[Any]:
    return [
        submitted(f"d{day}", 24 * day + 10, reading(code, value, unit, 24 * day + 10))
        for day, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("code", "unit", "values", "quality"),
    [
        ("2708-6", "%", (97, 91), "valid"), ("2708-6", "%", (97, 90), "implausible"),
        ("29463-7", "kg", (80, 85), "valid"), ("29463-7", "kg", (80, 85.1), "implausible"),
        ("29463-7", "kg", (80, 75), "valid"), ("29463-7", "kg", (80, 74.9), "implausible"),
        ("20150-9", "L", (2, 3, 2, 1.5), "valid"), ("20150-9", "L", (2, 3, 2, 1.4), "implausible"),
        ("8867-4", "/min", (60, 150), "valid"),
    ],
)  # fmt: skip
def test_a_value_unlike_the_patients_own_is_asked_for_again(
    code: str, unit: str, values: tuple[float, ...], quality: str
) -> None:
    found = judged(*PLANNED, *daily(code, unit, *values)).readings[0]
    assert (found.quality, found.issue) == (quality, "implausible" if quality == "implausible" else None)


def test_the_same_day_is_not_what_a_value_is_implausible_beside() -> None:
    morning, evening = (submitted(f"at-{hours}", hours, spo2(value, hours)) for hours, value in ((8, 97), (18, 90)))
    assert judged(*PLANNED, morning, evening).readings[0].quality is Quality.VALID


def test_what_cannot_be_judged_stays_so_beside_the_patients_own() -> None:
    found = judged(*PLANNED, *daily("2708-6", "%", 97, 39)).readings[0]
    assert (found.quality, found.issue) == (Quality.QUARANTINED, QualityIssue.IMPOSSIBLE)


def cuff(values: tuple[float, float], *, apart: str = "") -> list[Reading]:
    upper, lower = (
        reading(code, value, "mm[Hg]", 10, "cuff-1") for code, value in zip(("8480-6", "8462-4"), values, strict=True)
    )
    changed: dict[str, dict[str, Any]] = {
        "time": {"measured_at": at(9.9)},
        "device": {"device": "cuff-2"},
        "attempt": {"attempt": 2},
        "": {},
    }
    return [upper, structs.replace(lower, **changed[apart])]


@pytest.mark.parametrize(
    ("apart", "zone"), [("", "no_data"), ("time", "green"), ("device", "green"), ("attempt", "green")]
)
def test_pressures_contradict_each_other_where_one_cuff_told_both_at_once(apart: str, zone: str) -> None:
    found = judged(*PLANNED, submitted("s", 10, *cuff((100, 98), apart=apart)))
    assert found.zone == zone
    quality = Quality.VALID if zone == "green" else Quality.QUARANTINED
    assert [one.quality for one in found.readings] == [quality, quality]


def test_a_pressure_that_cannot_be_judged_contradicts_no_other() -> None:
    found = judged(*PLANNED, submitted("s", 10, *cuff((39, 80))))
    assert zone_and_rules(found) == ("no_data", ["quality:impossible"])
    assert [one.quality for one in found.readings] == [Quality.QUARANTINED, Quality.VALID]
    found = judged(*PLANNED, submitted("s", 10, *cuff((199, 201))))
    assert [one.quality for one in found.readings] == [Quality.VALID, Quality.QUARANTINED]
