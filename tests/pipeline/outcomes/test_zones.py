"""Time in each zone: against an hour-by-hour look at the changes that stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.following import TRAITS
from pipeline.outcomes.frames import ZONE_CHANGES
from pipeline.outcomes.time_at_risk import scope
from pipeline.outcomes.zones import standing_changes, time_in_zone, zone_stretches
from schemas.types import Zone
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories

if TYPE_CHECKING:
    from tests.oracles.outcomes import Event

HOURS = 96
ZONES = [zone.value for zone in Zone]
Change = tuple[int, str, str, bool]  # hour, patient, to, taken back


def changes(told: list[Change]) -> pd.DataFrame:
    """Changes of zone, each from where the patient was by those that stand."""
    rows: list[dict[str, Any]] = []
    now: dict[str, str] = {}
    for place, (hour, patient, to, retracted) in enumerate(told):
        start = now.get(patient, "not_monitored")
        rows.append(
            {
                "time": at(hour),
                "patient": patient,
                "from_zone": start,
                "to_zone": to,
                "zone_change_id": f"{place:04d}",
                "alert_reasons": "limit_red:spo2" if to in ("red", "yellow") else "none",
                "retracted": float(retracted),
            }
        )
        if not retracted:
            now[patient] = to
    return pd.DataFrame(rows).reindex(columns=list(ZONE_CHANGES.columns))


CHANGES = st.lists(
    st.tuples(st.integers(0, HOURS - 1), st.sampled_from(PATIENTS), st.sampled_from(ZONES), st.booleans()),
    max_size=16,
    unique_by=lambda change: change[:2],
).map(sorted)


def zone_at(told: list[Change], patient: str, hour: int) -> str:
    """The zone of a patient in an hour."""
    zone = "not_monitored"
    for when, who, to, retracted in told:
        if who == patient and when <= hour and not retracted:
            zone = to
    return zone


@given(histories(HOURS), CHANGES)
@settings(deadline=None, max_examples=20)
def test_time_in_zone_is_as_an_hour_at_a_time(events: list[Event], told: list[Change]) -> None:
    ours = time_in_zone(changes(told), scope(frame(events), START, at(HOURS), "all"), by=TRAITS)
    theirs: Counter[Any] = Counter()
    who: dict[Any, set[str]] = {}
    for patient in PATIENTS:
        for hour in range(HOURS):
            by = oracle.traits(events, patient, hour)
            if by is not None:
                key = (by, zone_at(told, patient, hour))
                theirs[key] += 1
                who.setdefault(key, set()).add(patient)
    for row in ours.to_dict("records"):
        key = (tuple(row[name] for name in TRAITS), row["zone"])
        assert row["days"] * 24 == pytest.approx(theirs.pop(key, 0))
        assert row["patients"] == len(who.get(key, ()))
    assert not theirs
    assert ours.empty or ours.groupby(list(TRAITS))["share"].sum().to_numpy() == pytest.approx(1.0)


def test_a_change_that_was_taken_back_never_was() -> None:
    told = zone_stretches(changes([(0, "sim-1", "green", False), (10, "sim-1", "red", True)]), at(HOURS))
    assert told[["start", "stop", "zone"]].to_numpy().tolist() == [[at(0), at(HOURS), "green"]]


def test_of_changes_at_one_instant_only_the_end_of_their_chain_is_kept() -> None:
    told = changes([(0, "sim-1", "green", False), (10, "sim-1", "yellow", False)])
    later = changes([(10, "sim-1", "red", False)]).assign(from_zone="yellow", zone_change_id="0000")
    both = standing_changes(pd.concat([told, later], ignore_index=True))
    assert both["to_zone"].tolist() == ["green", "red"]


def test_all_five_zones_are_told_though_nobody_was_in_them() -> None:
    told = time_in_zone(changes([]), scope(frame([enrolled(0)]), START, at(48), "all"), by=())
    assert told["zone"].tolist() == ["green", "yellow", "red", "no_data", "not_monitored"]
    assert told["days"].tolist() == [0, 0, 0, 0, 2.0]
