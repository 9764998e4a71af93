"""What each message becomes in the store, and what an amended one must not leave standing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agents.stores.checks import check
from agents.stores.port import Point
from agents.storing.care_points import KINDS, of_care_event
from agents.storing.points import at_ms, of_assessment, of_page, of_receipt, of_status, of_zone_change
from pipeline.triage.vitals import VITALS
from schemas.assessments import BaselineStatus, Episode, EpisodeState, Quality, QualityIssue, Reason
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    ContactKind,
    ContactMade,
    Discharged,
    EmergencyContact,
    Enrolled,
    EquipmentHandedOut,
    EquipmentReturned,
    JointConsultation,
    Limit,
    Paused,
    PhaseChanged,
    Plan,
    PlanSigned,
    RelativeLimit,
    Transferred,
)
from schemas.paging import FailureReason, Outcome
from schemas.submissions import Answer, EntryMode
from schemas.types import Phase, Zone
from tests.agents.storing.messages import (
    AT,
    AT_MS,
    DEVIATION,
    ONE,
    TWO,
    assessment,
    page,
    reading,
    reason,
    receipt,
    status,
    zone_change,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.assessments import ZoneChange


NOBODY = Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="no_plan")
EPISODE = Episode(
    state=EpisodeState.ACKNOWLEDGED,
    opened_at=AT - timedelta(hours=2),
    worsened_at=AT - timedelta(hours=1),
    zone_change_id=ONE,
    acknowledged=True,
)


def merged(points: Iterable[Point]) -> dict[tuple[Any, ...], dict[str, float | str]]:
    """Return what a store holds after `points`: fields by identity, later over earlier."""
    held: dict[tuple[Any, ...], dict[str, float | str]] = {}
    for point in points:
        held.setdefault((point.measurement, *sorted(point.tags.items()), point.at_ns), {}).update(point.fields)
    return held


def test_a_reading_is_stored_with_all_that_was_judged_about_it() -> None:
    judged = reading(
        device="cuff-1",
        attempt=2,
        entry_mode=EntryMode.MANUAL,
        issue=QualityIssue.CONVERTED,
        sent_value=1.2,
        sent_unit="Hz",
        oxygen_l_min=0.0,
        baseline_status=BaselineStatus.ESTABLISHED,
        deviation=DEVIATION,
    )

    assert of_assessment(assessment(judged))[0] == Point(
        "reading",
        {"patient": "p-1", "vital": "heart_rate", "device": "cuff-1"},
        {
            "value": 72.0,
            "unit": "/min",
            "quality": "valid",
            "issue": "converted",
            "sent_value": 1.2,
            "sent_unit": "Hz",
            "attempt": 2.0,
            "entry_mode": "manual",
            "oxygen_l_min": 0.0,
            "withdrawn": 0.0,
            "baseline_status": "established",
            "scored": 1.0,
            "score": 2.5,
            "center": 70.0,
            "spread": 3.0,
            "service": "centre-a",
            "submission_id": str(TWO),
            "revision": 3.0,
        },
        AT_MS,
        TWO.int % 1_000_000,
    )


def test_an_assessment_is_stored_with_its_zone_and_first_reason() -> None:
    judged = assessment(reading(), zone=Zone.RED, reasons=(reason("limit"), reason("trend")), entered_in_error=True)

    assert of_assessment(judged)[-1] == Point(
        "assessment",
        {"patient": "p-1"},
        {
            "zone": "red",
            "zone_rank": 3.0,
            "reasons": 2.0,
            "first_rule": "limit",
            "revision": 3.0,
            "plan_version": 2.0,
            "rules_version": "2026.1",
            "submission_id": str(TWO),
            "service": "centre-a",
            "entered_in_error": 1.0,
            "on_behalf": "none",
            "at": float(AT_MS),
        },
        AT_MS,
        TWO.int % 1_000_000,
    )


def test_zones_rank_from_not_monitored_to_red() -> None:
    ranked = [of_assessment(assessment(zone=zone))[-1].fields["zone_rank"] for zone in Zone]

    assert dict(zip(Zone, ranked, strict=True)) == {
        Zone.NOT_MONITORED: -1.0,
        Zone.GREEN: 0.0,
        Zone.NO_DATA: 1.0,
        Zone.YELLOW: 2.0,
        Zone.RED: 3.0,
    }


def test_a_quarantined_reading_of_an_unknown_vital_is_stored_under_its_code() -> None:
    unknown = reading(code="99999-9", vital=None, quality=Quality.QUARANTINED, issue=QualityIssue.UNKNOWN_CODE)

    point = of_assessment(assessment(unknown))[0]

    assert point.tags == {"patient": "p-1", "vital": "99999-9", "device": "none"}
    assert point.fields["quality"] == "quarantined"


@pytest.mark.parametrize(
    ("full", "bare"),
    [
        (
            assessment(
                reading(
                    issue=QualityIssue.CONVERTED,
                    sent_value=1.2,
                    sent_unit="Hz",
                    oxygen_l_min=2.0,
                    baseline_status=BaselineStatus.ESTABLISHED,
                    deviation=DEVIATION,
                ),
                reasons=(reason(),),
            ),
            assessment(reading(), service=None, plan_version=None),
        ),
        (
            zone_change(service="a", to_zone=Zone.GREEN, reasons=(reason(),)),
            zone_change(to_zone=Zone.GREEN, retracted=True),
        ),
        (
            status(
                phase=Phase.FOLLOW_UP,
                pathway="copd",
                service="a",
                municipality="m",
                due_at=AT,
                open_pages=1,
                plan_version=2,
                last_submission_at=AT,
                respond_by_at=AT,
                trial_ends_at=AT,
                reasons=(reason(),),
                episode=EPISODE,
            ),
            status(),
        ),
        (receipt(outcome=Outcome.FAILED, reason=FailureReason.TIMEOUT), receipt()),
        (page(ask=2), page()),
    ],
)
def test_nothing_of_an_earlier_revision_is_left_standing(full: Any, bare: Any) -> None:  # noqa: ANN401 - any message
    told = {
        "Assessment": of_assessment,
        "ZoneChange": of_zone_change,
        "PatientStatus": of_status,
        "Receipt": of_receipt,
        "PageRequest": of_page,
    }[type(full).__name__]

    assert merged([*told(full), *told(bare)]) == merged(told(bare))


def test_a_deviation_that_no_longer_holds_is_said_not_to_hold() -> None:
    before = of_assessment(assessment(reading(deviation=DEVIATION)))
    after = of_assessment(assessment(reading()))

    held = merged([*before, *after])
    (fields,) = (fields for identity, fields in held.items() if identity[0] == "reading")

    assert (fields["scored"], fields["score"], fields["spread"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_replaced_reading_at_the_same_instant_is_not_hidden_by_its_withdrawal(*, reverse: bool) -> None:
    readings = [reading(value=172.0, withdrawn=True), reading(value=72.0)]

    held = merged(of_assessment(assessment(*(readings[::-1] if reverse else readings))))

    values = [fields["value"] for identity, fields in held.items() if identity[0] == "reading"]
    assert values == [72.0]


def test_two_attempts_by_a_clock_that_tells_minutes_are_both_kept() -> None:
    first, second = reading(value=160.0), reading(value=130.0, attempt=2)

    points = of_assessment(assessment(second, first))[:2]

    assert [(point.fields["value"], point.at_ns - points[0].at_ns) for point in points] == [(160.0, 0), (130.0, 1)]
    assert merged(of_assessment(assessment(first, second))) == merged(of_assessment(assessment(second, first)))


def test_two_registrations_at_one_instant_are_both_kept() -> None:
    red = assessment(reading(vital="spo2", value=82.0), zone=Zone.RED, submission_id=ONE)
    green = assessment(reading(vital="spo2", value=96.0), zone=Zone.GREEN, submission_id=TWO)

    held = merged([*of_assessment(red), *of_assessment(green)])

    assert sorted(fields["zone"] for identity, fields in held.items() if identity[0] == "assessment") == [
        "green",
        "red",
    ]
    assert sorted(fields["value"] for identity, fields in held.items() if identity[0] == "reading") == [82.0, 96.0]
    assert merged([*of_assessment(red), *of_assessment(green), *of_assessment(red)]) == held


def test_an_assessment_that_a_correction_moved_overwrites_what_stood_before() -> None:
    before = assessment(zone=Zone.GREEN)
    after = assessment(zone=Zone.RED, at=AT - timedelta(hours=1), first_at=AT, revision=4)

    held = merged([*of_assessment(before), *of_assessment(after)])

    assert [(fields["zone"], fields["at"]) for fields in held.values()] == [("red", float(AT_MS - 3_600_000))]


def test_answers_are_stored_as_numbers_and_free_text_is_not() -> None:
    given = (("q1", 2), ("q2", True), ("q3", "my neighbour helped me"))
    answers = tuple(
        Answer(questionnaire="copd-daily", questionnaire_version=3, link_id=name, value=value) for name, value in given
    )

    points = of_assessment(assessment(answers=answers))[:-1]

    assert [(point.tags["question"], point.fields["kind"], point.fields["value"]) for point in points] == [
        ("q1", "number", 2.0),
        ("q2", "yes_no", 1.0),
        ("q3", "text", 0.0),
    ]
    assert {(point.measurement, point.tags["questionnaire"]) for point in points} == {("answer", "copd-daily")}
    assert "neighbour" not in str(points)


def test_the_newest_status_is_what_was_known_last_wherever_the_past_was_corrected() -> None:
    green = status(zone=Zone.GREEN, since_at=AT, at=AT, revision=3)
    red = status(zone=Zone.RED, since_at=AT - timedelta(hours=1), at=AT + timedelta(minutes=5), revision=4)

    newest = max([*of_status(green), *of_status(red)], key=lambda point: point.at_ns)

    assert (newest.fields["zone"], newest.fields["since"]) == ("red", float(AT_MS - 3_600_000))


def test_a_retraction_does_not_hide_the_change_that_takes_its_place() -> None:
    wrong = zone_change(to_zone=Zone.YELLOW, zone_change_id=ONE)
    right = zone_change(to_zone=Zone.RED, zone_change_id=TWO)
    retraction = zone_change(to_zone=Zone.YELLOW, zone_change_id=ONE, retracted=True)

    held = merged(point for change in (wrong, right, retraction) for point in of_zone_change(change))

    standing = [fields["to_rank"] for fields in held.values() if not fields["retracted"]]
    assert standing == [3.0]


def test_an_alert_is_told_once_for_each_rule_and_vital_that_raised_it() -> None:
    raised = (
        Reason(rule="limit", zone=Zone.RED, code="59408-5"),
        Reason(rule="limit", zone=Zone.YELLOW, code="59408-5"),
        Reason(rule="limit", zone=Zone.YELLOW, code="8867-4"),
        Reason(rule="deviations_together", zone=Zone.RED),
        Reason(rule="remeasure", zone=Zone.GREEN, code="8867-4"),
    )

    change, *told = of_zone_change(zone_change(reasons=raised))

    assert (change.fields["rule"], change.fields["vital"]) == ("limit", "spo2")
    assert change.fields["alert_reasons"] == "deviations_together:none,limit:heart_rate,limit:spo2"
    assert [(point.tags["rule"], point.tags["vital"]) for point in told] == [
        ("deviations_together", "none"),
        ("limit", "heart_rate"),
        ("limit", "spo2"),
    ]
    assert {point.fields["zone_change_id"] for point in told} == {str(ONE)}
    assert {point.at_ns for point in told} == {change.at_ns}


def test_a_status_says_all_of_it_once_more_in_one_text() -> None:
    (point,) = of_status(status(zone=Zone.NOT_MONITORED, reasons=(NOBODY,), due_at=AT, service="a"))

    said = json.loads(str(point.fields["standing"]))

    assert said == {name: value for name, value in point.fields.items() if name != "standing"}
    assert (said["detail"], said["due"], said["service"]) == ("no_plan", AT_MS, "a")


@pytest.mark.parametrize("zone", [Zone.GREEN, Zone.NO_DATA, Zone.NOT_MONITORED])
def test_what_is_no_alert_has_no_alert_reasons(zone: Zone) -> None:
    assert len(of_zone_change(zone_change(to_zone=zone, reasons=(reason(),)))) == 1


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        (zone_change(retracted=True), "none"),
        (zone_change(reasons=(reason("trend"),)), "trend:none"),
    ],
)
def test_of_a_change_that_is_told_again_its_newest_reasons_count(again: ZoneChange, counts: str) -> None:
    held = merged([*of_zone_change(zone_change(reasons=(reason("limit"),))), *of_zone_change(again)])

    assert [fields["alert_reasons"] for identity, fields in held.items() if identity[0] == "zone_change"] == [counts]


def test_a_status_says_why_and_who_has_it() -> None:
    seen = (Reason(rule="remeasure", zone=Zone.GREEN), Reason(rule="limit", zone=Zone.RED, code="8480-6"))

    (point,) = of_status(status(zone=Zone.RED, reasons=seen, episode=EPISODE, respond_by_at=AT))

    said = ("rule", "vital", "episode", "acknowledged", "opened", "worsened", "respond_by")
    hour = 3_600_000
    assert [point.fields[name] for name in said] == [
        "limit",
        "systolic",
        "acknowledged",
        1.0,
        float(AT_MS - 2 * hour),
        float(AT_MS - hour),
        float(AT_MS),
    ]


def test_a_page_asked_again_is_the_same_page() -> None:
    assert len(merged([*of_page(page(ask=1)), *of_page(page(ask=2))])) == 1


def test_each_step_of_a_ladder_is_a_point_of_its_own_that_says_who_was_asked() -> None:
    first, second = of_page(page()), of_page(page(page_id=TWO, step=3, to="lead", by="phone", episode_id=ONE))
    assert len(merged([*first, *second])) == 2
    names = ("action", "episode_id", "step", "to", "by", "test")
    assert [[point.fields[name] for name in names] for point in (*first, *second)] == [
        ["trigger", "none", 0.0, "nurse", "none", 0.0],
        ["trigger", str(ONE), 3.0, "lead", "phone", 0.0],
    ]


def test_where_a_patient_stands_is_stored_since_when_it_holds() -> None:
    (point,) = of_status(status(due_at=AT + timedelta(hours=1), phase=Phase.START_UP))

    assert (point.tags, point.at_ms) == ({"patient": "p-1"}, AT_MS)
    assert point.fields["due"] == AT_MS + 3_600_000
    assert point.fields["zone_rank"] == 1.0
    assert point.fields["phase"] == "start_up"


EDGES = ("red_low", "yellow_low", "yellow_high", "red_high", "red_below", "yellow_below", "yellow_above", "red_above")
ABOUT: dict[str, Any] = {"event_id": ONE, "patient": "p-1", "at": AT, "recorded_at": AT + timedelta(minutes=1)}
SAID: list[tuple[CareEvent, dict[str, float | str]]] = [
    (
        Enrolled(**ABOUT, pathway="copd", service="a", municipality="m"),
        {"pathway": "copd", "service": "a", "municipality": "m", "phase": "start_up", "time_zone": "Europe/Oslo"},
    ),
    (PhaseChanged(**ABOUT, phase=Phase.ENDED), {"phase": "ended"}),
    (Transferred(**ABOUT, service="b"), {"service": "b"}),
    (
        PlanSigned(**ABOUT, plan=Plan(version=4, valid_from_at=AT), signed_by="dr-1"),
        {"plan_version": 4.0, "limits": 0.0, "valid_from": float(AT_MS)},
    ),
    (Paused(**ABOUT, ends_at=AT + timedelta(days=1)), {"ends": float(AT_MS + 86_400_000)}),
    (EquipmentHandedOut(**ABOUT, device="d-1", kind="cuff"), {"equipment": "cuff"}),
    (EquipmentReturned(**ABOUT, device="d-1"), {}),
    (Admitted(**ABOUT, acute=True), {"acute": 1.0}),
    (Discharged(**ABOUT), {}),
    (EmergencyContact(**ABOUT, kind="out-of-hours"), {"contact": "out-of-hours"}),
    (JointConsultation(**ABOUT, services=("a", "b")), {"services": 2.0}),
    (ContactMade(**ABOUT, kind=ContactKind.CALL, reached=False, by="n-1"), {"contact": "call", "reached": 0.0}),
    (
        Acknowledged(**ABOUT, zone_change_id=TWO, by="n-1", reason_code="seen", note="told her to rest"),
        {"zone_change_id": str(TWO), "reason_code": "seen"},
    ),
]


@pytest.mark.parametrize(("event", "said"), SAID)
def test_a_care_event_is_stored_with_what_can_be_counted(event: CareEvent, said: dict[str, float | str]) -> None:
    point, *_ = of_care_event(event)

    check(point)
    assert point.tags["patient"] == "p-1"
    assert point.tags["kind"] == KINDS[type(event)]
    assert point.at_ms == AT_MS
    fields = {name: value for name, value in point.fields.items() if name != "place"}
    assert fields == {"event_id": str(ONE), "recorded": float(AT_MS + 60_000), **said}


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (Enrolled(**ABOUT, pathway="copd", service="a", municipality="m"), ["a", "m", "copd", "start_up"]),
        (
            Enrolled(**ABOUT, pathway="copd", service="a", municipality="m", phase=Phase.ENDED),
            ["a", "m", "copd", "ended"],
        ),
        (Transferred(**ABOUT, service="b"), ["b", "", "", ""]),
        (PhaseChanged(**ABOUT, phase=Phase.ENDED), ["", "", "", "ended"]),
        (PhaseChanged(**ABOUT, phase=Phase.START_UP), ["", "", "", "start_up"]),
    ],
)
def test_where_a_patient_belongs_is_told_in_one_text(event: CareEvent, place: list[str]) -> None:
    (point,) = of_care_event(event)

    said = json.loads(str(point.fields["place"]))

    assert [said[name] for name in ("service", "municipality", "pathway", "phase")] == place
    assert said["recorded"] == AT_MS + 60_000


def test_what_changes_nothing_in_where_a_patient_belongs_says_no_place() -> None:
    kinds = {KINDS[type(event)] for event, _ in SAID if "place" in of_care_event(event)[0].fields}
    assert kinds == {"enrolled", "phase_changed", "transferred"}
    assert "place" not in of_care_event(PhaseChanged(**ABOUT, phase=Phase.FOLLOW_UP))[0].fields


def test_every_kind_of_care_event_is_stored() -> None:
    assert {type(event) for event, _ in SAID} == set(KINDS)
    assert len(set(KINDS.values())) == len(KINDS)


def test_no_free_text_and_no_member_of_staff_is_stored() -> None:
    everything = str([of_care_event(event) for event, _ in SAID])

    assert "told her" not in everything
    assert "n-1" not in everything
    assert "dr-1" not in everything


def limits_of(plan: Plan, **also: Any) -> dict[str, dict[str, float | str]]:  # noqa: ANN401 - any of a care event
    """The `plan_limit` points of a plan, by vital."""
    event = PlanSigned(**ABOUT | also, plan=plan, signed_by="dr-1")
    return {point.tags["vital"]: dict(point.fields) for point in of_care_event(event)[1:]}


def test_a_plan_tells_the_limits_of_each_vital_in_the_unit_of_its_readings_from_when_it_is_valid() -> None:
    plan = Plan(
        version=4,
        valid_from_at=AT + timedelta(days=2),
        limits=(Limit(code="29463-7", unit="g", red_low=50_000.0, yellow_high=82_500.0),),
        relative_limits=(RelativeLimit(code="29463-7", unit="kg", yellow_above=2.0),),
    )

    points = of_care_event(PlanSigned(**ABOUT, plan=plan, signed_by="dr-1"))[1:]

    assert {point.measurement for point in points} == {"plan_limit"}
    assert {point.at_ns for point in points} == {(AT_MS + 2 * 86_400_000) * 1_000_000 + ONE.int % 1_000_000}
    held = limits_of(plan)["weight"]
    assert json.loads(str(held.pop("limits"))) == held
    assert held == {
        "red_low": 50.0,
        "yellow_low": -1.0,
        "yellow_high": 82.5,
        "red_high": -1.0,
        "red_below": -1.0,
        "yellow_below": -1.0,
        "yellow_above": 2.0,
        "red_above": -1.0,
        "unit": "kg",
        "plan_version": 4.0,
        "sound": 1.0,
        "recorded": float(AT_MS + 60_000),
    }


def test_a_plan_says_of_every_vital_that_it_does_not_limit_that_it_does_not() -> None:
    held = limits_of(Plan(version=4, valid_from_at=AT, limits=(Limit(code="8867-4", unit="/min", red_high=120.0),)))

    assert set(held) == {vital.name for vital in VITALS}
    assert {vital for vital, fields in held.items() if any(fields[name] != -1.0 for name in EDGES)} == {"heart_rate"}


def test_a_plan_that_contradicts_itself_limits_nothing() -> None:
    wrong = Limit(code="8867-4", unit="/min", red_low=120.0, red_high=40.0)
    held = limits_of(Plan(version=4, valid_from_at=AT, limits=(wrong,)))

    assert {fields["sound"] for fields in held.values()} == {0.0}
    assert {fields[name] for fields in held.values() for name in EDGES} == {-1.0}


def test_a_later_plan_leaves_nothing_standing_of_one_that_is_valid_from_the_same_instant_under_the_same_event() -> None:
    limit = Limit(code="8867-4", unit="/min", red_high=120.0)
    first = PlanSigned(**ABOUT, plan=Plan(version=1, valid_from_at=AT, limits=(limit,)), signed_by="dr-1")
    again = PlanSigned(**ABOUT, plan=Plan(version=1, valid_from_at=AT), signed_by="dr-1")

    assert merged([*of_care_event(first), *of_care_event(again)]) == merged(of_care_event(again))


def test_two_devices_handed_out_at_once_are_both_stored() -> None:
    cuff = EquipmentHandedOut(**ABOUT, device="d-1", kind="cuff")
    oximeter = EquipmentHandedOut(**ABOUT, device="d-2", kind="oximeter")

    assert len(merged([*of_care_event(cuff), *of_care_event(oximeter)])) == 2


@pytest.mark.parametrize("micros", [0, 1, 999, 1000])
def test_an_instant_is_told_in_whole_milliseconds(micros: int) -> None:
    assert at_ms(AT + timedelta(microseconds=micros)) == AT_MS + micros // 1000
