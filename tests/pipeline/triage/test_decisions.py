"""Decisions a clinician can read: what a registration is worth, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from pipeline.triage import RULES, Rules, State, step, unreadable, wakes_at
from pipeline.triage.state import UnreadableStateError, decode, encode
from pipeline.triage.zones import worst
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import Cadence, Limit
from schemas.dead_letters import DeadLetterReason
from schemas.paging import FailureReason, Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Answer, Correction, CorrectionAction, Submission
from schemas.types import Zone
from tests.histories import (
    CONTRADICTION,
    PATIENT,
    SPO2_LIMITS,
    at,
    enrolled,
    named,
    read,
    reading,
    signed,
    spo2,
    submitted,
)

Event = Any  # any message that the fold takes
PULSE = Limit(code="8867-4", unit="/min", red_low=40, yellow_low=45, yellow_high=110, red_high=130)
PRESSURE = (
    Limit(code="8480-6", unit="mm[Hg]", red_low=90, red_high=180),
    Limit(code="8462-4", unit="mm[Hg]", red_low=50, red_high=110),
)
WEIGHT = Limit(code="29463-7", unit="kg", red_high=100)
PLANNED = (enrolled(), signed(0, SPO2_LIMITS, PULSE, WEIGHT, *PRESSURE))


def follow(*events: Event, rules: Rules = RULES) -> tuple[State, list[Any]]:
    state: State | None = None
    told: list[Any] = []
    for event in events:
        state, outputs = step(state, event if isinstance(event, Tick | Receipt) else read(event), rules)
        told += outputs
    assert state is not None
    return state, told


def judged(*events: Event) -> Assessment:
    _, told = follow(*events)
    return [output for output in told if isinstance(output, Assessment)][-1]


def zone_and_rules(assessment: Assessment) -> tuple[str, list[str]]:
    return assessment.zone.value, [
        reason.rule if reason.detail is None else f"{reason.rule}:{reason.detail}" for reason in assessment.reasons
    ]


@pytest.mark.parametrize(
    ("pulse", "zone"),
    [
        (39, "red"), (40, "red"), (41, "yellow"),
        (44, "yellow"), (45, "yellow"), (46, "green"),
        (109, "green"), (110, "yellow"), (111, "yellow"),
        (129, "yellow"), (130, "red"), (131, "red"),
    ],
)  # fmt: skip
def test_a_value_at_a_limit_breaks_it(pulse: float, zone: str) -> None:
    assert judged(*PLANNED, submitted("s", 10, reading("8867-4", pulse, "/min", 10))).zone.value == zone


@pytest.mark.parametrize(
    ("readings", "zone", "rules"),
    [
        ([("99999-9", 1, "x")], "no_data", ["quality:unknown_code", "nothing_to_judge"]),
        ([("8867-4", 70, "bpm")], "no_data", ["quality:unknown_unit", "nothing_to_judge"]),
        ([("8867-4", 19, "/min")], "no_data", ["quality:impossible", "nothing_to_judge"]),
        ([("2708-6", 101, "%")], "no_data", ["quality:impossible", "nothing_to_judge"]),
        ([("2708-6", 95, "%"), ("8867-4", 301, "/min")], "no_data", ["quality:impossible"]),
        ([("8867-4", 185, "/min")], "red", ["quality:implausible", "limit_high"]),
        (
            [("8480-6", 120, "mm[Hg]"), ("8462-4", 116, "mm[Hg]")],
            "no_data",
            ["quality:impossible", "quality:impossible", "nothing_to_judge"],
        ),
        ([("8480-6", 120, "mm[Hg]"), ("8462-4", 80, "mm[Hg]")], "green", ["within_limits"]),
        ([("8867-4", 70, "beats/min")], "green", ["within_limits"]),
        ([("29563-7", 80_000, "g")], "green", ["within_limits"]),
        ([("8310-5", 36.9, "Cel")], "no_data", ["nothing_to_judge"]),
        ([("2708-6", 84, "%"), ("99999-9", 1, "x")], "red", ["limit_low", "quality:unknown_code"]),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_named_and_never_green(
    readings: list[tuple[str, float, str]], zone: str, rules: list[str]
) -> None:
    session = submitted("s", 10, *(reading(code, value, unit, 10, "device-1") for code, value, unit in readings))
    assert zone_and_rules(judged(*PLANNED, session)) == (zone, rules)


@pytest.mark.parametrize(
    ("measured", "rule"),
    [(10 + 11 / 60, "quality:future"), (10 - 24 * 367, "quality:too_old"), (-24 * 365 * 56, "quality:too_old")],
)
def test_a_reading_of_the_future_or_of_1970_is_quarantined(measured: float, rule: str) -> None:
    found = judged(*PLANNED, submitted("s", 10, spo2(95, measured)))
    assert zone_and_rules(found) == ("no_data", [rule, "nothing_to_judge"])
    assert found.at == at(10)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((), "not_enrolled"),
        ((enrolled(),), "no_plan"),
        ((enrolled(), signed(0, CONTRADICTION)), "plan_contradicts_itself:limits[0]"),
        ((enrolled(), signed(0, Limit(code="99999-9", unit="x", red_low=1))), "plan_contradicts_itself:limits[0].code"),
        ((enrolled(), signed(0, Limit(code="2708-6", unit="g", red_low=1))), "plan_contradicts_itself:limits[0].unit"),
        ((enrolled(), signed(0, SPO2_LIMITS, SPO2_LIMITS)), "plan_contradicts_itself:limits[1].code"),
        ((enrolled(), signed(0, Limit(code="2708-6", unit="%"))), "plan_contradicts_itself:limits[0]"),
        ((enrolled(), signed(24, SPO2_LIMITS)), "no_plan"),
    ],
)
def test_without_a_sound_plan_in_force_nobody_is_monitored(events: tuple[Any, ...], why: str) -> None:
    assert zone_and_rules(judged(*events, submitted("s", 10, spo2(95, 10)))) == (
        "not_monitored",
        [f"not_monitored:{why}"],
    )


def test_answers_alone_are_no_ground_for_green_yet() -> None:
    answer = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=1)
    assert zone_and_rules(judged(*PLANNED, submitted("s", 10, answers=(answer,)))) == ("no_data", ["nothing_to_judge"])


def days_of_pulse(*values: float) -> list[Any]:
    return [
        submitted(f"d{day}", 24 * day + 10, reading("8867-4", value, "/min", 24 * day + 10))
        for day, value in enumerate(values)
    ]


SLOW_PULSE = Limit(code="8867-4", unit="/min", red_low=40, yellow_low=45)  # nothing above
ABOVE_IS_OPEN = (enrolled(), signed(0, SPO2_LIMITS, SLOW_PULSE))
USUAL = [70, 71, 69, 70, 71] * 3


@pytest.mark.parametrize(
    ("values", "zone", "rules"),
    [
        ([70, 71, 69, 70, 84], "green", ["within_limits"]),  # still learning
        ([*USUAL, 70], "green", ["within_limits"]),
        ([*USUAL, 84], "yellow", ["deviation"]),
        ([*USUAL, 56], "green", ["deviation_noted", "within_limits"]),  # 11 above the doctor's limit on that side
        ([*USUAL, 49], "green", ["deviation_noted", "within_limits"]),
        ([*USUAL, 48], "yellow", ["deviation"]),  # within one least spread of it
        ([*USUAL, 78], "green", ["within_limits"]),  # once is not twice
        ([*USUAL, 78, 78], "yellow", ["deviation_repeated"]),
        ([*USUAL, 78, 62], "green", ["within_limits"]),  # one up and one down
    ],
)
def test_the_patients_own_normal_tells_what_is_unusual(values: list[float], zone: str, rules: list[str]) -> None:
    assert zone_and_rules(judged(*ABOVE_IS_OPEN, *days_of_pulse(*values))) == (zone, rules)


def test_a_gap_is_not_in_a_row() -> None:
    days = days_of_pulse(*USUAL, 78)
    later = submitted("later", 24 * 18 + 10, reading("8867-4", 78, "/min", 24 * 18 + 10))
    assert judged(*ABOVE_IS_OPEN, *days, later).zone is Zone.GREEN


def test_deviations_of_two_groups_of_vitals_are_red() -> None:
    days = [
        submitted(
            f"d{day}", 24 * day + 10, reading("8867-4", 70 + day % 3, "/min", 24 * day + 10), spo2(96, 24 * day + 10)
        )
        for day in range(15)
    ]
    hours = 24 * 15 + 10
    found = judged(*ABOVE_IS_OPEN, *days, submitted("s", hours, reading("8867-4", 86, "/min", hours), spo2(91, hours)))
    assert zone_and_rules(found) == ("red", ["deviation", "deviation", "deviations_together"])


def test_a_yellow_or_red_value_does_not_enter_the_baseline() -> None:
    found = judged(*PLANNED, *days_of_pulse(*[70, 71, 69, 70, 71] * 3, 112, 112, 112, 70))
    deviation = found.readings[0].deviation
    assert deviation is not None
    assert (deviation.days, deviation.center) == (15, 70)


def test_silence_is_no_data_from_the_instant_at_which_it_is_overdue() -> None:
    state, told = follow(*PLANNED, submitted("s", 8, spo2(95, 8)), Tick(at=at(500)))
    changes = [output for output in told if isinstance(output, ZoneChange)]
    # Registered on the first day; due the next at 10:00 in Oslo (09:00 UTC), overdue 14 hours later.
    assert (changes[-1].to_zone, changes[-1].at) == (Zone.NO_DATA, at(24 + 9 + 14))
    assert wakes_at(state) is None


def test_a_tick_before_anything_is_due_changes_nothing() -> None:
    state, _ = follow(*PLANNED, submitted("s", 8, spo2(95, 8)))
    assert step(state, Tick(at=at(30))) == (state, ())


def test_silence_takes_no_red_away() -> None:
    _, told = follow(*PLANNED, submitted("s", 8, spo2(80, 8)), Tick(at=at(500)))
    status = [output for output in told if isinstance(output, PatientStatus)][-1]
    assert status.zone is Zone.RED
    assert [reason.rule for reason in status.reasons] == ["limit_low", "overdue"]


def test_a_late_registration_takes_the_silence_back() -> None:
    _, told = follow(
        *PLANNED, submitted("s", 8, spo2(95, 8)), Tick(at=at(100)), submitted("late", 40, spo2(95, 40), late=65)
    )
    changes = [output for output in told if isinstance(output, ZoneChange)]
    assert any(change.retracted and change.to_zone is Zone.NO_DATA for change in changes)


@pytest.mark.parametrize(("times", "due"), [(("10:00",), 24 + 9), (("08:00", "20:00"), 19)])
def test_the_next_registration_is_due_by_the_patients_own_clock(times: tuple[str, ...], due: float) -> None:
    planned = (enrolled(), signed(0, SPO2_LIMITS, cadence=Cadence(times=times)))
    _, told = follow(*planned, submitted("s", 8, spo2(95, 8)))
    assert told[-1].due_at == at(due)


def pages(told: list[Any]) -> list[PageRequest]:
    return [output for output in told if isinstance(output, PageRequest)]


def receipt(page: PageRequest, outcome: Outcome, hours: float) -> Receipt:
    reason = FailureReason.TIMEOUT if outcome is Outcome.FAILED else None
    return Receipt(
        receipt_id=named(f"receipt-{page.ask}-{outcome}"),
        page_id=page.page_id,
        patient=PATIENT,
        ask=page.ask,
        outcome=outcome,
        at=at(hours),
        attempts=3,
        reason=reason,
    )


def test_a_red_is_paged_once_and_again_only_after_a_failure_until_it_is_delivered() -> None:
    state, told = follow(*PLANNED, submitted("s", 8, spo2(80, 8)), submitted("again", 9, spo2(80, 9)))
    (page,) = pages(told)
    assert (page.ask, page.zone, page.service) == (1, Zone.RED, "joint-centre")
    state, told_next = step(state, receipt(page, Outcome.FAILED, 8))
    (beside,) = pages(list(told_next))  # the next of the ladder, see tests/spec/test_ladder
    assert step(state, Tick(at=at(8) + timedelta(seconds=29)))[1] == ()
    state, asked = step(state, Tick(at=at(8) + timedelta(seconds=30)))
    (second,) = pages(list(asked))
    assert (second.page_id, second.ask) == (page.page_id, 2)
    assert step(state, receipt(page, Outcome.FAILED, 8))[1] == ()  # of the first ask, told again
    for delivered in (second, beside):
        state, _ = step(state, receipt(delivered, Outcome.DELIVERED, 8.1))
    assert state is not None
    assert state.open_pages == {}
    assert state.climb is not None
    assert wakes_at(state) == state.climb.next_ms


def test_a_red_learnt_of_days_late_is_shown_and_not_paged() -> None:
    _, told = follow(*PLANNED, submitted("s", 8, spo2(80, 8), late=73))
    assert pages(told) == []
    assert any(isinstance(output, ZoneChange) and output.to_zone is Zone.RED for output in told)


def learnt_late(how: str, hours: float) -> list[Event]:
    """A red of the first day at 08:00 that is learnt of so many hours later."""
    plain, low, red = submitted("s", 8, spo2(95, 8)), submitted("s", 8, spo2(80, 8)), 8 + hours
    match how:
        case "sent late":
            return [*PLANNED, submitted("s", 8, spo2(80, 8), late=hours)]
        case "corrected late":
            correction = Correction(
                correction_id=named("c"),
                submission_id=plain.submission_id,
                patient=PATIENT,
                recorded_at=at(red),
                action=CorrectionAction.REPLACED,
                readings=low.readings,
            )
            return [*PLANNED, plain, correction]
        case "plan written down late":
            return [enrolled(), low, signed(0, SPO2_LIMITS, recorded=red)]
        case "enrolment written down late":
            return [signed(0, SPO2_LIMITS), low, enrolled(recorded=red)]
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how", ["sent late", "corrected late", "plan written down late", "enrolment written down late"]
)
@pytest.mark.parametrize(("hours", "asked"), [(71.99, 1), (72, 1), (72.01, 0)])
def test_a_red_is_paged_where_it_is_learnt_of_within_three_days(how: str, hours: float, asked: int) -> None:
    _, told = follow(*learnt_late(how, hours))
    first = [page for page in pages(told) if page.step == 0]
    assert len(first) == asked
    assert any(isinstance(output, ZoneChange) and output.to_zone is Zone.RED for output in told)


HIGHER = Limit(code="2708-6", unit="%", red_low=92)


@pytest.mark.parametrize("later_comes_first", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "zone"),
    [
        # version, valid from, written down
        ((1, 0, 0), (1, 0, 5), "red"), ((1, 0, 5), (1, 0, 0), "green"),  # one version: the one recorded last holds
        ((1, 0, 0), (1, 1, 1), "red"),  # signed again later
        ((1, 1, 1), (1, 0, 5), "red"),  # the one recorded last, though it holds from before
        ((1, 0, 5), (2, 0, 0), "red"), ((2, 0, 0), (1, 0, 5), "green"),  # the highest version holds
        ((2, 0, 0), (1, 1, 5), "green"),
    ],
)  # fmt: skip
def test_of_plans_the_highest_version_holds_and_of_one_version_the_one_written_down_last(
    first: tuple[int, float, float], second: tuple[int, float, float], zone: str, *, later_comes_first: bool
) -> None:
    """A saturation of 90 % is green by the first plan and red by the second."""
    plans = []
    for number, ((version, valid, recorded), limit) in enumerate(((first, SPO2_LIMITS), (second, HIGHER))):
        plan = signed(valid, limit, version=version, recorded=recorded)
        plans.append(structs.replace(plan, event_id=named(f"plan-{number}")))
    if later_comes_first:
        plans.reverse()
    assert judged(enrolled(), *plans, submitted("s", 10, spo2(90, 10))).zone == zone


def test_a_patient_whose_messages_cannot_be_read_is_not_monitored_until_one_can() -> None:
    state, _ = follow(*PLANNED, submitted("s", 8, spo2(95, 8)))
    state, outputs = unreadable(state, at(12))
    assert [change.to_zone for change in outputs if isinstance(change, ZoneChange)] == [Zone.NOT_MONITORED]
    _, told = step(state, read(submitted("next", 13, spo2(95, 13))))
    assert [change.to_zone for change in told if isinstance(change, ZoneChange)] == [Zone.GREEN]


def test_what_is_older_than_the_kept_history_is_refused_and_changes_nothing() -> None:
    days = [submitted(f"d{day}", 24 * day + 10, spo2(95, 24 * day + 10)) for day in range(200)]
    state, _ = follow(*PLANNED, *days)
    again, outputs = step(state, read(submitted("old", 30, spo2(80, 30))))
    assert again is state
    assert [getattr(output, "reason", None) for output in outputs] == [DeadLetterReason.TOO_LATE]


def test_a_repeat_of_a_forgotten_registration_is_known_again() -> None:
    days = [submitted(f"d{day}", 24 * day + 10, spo2(95, 24 * day + 10)) for day in range(120)]
    state, _ = follow(*PLANNED, *days)
    assert days[0].submission_id.bytes not in {session.id for session in state.sessions}
    assert step(state, read(days[0])) == (state, ())


def test_forgetting_changes_no_later_decision() -> None:
    random_walk = [94 + (day * 7919 % 5) - 2 - (6 if day % 41 == 0 else 0) for day in range(260)]
    days = [submitted(f"d{day}", 24 * day + 10, spo2(v, 24 * day + 10)) for day, v in enumerate(random_walk)]
    keeps_all = Rules(history_days=100_000, history_bytes=10**9)
    told = [follow(*PLANNED, *days, rules=rules)[1] for rules in (RULES, keeps_all)]
    decisions = [[(a.zone, a.reasons, a.readings) for a in outputs if isinstance(a, Assessment)] for outputs in told]
    assert decisions[0] == decisions[1]


def session_of(name: str, hours: float, kinds: int) -> Submission:
    every = [
        spo2(93, hours), reading("8867-4", 71, "/min", hours, "oximeter-1"),
        reading("8480-6", 131, "mm[Hg]", hours, "cuff-1"), reading("8462-4", 77, "mm[Hg]", hours, "cuff-1"),
        reading("8310-5", 36.978, "Cel", hours), reading("29463-7", 80.03, "kg", hours, "scale-1"),
        reading("9279-1", 17, "/min", hours),
    ]  # fmt: skip
    answers = tuple(
        Answer(questionnaire="copd-daily", questionnaire_version=1, link_id=f"q{n}", value=n) for n in range(5)
    )
    return submitted(name, hours, *every[:kinds], answers=answers)


def largest(sessions: list[Any]) -> int:
    state: State | None = None
    size = 0
    for event in [*PLANNED, *sessions]:
        state, _ = step(state, read(event))
        size = max(size, len(encode(state)))
    return size


def test_a_copd_patients_90_days_stay_under_4_kib() -> None:
    days = [*range(14), *range(20, 90, 7)]
    assert largest([session_of(f"d{day}", 24 * day + 10, 4) for day in days]) < 4096


def test_no_patient_ever_passes_16_kib() -> None:
    several = [session_of(f"s{n}", 4 * n + 1, 7) for n in range(6 * 60)]
    daily = [session_of(f"d{day}", 24 * day + 10, 7) for day in range(400)]
    assert max(largest(several), largest(daily)) <= 16_384


@pytest.mark.parametrize("raw", [b"", b"garbage", b"\x91" * 100_000, b"\x92\x03\xa1\xff"])
def test_a_state_that_cannot_be_read_says_so(raw: bytes) -> None:
    with pytest.raises(UnreadableStateError):
        decode(raw)


def test_a_state_with_a_text_that_is_none_says_so() -> None:
    state: State | None = None
    for event in PLANNED:
        state, _ = step(state, read(event))
    assert state is not None
    whole = encode(state)
    patient = state.patient.encode()
    assert patient in whole
    with pytest.raises(UnreadableStateError):
        decode(whole.replace(patient, b"\xff" * len(patient)))


def test_without_any_reason_there_is_no_data() -> None:
    assert worst(()) is Zone.NO_DATA
