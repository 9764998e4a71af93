"""The sections of a report, out of the council's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.report import cells
from agents.report.cells import Shown, by_time, label, lines, number
from agents.report.steadiness import stability
from dashboards.report.views import Both, Chart, Column, Line, Note, Point, Section, Table, Text
from pipeline.outcomes.council.tables import BEFORE_AFTER
from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.rates import MEASURES
from pipeline.outcomes.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.report.cells import Subject
    from dashboards.report.views import Kind
    from schemas.council import Questionnaire

_WHEN: Final = ("service", "period")
_ENDS: Final = ("low", "high")
_SHARE: Final = (Shown("share", "share", "share"), Shown("interval", "share_interval", _ENDS))
_RATE: Final = (Shown("per_1000", "rate", "per_1000"), Shown("interval", "rate_interval", _ENDS))
_ZONES: Final = ("green", "yellow", "red", "no_data", "not_monitored")


def note(key: str, **filled: object) -> Note:
    """A paragraph by its key."""
    return Note(Text(key, filled=tuple(filled.items())))


def users(told: Mapping[str, pd.DataFrame], subject: Subject, months_of: Mapping[str, Sequence[str]]) -> Section:
    """Users against the target, who came and left, and how long they stay."""
    load = told["caseload"]
    months = [month for of in months_of.values() for month in of]
    drawn = [
        Line(label("service", one), tuple(_at(load, "caseload", one, month, "users") for month in months))
        for one in subject.drawn
    ]
    targets = [
        Line(
            Text("target_of", filled=(("service", label("service", one)),)),
            tuple(_at(load, "caseload", one, month, "target") for month in months),
        )
        for one in subject.drawn
    ]
    known = [line for line in targets if any(point.value is not None for point in line.points)]
    ends = told["time_to_end"]
    return Section(
        "users",
        (
            note("users.meaning"),
            Chart(
                "users_chart",
                "lines",
                tuple(Text(one, "period") for one in months),
                (*drawn, *known),
                "axis.users",
                "users_table",
                "count",
            ),
            _users_by_period(load, told["moves"], subject, months_of),
            note("curve.meaning"),
            *_curve("stays", ends),
        ),
    )


def _users_by_period(
    load: pd.DataFrame, moves: pd.DataFrame, subject: Subject, months_of: Mapping[str, Sequence[str]]
) -> Table:
    """Users at the end of each period, and who came and left in it."""
    heads = (
        *(Column(one, "text") for one in _WHEN),
        *(Column(one, "count") for one in ("users", "target")),
        Column("of_target", "share"),
        *(Column(one, "count") for one in ("came", "left")),
    )
    rows = []
    for service in subject.ordered(load):
        for period, months in months_of.items():
            last = [_at(load, "caseload", service, months[-1], name).value for name in ("users", "target", "share")]
            moved = [_at(moves, "caseload", service, period, name).value for name in ("came", "left")]
            if any(value is not None for value in (*last, *moved)):
                rows.append((label("service", service), Text(period, "period"), *last, *moved))
    return Table("users_table", heads, tuple(rows))


def gains(told: Mapping[str, pd.DataFrame], subject: Subject, *, known_before: bool) -> Section:
    """Admissions, readmissions, emergency contacts, bed days; before and after; warning."""
    rates = told["rates"]
    parts: list[Note | Chart | Table] = [note("gains.meaning")]
    columns = [
        Shown("events", "count", "events"),
        Shown("to_patients", "count", "patients"),
        Shown("patient_days", "amount", "days"),
        *_RATE,
    ]
    everywhere = (rates["municipality"] == TOTAL) & (rates["pathway"] == TOTAL)
    for measure in MEASURES:
        rows = by_time(rates[(rates["measure"] == measure) & everywhere], subject)
        parts += [
            _over_time(
                f"{measure}_chart", rows, "rates", subject, "per_1000", "axis.per_1000", f"{measure}_table", "rate"
            ),
            cells.table(f"{measure}_table", "rates", rows, _WHEN, columns),
        ]
    parts += [
        note("readmissions.meaning"),
        cells.table(
            "readmitted_table",
            "readmissions",
            by_time(told["readmissions"], subject),
            _WHEN,
            [Shown("discharges", "count", "discharges"), Shown("readmitted", "count", "readmitted"), *_SHARE],
        ),
    ]
    parts += [note("places.meaning")]
    for place in ("municipality", "pathway"):
        other = "pathway" if place == "municipality" else "municipality"
        rows = rates[(rates["measure"] == "acute_admissions") & (rates["period"] == TOTAL) & (rates[other] == TOTAL)]
        rows = rows[(rows[place] != TOTAL) & rows["service"].isin(subject.drawn)].sort_values(["service", place])
        parts.append(cells.table(f"{place}_table", "rates", rows, ("service", place), columns))
    parts += _before_after(told, subject) if known_before else [note("before.unknown")]
    parts += [note("first_admission.meaning"), *_curve("first_admission", told["time_to_first_admission"])]
    warned = subject.by("service", told["warned"])
    parts += [
        note("warned.meaning"),
        cells.table(
            "warned_table",
            "warned",
            warned,
            ("service",),
            [
                Shown("acute", "count", "admissions"),
                Shown("with_warning", "count", "warned"),
                *_SHARE,
                Shown("by_chance", "share", "by_chance"),
                Shown("lead_days", "score", "median"),
            ],
        ),
    ]
    return Section("gains", tuple(parts), own_page=True)


def _before_after(told: Mapping[str, pd.DataFrame], subject: Subject) -> list[Note | Chart | Table]:
    parts: list[Note | Chart | Table] = [note("before.meaning"), note("before.limit")]
    columns = [
        Shown("patients", "count", "patients"),
        Shown("before_events", "count", "events_before"),
        Shown("before_rate", "rate", "per_1000_before"),
        Shown("after_events", "count", "events_after"),
        Shown("after_rate", "rate", "per_1000_after"),
        Shown("ratio", "ratio", "ratio"),
        Shown("interval", "ratio_interval", _ENDS),
    ]
    for measure in BEFORE_AFTER:
        rows = told[f"before_after:{measure}"]
        plain = (rows["municipality"] == TOTAL) & (rows["pathway"] == TOTAL)
        mine = subject.by("service", rows[plain])
        parts.append(cells.table(f"before_{measure}_table", "before_after", mine, ("service",), columns))
        if measure != BEFORE_AFTER[0]:
            continue
        for place in ("municipality", "pathway"):
            other = "pathway" if place == "municipality" else "municipality"
            here = rows[(rows[other] == TOTAL) & (rows[place] != TOTAL) & rows["service"].isin(subject.drawn)]
            here = here.sort_values(["service", place])
            points = tuple(_point(row, "before_after", "ratio") for _, row in here.iterrows())
            names = tuple(label(place, row[place]) for _, row in here.iterrows())
            drawn = (Line(Text("ratio"), points),)
            name = f"before_{place}"
            if len(subject.drawn) == 1 and any(isinstance(point.value, float) for point in points):
                parts.append(Chart(f"{name}_chart", "ratios", names, drawn, "axis.ratio", f"{name}_table", "ratio"))
            parts.append(cells.table(f"{name}_table", "before_after", here, ("service", place), columns))
    around = told["around"]
    windows = tuple(Text(str(one), "window") for one in around["window"])
    points = tuple(_point(row, "around", "per_1000") for _, row in around.iterrows())
    parts += [
        note("around.meaning"),
        Chart(
            "around_chart",
            "lines",
            windows,
            (Line(label("service", TOTAL), points),),
            "axis.per_1000",
            "around_table",
            "rate",
        ),
        cells.table(
            "around_table",
            "around",
            around,
            ("window",),
            [Shown("events", "count", "events"), Shown("patient_days", "amount", "days"), *_RATE],
        ),
    ]
    return parts


def handling(told: Mapping[str, pd.DataFrame], subject: Subject) -> Section:
    """Who was responsible, hand-overs, alarms taken over, open tasks, pages."""
    handed = told["handed_over"]
    if subject.services:
        handed = handed[handed["before"].isin(subject.services) | handed["service"].isin(subject.services)]
    taken = told["taken_over"]
    tasks = told["open_tasks"].assign(_place=told["open_tasks"]["task"].map(TASKS.index))
    tasks = subject.by("_place", tasks)
    alarm_columns = [
        Shown("alarms", "count", "alarms"),
        Shown("taken_over", "count", "acknowledged"),
        Shown("in_time", "count", "in_time"),
        Shown("passed", "count", "passed"),
        Shown("open", "count", "open"),
        Shown("share_in_time", "share", "share"),
        Shown("interval", "share_interval", _ENDS),
        Shown("median_minutes", "minutes", "median"),
        Shown("nine_of_ten", "minutes", "longest"),
    ]
    parts: list[Note | Chart | Table] = [
        note("handling.meaning"),
        cells.table(
            "held_table",
            "held",
            by_time(told["held"], subject),
            _WHEN,
            [Shown("patients", "count", "patients"), Shown("patient_days", "amount", "days")],
        ),
        cells.table(
            "handed_table",
            "handed_over",
            handed,
            ("before", "service"),
            [Shown("handovers", "count", "handovers"), Shown("patients", "count", "patients")],
        ),
        note("taken.meaning"),
    ]
    for zone in ("red", "yellow"):
        rows = by_time(taken[taken["zone"] == zone], subject)
        parts += [
            _over_time(
                f"taken_{zone}_chart",
                rows,
                "taken_over",
                subject,
                "share",
                "axis.in_time",
                f"taken_{zone}_table",
                "share",
            ),
            cells.table(f"taken_{zone}_table", "taken_over", rows, _WHEN, alarm_columns),
        ]
    parts += [
        note("tasks.meaning"),
        cells.table(
            "tasks_table",
            "open_tasks",
            tasks,
            ("service", "task"),
            [Shown("patients", "count", "patients"), Shown("followed", "count", "followed")],
        ),
        note("delivery.meaning"),
        cells.table(
            "delivery_table",
            "delivery",
            by_time(told["delivery"], subject),
            _WHEN,
            [
                Shown("pages", "count", "pages"),
                Shown("delivered", "count", "delivered"),
                Shown("failed", "count", "failed"),
                Shown("waiting", "count", "waiting"),
                *_SHARE,
            ],
        ),
    ]
    return Section("handling", tuple(parts), own_page=True)


def taking_part(told: Mapping[str, pd.DataFrame], subject: Subject) -> Section:
    """Registrations done, late and missed; who takes part at all."""
    rows = by_time(told["adherence"], subject)
    return Section(
        "taking_part",
        (
            note("adherence.meaning"),
            _over_time("adherence_chart", rows, "adherence", subject, "share", "axis.done", "adherence_table", "share"),
            cells.table(
                "adherence_table",
                "adherence",
                rows,
                _WHEN,
                [
                    Shown("due", "count", "due"),
                    Shown("done", "count", "done"),
                    Shown("late", "count", "late"),
                    Shown("missed", "count", "missed"),
                    *_SHARE,
                ],
            ),
            note("participation.meaning"),
            cells.table(
                "participation_table",
                "participation",
                by_time(told["participation"], subject),
                _WHEN,
                [
                    Shown("patients", "count", "patients"),
                    Shown("took_part", "count", "took_part"),
                    *_SHARE,
                    Shown("per_week", "score", "per_patient_week"),
                ],
            ),
        ),
        own_page=True,
    )


def questionnaires(told: Mapping[str, pd.DataFrame], subject: Subject, asked: Mapping[str, Questionnaire]) -> Section:
    """Who answered, the scores, and how they changed; patients' experience among them."""
    parts: list[Note | Chart | Table] = [note("questionnaires.meaning" if asked else "questionnaires.none")]
    for name, one in asked.items():
        named = Both(one.name.nb, one.name.en)
        experience = "experience" if one.experience else "health"
        parts += [
            note(f"questionnaires.{experience}.{one.better}", name=named),
            cells.table(
                f"answered-{name}",
                "response",
                by_time(told[f"response:{name}"], subject),
                _WHEN,
                [
                    Shown("patients", "count", "patients"),
                    Shown("answered", "count", "answered"),
                    *_SHARE,
                    Shown("median_score", "score", "median_score"),
                ],
                said=Text("answered.caption", filled=(("name", named),)),
            ),
            cells.table(
                f"changed-{name}",
                "change",
                subject.by("service", told[f"change:{name}"]),
                ("service",),
                [
                    Shown("first_and_later", "count", "both"),
                    Shown("first_score", "score", "first"),
                    Shown("later_score", "score", "later"),
                    Shown("change", "score", "change"),
                    Shown("interval", "score_interval", _ENDS),
                    Shown("improved", "count", "improved"),
                ],
                said=Text("changed.caption", filled=(("name", named),)),
            ),
        ]
    return Section("questionnaires", tuple(parts))


def alarms(told: Mapping[str, pd.DataFrame], subject: Subject) -> Section:
    """How many alarms, per nurse, and how often they were right."""
    rows = by_time(told["alarm_load"], subject)
    right = [
        Shown("alarms", "count", "alarms"),
        Shown("taken_over", "count", "acknowledged"),
        Shown("right", "count", "right"),
        Shown("wrong", "count", "wrong"),
        Shown("not_said", "count", "not_said"),
        Shown("ppv", "share", "ppv"),
        Shown("interval", "share_interval", _ENDS),
    ]
    zones = told["by_zone"]
    parts: list[Note | Chart | Table] = [
        note("alarms.meaning"),
        _over_time("alarms_chart", rows, "alarm_load", subject, "per_1000", "axis.alarms", "alarms_table", "rate"),
        cells.table(
            "alarms_table",
            "alarm_load",
            rows,
            _WHEN,
            [
                Shown("alarms", "count", "alarms"),
                Shown("red_alarms", "count", "red"),
                Shown("to_patients", "count", "patients"),
                *_RATE,
                Shown("per_nurse_day", "score", "per_nurse_day"),
            ],
        ),
        note("ppv.meaning"),
    ]
    for zone in ("red", "yellow"):
        rows = by_time(zones[zones["zone"] == zone], subject)
        parts.append(cells.table(f"ppv_{zone}_table", "by_zone", rows, _WHEN, right))
    rules = subject.by("rule", told["by_rule"])
    if rules.empty:
        parts.append(note("rules.unknown"))
    else:
        parts.append(cells.table("rules_table", "by_rule", rules, ("service", "rule"), right))
    return Section("alarms", tuple(parts), own_page=True)


def zones(told: Mapping[str, pd.DataFrame], subject: Subject) -> Section:
    """How much of the time patients are in each zone."""
    rows = told["time_in_zone"]
    parts: list[Note | Chart | Table] = [note("zones.meaning")]
    columns = [
        Shown("patients", "count", "patients"),
        Shown("days", "amount", "days"),
        Shown("share_of_days", "share", "share"),
    ]
    for service in subject.drawn:
        drawn = tuple(
            Line(
                Text(zone, "zone"),
                tuple(
                    _at(rows[rows["zone"] == zone], "time_in_zone", service, period, "share")
                    for period in subject.periods
                ),
            )
            for zone in _ZONES
        )
        places = tuple(Text(one, "period") for one in subject.periods)
        said = Text("zones_chart.of", filled=(("service", label("service", service)),))
        parts.append(
            Chart(
                f"zones_chart-{service if service != TOTAL else 'all'}",
                "stacked",
                places,
                drawn,
                "axis.days",
                "zones_table",
                "share",
                said,
            )
        )
    shown = by_time(rows, subject)
    shown = shown.assign(_zone=shown["zone"].map(_ZONES.index))
    shown = shown[shown["service"].isin(subject.drawn)]
    parts.append(cells.table("zones_table", "time_in_zone", shown, ("service", "period", "zone"), columns))
    return Section("zones", tuple(parts))


def means(told: Mapping[str, pd.DataFrame], subject: Subject) -> Section:
    """Equipment, contacts and consultations."""
    used = subject.by("equipment", told["equipment_use"])
    made = subject.by("kind", told["contacts"][told["contacts"]["period"] == TOTAL])
    return Section(
        "means",
        (
            note("equipment.meaning"),
            cells.table(
                "equipment_table",
                "equipment_use",
                used,
                ("service", "equipment"),
                [
                    Shown("handed_out", "count", "handed_out"),
                    Shown("returned", "count", "returned"),
                    Shown("out", "count", "out"),
                    Shown("asked", "count", "asked"),
                    Shown("used", "count", "used"),
                    *_SHARE,
                ],
            ),
            note("contacts.meaning"),
            cells.table(
                "contacts_table",
                "contacts",
                made,
                ("service", "kind"),
                [
                    Shown("made", "count", "made"),
                    Shown("to_patients", "count", "patients"),
                    *_RATE,
                    Shown("reached", "count", "reached"),
                    Shown("reached_share", "share", "reached_share"),
                ],
            ),
        ),
    )


def quality(told: Mapping[str, pd.DataFrame], subject: Subject, notes: list[Note]) -> Section:
    """How far the figures can be trusted."""
    checked, read = subject.by("check", told["checks"]), subject.by("quality", told["measured"])
    return Section(
        "quality",
        (
            note("quality.meaning"),
            *notes,
            cells.table(
                "checks_table",
                "checks",
                checked,
                ("service", "check"),
                [Shown("found", "count", "found"), Shown("looked_at", "count", "of"), Shown("share", "share", "share")],
            ),
            cells.table(
                "measured_table",
                "measured",
                read,
                ("service", "quality"),
                [Shown("readings", "count", "readings"), Shown("patients", "count", "patients")],
            ),
        ),
        own_page=True,
    )


def limits() -> Section:
    """Definitions, what the figures do not tell, and what is hidden."""
    keys = ("definitions", "intervals", "regression", "leaving", "independence", "hiding", "overlap")
    return Section("limits", tuple(note(f"limits.{key}") for key in keys), own_page=True)


def steady(told: Mapping[str, pd.DataFrame], subject: Subject, months: pd.DataFrame) -> Section:
    """Whether admissions vary more than chance does, and whether they changed."""
    return Section("stability", tuple(stability(told["rates"], subject, months)))


def _over_time(  # noqa: PLR0913, PLR0917 - a chart is told by what of a table it draws
    name: str, rows: pd.DataFrame, output: str, subject: Subject, column: str, axis: str, of: str, kind: Kind
) -> Chart:
    places = tuple(Text(one, "period") for one in subject.periods)
    return Chart(name, "lines", places, lines(rows, output, subject, column, _ENDS), axis, of, kind)


def _curve(name: str, curve: pd.DataFrame) -> list[Note | Chart | Table]:
    if curve.empty:
        return [note("curve.short")]
    heads = (
        [Column("day", "text")]
        + [Column(*one) for one in (("at_risk", "count"), ("so_far", "count"), ("left_share", "share"))]
        + [Column("interval", "share_interval")]
    )
    rows, points, places = [], [], []
    for _, row in curve.iterrows():
        low, high = (None if pd.isna(row[one]) else float(row[one]) for one in _ENDS)
        day = Text(str(int(row["day"])), "days")
        rows.append((day, float(row["at_risk"]), float(row["events"]), float(row["share"]), (low, high)))
        points.append(Point(float(row["share"]), low, high))
        places.append(day)
    chart = Chart(
        f"{name}_chart",
        "steps",
        tuple(places),
        (Line(label("service", TOTAL), tuple(points)),),
        f"axis.{name}",
        f"{name}_table",
        "share",
    )
    return [chart, Table(f"{name}_table", tuple(heads), tuple(rows))]


def _at(rows: pd.DataFrame, output: str, service: str, period: str, column: str) -> Point:
    found = rows[(rows["service"] == service) & (rows["period"] == period)]
    return Point(None) if found.empty else Point(number(found.iloc[0], output, column))


def _point(row: pd.Series, output: str, column: str) -> Point:
    return Point(*(number(row, output, one) for one in (column, *_ENDS)))
