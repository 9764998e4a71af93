"""The benefits that were promised, by what they are followed: each beside its baseline and its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents.report.cells import label, number
from dashboards.report.views import Both, Column, Hidden, Measured, Note, Section, Table, Text
from pipeline.outcomes.disclosure.cells import TOTAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from agents.report.cells import Subject
    from dashboards.report.views import Cell, Kind, Number
    from schemas.council import Council, Indicator, Measure, Words


class Source(NamedTuple):
    """Where a measure stands: the output, its column, what that is, and which rows."""

    output: str
    column: str
    kind: Kind
    rows: tuple[tuple[str, str], ...] = ()


def _rate(measure: str) -> Source:
    return Source("rates", "per_1000", "rate", (("measure", measure), ("municipality", TOTAL), ("pathway", TOTAL)))


SOURCES: Final[Mapping[Measure, Source]] = {
    "admissions": _rate("admissions"),
    "acute_admissions": _rate("acute_admissions"),
    "readmissions": _rate("readmissions"),
    "emergency_contacts": _rate("emergency_contacts"),
    "bed_days": _rate("bed_days"),
    "readmitted_share": Source("readmissions", "share", "share"),
    "users": Source("caseload", "users", "count"),
    "users_of_target": Source("caseload", "share", "share"),
    "adherence": Source("adherence", "share", "share"),
    "participation": Source("participation", "share", "share"),
    "alarms": Source("alarm_load", "per_1000", "rate"),
    "alarms_right": Source("by_zone", "ppv", "share", (("zone", "red"),)),
    "red_in_time": Source("taken_over", "share", "share", (("zone", "red"),)),
    "yellow_in_time": Source("taken_over", "share", "share", (("zone", "yellow"),)),
    "days_in_green": Source("time_in_zone", "share", "share", (("zone", "green"),)),
    "pages_delivered": Source("delivery", "share", "share"),
    "answered": Source("response", "share", "share"),
    "median_score": Source("response", "median_score", "score"),
}


def benefits(
    told: Mapping[str, pd.DataFrame], subject: Subject, council: Council, last_month: Mapping[str, str]
) -> Section:
    """The page of benefits: where each stands, how it went, and what it is.

    Parameters
    ----------
    last_month
        Of each period, whose users are those at the end of that month.
    """
    asked = {
        name: one
        for name, one in council.indicators.items()
        if not subject.services or one.service is None or one.service in subject.services
    }
    if not asked:
        return Section("benefits", (Note(Text("benefits.none")),), own_page=True)
    whole = {name: value(told, one, TOTAL, last_month) for name, one in asked.items()}
    standing = [_standing(one, whole[name]) for name, one in asked.items()]
    course = [
        (_both(one.name), Text(period, "period"), value(told, one, period, last_month))
        for one in asked.values()
        for period in subject.periods
    ]
    meant = [
        (
            _both(one.name),
            _both(one.definition),
            _both(one.source),
            _both(one.baseline.source) if one.baseline else None,
            _both(one.owner),
        )
        for one in asked.values()
    ]
    return Section(
        "benefits",
        (
            Note(Text("benefits.meaning")),
            Table("benefits_standing", _STANDING, tuple(standing)),
            Table("benefits_course", _COURSE, tuple(course)),
            Table("benefits_meant", _MEANT, tuple(meant)),
        ),
        own_page=True,
    )


def value(told: Mapping[str, pd.DataFrame], one: Indicator, period: str, last_month: Mapping[str, str]) -> Measured:
    """What an indicator is in a period; none where nobody was followed."""
    source = SOURCES[one.measure]
    rows = told[source.output if one.questionnaire is None else f"{source.output}:{one.questionnaire}"]
    when = last_month[period] if source.output == "caseload" else period
    rows = rows[(rows["service"] == (one.service or TOTAL)) & (rows["period"] == when)]
    for column, wanted in source.rows:
        rows = rows[rows[column] == wanted]
    found: Number = None if rows.empty else number(rows.iloc[0], source.output, source.column)
    return Measured(found, source.kind)


def _standing(one: Indicator, told: Measured) -> tuple[Cell, ...]:
    return (
        _both(one.name),
        label("service", one.service or TOTAL),
        Measured(one.baseline.value if one.baseline else None, told.kind),
        Measured(one.target, told.kind),
        told,
        Text(_reached(one, told.value)),
    )


def _reached(one: Indicator, told: Number) -> str:
    """The key of whether the target was reached."""
    if one.target is None:
        return "target.none"
    if isinstance(told, Hidden) or told is None:
        return "target.unknown"
    reached = told <= one.target if one.better == "lower" else told >= one.target
    return "target.reached" if reached else "target.missed"


def _both(words: Words) -> Both:
    return Both(words.nb, words.en)


_STANDING: Final = (
    Column("indicator", "text"),
    Column("service", "text"),
    Column("baseline", "score"),
    Column("target", "score"),
    Column("whole_period", "score"),
    Column("standing", "text"),
)
_COURSE: Final = (Column("indicator", "text"), Column("period", "text"), Column("value", "score"))
_MEANT: Final = (
    Column("indicator", "text"),
    Column("definition", "text"),
    Column("source", "text"),
    Column("baseline_source", "text"),
    Column("owner", "text"),
)
