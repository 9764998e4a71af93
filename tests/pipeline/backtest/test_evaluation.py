"""The evaluation as a whole: on a recording made by hand, and on the shared half of TIHM where it is present."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from agents.recordings import tihm, tihm_labels
from pipeline.backtest import CAVEAT, Evaluation, VerifiedAlert, evaluate
from pipeline.backtest.cadence import FROM_DAY, TURNING_DAILY, WEEKLY, Rhythm, keep
from pipeline.backtest.days import BLOOD_PRESSURE, PatientDay, by_patient, episodes
from pipeline.backtest.fixed_rules import OF_CONCERN, SECOND_ROW, alert_days
from pipeline.backtest.readings import Readings
from pipeline.triage.instants import local_day, to_ms
from schemas.care import Cadence, Limit
from schemas.submissions import Submission
from tests.histories import enrolled, signed
from tests.pipeline.backtest.recordings import DIASTOLIC, PULSE, SYSTOLIC, at, session

TIHM = Path(os.environ.get("SONEVAKT_TIHM", Path(__file__).parents[4] / "shared" / "data" / "tihm"))
LIMITS = (Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=160), Limit(code=PULSE, unit="/min", yellow_high=100))
CARE = (enrolled(-24 * 18), signed(-24 * 18, *LIMITS))
PATIENT = "sim-0001"


def recording() -> list[object]:
    high = {20, 22, 40}
    fast = {5, 22}
    return [
        *CARE,
        *(
            session(
                day,
                [(SYSTOLIC, 165 if day in high else 120), (DIASTOLIC, 80), (PULSE, 105 if day in fast else 70)],
            )
            for day in range(45)
        ),
    ]


VERIFIED = (
    VerifiedAlert(PATIENT, at(20, 11), "Blood pressure"),
    VerifiedAlert(PATIENT, at(20, 12), "Blood pressure"),
    VerifiedAlert(PATIENT, at(23, 11), "Blood pressure"),
    VerifiedAlert(PATIENT, at(22, 11), "Pulse"),
    VerifiedAlert(PATIENT, at(22, 11), "Agitation"),
    VerifiedAlert(PATIENT, at(60, 11), "Pulse"),
)


def test_a_recording_made_by_hand_has_the_known_figures() -> None:
    found = evaluate(recording(), VERIFIED, UTC)
    pressure, pulse = found.blood_pressure, found.pulse
    assert (pressure.sensitivity, pressure.ppv, pressure.false_alert_days_per_30) == (1 / 2, 1 / 3, 30 * 2 / 45)
    assert (pulse.sensitivity, pulse.ppv, pulse.false_alert_days_per_30) == (1, 1 / 2, 30 * 1 / 45)
    assert (found.patients, found.submissions, found.refused) == (1, 45, 0)
    second = next(rule for rule in found.fixed_rules if rule.row == 2)
    assert (second.sensitivity, second.ppv) == (pressure.sensitivity, pressure.ppv)
    assert [(lead.episodes, lead.median) for lead in found.lead_days.values()] == [(1, 0), (1, 0)]
    assert found.cadence["every_submission"].episodes_found == found.cadence["every_submission"].episodes == 1
    assert {load.what: load.total for load in found.load}["days with a yellow or red"] == 4
    assert found.caveat == CAVEAT


def test_the_plans_rhythm_is_the_one_given() -> None:
    found = evaluate(recording(), VERIFIED, UTC, plan=Cadence(daily_days=0, every_days=5))
    assert (found.cadence["plan"].submission_days_share, found.cadence["plan"].episodes_found) == (9 / 45, 1)


def test_a_plan_that_contradicts_itself_asks_for_nothing() -> None:
    wrong = signed(-24 * 18, Limit(code=SYSTOLIC, unit="mm[Hg]", yellow_low=160, yellow_high=120))
    found = evaluate([CARE[0], wrong, *recording()[2:]], VERIFIED, UTC)
    assert found.cadence["adaptive"].submission_days_share == 0
    assert found.blood_pressure.alert_days == 0


def test_the_alert_days_are_told_by_rule() -> None:
    found = evaluate(recording(), VERIFIED, UTC).alert_rules
    told = {one.rule: (one.alert_days, one.labelled, one.without_label) for one in found["blood_pressure"]}
    assert told["limit_high"] == (3, 1, 2)
    assert {one.rule for one in found["pulse"]} >= {"limit_high"}


def test_it_goes_into_json_and_back() -> None:
    found = evaluate(recording(), VERIFIED, UTC)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evaluation) == found


shared = pytest.mark.skipif(
    not TIHM.is_dir(), reason="TIHM is not part of the project: set SONEVAKT_TIHM to its folder"
)


@pytest.fixture(scope="module")
def tihm_found() -> Evaluation:
    messages = [event.message for event in tihm.read(TIHM).events()]
    return evaluate(messages, tihm_labels.read(TIHM).alerts, tihm.ZONE)


@shared
def test_the_fixed_rules_come_out_as_published_for_these_patients(tihm_found: Evaluation) -> None:
    told = [
        (rule.row, f"{rule.sensitivity:.3f} {rule.ppv:.3f} {rule.false_alert_days_per_30:.2f}")
        for rule in tihm_found.fixed_rules
    ]
    assert told == [
        (1, "0.281 0.941 0.08"),
        (2, "0.868 0.900 0.42"),
        (3, "0.965 0.902 0.45"),
        (4, "0.509 0.866 0.34"),
        (4, "0.526 0.882 0.30"),
        (5, "0.904 0.620 2.38"),
        (6, "0.946 0.898 0.23"),
        (7, "0.893 0.769 0.57"),
    ]


@shared
def test_the_cadences_come_out_as_known_for_these_patients(tihm_found: Evaluation) -> None:
    told = {
        key: (kept.episodes_found, kept.episodes, f"{kept.submission_days_share:.2f}")
        for key, kept in tihm_found.cadence.items()
    }
    assert told["every_submission"] == (18, 24, "1.00")
    assert told["weekly"] == told["plan"] == (6, 24, "0.42")
    assert told["turning_daily"] == (12, 24, "0.62")


class Asked(NamedTuple):
    """What the cadence experiment is asked of."""

    measured: frozenset[PatientDay]
    labelled: frozenset[PatientDay]
    alerts: frozenset[PatientDay]
    concern: frozenset[PatientDay]


@pytest.fixture(scope="module")
def asked() -> Asked:
    messages = [event.message for event in tihm.read(TIHM).events()]
    readings = Readings((message for message in messages if isinstance(message, Submission)), tihm.ZONE)
    labelled = frozenset(
        PatientDay(alert.patient, local_day(to_ms(alert.at), tihm.ZONE))
        for alert in tihm_labels.read(TIHM).alerts
        if alert.label == BLOOD_PRESSURE.label
    )
    alerts, concern = (alert_days(rule, readings) for rule in (SECOND_ROW, OF_CONCERN))
    return Asked(readings.measured(BLOOD_PRESSURE.vitals), labelled, alerts, concern)


@shared
def test_of_the_24_episodes_21_begin_on_day_14_or_later_and_3_are_what_is_left_of_earlier_ones(asked: Asked) -> None:
    first = {patient: days[0] for patient, days in by_patient(asked.measured).items()}
    whole = episodes(asked.labelled & asked.measured)
    begun = [one for one in whole if one.days[0] - first[one.patient] >= FROM_DAY]
    left = [one for one in whole if one not in begun and one.days[-1] - first[one.patient] >= FROM_DAY]
    assert (len(begun), len(left)) == (21, 3)


@shared
@pytest.mark.parametrize(
    ("rhythm", "from_daily", "figures"),
    [
        (WEEKLY, False, (6, "0.415")),
        (WEEKLY, True, (7, "0.397")),
        (TURNING_DAILY, False, (12, "0.636")),
        (TURNING_DAILY, True, (12, "0.623")),
    ],
)
def test_a_weekly_figure_hangs_on_the_day_that_weeks_count_from(
    asked: Asked, rhythm: Rhythm, figures: tuple[int, str], *, from_daily: bool
) -> None:
    kept = keep(
        msgspec.structs.replace(rhythm, from_daily=from_daily),
        measured=asked.measured,
        labelled=asked.labelled,
        alerts=asked.alerts,
        asking=asked.concern if rhythm is TURNING_DAILY else frozenset(),
    )
    assert (kept.episodes_found, f"{kept.submission_days_share:.3f}") == figures


@shared
def test_the_adaptive_cadence_finds_14_of_24_on_at_most_70_percent_of_the_days(tihm_found: Evaluation) -> None:
    adaptive = tihm_found.cadence["adaptive"]
    assert adaptive.episodes_found >= 14
    assert (adaptive.submission_days_share or 1) <= 0.70


@shared
def test_where_every_vital_asks_more_is_found_on_more_days(tihm_found: Evaluation) -> None:
    every, pressure = tihm_found.cadence["adaptive_every_vital"], tihm_found.cadence["adaptive"]
    assert every.episodes_found >= pressure.episodes_found
    assert (every.submission_days_share or 0) >= (pressure.submission_days_share or 0)


@shared
def test_the_engine_finds_the_verified_alerts(tihm_found: Evaluation) -> None:
    pressure, pulse = tihm_found.blood_pressure, tihm_found.pulse
    assert (pressure.sensitivity or 0) >= 0.95
    assert (pressure.false_alert_days_per_30 or 9) <= 0.60
    assert (pulse.sensitivity or 0) >= 0.94
    assert (pulse.false_alert_days_per_30 or 9) <= 0.40
