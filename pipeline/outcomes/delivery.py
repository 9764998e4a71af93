"""Whether pages reached somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.outcomes.frames import PAGES, RECEIPTS, taken
from pipeline.outcomes.intervals import share
from pipeline.outcomes.time_at_risk import grouped, keys
from schemas.paging import Outcome, PageAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope


def delivery(
    pages: pd.DataFrame, receipts: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",)
) -> pd.DataFrame:
    """Return how many of the pages that ask somebody to act were delivered, by `frames.PAGES` and `frames.RECEIPTS`.

    One of which an ask failed and a later one did not was delivered. Tests are none, and neither are words that
    somebody has it or that it is over.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `pages`, `patients`, `delivered`, `failed` (nothing but failures), `waiting` (no receipt),
        `share` (delivered), `low`, `high` (95 %, by score).
    """
    known = taken(pages, PAGES)
    known = known[(known["test"] == 0) & (known["action"] == PageAction.TRIGGER.value)].drop_duplicates("page_id")
    said = taken(receipts, RECEIPTS)
    got = set(said.loc[said["outcome"] == Outcome.DELIVERED.value, "page_id"])
    heard = known["page_id"].isin(set(said["page_id"]))
    reached = known["page_id"].isin(got)
    marks = known[["patient", "time"]].assign(
        delivered=reached.astype("int64"), failed=(heard & ~reached).astype("int64"), waiting=(~heard).astype("int64")
    )
    sums = grouped(scope.placed(marks), by).groupby(keys(by), sort=True)
    rows = sums.agg(
        pages=("time", "size"),
        patients=("patient", "nunique"),
        delivered=("delivered", "sum"),
        failed=("failed", "sum"),
        waiting=("waiting", "sum"),
    ).reset_index()
    part, low, high = share(rows["delivered"], rows["pages"])
    columns = [*by, "pages", "patients", "delivered", "failed", "waiting", "share", "low", "high"]
    return rows.assign(share=part, low=low, high=high)[columns]
