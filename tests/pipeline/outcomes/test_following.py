"""Who was followed, by whom, when: against an hour-by-hour look at all events."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings

from pipeline.outcomes.following import TRAITS, enrolments, followed
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, at, enrolled, frame, histories, moved

if TYPE_CHECKING:
    from tests.oracles.outcomes import Event

HOURS = 96


@given(histories(HOURS))
@settings(deadline=None)
def test_stretches_are_as_an_hour_at_a_time(events: list[Event]) -> None:
    told = followed(frame(events), at(HOURS))
    ours: Counter[Any] = Counter()
    for row in told.itertuples():
        length = (row.stop - row.start).total_seconds() / 3600
        ours[row.patient, tuple(getattr(row, name) for name in TRAITS)] += length
    theirs, _ = oracle.hours(events, PATIENTS, 0, HOURS)
    assert ours == theirs
    later = told.groupby("patient")["start"].shift(-1)
    assert (later.isna() | (later >= told["stop"])).all()
    assert (told["start"] < told["stop"]).all()


def test_a_patient_is_followed_from_the_first_monitored_phase_to_the_end() -> None:
    events = [enrolled(0, phase="referral"), moved(10, "start_up"), moved(30, "follow_up"), moved(50, "ended")]
    told = followed(frame(events), at(HOURS))
    assert told["phase"].tolist() == ["start_up", "follow_up"]
    assert (told["start"].tolist(), told["stop"].tolist()) == ([at(10), at(30)], [at(30), at(50)])


def test_a_step_that_the_pathway_lacks_is_not_taken() -> None:
    told = followed(frame([enrolled(0), moved(5, "evaluation")]), at(HOURS))
    assert told[["phase", "stop"]].to_numpy().tolist() == [["start_up", at(HOURS)]]


def test_canaries_are_nobody() -> None:
    events = [enrolled(0, "canary-a-1", pathway="canary"), enrolled(3, "sim-2")]
    assert followed(frame(events), at(HOURS))["patient"].tolist() == ["sim-2"]


def test_a_second_follow_up_is_not_the_first() -> None:
    events = [enrolled(0), moved(20, "ended"), enrolled(40, service="b")]
    told = enrolments(followed(frame(events), at(HOURS)))
    assert told[["enrolled", "left", "service"]].to_numpy().tolist() == [[at(0), at(20), "a"]]


def test_nobody_is_nobody() -> None:
    assert followed(frame([]), at(HOURS)).empty
    assert enrolments(followed(frame([]), at(HOURS))).empty
