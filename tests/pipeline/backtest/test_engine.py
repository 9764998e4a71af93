"""The engine's alert days: whose vital, whose day, which revision."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import msgspec

from pipeline.backtest import engine
from pipeline.backtest.days import BLOOD_PRESSURE, PULSE
from pipeline.triage import RULES
from schemas.care import Limit
from schemas.submissions import Correction, CorrectionAction, Submission
from tests.histories import enrolled, named, signed
from tests.pipeline.backtest.recordings import DIASTOLIC, SYSTOLIC, at, days, session
from tests.pipeline.backtest.recordings import PULSE as PULSE_CODE

LIMITS = (
    Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=160),
    Limit(code=DIASTOLIC, unit="mm[Hg]", yellow_low=54),
    Limit(code=PULSE_CODE, unit="/min", yellow_high=100),
)
CARE = (enrolled(-24 * 18), signed(-24 * 18, *LIMITS))


def alerting(*events: Submission | Correction) -> tuple[frozenset[object], frozenset[object]]:
    run = engine.run([*CARE, *events])
    return (
        engine.alert_days(run.assessments, BLOOD_PRESSURE, UTC),
        engine.alert_days(run.assessments, PULSE, UTC),
    )


def test_an_alert_belongs_to_the_class_whose_vital_it_is_about() -> None:
    calm = [(SYSTOLIC, 120.0), (DIASTOLIC, 80.0), (PULSE_CODE, 70.0)]
    pressure = [(SYSTOLIC, 160.0), (DIASTOLIC, 80.0), (PULSE_CODE, 70.0)]
    low = [(SYSTOLIC, 120.0), (DIASTOLIC, 54.0), (PULSE_CODE, 70.0)]
    pulse = [(SYSTOLIC, 120.0), (DIASTOLIC, 80.0), (PULSE_CODE, 100.0)]
    told = alerting(session(0, calm), session(1, pressure), session(2, low), session(3, pulse))
    assert told == (days(1, 2), days(3))


def test_any_assessment_of_the_day_makes_it_an_alert_day() -> None:
    assert alerting(session(0, [(SYSTOLIC, 160)]), session(0, [(SYSTOLIC, 120)], hour=20))[0] == days(0)


def test_no_data_is_no_alert() -> None:
    assert alerting(session(0, [(SYSTOLIC, 500)])) == (frozenset(), frozenset())


def test_what_was_entered_in_error_alerts_no_more() -> None:
    told = session(0, [(SYSTOLIC, 170)])
    wrong = Correction(
        correction_id=named("wrong"),
        submission_id=told.submission_id,
        patient=told.patient,
        recorded_at=at(1),
        action=CorrectionAction.ENTERED_IN_ERROR,
    )
    assert alerting(told)[0] == days(0)
    assert alerting(told, wrong)[0] == frozenset()


def test_a_session_over_midnight_alerts_on_the_day_of_the_measurement() -> None:
    late = session(0, [(SYSTOLIC, 170)], hour=23.9)
    more = session(1, [(PULSE_CODE, 70)], hour=0.1)
    both = msgspec.structs.replace(late, readings=late.readings + more.readings, received_at=more.received_at)
    assert alerting(both)[0] == days(0)


def test_the_day_is_the_patients_own() -> None:
    run = engine.run([*CARE, session(0, [(SYSTOLIC, 170)], hour=23.5)])
    assert engine.alert_days(run.assessments, BLOOD_PRESSURE, ZoneInfo("Europe/Oslo")) == days(1)


def test_a_reason_of_several_vitals_belongs_to_each_of_their_classes() -> None:
    calm = [session(day, [(SYSTOLIC, 120), (DIASTOLIC, 80), (PULSE_CODE, 70)]) for day in range(10)]
    odd = session(10, [(SYSTOLIC, 157), (DIASTOLIC, 80), (PULSE_CODE, 98)])
    run = engine.run([*CARE, *calm, odd])
    together = [
        msgspec.structs.replace(
            assessment, reasons=tuple(reason for reason in assessment.reasons if reason.rule == "deviations_together")
        )
        for assessment in run.assessments
    ]
    assert [engine.alert_days(together, about, UTC) for about in (BLOOD_PRESSURE, PULSE)] == [days(10), days(10)]


def test_other_rules_give_other_alerts_and_refused_events_are_counted() -> None:
    calm = [session(day, [(PULSE_CODE, 70)]) for day in range(10)]
    odd = session(10, [(PULSE_CODE, 98)])
    events = [*CARE, *calm, odd]
    deaf = msgspec.structs.replace(RULES, single_z=99.0)
    assert engine.alert_days(engine.run(events).assessments, PULSE, UTC) == days(10)
    assert engine.alert_days(engine.run(events, deaf).assessments, PULSE, UTC) == frozenset()
    full = msgspec.structs.replace(RULES, care_events=0)
    assert engine.run(events, full).refused == 2
    assert engine.run(events).refused == 0


def test_a_page_counts_once() -> None:
    run = engine.run([*CARE, session(0, [(SYSTOLIC, 170)])])
    assert [page.at for page in run.pages] == [at(0)]
