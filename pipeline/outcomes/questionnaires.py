"""What patients answer about their own health: who answers, the scores, and how they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from pipeline.outcomes.adherence import LEAST_DAYS
from pipeline.outcomes.following import enrolments
from pipeline.outcomes.frames import ANSWERS, ASSESSMENTS, days, looked_up, taken
from pipeline.outcomes.intervals import mean, share
from pipeline.outcomes.time_at_risk import each, grouped, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

Direction = Literal["lower", "higher"]  # which way a score is better


def scores(answers: pd.DataFrame, assessments: pd.DataFrame, questionnaire: str, items: Sequence[str]) -> pd.DataFrame:
    """Return the score of each registration that answered all of `items` by number: their sum.

    A registration that lacks one has no score, as most instruments have it. Of answers that a correction changed or
    left out the last revision holds.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time`, `score`, by patient and time.
    """
    known = taken(answers, ANSWERS)
    known = known[
        (known["questionnaire"] == questionnaire) & known["question"].isin(items) & (known["kind"] == "number")
    ]
    judged = taken(assessments, ASSESSMENTS)
    judged = judged.loc[judged["entered_in_error"] == 0, ["patient", "submission_id", "revision"]]
    # An answer that a later correction left out still stands in the store, by an older revision than its assessment.
    held = known.merge(judged, on=["patient", "submission_id", "revision"], how="inner")
    held = held.drop_duplicates(["patient", "submission_id", "question"], keep="last")
    sums = held.groupby(["patient", "submission_id"]).agg(
        time=("time", "min"), score=("value", "sum"), answered=("question", "nunique")
    )
    whole = sums[sums["answered"] == len(set(items))].reset_index()
    return whole[["patient", "time", "score"]].sort_values(["patient", "time"], ignore_index=True)


def response(
    told: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",), least_days: float = LEAST_DAYS
) -> pd.DataFrame:
    """Return the share of patients with a score in the period, of those followed for `least_days` or more in it.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `patients`, `answered`, `share`, `low`, `high` (95 %, by score), `median_score`.
    """
    group = [*keys(by), "patient"]
    time = grouped(scope.time, by).groupby(group, sort=True)["days_followed"].sum().reset_index()
    here = grouped(scope.placed(told), by)
    last = here.sort_values("time", kind="stable").groupby(group)["score"].last().reset_index()
    both = time[time["days_followed"] >= least_days].merge(last, on=group, how="left")
    found = both.groupby(keys(by), sort=True).agg(
        patients=("patient", "nunique"), answered=("score", "count"), median_score=("score", "median")
    )
    found = found.reset_index()
    part, low, high = share(found["answered"], found["patients"])
    columns = [*by, "patients", "answered", "share", "low", "high", "median_score"]
    return found.assign(share=part, low=low, high=high)[columns]


def change(  # noqa: PLR0913 - from when to when, and what counts as better
    told: pd.DataFrame,
    scope: Scope,
    *,
    by: Sequence[str] = (),
    baseline_days: float = 30,
    after_days: tuple[float, float] = (60, 120),
    important: float | None = None,
    better: Direction = "lower",
) -> pd.DataFrame:
    """Return how scores changed from enrolment on, over patients who have both a first and a later one.

    Parameters
    ----------
    by
        Traits at enrolment.
    baseline_days
        The first score counts where it was given so soon after enrolment [d].
    after_days
        The later score is the last one so long after enrolment, both ends included [d].
    important
        The least difference that matters to patients, by the instrument's own literature; None: not asked.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `patients` (with a first score), `both`, `first` (mean), `later` (mean), `change` (mean of
        later less first), `low`, `high` (95 %, paired, by Student's t), `improved`, `improved_share`, `improved_low`,
        `improved_high` (by at least `important`). Whoever left or fell silent has no later score, and is likely to
        fare worse.
    """
    known = enrolments(scope.followed)
    since = told.merge(known, on="patient")
    since = since.assign(day=days(since["time"] - since["enrolled"])).sort_values("time", kind="stable")
    early = since[(since["day"] >= 0) & (since["day"] <= baseline_days)].groupby("patient")["score"].first()
    late = since[(since["day"] >= after_days[0]) & (since["day"] <= after_days[1])].groupby("patient")["score"].last()
    pairs = known.assign(first=looked_up(known["patient"], early), later=looked_up(known["patient"], late))
    pairs = pairs[pairs["first"].notna()]
    rows = []
    for named, group in each(pairs, by):
        whole = group[group["later"].notna()]
        moved = (whole["later"] - whole["first"]).to_numpy(np.float64)
        gained = -moved if better == "lower" else moved
        improved = np.nan if important is None else int((gained >= important).sum())
        part = share(improved, len(moved))
        means = (whole["first"].mean(), whole["later"].mean())
        rows.append(
            (*named.values(), len(group), len(moved), *means, *mean(moved), improved, *(float(x) for x in part))
        )
    columns = ("patients", "both", "first", "later", "change", "low", "high")
    return pd.DataFrame(rows, columns=[*by, *columns, "improved", "improved_share", "improved_low", "improved_high"])
