"""What could once have hidden a red patient: each of these was built to, and must page or be named instead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest

from pipeline.triage import Refused, State, step
from pipeline.triage.state import encode
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import Limit
from schemas.dead_letters import DeadLetterReason
from schemas.paging import PageRequest, Tick
from schemas.submissions import Answer, Correction, CorrectionAction
from schemas.types import Phase, Zone
from tests.histories import (
    NAMES,
    PATIENT,
    SPO2_LIMITS,
    at,
    enrolled,
    moved_on,
    named,
    read,
    reading,
    signed,
    spo2,
    submitted,
    transferred,
)
from tests.pipeline.triage.test_decisions import PLANNED, follow, judged, pages, zone_and_rules


def statuses(told: list[Any]) -> list[PatientStatus]:
    return [output for output in told if isinstance(output, PatientStatus)]


def withdrawal(name: str, hours: float) -> Correction:
    return Correction(
        correction_id=named(f"withdrawn-{name}"),
        submission_id=named(name),
        patient=PATIENT,
        recorded_at=at(hours),
        action=CorrectionAction.ENTERED_IN_ERROR,
    )


def test_a_fresh_red_after_one_that_came_too_late_is_paged_once() -> None:
    state, told = follow(
        *PLANNED,
        submitted("stale", 24, spo2(80, 24), late=90),
        submitted("fresh", 116, spo2(78, 116)),
        submitted("next", 140, spo2(78, 140)),
    )
    (page,) = pages(told)
    assert page.at == at(116)
    assert statuses(told)[-1].since_at == at(24)
    assert len(state.open_pages) == 1
    changes = [change for change in told if isinstance(change, ZoneChange) and change.to_zone is Zone.RED]
    assert page.zone_change_id == changes[-1].zone_change_id


def test_a_plan_that_makes_old_and_new_sessions_red_pages_for_the_new_one() -> None:
    events = [enrolled(), submitted("old", 1, spo2(80, 1)), submitted("new", 99, spo2(80, 99))]
    _, told = follow(*events, signed(0, SPO2_LIMITS, recorded=100))
    assert [page.at for page in pages(told)] == [at(99)]


def test_who_is_told_days_late_to_have_been_responsible_is_paged_instead() -> None:
    state, _ = follow(*PLANNED, submitted("s", 9, spo2(80, 9)))
    assert len(state.open_pages) == 1
    after, told = step(state, read(transferred(8, recorded=90)))
    assert after is not None
    (page,) = pages(list(told))
    assert (page.service, list(after.open_pages)) == ("hospital", [page.page_id.bytes])
    assert not [change for change in told if isinstance(change, ZoneChange) and change.retracted]


def test_a_plan_entered_days_late_takes_back_no_page_of_a_red_that_stands() -> None:
    state, _ = follow(*PLANNED, submitted("s", 9, spo2(80, 9)))
    after, _ = step(state, read(signed(8, SPO2_LIMITS, version=2, recorded=100)))
    assert after is not None
    assert after.open_pages.keys() == state.open_pages.keys()


def test_of_the_plans_in_force_the_highest_version_holds() -> None:
    lax = Limit(code="2708-6", unit="%", red_low=70)
    events = [*PLANNED, signed(48, lax, version=2, recorded=10), signed(20, SPO2_LIMITS, version=3, recorded=11)]
    assert judged(*events, submitted("s", 60, spo2(80, 60))).zone is Zone.RED


def cuff(systolic: float, diastolic: float, hours: float) -> tuple[Any, Any]:
    return reading("8480-6", systolic, "mm[Hg]", hours, "cuff"), reading("8462-4", diastolic, "mm[Hg]", hours, "cuff")


def test_several_pressures_of_one_time_are_paired_in_their_order() -> None:
    session = submitted("s", 10, *cuff(88, 60, 10), *cuff(140, 90, 10))
    assert zone_and_rules(judged(*PLANNED, session)) == ("red", ["limit_low", "remeasure"])


@pytest.mark.parametrize(
    "limit",
    [
        Limit(code="15074-8", unit="mmol/L", red_high=270),  # mg/dL typed as mmol/L
        Limit(code="29463-7", unit="kg", red_low=10),
        Limit(code="2708-6", unit="%", red_low=80, red_high=101),
    ],
)
def test_a_limit_that_nothing_could_break_is_no_plan(limit: Limit) -> None:
    assert zone_and_rules(judged(enrolled(), signed(0, limit), submitted("s", 10, spo2(95, 10)))) == (
        "not_monitored",
        ["not_monitored:plan_contradicts_itself:limits[0]"],
    )


def test_what_is_usual_for_the_patient_is_not_green_without_a_limit() -> None:
    days = [submitted(f"d{day}", 24 * day + 10, reading("8480-6", 211, "mm[Hg]", 24 * day + 10)) for day in range(20)]
    _, told = follow(enrolled(), signed(0, SPO2_LIMITS), *days)
    assert {output.zone for output in told if isinstance(output, Assessment)} == {Zone.NO_DATA}


def test_an_end_at_the_very_instant_of_being_overdue_is_seen() -> None:
    state, told = follow(*PLANNED, submitted("s", 8, spo2(95, 8)))
    overdue_hours = (state.overdue_ms or 0) / 3_600_000 - at(0).timestamp() / 3600
    _, told = follow(
        *PLANNED, submitted("s", 8, spo2(95, 8)), moved_on(overdue_hours, Phase.ENDED), Tick(at=at(overdue_hours + 1))
    )
    assert statuses(told)[-1].zone is Zone.NOT_MONITORED


def test_a_correction_before_its_submission_holds_after_history_was_forgotten_too() -> None:
    days = [submitted(f"d{day}", 24 * day + 10, spo2(95, 24 * day + 10)) for day in range(200)]
    red = submitted("red", 24 * 200 + 10, spo2(70, 24 * 200 + 10))
    for order in ([red, withdrawal("red", 24 * 200 + 11)], [withdrawal("red", 24 * 200 + 11), red]):
        _, told = follow(*PLANNED, *days, *order)
        found = [output for output in told if isinstance(output, Assessment)][-1]
        assert (found.submission_id, found.entered_in_error) == (red.submission_id, True)


def test_a_red_of_the_last_three_days_is_judged_however_much_is_registered() -> None:
    text = tuple(
        Answer(questionnaire="daily", questionnaire_version=1, link_id=f"q{n}", value="x" * 150) for n in range(4)
    )
    often = [submitted(f"s{n}", 4 * n + 1, spo2(95, 4 * n + 1), answers=text) for n in range(6 * 12)]
    last = 4 * (6 * 12 - 1) + 1
    state, _ = follow(*PLANNED, *often)
    _, told = step(state, read(submitted("offline", last - 71, spo2(75, last - 71), late=71)))
    assert next(output.zone for output in told if isinstance(output, Assessment)) is Zone.RED
    assert len(pages(list(told))) == 1


def test_a_state_always_fits_into_a_message() -> None:
    state: State | None = None
    refused = 0
    for event in PLANNED:
        state, _ = step(state, read(event))
    for number in range(40):
        answers = tuple(
            Answer(questionnaire="long", questionnaire_version=1, link_id=f"{number}-{n}" + "q" * 50, value="x" * 500)
            for n in range(200)
        )
        state, outputs = step(state, read(submitted(f"s{number}", 10 + number / 60, spo2(95, 10), answers=answers)))
        refused += any(isinstance(one, Refused) and one.reason is DeadLetterReason.HISTORY_FULL for one in outputs)
    assert state is not None
    assert refused > 0
    assert len(encode(state)) < 700_000


@pytest.mark.parametrize("year", [1, 9999])
def test_an_instant_at_the_edge_of_the_calendar_stops_nothing(year: int) -> None:
    day = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=UTC)
    first = read(submitted("s", 10, spo2(80, 10)))
    odd = type(first)(
        submission_id=uuid5(NAMES, "odd"),
        patient=PATIENT,
        received_at=at(10),
        readings=(spo2(80, 10), type(first.readings[0])(code="2708-6", value=95, unit="%", measured_at=day)),
    )
    assert judged(*PLANNED, odd).zone is Zone.RED


def test_every_page_names_its_zone_change() -> None:
    _, told = follow(*PLANNED, submitted("s", 9, spo2(80, 9)))
    changes = {output.zone_change_id for output in told if isinstance(output, ZoneChange)}
    assert {page.zone_change_id for page in told if isinstance(page, PageRequest)} <= changes


def test_a_moved_session_says_when_it_was_first_said_to_be() -> None:
    moved = Correction(
        correction_id=named("moved"),
        submission_id=named("s"),
        patient=PATIENT,
        recorded_at=at(12),
        action=CorrectionAction.REPLACED,
        readings=(spo2(82, 7),),
    )
    assert judged(*PLANNED, submitted("s", 8, spo2(95, 8))).first_at is None
    for order in ([submitted("s", 8, spo2(95, 8)), moved], [moved, submitted("s", 8, spo2(95, 8))]):
        found = judged(*PLANNED, *order)
        assert (found.zone, found.at, found.first_at) == (Zone.RED, at(7), at(8))


def test_a_status_says_when_it_was_so_and_never_goes_back() -> None:
    _, told = follow(
        *PLANNED, submitted("s", 30, spo2(95, 30)), submitted("late", 9, spo2(80, 9), late=22), Tick(at=at(500))
    )
    instants = [status.at for status in statuses(told)]
    assert instants == sorted(instants, key=lambda instant: instant or at(0))
    assert instants[-2] == at(31)
