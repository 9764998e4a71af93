"""Of every output what may leave: no small number, no column that nobody thought of, no patient."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import pytest

from pipeline.outcomes.disclosure.cells import TOTAL, with_totals
from pipeline.outcomes.disclosure.outputs import OUTPUTS, released, released_curve
from pipeline.outcomes.disclosure.suppressing import LEAST, WIDTH
from pipeline.outcomes.rates import rates
from pipeline.outcomes.time_at_risk import scope
from tests.oracles.disclosure import intervals
from tests.pipeline.outcomes.everything import Told, everything, stored
from tests.pipeline.outcomes.simulated import ENROLLED, KNOWN_UNTIL, Truth, care_events

# Columns that tell of no patient: what was asked, instants of the calendar, what holds of a whole service or model.
OF_NOBODY = {
    *("period", "start", "stop", "service", "measure", "zone", "rule", "kind", "window", "equipment", "method"),
    *("target", "nurse_days", "center", "shifted"),
    *("before", "task", "check", "quality"),
}
TOLD_BY_DAY = ("time_to_first_admission", "time_to_end")
OF_MODELS = ("trend", "change_points")


@lru_cache(maxsize=1)
def outputs() -> dict[str, Told]:
    return everything(stored())


def test_every_output_is_known_or_tells_of_no_cells() -> None:
    assert set(outputs()) == {*OUTPUTS, *TOLD_BY_DAY, *OF_MODELS}


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_column_of_an_output_was_forgotten(name: str) -> None:
    told = outputs()[name].frame
    output = OUTPUTS[name]
    hidden = {column for group in output.groups for column in group.columns}
    assert hidden <= set(told.columns)
    assert set(told.columns) - hidden - OF_NOBODY - set(output.dropped) == set()


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_leaves_holds_no_small_number_and_no_patient(name: str) -> None:
    told = outputs()[name]
    found = released(name, told.frame, told.by)
    assert "patient" not in found
    assert len(found) == len(told.frame)
    assert not set(OUTPUTS[name].dropped) & set(found.columns)
    for group in OUTPUTS[name].groups:
        gone = found[f"{group.name}_hidden"]
        assert found.loc[gone, group.columns].isna().all(axis=None)
        for count in group.counts:
            assert not found[count].between(1, LEAST - 1).any()
        for part, whole in group.parts:
            assert not (found[whole] - found[part]).between(1, LEAST - 1).any()


def test_what_is_not_in_the_list_does_not_leave() -> None:
    with pytest.raises(KeyError):
        released("lead_times", pd.DataFrame({"patient": ["sim-0001"], "lead_days": [3.0]}))


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_of_nobody_leaves_as_it_is(name: str) -> None:
    told = outputs()[name]
    found = released(name, told.frame.iloc[:0], told.by)
    assert found.empty
    assert {f"{group.name}_hidden" for group in OUTPUTS[name].groups} <= set(found.columns)


def test_of_sixteen_patients_in_five_services_most_is_hidden_by_service() -> None:
    found = released("rates", outputs()["rates"].frame, outputs()["rates"].by)
    assert found["followed_hidden"].mean() > 0.5
    assert found["events_hidden"].mean() > 0.5


def test_a_table_of_rates_with_totals_is_not_found_out() -> None:
    """Three services by quarter, with every total, against a solver: for each measure and for the patients followed."""
    care = care_events(Truth(runs=3, patients=25, yearly_rate=1.0), 4)
    here = scope(care, ENROLLED, KNOWN_UNTIL, "quarter")
    by = ("service", "period")
    told = with_totals(lambda asked: rates(care, here, by=asked), by)
    found = released("rates", told, by)
    assert found.attrs["not_elsewhere"] == {"followed": [], "events": []}
    for measure in ("admissions", "readmissions", "emergency_contacts"):
        true = told[told["measure"] == measure].set_index(list(by))["events"].astype(float).to_dict()
        here_hidden = found[(found["measure"] == measure) & found["events_hidden"]]
        hidden = set(here_hidden[list(by)].itertuples(index=False, name=None))
        inner = [key for key in true if TOTAL not in key]
        for least, most in intervals(inner, true, hidden).values():
            assert most - least >= WIDTH
    shares = found[["measure", "events_hidden"]].groupby("measure")["events_hidden"].mean()
    assert 0 < shares["admissions"] < 0.8


def test_a_curve_is_told_only_where_five_or_more_came_to_it_since_it_was_last_told() -> None:
    curve = pd.DataFrame(
        {
            "day": [10, 20, 30, 40, 50],
            "at_risk": [90, 80, 60, 20, 4],
            "events": [0, 3, 7, 9, 30],
            "share": [1.0, 0.97, 0.9, 0.88, 0.4],
        }
    )
    assert released_curve(curve)["day"].tolist() == [10, 30]
    for name in TOLD_BY_DAY:
        found = released_curve(outputs()[name].frame)
        steps = found["events"].diff().fillna(found["events"])
        assert ((steps == 0) | (steps >= LEAST)).all()
