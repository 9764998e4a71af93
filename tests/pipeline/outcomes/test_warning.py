"""Whether admissions were warned of: by hand, and against an hour-by-hour look back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.outcomes.time_at_risk import scope
from pipeline.outcomes.warning import lead_times, warned
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories, stay
from tests.pipeline.outcomes.test_zones import CHANGES, HOURS, Change, changes, zone_at

if TYPE_CHECKING:
    from tests.oracles.outcomes import Event

DAY = 24
ALERTS = ("yellow", "red")


def test_the_lead_is_from_the_first_yellow_or_red_that_led_up_to_the_admission() -> None:
    events = [enrolled(0), *stay(30 * DAY, 32 * DAY), *stay(60 * DAY, 61 * DAY, acute=False), *stay(90 * DAY, 91 * DAY)]
    told = [
        (0, "sim-1", "green", False),
        (5 * DAY, "sim-1", "red", False),  # too long ago
        (6 * DAY, "sim-1", "green", False),
        (20 * DAY, "sim-1", "yellow", False),
        (21 * DAY, "sim-1", "green", False),
        (27 * DAY, "sim-1", "red", False),
        (33 * DAY, "sim-1", "green", False),
        (70 * DAY, "sim-1", "yellow", False),  # goes on up to the admission
        (90 * DAY + 1, "sim-1", "green", False),
    ]
    here = scope(frame(events), START, at(100 * DAY), "all")
    assert lead_times(changes(told), here)["lead_days"].tolist() == [10.0, 14.0]
    row = warned(changes(told), here).iloc[0]
    assert row[["admissions", "warned", "share", "median"]].tolist() == [2, 2, 1.0, 12.0]


def test_an_admission_without_a_warning_is_told_as_one() -> None:
    here = scope(frame([enrolled(0), *stay(30 * DAY, 32 * DAY)]), START, at(40 * DAY), "all")
    row = warned(changes([(0, "sim-1", "green", False)]), here).iloc[0]
    assert row[["admissions", "warned", "share", "by_chance"]].tolist() == [1, 0, 0.0, 0.0]
    assert np.isnan(row["median"])


@given(histories(HOURS), CHANGES)
@settings(deadline=None, max_examples=20)
def test_leads_and_chance_are_as_an_hour_at_a_time(events: list[Event], told: list[Change]) -> None:
    here = scope(frame(events), START, at(HOURS), "all")
    back = 1
    ours = lead_times(changes(told), here, look_back_days=back)
    leads = []
    near = at_risk = 0
    for patient in PATIENTS:
        alert = [zone_at(told, patient, hour) in ALERTS for hour in range(HOURS)]
        for admitted, _, acute, _ in oracle.stays(events, patient, HOURS):
            if acute and oracle.traits(events, patient, admitted) is not None:
                before = [hour for hour in range(max(0, admitted - back * DAY), admitted) if alert[hour]]
                leads.append((patient, admitted - before[0] if before else None))
        for hour in range(HOURS):
            if oracle.traits(events, patient, hour) and not oracle.in_hospital(events, patient, hour, HOURS):
                at_risk += 1
                near += any(alert[max(0, hour - back * DAY) : hour + 1])
    found = [
        (patient, None if np.isnan(lead) else round(lead * DAY))
        for patient, lead in zip(ours["patient"], ours["lead_days"], strict=True)
    ]
    assert sorted(found, key=str) == sorted(leads, key=str)
    if leads:
        assert warned(changes(told), here, look_back_days=back)["by_chance"].iloc[0] == pytest.approx(
            near / at_risk if at_risk else np.nan, nan_ok=True
        )
