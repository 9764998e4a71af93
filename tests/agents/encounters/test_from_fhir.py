"""FHIR R4 bundles, good and bad."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.encounters.encounter import Aside, Encounter, Kind, Passed, Reason, Refused
from agents.encounters.from_fhir import rows
from agents.recordings.events import RecordingError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
STAY = Encounter(1, "e-1", "p-1", Kind.ADMISSION, START, START + timedelta(days=2), acute=True)
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PRIORITY = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
SOURCE = "http://terminology.hl7.org/CodeSystem/admit-source"
PERIOD = {"start": "2026-03-01T08:00:00Z", "end": "2026-03-03T09:00:00+01:00"}


def encounter(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - elements
    """An acute stay of two days, with much that is not read."""
    told = {
        "resourceType": "Encounter",
        "id": "e-1",
        "meta": {"versionId": "1", "lastUpdated": "2026-03-04T08:00:00Z"},
        "status": "finished",
        "class": {"system": ACT, "code": "ACUTE", "display": "inpatient acute"},
        "subject": {"reference": "Patient/p-1"},
        "period": PERIOD,
        "serviceProvider": {"reference": "Organization/hospital"},
    }
    return {name: value for name, value in (told | changed).items() if value is not None}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def read(*resources: dict[str, Any] | None) -> list[object]:
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} if one else {} for one in resources],
    }
    return list(rows(json.dumps(bundle).encode(), NOW, "emergency-room"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, STAY),
        ({"subject": {"reference": "https://fhir.example/R4/Patient/p-1"}}, STAY),
        ({"subject": {"identifier": {"system": "https://sonevakt.example/pseudonym", "value": "p-1"}}}, STAY),
        ({"class": {"code": "NONAC"}}, STAY._replace(acute=False)),
        ({"class": {"code": "IMP"}, "priority": concept(PRIORITY, "EM")}, STAY),
        ({"class": {"code": "IMP"}, "priority": concept(PRIORITY, "UR")}, STAY),
        ({"class": {"code": "IMP"}, "priority": concept(PRIORITY, "EL")}, STAY._replace(acute=False)),
        ({"class": {"code": "IMP"}, "hospitalization": {"admitSource": concept(SOURCE, "emd")}}, STAY),
        ({"status": "in-progress", "period": {"start": PERIOD["start"]}}, STAY._replace(end=None)),
        ({"status": "onleave"}, STAY._replace(end=None)),
        (
            {"class": {"system": ACT, "code": "EMER"}},
            STAY._replace(kind=Kind.EMERGENCY, end=None, acute=False, contact="emergency-room"),
        ),
        ({"status": "entered-in-error"}, STAY._replace(acute=False, stands=False)),
        ({"status": "cancelled", "class": {"code": "IMP"}}, STAY._replace(acute=False, stands=False)),
        ({"status": "planned"}, Passed(1, Aside.NOT_TAKEN_PLACE)),
        ({"class": {"system": ACT, "code": "AMB"}}, Passed(1, Aside.NOT_COUNTED)),
        ({"class": {"system": ACT, "code": "VR"}}, Passed(1, Aside.NOT_COUNTED)),
        ({"partOf": {"reference": "Encounter/e-0"}}, Passed(1, Aside.PART_OF_ANOTHER)),
        ({"resourceType": "Patient"}, Passed(1, Aside.NO_ENCOUNTER)),
    ],
)
def test_what_an_encounter_can_say(changed: dict[str, Any], expected: object) -> None:
    assert read(encounter(**changed)) == [expected]


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"subject": {"reference": "Patient/12057912345"}}, Reason.NATIONAL_NUMBER, None),
        ({"subject": {"identifier": {"value": "120579 12345"}}}, Reason.NATIONAL_NUMBER, None),
        ({"text": {"div": "<div>12057912345</div>"}}, Reason.NATIONAL_NUMBER, None),
        (
            {"subject": {"reference": "Patient/p-1", "identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1"}}},
            Reason.NATIONAL_NUMBER,
            None,
        ),
        ({"resourceType": "Patient", "identifier": [{"value": "12057912345"}]}, Reason.NATIONAL_NUMBER, None),
        ({"id": None}, Reason.MISSING, "id"),
        ({"status": None}, Reason.MISSING, "status"),
        ({"class": None}, Reason.MISSING, "class"),
        ({"subject": None}, Reason.MISSING, "subject"),
        ({"period": None}, Reason.MISSING, "period.start"),
        ({"period": {"start": PERIOD["start"]}}, Reason.MISSING, "period.end"),
        ({"status": "unknown"}, Reason.INVALID, "status"),
        ({"class": {"system": "https://other.example", "code": "IMP"}}, Reason.INVALID, "class"),
        ({"class": {"system": ACT, "code": "XYZ"}}, Reason.INVALID, "class"),
        ({"subject": {"reference": "Group/p-1"}}, Reason.INVALID, "subject"),
        ({"subject": {"reference": "Patient/Kari Nordmann"}}, Reason.INVALID, "subject"),
        ({"period": {"start": "2026-03-01"}}, Reason.INVALID, "period.start"),
        ({"period": {"start": 20260301}}, Reason.INVALID, None),
        ({"period": {"start": "2026-03-01T08:00:00"}}, Reason.NO_OFFSET, "period.start"),
        ({"period": {**PERIOD, "end": "2026-02-01T08:00:00Z"}}, Reason.ENDS_BEFORE_IT_STARTS, "period.end"),
        ({"period": {"start": "2026-07-01T08:00:00Z"}}, Reason.FUTURE, "period.start"),
        ({"class": {"system": ACT, "code": "IMP"}}, Reason.ACUTE_NOT_SAID, "priority"),
        (
            {"class": {"code": "IMP"}, "priority": concept("https://other.example", "EM")},
            Reason.ACUTE_NOT_SAID,
            "priority",
        ),
    ],
)
def test_an_encounter_that_cannot_be_taken_is_refused_at_its_place(
    changed: dict[str, Any], reason: Reason, field: str | None
) -> None:
    assert read(encounter(id="e-0"), encounter(**changed), None) == [
        STAY._replace(id="e-0"),
        Refused(2, reason, field),
        Passed(3, Aside.NO_ENCOUNTER),
    ]


def test_a_digit_that_is_written_as_an_escape_hides_no_national_number() -> None:
    hidden = json.dumps({"resourceType": "Bundle", "entry": [{"resource": encounter(id="X2057912345")}]})

    (found,) = rows(hidden.replace("X", "\\u0031").encode(), NOW, "emergency-room")

    assert found == Refused(1, Reason.NATIONAL_NUMBER)


@pytest.mark.parametrize(
    "text", [b"{", b"{}", b'{"resourceType": "Encounter"}', b'{"resourceType": 7}', b"[]", b"\xff"]
)
def test_what_is_no_bundle_is_refused_whole(text: bytes) -> None:
    with pytest.raises(RecordingError, match="no FHIR bundle"):
        list(rows(text, NOW, "emergency-room"))


def test_an_empty_bundle_has_no_rows() -> None:
    assert read() == []
