"""The patient's phase in the service: which change is followed, whether the patient is monitored then, and the trial.

A change that is not followed is told of, and the patient stays in the phase before. An enrolment begins anew, but never
stops the monitoring of somebody who is monitored.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from schemas.assessments import PatientStatus
from schemas.care import Limit
from schemas.paging import Tick
from schemas.types import Phase, Zone
from tests.histories import at, enrolled, moved_on, reading, signed, submitted
from tests.pipeline.triage.test_decisions import follow, pages
from tests.spec.test_cadence import START, hours, local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.care import Enrolled, PhaseChanged

PULSE: Final = Limit(code="8867-4", unit="/min", yellow_high=100, red_high=120)
PLAN: Final = signed(0, PULSE)
LATER: Final = 24 * 20  # well into the trial [h]


def stands(*events: Any) -> PatientStatus:  # noqa: ANN401 - any message that the fold takes
    _, told = follow(*events)
    return [output for output in told if isinstance(output, PatientStatus)][-1]


def said(status: PatientStatus) -> str:
    return ", ".join(fault.issue.value for fault in status.phase_faults)


def monitored(status: PatientStatus) -> str:
    return "no" if status.zone is Zone.NOT_MONITORED else "yes"


CHANGES: Final = [
    ("", "referral", "no", "no"), ("", "start_up", "no", "no"), ("", "follow_up", "no", "no"),
    ("", "evaluation", "no", "no"), ("", "ended", "no", "no"),
    ("referral", "referral", "same", "no"), ("referral", "start_up", "yes", "yes"),
    ("referral", "follow_up", "no", "no"), ("referral", "evaluation", "no", "no"),
    ("referral", "ended", "yes", "no"),
    ("start_up", "referral", "no", "yes"), ("start_up", "start_up", "same", "yes"),
    ("start_up", "follow_up", "yes", "yes"), ("start_up", "evaluation", "no", "yes"),
    ("start_up", "ended", "yes", "no"),
    ("follow_up", "referral", "no", "yes"), ("follow_up", "start_up", "no", "yes"),
    ("follow_up", "follow_up", "same", "yes"), ("follow_up", "evaluation", "yes", "yes"),
    ("follow_up", "ended", "yes", "no"),
    ("evaluation", "referral", "no", "yes"), ("evaluation", "start_up", "no", "yes"),
    ("evaluation", "follow_up", "yes", "yes"), ("evaluation", "evaluation", "same", "yes"),
    ("evaluation", "ended", "yes", "no"),
    ("ended", "referral", "no", "no"), ("ended", "start_up", "no", "no"), ("ended", "follow_up", "no", "no"),
    ("ended", "evaluation", "no", "no"), ("ended", "ended", "same", "no"),
]  # fmt: skip
ENROLMENTS: Final = [
    ("", "referral", "yes", "no"), ("", "start_up", "yes", "yes"), ("", "follow_up", "yes", "yes"),
    ("", "evaluation", "yes", "yes"), ("", "ended", "yes", "no"),
    ("referral", "referral", "yes", "no"), ("referral", "start_up", "yes", "yes"),
    ("referral", "follow_up", "yes", "yes"), ("referral", "evaluation", "yes", "yes"),
    ("referral", "ended", "yes", "no"),
    ("start_up", "referral", "no", "yes"), ("start_up", "start_up", "yes", "yes"),
    ("start_up", "follow_up", "yes", "yes"), ("start_up", "evaluation", "yes", "yes"),
    ("start_up", "ended", "no", "yes"),
    ("follow_up", "referral", "no", "yes"), ("follow_up", "start_up", "yes", "yes"),
    ("follow_up", "follow_up", "yes", "yes"), ("follow_up", "evaluation", "yes", "yes"),
    ("follow_up", "ended", "no", "yes"),
    ("evaluation", "referral", "no", "yes"), ("evaluation", "start_up", "yes", "yes"),
    ("evaluation", "follow_up", "yes", "yes"), ("evaluation", "evaluation", "yes", "yes"),
    ("evaluation", "ended", "no", "yes"),
    ("ended", "referral", "yes", "no"), ("ended", "start_up", "yes", "yes"), ("ended", "follow_up", "yes", "yes"),
    ("ended", "evaluation", "yes", "yes"), ("ended", "ended", "yes", "no"),
]  # fmt: skip


def edges() -> Iterator[tuple[str, str, str]]:
    """Every way from one phase to another."""
    for before, phase, followed, then in CHANGES:
        if followed == "yes":
            yield before, phase, "monitored" if then == "yes" else "not monitored"
    for before, phase, _, _ in ENROLMENTS:
        if before in {"", "ended"} and phase != "ended":
            yield before or "[*]", phase, "enrolled"


@pytest.mark.parametrize(("now", "change_to", "followed", "monitored_then"), CHANGES)
def test_which_phase_may_follow_which(now: str, change_to: str, followed: str, monitored_then: str) -> None:
    before = [enrolled(0, Phase(now))] if now else []
    status = stands(*before, PLAN, moved_on(LATER, Phase(change_to)))
    assert status.phase == ((change_to if followed == "yes" else now) or None)
    assert monitored(status) == monitored_then
    faults = [(fault.at, fault.from_phase, fault.to_phase, fault.issue) for fault in status.phase_faults]
    assert faults == ([(at(LATER), now or None, change_to, "out_of_order")] if followed == "no" else [])


@pytest.mark.parametrize(("now", "enrolled_in", "followed", "monitored_then"), ENROLMENTS)
def test_an_enrolment_begins_anew(now: str, enrolled_in: str, followed: str, monitored_then: str) -> None:
    before = [enrolled(0, Phase(now))] if now else []
    status = stands(*before, PLAN, enrolled(LATER, Phase(enrolled_in)))
    assert (status.phase, monitored(status)) == (enrolled_in if followed == "yes" else now, monitored_then)
    assert [(fault.at, fault.from_phase, fault.to_phase, fault.issue) for fault in status.phase_faults] == (
        [(at(LATER), now, enrolled_in, "out_of_order")] if followed == "no" else []
    )


def test_who_was_never_monitored_is_in_that_zone_since_the_enrolment() -> None:
    status = stands(enrolled(5))
    assert (status.zone, status.since_at) == (Zone.NOT_MONITORED, at(5))


@pytest.mark.parametrize(("signed_at", "zone"), [(0, "not_monitored"), (299, "no_data"), (500, "no_data")])
def test_who_comes_back_after_the_end_needs_a_plan_that_was_signed_since(signed_at: int, zone: str) -> None:
    back = [enrolled(), PLAN, moved_on(100, Phase.ENDED), enrolled(300)]
    again = [] if not signed_at else [signed(signed_at, PULSE, version=2)]
    assert stands(*back, *again).zone.value == zone


def test_nor_does_a_plan_hold_that_was_signed_before_the_end_for_later() -> None:
    ahead = signed(300, PULSE, recorded=5)
    back = [enrolled(), PLAN, ahead, moved_on(100, Phase.ENDED), enrolled(200)]
    assert stands(*back, Tick(at=at(301))).zone is Zone.NOT_MONITORED


def test_nobody_is_in_a_zone_since_a_time_to_come() -> None:
    status = stands(signed(24 * 20, PULSE, recorded=5))
    assert status.since_at <= status.at


def test_an_enrolment_begins_a_trial_of_its_own_and_leaves_what_was_wrong_behind() -> None:
    status = stands(enrolled(), moved_on(10, Phase.EVALUATION), enrolled(LATER))
    assert (said(status), status.trial_ends_at) == ("", stands(enrolled(LATER)).trial_ends_at)


@pytest.mark.parametrize(
    ("changes", "phase", "told"),
    [
        ("evaluation", "start_up", "out_of_order"),
        ("evaluation referral", "start_up", "out_of_order, out_of_order"),
        ("evaluation follow_up", "follow_up", ""),
        ("evaluation start_up", "start_up", ""),  # said again, so it is meant
        ("evaluation ended", "ended", ""),
        ("follow_up evaluation follow_up ended follow_up", "ended", "out_of_order"),
        ("ended follow_up ended", "ended", ""),
    ],
)
def test_what_is_wrong_is_told_until_the_phase_is_said_rightly(changes: str, phase: str, told: str) -> None:
    events = [moved_on(LATER + number, Phase(change)) for number, change in enumerate(changes.split())]
    status = stands(enrolled(), PLAN, *events)
    assert (status.phase, said(status)) == (phase, told)


def begun(when: str) -> tuple[Enrolled, PhaseChanged]:
    """A referral, and the start-up at `when`."""
    return enrolled(hours(when) - 100, Phase.REFERRAL), moved_on(hours(when), Phase.START_UP)


@pytest.mark.parametrize(
    ("start_up", "trial_ends"),
    [
        ("20 Mar 10:00", "17 Apr 10:00"),  # the wall clock holds over the change of 29 March
        ("20 Mar 00:00", "17 Apr 00:00"),
        ("28 Feb 23:59", "28 Mar 23:59"),
        ("01 Mar 02:30", "29 Mar 03:30"),  # there is no half past two that night
        ("27 Sep 02:30", "25 Oct 02:30"),  # the first of two
        ("01 Oct 10:00", "29 Oct 10:00"),
    ],
)
def test_the_trial_is_decided_within_28_days_of_the_patients_calendar(start_up: str, trial_ends: str) -> None:
    ends = local(trial_ends).astimezone(UTC)
    assert stands(*begun(start_up)).trial_ends_at == ends
    assert stands(enrolled(hours(start_up))).trial_ends_at == ends


@pytest.mark.parametrize(
    ("start_up", "follow_up", "days", "told"),
    [
        ("20 Mar 00:00", "02 Apr 23:59", 13, "trial_too_short"),
        ("20 Mar 23:59", "03 Apr 00:00", 14, ""),
        ("20 Mar 10:00", "04 Apr 10:00", 15, ""),
        ("15 Mar 23:59", "28 Mar 23:59", 13, "trial_too_short"),
        ("15 Mar 23:59", "29 Mar 00:00", 14, ""),
        ("16 Mar 00:00", "29 Mar 23:59", 13, "trial_too_short"),
        ("20 Mar 10:00", "17 Apr 10:00", 28, ""),
        ("20 Mar 10:00", "18 Apr 10:00", 29, ""),
    ],
)
def test_a_short_trial_is_over_and_told(start_up: str, follow_up: str, days: int, told: str) -> None:
    assert (local(follow_up).date() - local(start_up).date()).days == days
    status = stands(*begun(start_up), moved_on(hours(follow_up), Phase.FOLLOW_UP))
    assert (status.phase, status.trial_ends_at, said(status)) == (Phase.FOLLOW_UP, None, told)
    ended = local(follow_up).astimezone(UTC)
    assert [(fault.at, fault.from_phase, fault.to_phase) for fault in status.phase_faults] == (
        [(ended, Phase.START_UP, Phase.FOLLOW_UP)] if told else []
    )


def test_a_trial_that_stops_early_is_no_short_trial() -> None:
    assert said(stands(enrolled(), moved_on(24, Phase.ENDED))) == ""


def test_a_start_up_said_again_makes_the_trial_no_longer() -> None:
    again = moved_on(LATER, Phase.START_UP)
    assert stands(enrolled(), again).trial_ends_at == stands(enrolled()).trial_ends_at


def test_a_trial_that_nobody_decided_changes_nothing_by_itself() -> None:
    status = stands(enrolled(), PLAN, Tick(at=at(24 * 60)))
    assert (status.phase, monitored(status), said(status)) == (Phase.START_UP, "yes", "")
    assert status.trial_ends_at is not None
    assert status.trial_ends_at < at(24 * 60)


def pulse(value: float, when: float) -> Any:  # noqa: ANN401 - a submission
    return submitted(f"s-{when}", when, reading("8867-4", value, "/min", when))


@pytest.mark.parametrize("phase", ["referral", "evaluation"])
def test_a_red_stays_red_over_a_change_that_is_not_followed(phase: str) -> None:
    status = stands(enrolled(), PLAN, pulse(130, 10), moved_on(12, Phase(phase)))
    assert (status.zone, said(status)) == (Zone.RED, "out_of_order")
    assert status.episode is not None


def test_a_change_entered_late_puts_those_after_it_in_order() -> None:
    known = (enrolled(0, Phase.REFERRAL), PLAN, moved_on(LATER, Phase.FOLLOW_UP), pulse(130, LATER + 1))
    assert (monitored(stands(*known)), said(stands(*known))) == ("no", "out_of_order")
    status = stands(*known, moved_on(1, Phase.START_UP, recorded=LATER + 2))
    assert (status.phase, status.zone, said(status)) == (Phase.FOLLOW_UP, Zone.RED, "")


@pytest.mark.parametrize(("entered_after_hours", "paged"), [(71, 1), (72, 1), (73, 0)])
def test_a_red_is_learnt_of_when_every_change_up_to_it_is_known(entered_after_hours: int, paged: int) -> None:
    red = LATER + 1
    known = (enrolled(0, Phase.REFERRAL), PLAN, moved_on(LATER, Phase.FOLLOW_UP), pulse(130, red))
    _, told = follow(*known, moved_on(1, Phase.START_UP, recorded=red + entered_after_hours))
    assert len(pages(told)) == paged


def test_a_phase_at_the_edge_of_the_calendar_stops_nothing() -> None:
    far = (START.replace(year=9999, month=12, day=31) - START) / timedelta(hours=1)
    assert stands(enrolled(far)).trial_ends_at is not None
