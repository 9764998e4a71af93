"""A report out of the council's tables: which form it has, and its sections in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from agents.report import sections
from agents.report.cells import Subject, label, number
from agents.report.indicators import benefits
from agents.report.sections import note
from dashboards.report.views import Document, Figure
from pipeline.outcomes.disclosure.cells import TOTAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dashboards.report.views import Kind, Note
    from pipeline.outcomes.council.tables import Held, Told
    from schemas.council import Council

_QUARTER_MONTHS: Final = 3
_YEAR_MONTHS: Final = 12


def document(  # noqa: PLR0913, PLR0917 - a report is told by what is known, of whom, and when it was made
    held: Held,
    told: Told,
    council: Council,
    services: tuple[str, ...],
    span: tuple[datetime, datetime],
    made_at: datetime,
) -> Document:
    """Return the report.

    Parameters
    ----------
    services
        Those that it is about; none: all, and all together.
    span
        Its start and stop, by the calendar of the report.
    """
    start, stop = span
    tables, when = told
    subject = Subject(services, tuple(when.shown.periods["period"]))
    months = list(when.months.periods["period"])
    last_month = _last_months(months, subject.periods, when.quarter_of)
    known_before = _known_before(held, told)
    parts = (
        sections.users(tables, subject, _months_of(months, subject.periods, when.quarter_of)),
        sections.gains(tables, subject, known_before=known_before),
        sections.steady(tables, subject, when.months.periods),
        sections.handling(tables, subject),
        sections.taking_part(tables, subject),
        sections.questionnaires(tables, subject, council.questionnaires),
        sections.alarms(tables, subject),
        sections.zones(tables, subject),
        sections.means(tables, subject),
        benefits(tables, subject, council, last_month),
        sections.quality(tables, subject, _notes(held, council, known_before=known_before)),
        sections.limits(),
    )
    return Document(
        form=_form(when.months.periods),
        services=tuple(label("service", one) for one in services),
        first=start.date(),
        last=(stop - timedelta(milliseconds=1)).date(),
        made_at=made_at,
        figures=_figures(tables, subject, last_month, known_before=known_before) if len(subject.drawn) == 1 else (),
        sections=parts,
    )


def _form(months: pd.DataFrame) -> Literal["year", "quarter", "period"]:
    """A calendar year, a calendar quarter, or something else."""
    if not months["whole"].all():
        return "period"
    first = int(months["period"].iloc[0][5:])
    if len(months) == _YEAR_MONTHS and first == 1:
        return "year"
    return "quarter" if len(months) == _QUARTER_MONTHS and first % _QUARTER_MONTHS == 1 else "period"


def _months_of(months: list[str], periods: tuple[str, ...], quarter_of: Mapping[str, str]) -> dict[str, list[str]]:
    """The months of each period."""
    return {period: [month for month in months if period in (month, quarter_of[month])] for period in periods}


def _last_months(months: list[str], periods: tuple[str, ...], quarter_of: Mapping[str, str]) -> dict[str, str]:
    """The last month of each period, and of the whole."""
    found = {quarter_of[month]: month for month in months} | {month: month for month in months}
    return {**{period: found[period] for period in periods}, TOTAL: months[-1]}


def _known_before(held: Held, told: Told) -> bool:
    """Whether any admission or emergency contact of before an enrolment is known."""
    first = told.when.whole.followed.groupby("patient")["start"].min()
    care = held.care_events
    events = care[care["kind"].isin(("admitted", "emergency_contact"))]
    enrolled = events["patient"].astype("str").map(first)
    return bool((pd.to_datetime(events["time"], utc=True) < enrolled).any())


def _notes(held: Held, council: Council, *, known_before: bool) -> list[Note]:
    found = [note("quality.imports" if known_before else "quality.no_imports")]
    if council.outcomes_known_from is not None:
        found.append(note("quality.known_from", day=council.outcomes_known_from.isoformat()))
    if not any(followed.nurses for followed in council.services.values()):
        found.append(note("quality.no_nurses"))
    if held.statuses.empty:
        found.append(note("quality.no_statuses"))
    return found


def _figures(
    tables: Mapping[str, pd.DataFrame], subject: Subject, last_month: Mapping[str, str], *, known_before: bool
) -> tuple[Figure, ...]:
    """The numbers that a council asks for first."""
    (service,) = subject.drawn
    everywhere = (("municipality", TOTAL), ("pathway", TOTAL))
    asked: list[tuple[str, str, str, Kind, tuple[tuple[str, str], ...]]] = [
        ("users", "caseload", "users", "count", (("period", last_month[TOTAL]),)),
        ("of_target", "caseload", "share", "share", (("period", last_month[TOTAL]),)),
        ("acute", "rates", "per_1000", "rate", (("measure", "acute_admissions"), ("period", TOTAL), *everywhere)),
        ("bed_days", "rates", "per_1000", "rate", (("measure", "bed_days"), ("period", TOTAL), *everywhere)),
        ("readmitted", "readmissions", "share", "share", (("period", TOTAL),)),
        ("adherence", "adherence", "share", "share", (("period", TOTAL),)),
        ("alarms", "alarm_load", "per_1000", "rate", (("period", TOTAL),)),
        ("red_right", "by_zone", "ppv", "share", (("period", TOTAL), ("zone", "red"))),
        ("red_in_time", "taken_over", "share", "share", (("period", TOTAL), ("zone", "red"))),
        ("red_open", "open_tasks", "patients", "count", (("task", "red_open"),)),
    ]
    found = [
        _figure(key, tables[name], name, column, kind, (("service", service), *rows))
        for key, name, column, kind, rows in asked
    ]
    if known_before:
        rows = (("service", service), *everywhere)
        ratio = _figure("ratio", tables["before_after:admissions"], "before_after", "ratio", "ratio", rows)
        found.insert(3, ratio)
    return tuple(found)


def _figure(  # noqa: PLR0913, PLR0917 - which number of which table
    key: str, table: pd.DataFrame, output: str, column: str, kind: Kind, rows: tuple[tuple[str, str], ...]
) -> Figure:
    for name, wanted in rows:
        table = table[table[name] == wanted]
    if table.empty:
        return Figure(key, kind, None)
    row = table.iloc[0]
    value = number(row, output, column)
    ends = (
        (number(row, output, "low"), number(row, output, "high")) if "low" in row and isinstance(value, float) else None
    )
    return Figure(key, kind, value, ends)
