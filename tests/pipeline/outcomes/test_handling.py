"""Responsibility, alarms taken over, open tasks, pages and data quality: by hand, and by a look at every alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.acknowledging import WITHIN, taken_over, waits
from pipeline.outcomes.delivery import delivery
from pipeline.outcomes.frames import STATUSES
from pipeline.outcomes.quality import checks, measured
from pipeline.outcomes.responsibility import handed_over, handovers, held
from pipeline.outcomes.tasks import open_tasks
from pipeline.outcomes.time_at_risk import scope
from tests.oracles.outcomes import Event
from tests.pipeline.outcomes.made import START, at, enrolled, frame, moved

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 24
Change = tuple[float, str, str]  # hour, from, to


def changes(*told: Change, patient: str = "sim-1") -> pd.DataFrame:
    """Changes of zone of one patient."""
    rows = [
        {"time": at(hour), "patient": patient, "from_zone": before, "to_zone": after, "retracted": 0.0}
        for hour, before, after in told
    ]
    return pd.DataFrame(rows).assign(zone_change_id=[f"{patient}-{place}" for place in range(len(rows))])


def said(hour: float, patient: str = "sim-1") -> Event:
    """An acknowledgement."""
    return Event(hour, patient, "acknowledged", {"reason_code": "true"})  # type: ignore[arg-type] # any hour will do


def test_a_patient_who_moves_counts_for_each_service_and_is_one_hand_over() -> None:
    events = [
        enrolled(0, "sim-1"),
        enrolled(0, "sim-2"),
        Event(2 * DAY, "sim-1", "transferred", {"service": "b"}),
        moved(3 * DAY, "ended", "sim-2"),
        enrolled(5 * DAY, "sim-2", service="b"),
    ]
    here = scope(frame(events), START, at(10 * DAY), "all")
    told = held(here, by=("service",)).set_index("service")
    assert told["patients"].to_dict() == {"a": 2, "b": 2}
    assert told["days"].to_dict() == pytest.approx({"a": 2 + 3, "b": 8 + 5})
    (move,) = handed_over(here).to_dict("records")
    assert move == {"before": "a", "service": "b", "handovers": 1, "patients": 1}
    assert handovers(here)["time"].tolist() == [pd.Timestamp(at(2 * DAY))]


def test_an_alarm_is_answered_by_the_first_acknowledgement_before_it_is_over() -> None:
    care = frame([enrolled(0), said(10.25), said(100)])
    zones = changes(
        (10, "green", "red"),  # taken over after 15 minutes
        (12, "red", "green"),
        (20, "green", "yellow"),  # over before anybody took it
        (30, "yellow", "green"),
        (95, "green", "yellow"),  # taken over after 5 hours, which is more than 4
        (150, "yellow", "red"),  # nobody has by the end
    )
    told = waits(zones, care, scope(care, START, at(200), "all"))
    assert told["zone"].tolist() == ["red", "yellow", "yellow", "red"]
    assert told["minutes"].tolist() == pytest.approx([15, np.nan, 300, np.nan], nan_ok=True)
    marks = told[["acknowledged", "in_time", "passed", "open"]].to_numpy().tolist()
    assert marks == [[1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    red = taken_over(told, by=()).set_index("zone").loc["red"]
    assert (red["alarms"], red["in_time"], red["share"], red["median"], red["open"]) == (2, 1, 0.5, 15, 1)
    strict = waits(zones, care, scope(care, START, at(200), "all"), {("a", "red"): 10, ("a", "yellow"): 300})
    assert strict["in_time"].tolist() == [0, 0, 1, 0]


def test_the_usual_minutes_are_those_of_the_usual_ladder() -> None:
    assert dict(WITHIN) == {"red": 30, "yellow": 240}


ZONES = ("green", "yellow", "red", "no_data")


@given(
    st.lists(st.tuples(st.integers(1, 300), st.sampled_from(ZONES)), max_size=12, unique_by=lambda one: one[0]),
    st.lists(st.integers(1, 300), max_size=8, unique=True),
)
@settings(deadline=None, max_examples=60)
def test_every_alarm_is_as_a_look_from_hour_to_hour_finds_it(course: list[tuple[int, str]], acks: list[int]) -> None:
    zone, steps = "green", []
    for hour, after in sorted(course):
        if after != zone:
            steps.append((hour, zone, after))
            zone = after
    care = frame([enrolled(0), *(said(hour) for hour in sorted(acks))])
    here = scope(care, START, at(320), "all")
    if not steps:
        return
    told = waits(changes(*steps), care, here)
    assert same(told[["minutes", "passed", "open"]].to_numpy(), slow(steps, acks))


def slow(steps: Sequence[Change], acks: Sequence[int]) -> list[list[float]]:
    """Minutes, passed and open of each alarm, by going on an hour at a time."""
    found = []
    for hour, before, after in steps:
        if after not in ("yellow", "red") or (after == "yellow" and before == "red"):
            continue
        row = [np.nan, 0.0, 1.0]
        for now in range(int(hour), 320):
            here = [to for when, _, to in steps if when <= now][-1]
            if now in acks and (here in ("yellow", "red") or now == hour or _left_now(steps, now)):
                row = [60.0 * (now - hour), 0.0, 0.0]
                break
            if here not in ("yellow", "red"):
                row = [np.nan, 1.0, 0.0]
                break
        found.append(row)
    return found


def _left_now(steps: Sequence[Change], now: int) -> bool:
    """Whether the patient leaves yellow or red at this very instant: what is said then still answers."""
    return any(when == now and before in ("yellow", "red") for when, before, _ in steps)


def same(ours: Any, theirs: list[list[float]]) -> bool:  # noqa: ANN401 - an array of any shape
    """Whether two tables are alike, what is missing too."""
    tables = (np.asarray(one, float).reshape(-1, 3) for one in (ours, theirs))
    return bool(np.allclose(*tables, equal_nan=True))


def test_what_waits_at_the_end_is_told_by_task() -> None:
    events = [
        *(enrolled(0, "sim-1"), enrolled(30 * DAY, "sim-2"), enrolled(0, "sim-3")),
        moved(5 * DAY, "follow_up", "sim-3"),
    ]
    care = frame(sorted(events, key=lambda event: event.hour))
    here = scope(care, START, at(40 * DAY), "all")
    alarms = waits(changes((39 * DAY, "green", "red")), care, here)
    due = {"sim-1": 30 * DAY, "sim-2": 40 * DAY - 1, "sim-3": 35 * DAY}
    statuses = pd.DataFrame(
        {
            "time": [at(31 * DAY)] * 3,
            "patient": list(due),
            "due": [at(hour).timestamp() * 1000 for hour in due.values()],
        }
    )
    told = open_tasks(alarms, statuses, here).set_index("task")
    assert told["patients"].to_dict() == {"red_open": 1, "yellow_open": 0, "registration_overdue": 2, "trial_over": 1}
    assert set(told["followed"]) == {3}
    assert open_tasks(alarms, pd.DataFrame(columns=list(STATUSES.columns)), here)["patients"].sum() == 2


def test_a_page_is_delivered_by_any_receipt_that_says_so() -> None:
    care = frame([enrolled(0)])
    pages = pd.DataFrame(
        {
            "time": [at(5), at(6), at(7), at(8), at(9)],
            "patient": "sim-1",
            "page_id": list("abcde"),
            "zone_change_id": "none",
            "action": ["trigger", "trigger", "trigger", "trigger", "resolve"],
            "test": [0.0, 0.0, 0.0, 1.0, 0.0],
        }
    )
    receipts = pd.DataFrame(
        {
            "time": at(10),
            "patient": "sim-1",
            "page_id": ["a", "a", "b"],
            "outcome": ["failed", "delivered", "failed"],
        }
    )
    (told,) = delivery(pages, receipts, scope(care, START, at(20), "all"), by=()).to_dict("records")
    assert (told["pages"], told["delivered"], told["failed"], told["waiting"]) == (3, 1, 1, 1)
    assert told["share"] == pytest.approx(1 / 3)


def test_what_is_amiss_is_counted_against_all_that_was_looked_at() -> None:
    events = [
        enrolled(0),
        Event(10, "sim-1", "admitted", {"acute": 1.0}),
        Event(11, "sim-1", "contact_made", {"contact": "call"}),
        Event(12, "sim-1", "acknowledged", {"reason_code": "not-said"}),
        Event(13, "sim-1", "acknowledged", {"reason_code": "true"}),
    ]
    care = frame(events)
    care.loc[care["kind"] == "contact_made", "recorded"] = at(30 * DAY).timestamp() * 1000
    made = pd.DataFrame(
        {
            "time": [at(1), at(2), at(3)],
            "patient": "sim-1",
            "zone": ["green", "no_data", "green"],
            "submission_id": list("abc"),
            "revision": 1.0,
            "entered_in_error": [0.0, 0.0, 1.0],
            "at": [at(hour).timestamp() * 1000 for hour in (1, 2, 3)],
        }
    )
    told = checks(care, made, scope(care, START, at(60 * DAY), "all"), by=()).set_index("check")
    assert told["found"].to_dict() == {"no_data": 1, "withdrawn": 1, "stay_open": 1, "told_late": 1, "no_reason": 1}
    assert told["of"].to_dict() == {"no_data": 3, "withdrawn": 3, "stay_open": 1, "told_late": 5, "no_reason": 2}
    soon = checks(care, made, scope(care, START, at(20 * DAY), "all"), by=()).set_index("check")
    assert soon.loc["stay_open", "found"] == 0


def test_readings_that_were_withdrawn_are_of_no_quality() -> None:
    care = frame([enrolled(0)])
    read = pd.DataFrame(
        {
            "time": [at(1), at(2), at(3)],
            "patient": "sim-1",
            "quality": ["valid", "implausible", "valid"],
            "withdrawn": [0.0, 0.0, 1.0],
        }
    )
    told = measured(read, scope(care, START, at(20), "all"))
    assert told[["quality", "readings"]].to_numpy().tolist() == [["implausible", 1], ["valid", 1]]
