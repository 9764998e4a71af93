"""From what the store holds of simulated patients to every output."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.outcomes.frames import CARE_EVENTS, MEANINGS, NURSES, SHAPES, STATUSES, TARGETS, FrameError, taken
from pipeline.outcomes.time_at_risk import scope
from pipeline.outcomes.zones import time_in_zone
from tests.pipeline.outcomes.everything import DAYS, everything, stored
from tests.pipeline.outcomes.stored import START, cohort

DOCS = Path(__file__).parents[3] / "docs" / "outcomes.md"
STORED = [shape for shape in SHAPES if shape not in (TARGETS, NURSES)]


@pytest.mark.parametrize("shape", STORED, ids=lambda shape: shape.name)
def test_the_store_gives_every_column_that_is_asked_for(shape: object) -> None:
    frame = cohort()[shape.name]  # type: ignore[attr-defined] # a Shape
    assert set(shape.columns) - set(frame.columns) <= set(shape.some)  # type: ignore[attr-defined] # a Shape


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_page_on_outcomes_tells_of_every_frame_and_column(shape: object) -> None:
    page = DOCS.read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{shape.name}` |"))  # type: ignore[attr-defined] # a Shape
    assert MEANINGS[shape.name] in row  # type: ignore[attr-defined] # a Shape
    assert [name for name in shape.columns if f"`{name}`" not in row] == []  # type: ignore[attr-defined] # a Shape


def test_a_frame_that_lacks_a_column_is_refused_by_name_and_an_empty_one_is_not() -> None:
    with pytest.raises(FrameError, match="status needs the columns due"):
        taken(pd.DataFrame({"time": [pd.Timestamp(START)], "patient": ["sim-1"]}), STATUSES)
    assert taken(pd.DataFrame({"time": []}), STATUSES).empty


def test_what_is_not_given_is_missing() -> None:
    told = taken(cohort()["care_event"], CARE_EVENTS)
    assert told["recorded"].notna().all()
    one = pd.DataFrame({"time": [pd.Timestamp(START)], "patient": ["sim-1"], "due": [-1.0]})
    assert taken(one, STATUSES)["due"].isna().all()


@pytest.mark.parametrize("shift", [timedelta(days=364), timedelta(hours=-5)])
def test_the_same_patients_at_another_time_have_the_same_outcomes(shift: timedelta) -> None:
    """Whole weeks, and no change of clocks in between; by hours only what hangs on no calendar is compared."""
    ours, theirs = everything(stored()), everything(stored(shift), shift)
    for name, told in ours.items():
        if shift < timedelta(0) and name in {"rates", "adherence", "adherence_by_day"}:
            continue
        numbers = told.frame.select_dtypes("number")
        again = theirs[name].frame.select_dtypes("number")
        assert np.allclose(numbers, again, equal_nan=True), name


def test_every_output_holds_something_to_look_at() -> None:
    told = everything(stored())
    assert {name for name, one in told.items() if one.frame.empty} <= {"change_points"}


def test_days_in_zones_add_up_to_the_days_followed() -> None:
    found = stored()
    here = scope(found["care_event"], START, START + timedelta(days=DAYS), "month")
    told = time_in_zone(found["zone_change"], here, by=("service", "period"))
    days = here.time.groupby(["service", "period"])["days_followed"].sum()
    assert np.allclose(told.groupby(["service", "period"])["days"].sum(), days)
