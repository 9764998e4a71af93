"""The u-chart of acute admissions by month, its signals, and steps and trend, where no month is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.report.cells import label
from dashboards.report.views import Chart, Column, Line, Note, Point, Table, Text
from pipeline.outcomes.change_points import change_points
from pipeline.outcomes.control_chart import u_chart
from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.regression import trend

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from agents.report.cells import Subject
    from dashboards.report.views import Cell

MEASURE: Final = "acute_admissions"
LEAST_MONTHS: Final = 8  # fewer make neither limits nor a trend: our choice


def stability(rates: pd.DataFrame, subject: Subject, months: pd.DataFrame) -> Iterator[Note | Chart | Table]:
    """Yield the chart of each service that is drawn, and what signals; `months`: `period`, `start`, `stop`."""
    yield Note(Text("stability.meaning"))
    if len(months) < LEAST_MONTHS:
        yield Note(Text("stability.short", filled=(("months", LEAST_MONTHS),)))
        return
    mine = rates[(rates["measure"] == MEASURE) & (rates["municipality"] == TOTAL) & (rates["pathway"] == TOTAL)]
    for service in subject.drawn:
        one = mine[mine["service"] == service].set_index("period")
        known = one.reindex(months["period"])
        named = label("service", service)
        if known["events"].isna().any() or known["days"].isna().any():
            yield Note(Text("stability.hidden", filled=(("service", named),)))
            continue
        series = months[["period", "start", "stop"]].assign(
            events=known["events"].to_numpy(), days=known["days"].to_numpy()
        )
        yield from _drawn(series.astype({"events": "int64"}), service)


def _drawn(series: pd.DataFrame, service: str) -> Iterator[Note | Chart | Table]:
    told = u_chart(series)
    place = service if service != TOTAL else "all"
    named = (("service", label("service", service)),)
    drawn = tuple(
        Line(Text(name), tuple(Point(float(value)) for value in told[column]))
        for name, column in (("rate", "per_1000"), ("center", "center"), ("low_limit", "low"), ("high_limit", "high"))
    )
    periods = tuple(Text(one, "period") for one in told["period"])
    name = f"control-{place}"
    yield Chart(
        f"{name}-chart",
        "control",
        periods,
        drawn,
        "axis.per_1000",
        name,
        "rate",
        Text("control_chart.of", filled=named),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            Text(row["period"], "period"),
            *(float(row[column]) for column in ("events", "days", "per_1000", "center", "low", "high")),
            Text("yes" if row["beyond"] else "no"),
        )
        for _, row in told.iterrows()
    )
    heads = (
        Column("period", "text"),
        *(Column(*one) for one in (("events", "count"), ("patient_days", "amount"), ("per_1000", "rate"))),
        *(Column(one, "rate") for one in ("center", "low_limit", "high_limit")),
        Column("beyond", "text"),
    )
    yield Table(name, heads, rows, Text("control.caption", filled=named))
    yield Note(Text("stability.shifted" if bool(told["shifted"].iloc[0]) else "stability.steady", filled=named))
    yield from _changes(series)


def _changes(series: pd.DataFrame) -> Iterator[Note]:
    steps = change_points(series)
    for _, step in steps.iterrows():
        filled = (("period", Text(step["period"], "period")), ("ratio", float(step["ratio"])), ("p", float(step["p"])))
        yield Note(Text("stability.step", filled=filled))
    if steps.empty:
        yield Note(Text("stability.no_step"))
    (grown,) = trend(series).to_dict("records")
    ends = tuple((name, float(grown[name])) for name in ("ratio", "low", "high"))
    yield Note(Text("stability.trend", filled=ends))
