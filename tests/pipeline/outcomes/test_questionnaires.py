"""Scores of questionnaires and their change: by hand, and registration by registration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.frames import ANSWERS
from pipeline.outcomes.questionnaires import change, response, scores
from pipeline.outcomes.time_at_risk import scope
from tests.pipeline.outcomes.made import START, at, enrolled, frame, moved
from tests.pipeline.outcomes.test_adherence import assessments

DAY = 24
ITEMS = ("breath", "sleep")


def answers(told: list[tuple[str, float, str, float]]) -> pd.DataFrame:
    """Patient, hour, question, value."""
    rows: list[dict[str, Any]] = [
        {
            "time": at(hour),
            "patient": patient,
            "questionnaire": "copd-daily",
            "question": question,
            "kind": "number",
            "value": value,
            "submission_id": f"{patient}-{hour}",
            "revision": 1.0,
        }
        for patient, hour, question, value in told
    ]
    return pd.DataFrame(rows).reindex(columns=list(ANSWERS.columns))


def judged(told: pd.DataFrame) -> pd.DataFrame:
    found = [
        assessments([float((time - at(0)).total_seconds() / 3600)], patient=who)
        for who, time in zip(told["patient"], told["time"], strict=True)
    ]
    return pd.concat(found or [assessments([])]).drop_duplicates("submission_id")


def test_a_score_is_the_sum_of_all_items_and_none_where_one_is_missing() -> None:
    told = answers([("sim-1", 1.0, "breath", 2), ("sim-1", 1.0, "sleep", 3), ("sim-1", 30.0, "breath", 1)])
    found = scores(told, judged(told), "copd-daily", ITEMS)
    assert found[["patient", "score"]].to_numpy().tolist() == [["sim-1", 5.0]]
    assert scores(told, judged(told), "another", ITEMS).empty


def test_what_a_correction_left_out_or_took_back_is_no_answer() -> None:
    told = answers([("sim-1", 1.0, "breath", 2), ("sim-1", 1.0, "sleep", 3)])
    told.loc[told["question"] == "breath", "revision"] = 2.0
    corrected = judged(told).assign(revision=2.0)
    assert scores(told, corrected, "copd-daily", ITEMS).empty
    assert scores(told, corrected, "copd-daily", ("breath",))["score"].tolist() == [2.0]
    assert scores(told, corrected.assign(entered_in_error=1.0), "copd-daily", ("breath",)).empty


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sim-1", "sim-2"]),
            st.integers(0, 5),
            st.sampled_from(["breath", "sleep", "worry"]),
            st.integers(0, 4),
        ),
        max_size=20,
        unique_by=lambda one: one[:3],
    )
)
@settings(deadline=None, max_examples=25)
def test_scores_are_as_one_registration_after_the_other(given_: list[tuple[str, int, str, int]]) -> None:
    told = answers([(who, float(hour), question, float(value)) for who, hour, question, value in given_])
    slow = []
    for who in ("sim-1", "sim-2"):
        for hour in range(6):
            mine = {question: value for one, when, question, value in given_ if (one, when) == (who, hour)}
            if set(ITEMS) <= set(mine):
                slow.append((who, at(hour), float(sum(mine[item] for item in ITEMS))))
    found = scores(told, judged(told), "copd-daily", ITEMS)
    assert list(found.itertuples(index=False, name=None)) == slow


def test_change_is_of_patients_who_have_both_scores() -> None:
    """Student's sleep data again, as first and later scores; and one who fell silent."""
    first = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    later = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    who = [f"sim-{number}" for number in range(11)]
    here = scope(frame([enrolled(0, one) for one in who]), START, at(200 * DAY), "all")
    rows = [(one, at(5 * DAY), value) for one, value in zip(who, (*first, 9.0), strict=True)]
    rows += [(one, at(8 * DAY), 99.0) for one in who]  # a second one within the first days is not the first
    rows += [(one, at(70 * DAY), 99.0) for one in who[:10]]  # nor is this the last in the window
    rows += [(one, at(100 * DAY), value) for one, value in zip(who[:10], later, strict=True)]
    told = pd.DataFrame(rows, columns=["patient", "time", "score"]).assign(time=lambda f: pd.to_datetime(f["time"]))
    row = change(told, here, important=1.0, better="higher").iloc[0]
    assert row[["patients", "both"]].tolist() == [11, 10]
    assert row[["change", "low", "high"]].to_numpy(float) == pytest.approx([1.58, 0.7001142, 2.4598858])
    assert row[["improved", "improved_share"]].tolist() == [
        sum(b - a >= 1 for a, b in zip(first, later, strict=True)),
        0.8,
    ]
    worse = change(told, here, important=1.0, better="lower").iloc[0]
    assert worse["improved"] == 0
    assert np.isnan(change(told, here).iloc[0]["improved"])


def test_response_is_of_patients_followed_for_two_weeks() -> None:
    events = [enrolled(0, "sim-1"), enrolled(0, "sim-2"), enrolled(0, "sim-3"), moved(3 * DAY, "ended", "sim-3")]
    here = scope(frame(events), START, at(20 * DAY), "all")
    told = pd.DataFrame(
        {
            "patient": ["sim-1", "sim-1", "sim-3"],
            "time": pd.to_datetime([at(9), at(40), at(9)]),
            "score": [4.0, 6.0, 1.0],
        }
    )
    row = response(told, here, by=()).iloc[0]
    assert row[["patients", "answered", "share", "median_score"]].tolist() == [2, 1, 0.5, 6.0]
