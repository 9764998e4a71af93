"""What is told of an encounter beside what is known of it: once, and never otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from agents.encounters.encounter import Aside, Encounter, Kind, Passed, Reason, Refused
from agents.encounters.events import Origin, events, ids
from agents.encounters.judging import MOST_STAYS, Judged, judge
from agents.encounters.known import Known
from agents.encounters.report import as_lines, report
from schemas.care import Admitted, Discharged, EmergencyContact, Enrolled

if TYPE_CHECKING:
    from schemas.care import CareEvent

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
ORIGIN = Origin("hospital", "importer-1", NOW)
STAY = Encounter(1, "e-1", "p-1", Kind.ADMISSION, START, START + timedelta(days=2), acute=True)
EMERGENCY = Encounter(1, "e-1", "p-1", Kind.EMERGENCY, START, contact="ambulance")


def enrolled(patient: str = "p-1") -> Enrolled:
    common = {"event_id": uuid4(), "patient": patient, "at": START, "recorded_at": START}
    return Enrolled(**common, pathway="copd", service="lungs", municipality="north")


def knowing(*told: CareEvent, about: tuple[Encounter, ...] = (STAY,)) -> Known:
    known = Known(
        {id_ for encounter in about for id_ in ids("hospital", encounter.id).values()},
        {encounter.patient for encounter in about},
    )
    for event in (enrolled(), *told):
        known.take(event)
    return known


def after(*encounters: Encounter, origin: Origin = ORIGIN) -> list[CareEvent]:
    return [event for encounter in encounters for event in events(encounter, origin).values()]


def decided(*rows: Any, known: Known) -> Judged:  # noqa: ANN401 - rows of every kind
    return judge(rows, ORIGIN, known)


def test_a_stay_is_an_admission_and_a_discharge() -> None:
    judged = decided(STAY, known=knowing())

    assert [type(event) for event in judged.events] == [Admitted, Discharged]
    admission, discharge = judged.events
    assert isinstance(admission, Admitted)
    assert (admission.at, admission.acute, admission.patient) == (START, True, "p-1")
    assert (admission.recorded_at, admission.recorded_by) == (NOW, "importer-1")
    assert discharge.at == START + timedelta(days=2)
    assert (judged.taken, judged.there, judged.refused) == ([1], [], [])


def test_an_emergency_is_a_contact() -> None:
    (event,) = decided(EMERGENCY, known=knowing()).events

    assert isinstance(event, EmergencyContact)
    assert (event.at, event.kind) == (START, "ambulance")


def test_an_id_is_that_of_source_encounter_and_kind_for_ever() -> None:
    known = ids("hospital", "e-1")

    assert {kind: str(id_) for kind, id_ in known.items()} == {
        "admitted": "55fd8a2c-ec67-5e46-91a6-8b8d8a623818",
        "discharged": "627f671b-26bb-5708-a11c-bf83c460c48c",
        "emergency_contact": "ee297e54-30da-52cc-851d-4d8e1b8546f7",
    }
    assert len({*known.values(), *ids("other", "e-1").values(), *ids("hospital", "e-2").values()}) == 9


def test_what_is_known_is_not_told_again_whoever_imports_it_and_when() -> None:
    earlier = Origin("hospital", "importer-2", NOW - timedelta(days=30))

    judged = decided(STAY, known=knowing(*after(STAY, origin=earlier)))

    assert (judged.events, judged.taken, judged.there, judged.refused) == ([], [], [1], [])


def test_of_two_events_of_one_id_the_first_is_known_as_in_triage() -> None:
    moved = STAY._replace(start=START + timedelta(hours=1))

    known = knowing(*after(STAY), *after(moved))

    assert decided(STAY, known=known).there == [1]
    assert decided(moved, known=known).refused == [Refused(1, Reason.CHANGED, "start")]
    assert known.stays == {"p-1": 2}


def test_of_a_stay_that_has_ended_since_only_the_discharge_is_told() -> None:
    judged = decided(STAY, known=knowing(*after(STAY._replace(end=None))))

    assert [type(event) for event in judged.events] == [Discharged]
    assert judged.taken == [1]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"start": START + timedelta(hours=1)}, "start"),
        ({"end": START + timedelta(days=3)}, "end"),
        ({"end": None}, "end"),
        ({"acute": False}, "acute"),
        ({"patient": "p-2"}, "patient"),
        ({"kind": Kind.EMERGENCY, "end": None, "contact": "ambulance"}, "kind"),
    ],
)
def test_an_encounter_that_says_something_else_than_was_taken_is_refused(changed: dict[str, Any], field: str) -> None:
    now = STAY._replace(**changed)

    judged = decided(now, known=knowing(enrolled("p-2"), *after(STAY), about=(STAY, now)))

    assert (judged.events, judged.refused) == ([], [Refused(1, Reason.CHANGED, field)])


def test_another_kind_of_contact_is_refused_and_an_emergency_that_became_an_admission_was_both() -> None:
    before = after(EMERGENCY)

    moved = decided(EMERGENCY._replace(contact="out-of-hours"), known=knowing(*before))
    assert moved.refused == [Refused(1, Reason.CHANGED, "contact")]
    both = decided(STAY, known=knowing(*before))
    assert [type(event) for event in both.events] == [Admitted, Discharged]


def test_what_was_an_error_is_passed_over_unless_it_was_taken() -> None:
    error = STAY._replace(stands=False)

    assert decided(error, known=knowing()).passed == [Passed(1, Aside.NOT_TAKEN_PLACE)]
    taken = decided(error, known=knowing(*after(STAY)))
    assert (taken.events, taken.refused) == ([], [Refused(1, Reason.CANNOT_BE_TAKEN_BACK, "status")])


def test_whoever_was_never_enrolled_is_refused() -> None:
    stranger = STAY._replace(patient="p-9")

    judged = decided(stranger, known=knowing(about=(stranger,)))

    assert judged.refused == [Refused(1, Reason.UNKNOWN_PATIENT, "patient")]


def test_an_admission_before_the_enrolment_is_taken() -> None:
    early = STAY._replace(start=START - timedelta(days=300), end=START - timedelta(days=298))

    assert decided(early, known=knowing()).taken == [1]


def test_rows_that_contradict_each_other_are_all_refused_and_a_repeated_one_is_there() -> None:
    other = STAY._replace(row=2, acute=False)
    third = STAY._replace(row=3, id="e-3")
    again = third._replace(row=4)

    judged = decided(STAY, other, third, again, known=knowing(about=(STAY, third)))

    assert judged.refused == [Refused(1, Reason.CONTRADICTED), Refused(2, Reason.CONTRADICTED)]
    assert (judged.taken, judged.there) == ([3], [4])


def test_no_more_stays_of_a_patient_are_taken_than_triage_has_room_for() -> None:
    stays = tuple(
        STAY._replace(
            row=number,
            id=f"e-{number}",
            start=START + timedelta(days=number),
            end=START + timedelta(days=number, hours=5),
        )
        for number in range(30)
    )
    board = Admitted(event_id=uuid4(), patient="p-1", at=START, recorded_at=START, acute=True)

    judged = decided(*stays, known=knowing(board, about=stays))

    assert len(judged.events) == MOST_STAYS - 2
    assert judged.taken == list(range(19))
    assert {refused.reason for refused in judged.refused} == {Reason.TOO_MANY_STAYS}
    emergency = EMERGENCY._replace(row=99, id="e-99")
    assert decided(emergency, known=knowing(*after(*stays[:20]), about=(*stays, emergency))).taken == [99]


@pytest.mark.parametrize(("hours", "near"), [(23, [1]), (25, [])])
def test_what_somebody_else_told_within_a_day_is_pointed_out(hours: float, near: list[int]) -> None:
    at = START - timedelta(hours=hours)
    board = Admitted(event_id=uuid4(), patient="p-1", at=at, recorded_at=at, acute=True)

    judged = decided(STAY, known=knowing(board))

    assert (judged.taken, judged.near) == ([1], near)


def test_events_are_told_in_the_order_in_which_they_happened() -> None:
    late = STAY._replace(row=1, id="e-9", start=START + timedelta(days=9), end=None)

    judged = decided(late, STAY._replace(row=2), known=knowing(about=(late, STAY)))

    assert [event.at for event in judged.events] == sorted(event.at for event in judged.events)
    assert judged.taken == [1, 2]


def test_the_report_counts_every_row_and_holds_nothing_of_any() -> None:
    rows = (
        STAY,
        Refused(2, Reason.INVALID, "start"),
        Passed(3, Aside.NOT_COUNTED),
        STAY._replace(row=4, id="e-4", patient="p-9"),
    )

    found = report(decided(*rows, known=knowing(about=(STAY,))), "hospital", dry_run=False)

    assert (found.rows, found.taken, found.there, found.passed, found.exit_code) == (4, 1, 0, {"not_counted": 1}, 3)
    assert found.events == {"admitted": 1, "discharged": 1}
    text = "\n".join(as_lines(found))
    assert "row 2 refused, start: is not of its form" in text
    assert "row 4 refused, patient: nobody of that pseudonym was ever enrolled" in text
    for secret in ("p-1", "p-9", "e-1", "e-4"):
        assert secret not in text


def test_a_report_without_refusals_ends_well() -> None:
    assert report(decided(STAY, known=knowing()), "hospital", dry_run=True).exit_code == 0
