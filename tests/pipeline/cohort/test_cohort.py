"""The simulated cohort: the same from the same seed, readable, in order, and with its truth in the data."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import exp
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cohort import Cohort, Event, live, simulate
from pipeline.cohort.people import ZONE, Patient, person
from pipeline.triage.vitals import BY_CODE, SPO2, WEIGHT, Vital, factor
from schemas.care import Enrolled, PlanSigned
from schemas.codec import Codec, encode
from schemas.submissions import Correction, CorrectionAction, Submission
from schemas.topics import CARE, SUBMISSIONS

if TYPE_CHECKING:
    from pipeline.cohort.groups import Usual

START = datetime(2026, 1, 5, tzinfo=UTC)  # 60 days from here end before daylight saving begins
DAYS = 60
ACROSS_DST = datetime(2026, 3, 2, tzinfo=UTC)
CODECS: dict[str, Codec[Any]] = {topic.name: Codec(topic.message) for topic in (SUBMISSIONS, CARE)}


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return simulate(1, START, DAYS)


def submissions(cohort: Cohort) -> list[Submission]:
    """Every session once."""
    sent = [event.message for event in cohort.events if isinstance(event.message, Submission)]
    return list({one.submission_id: one for one in sent}.values())


def sent_values(cohort: Cohort, patient: str, vital: Vital) -> list[tuple[datetime, float]]:
    """When, and the value in the vital's own unit."""
    return [
        (reading.measured_at, reading.value * (factor(vital, reading.unit) or 0))
        for one in submissions(cohort)
        if one.patient == patient
        for reading in one.readings
        if reading.code == vital.codes[0]
    ]


def test_the_same_seed_makes_the_same_messages(cohort: Cohort) -> None:
    assert simulate(1, START, DAYS) == cohort


def test_another_seed_makes_others(cohort: Cohort) -> None:
    other = simulate(2, START, DAYS)
    assert [encode(event.message) for event in other.events] != [encode(event.message) for event in cohort.events]


def test_a_start_in_another_zone_is_the_same_instant(cohort: Cohort) -> None:
    assert simulate(1, START.astimezone(ZONE), DAYS) == cohort


def test_a_start_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        simulate(1, START.replace(tzinfo=None), DAYS)


def times_and_values(event: Event, by: timedelta) -> tuple[object, ...]:
    """What an event says, moved `by`, without the ids, which hold times."""
    message = event.message
    readings = tuple((one.code, one.value, one.unit, one.measured_at + by) for one in getattr(message, "readings", ()))
    return (event.at + by, type(message).__name__, message.patient, readings, getattr(message, "answers", ()))


def test_a_shifted_start_shifts_everything(cohort: Cohort) -> None:
    by = timedelta(weeks=-4)  # still winter time from end to end
    shifted = simulate(1, START + by, DAYS)
    assert [times_and_values(one, timedelta()) for one in shifted.events] == [
        times_and_values(one, by) for one in cohort.events
    ]


def test_daylight_saving_moves_no_habit() -> None:
    spring = simulate(1, ACROSS_DST, DAYS)
    daily = [one for one in spring.patients if not one.group.several_a_day]
    names = {one.name for one in daily}
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    hours: dict[bool, list[float]] = {False: [], True: []}
    for one in submissions(spring):
        if one.patient in names:
            local = one.readings[0].measured_at.astimezone(ZONE)
            hours[local >= change].append(local.hour + local.minute / 60)
    assert all(mean(some) == pytest.approx(9.25, abs=0.1) for some in hours.values())


@pytest.mark.parametrize("start", [START, ACROSS_DST, datetime(2026, 10, 5, 23, 30, tzinfo=UTC)])
def test_events_come_in_order_of_arrival(start: datetime) -> None:
    arrivals = [event.at.astimezone(UTC) for event in simulate(3, start, DAYS).events]
    assert arrivals == sorted(arrivals)


def test_every_message_comes_back_from_its_topic_as_it_was(cohort: Cohort) -> None:
    for event in cohort.events:
        assert CODECS[event.topic.name].decode(encode(event.message)) == event.message


def test_every_patient_is_enrolled_and_has_a_plan_before_the_first_registration(cohort: Cohort) -> None:
    known: dict[str, set[type]] = {one.name: set() for one in cohort.patients}
    for event in cohort.events:
        if isinstance(event.message, Submission):
            assert {Enrolled, PlanSigned} <= known[event.message.patient]
        known[event.message.patient].add(type(event.message))
    assert all({Enrolled, PlanSigned} <= kinds for kinds in known.values())


def test_everything_is_called_simulated(cohort: Cohort) -> None:
    enrolled = [event.message for event in cohort.events if isinstance(event.message, Enrolled)]
    assert all(name.startswith("simulated-") for one in enrolled for name in (one.service, one.municipality))
    assert {one.municipality for one in enrolled} == {f"simulated-municipality-{n}" for n in range(1, 11)}
    assert all(one.patient.startswith("sim-") for one in enrolled)
    assert {one.service for one in enrolled} <= set(cohort.services)


def test_the_groups_have_their_shares(cohort: Cohort) -> None:
    groups = Counter(one.group.pathway for one in cohort.patients)
    assert groups == {"copd": 70, "heart-failure": 60, "diabetes": 30, "cancer": 25, "hospital-at-home": 15}


@pytest.mark.parametrize("patients", [0, 1, 7, 250])
def test_a_cohort_of_any_size_has_so_many_patients(patients: int) -> None:
    small = simulate(1, START, 20, patients)
    assert len({one.name for one in small.patients}) == patients


def test_a_patients_usual_value_breaks_no_limit_of_the_plan(cohort: Cohort) -> None:
    means = {one.name: one.means for one in cohort.patients}
    for event in cohort.events:
        if isinstance(event.message, PlanSigned):
            for limit, usual in zip(event.message.plan.limits, means[event.message.patient], strict=True):
                below = [edge for edge in (limit.red_low, limit.yellow_low) if edge is not None]
                above = [edge for edge in (limit.yellow_high, limit.red_high) if edge is not None]
                assert below == sorted(below)
                assert above == sorted(above)
                assert all(edge < usual for edge in below)
                assert all(edge > usual for edge in above)


def test_daily_for_fourteen_days_then_about_weekly(cohort: Cohort) -> None:
    well = [one for one in cohort.patients if one.deterioration is None and not one.group.several_a_day]
    begun = {one.name: one.enrolled_at for one in well}
    days = Counter(
        (one.readings[0].measured_at - begun[one.patient]) // timedelta(days=14)
        for one in submissions(cohort)
        if one.patient in begun
    )
    assert 0.85 < days[0] / (14 * len(well)) <= 1
    assert 1.5 < days[1] / len(well) < 4


def test_hospital_at_home_measures_four_times_a_day_for_a_short_time(cohort: Cohort) -> None:
    stays = {one.name: one for one in cohort.patients if one.group.several_a_day}
    sent = Counter(one.patient for one in submissions(cohort) if one.patient in stays)
    for name, one in stays.items():
        stay = (one.ends_at or START + timedelta(days=DAYS)) - one.enrolled_at
        assert stay < timedelta(days=22)
        assert 3 < sent[name] / (stay / timedelta(days=1)) < 4.3


def test_what_goes_wrong_goes_wrong_seldom_and_does(cohort: Cohort) -> None:
    sent = [event.message for event in cohort.events if isinstance(event.message, Submission)]
    once = submissions(cohort)
    readings = [reading for one in once for reading in one.readings]
    late = sum(one.received_at - one.readings[-1].measured_at > timedelta(hours=2) for one in once)
    other_unit = sum(reading.unit != BY_CODE[reading.code].unit for reading in readings)
    impossible = sum(_beyond(BY_CODE[one.code].impossible, one.value, one.unit, one.code) for one in readings)
    corrected = [event.message for event in cohort.events if isinstance(event.message, Correction)]
    assert 0.02 < late / len(once) < 0.06
    assert 0.001 < other_unit / len(readings) < 0.008
    assert 0.0005 < impossible / len(readings) < 0.006
    assert 0.001 < (len(sent) - len(once)) / len(once) < 0.012
    assert 0.001 < len(corrected) / len(once) < 0.01
    assert {one.action for one in corrected} == set(CorrectionAction)


def _beyond(bounds: tuple[float | None, float | None], value: float, unit: str, code: str) -> bool:
    own = value * (factor(BY_CODE[code], unit) or 0)
    return own < (bounds[0] or 0) or own > (bounds[1] or 1e9)


def test_a_correction_names_an_earlier_session_and_changes_it(cohort: Cohort) -> None:
    seen: dict[object, Submission] = {}
    for event in cohort.events:
        if isinstance(event.message, Submission):
            seen[event.message.submission_id] = event.message
        if isinstance(event.message, Correction):
            first = seen[event.message.submission_id]
            assert (event.message.patient, event.message.readings) != (first.patient, first.readings)


def test_nothing_is_received_before_it_was_measured(cohort: Cohort) -> None:
    assert all(one.received_at >= reading.measured_at for one in submissions(cohort) for reading in one.readings)


def test_a_deterioration_lies_within_the_time_in_which_its_patient_is_followed(cohort: Cohort) -> None:
    people = {one.name: one for one in cohort.patients}
    assert 40 <= len(cohort.truth) <= 90
    slow_kinds = {one.group.slow_kind for one in cohort.patients} - {""}
    assert {one.kind for one in cohort.truth} == {one.group.kind for one in cohort.patients} | slow_kinds
    assert {one.slow for one in cohort.truth} == {False, True}
    for one in cohort.truth:
        patient = people[one.patient]
        assert patient.enrolled_at < one.onset_at < one.peak_at < (patient.ends_at or START + timedelta(days=DAYS))
        assert one.vitals


@pytest.mark.parametrize(("pathway", "vital", "sign"), [("copd", SPO2, -1), ("heart-failure", WEIGHT, 1)])
def test_the_truth_shows_in_the_data(cohort: Cohort, pathway: str, vital: Vital, sign: int) -> None:
    people = {one.name: one for one in cohort.patients}
    moved = []
    for one in cohort.truth:
        if one.pathway == pathway:
            patient = people[one.patient]
            place = [usual.vital for usual in patient.group.usual].index(vital)
            near = [
                value
                for at, value in sent_values(cohort, one.patient, vital)
                if abs(at - one.peak_at) < timedelta(days=1) and abs(value / patient.means[place] - 1) < 0.2
            ]
            moved += [sign * (mean(near) - patient.means[place])] if near else []
    assert len(moved) >= 5
    assert mean(moved) > 2
    assert sum(move > 1 for move in moved) / len(moved) > 0.9


def test_live_goes_on_with_patients_of_the_cohort(cohort: Cohort) -> None:
    now = START + timedelta(days=DAYS, hours=3)
    events = [live(cohort, number, now + timedelta(seconds=number)) for number in range(1, 60)]
    followed = {one.name for one in cohort.patients if one.ends_at is None}
    known = {one.submission_id for one in submissions(cohort)}
    assert {event.message.patient for event in events} <= followed
    assert len({event.message.submission_id for event in events} | known) == len(known) + len(events)
    assert all(reading.measured_at <= one.at for one in events for reading in one.message.readings)
    assert live(cohort, 1, now) == live(cohort, 1, now)
    assert all(CODECS[SUBMISSIONS.name].decode(encode(one.message)) == one.message for one in events)


def slow_ones() -> list[Patient]:
    people = [person(seed, number, START, DAYS, 200) for seed in range(3) for number in range(1, 201)]
    return [one for one in people if one.deterioration is not None and one.deterioration.slow]


def test_what_comes_slowly_takes_weeks_and_half_of_it_crosses_no_limit() -> None:
    slow = slow_ones()
    lengths = [(one.deterioration.peak_at - one.deterioration.onset_at) / timedelta(days=1) for one in slow]
    assert min(lengths) >= 14
    assert max(lengths) <= 28
    assert 0.35 < sum(one.deterioration.inside for one in slow) / len(slow) < 0.65


def test_inside_means_inside_every_limit_and_the_others_cross_one() -> None:
    for one in slow_ones():
        worse = one.deterioration
        crossed = [
            not below < worse.shift(usual, worse.peak_at) < above
            for usual in one.group.usual
            for below, above in [_innermost(usual)]
        ]
        assert any(crossed) == (not worse.inside)


def _innermost(usual: Usual) -> tuple[float, float]:
    """The first limits on the way out, as distances from what is usual."""
    below = [edge for edge in (usual.red[0], usual.yellow[0]) if edge is not None]
    above = [edge for edge in (usual.red[1], usual.yellow[1]) if edge is not None]
    return max(below, default=float("-inf")), min(above, default=float("inf"))


def test_weight_goes_first_and_the_other_signs_come_late() -> None:
    one = next(one for one in slow_ones() if one.group.pathway == "diabetes")
    worse, (glucose, weight, *_) = one.deterioration, one.group.usual
    half = worse.onset_at + (worse.peak_at - worse.onset_at) / 2
    assert worse.shift(weight, half) / worse.shift(weight, worse.peak_at) == pytest.approx(0.5**0.7)
    assert worse.shift(glucose, half) / worse.shift(glucose, worse.peak_at) == pytest.approx(0.5**1.5)
    assert worse.felt_at == half
    assert worse.shift(glucose, worse.onset_at - timedelta(days=1)) == 0
    eased = worse.peak_at + timedelta(days=3)
    assert worse.shift(weight, eased) == pytest.approx(worse.shift(weight, worse.peak_at) / exp(1))
