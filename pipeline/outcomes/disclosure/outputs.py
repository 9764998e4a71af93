"""What of each output is hidden together: `released` makes of any of them what may leave."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.outcomes.disclosure.cells import NONE
from pipeline.outcomes.disclosure.suppressing import LEAST, Group, suppressed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pipeline.outcomes.disclosure.cells import Key


class Output(NamedTuple):
    """An output that may leave.

    Attributes
    ----------
    groups
        What is hidden together.
    dimensions
        Columns that are dimensions whatever the output was asked by.
    per
        A column that tells apart tables below one another.
    dropped
        Columns that never leave.
    """

    groups: tuple[Group, ...]
    dimensions: tuple[str, ...] = ()
    per: str | None = None
    dropped: tuple[str, ...] = ()


_INTERVAL: Final = ("low", "high")
_RATE: Final = ("per_1000", *_INTERVAL)
_SHARE: Final = ("share", *_INTERVAL)
_FOLLOWED: Final = Group("followed", ("followed",), amounts=("days",), shared=True)
_SAME_PATIENTS: Final = Group("followed", ("followed",), shared=True)
_RIGHT: Final = (
    Group("alarms", ("alarms", "patients")),
    Group("said", ("acknowledged", "right", "wrong", "not_said"), figures=("ppv", *_INTERVAL)),
)
_CODES: Final = ("true", "exacerbation", "technique", "device", "already-known", "other")
OUTPUTS: Final[Mapping[str, Output]] = MappingProxyType(
    {
        "rates": Output(
            (_FOLLOWED, Group("events", ("events", "patients"), figures=_RATE, parts=(("patients", "followed"),))),
            per="measure",
        ),
        "readmissions": Output(
            (
                Group(
                    "discharges",
                    ("discharges", "patients", "readmitted"),
                    figures=_SHARE,
                    parts=(("readmitted", "discharges"),),
                ),
            )
        ),
        "before_after": Output(
            (
                Group("patients", ("patients",), amounts=("days_before", "days_after")),
                Group(
                    "events",
                    ("with_events", "events_before", "events_after"),
                    figures=("per_1000_before", "per_1000_after", "ratio", *_INTERVAL),
                    parts=(("with_events", "patients"),),
                ),
            )
        ),
        "around": Output((Group("events", ("events",), amounts=("days",), figures=_RATE),), dimensions=("window",)),
        "u_chart": Output(
            (Group("events", ("events",), amounts=("days",), figures=(*_RATE, "beyond")),), dimensions=("period",)
        ),
        "warned": Output(
            (
                Group(
                    "admissions",
                    ("admissions", "warned"),
                    figures=(*_SHARE, "by_chance", "lower_quartile", "median", "upper_quartile"),
                    parts=(("warned", "admissions"),),
                ),
            )
        ),
        "adherence": Output((Group("due", ("patients", "due", "done", "late", "missed"), figures=_SHARE),)),
        "adherence_by_day": Output((Group("awaited", ("patients", "awaited", "done", "late"), figures=_SHARE),)),
        "participation": Output(
            (
                Group("patients", ("patients",)),
                Group(
                    "took_part",
                    ("took_part", "registrations"),
                    figures=(*_SHARE, "per_patient_week"),
                    parts=(("took_part", "patients"),),
                ),
            )
        ),
        "response": Output(
            (
                Group("patients", ("patients",)),
                Group("answered", ("answered",), figures=(*_SHARE, "median_score"), parts=(("answered", "patients"),)),
            )
        ),
        "change": Output(
            (
                Group("patients", ("patients",)),
                Group(
                    "both", ("both",), figures=("first", "later", "change", *_INTERVAL), parts=(("both", "patients"),)
                ),
                Group(
                    "improved",
                    ("improved",),
                    figures=("improved_share", "improved_low", "improved_high"),
                    parts=(("improved", "both"),),
                ),
            )
        ),
        "alarm_load": Output(
            (
                _FOLLOWED,
                Group(
                    "alarms",
                    ("alarms", "red", "patients"),
                    figures=(*_RATE, "per_nurse_day"),
                    parts=(("patients", "followed"),),
                ),
            )
        ),
        "by_rule": Output(_RIGHT, dimensions=("rule",), dropped=_CODES),
        "by_zone": Output(_RIGHT, dimensions=("zone",), dropped=_CODES),
        "time_in_zone": Output(
            (Group("zone", ("patients",), amounts=("days",), figures=("share",)),), dimensions=("zone",)
        ),
        "caseload": Output(
            (
                Group("users", ("users",), figures=("share",)),
                Group("moves", ("came", "left"), along="period"),
            ),
            dimensions=("period",),
        ),
        "equipment_use": Output(
            (
                Group(
                    "devices",
                    ("handed_out", "returned", "out", "asked", "used"),
                    amounts=("device_days",),
                    figures=_SHARE,
                    parts=(("used", "asked"),),
                ),
            ),
            dimensions=("equipment",),
        ),
        "contacts": Output(
            (
                _FOLLOWED,
                Group(
                    "contacts",
                    ("made", "patients", "reached"),
                    figures=(*_RATE, "reached_share", "reached_low", "reached_high"),
                    parts=(("reached", "made"),),
                ),
            ),
            per="kind",
        ),
        "held": Output((Group("patients", ("patients",), amounts=("days",)),)),
        "handed_over": Output((Group("handovers", ("handovers", "patients")),)),
        "taken_over": Output(
            (
                Group("alarms", ("alarms", "patients")),
                Group(
                    "acknowledged",
                    ("acknowledged", "in_time"),
                    figures=(*_SHARE, "median", "longest"),
                    parts=(("in_time", "acknowledged"), ("acknowledged", "alarms")),
                ),
                Group("not_acknowledged", ("passed", "open")),
            ),
            dimensions=("zone",),
        ),
        "open_tasks": Output(
            (_SAME_PATIENTS, Group("patients", ("patients",), parts=(("patients", "followed"),))), per="task"
        ),
        "delivery": Output(
            (
                Group("pages", ("pages", "patients")),
                Group("delivered", ("delivered", "failed", "waiting"), figures=_SHARE),
            )
        ),
        "checks": Output(
            (
                Group("of", ("of",)),
                Group("found", ("found", "patients"), figures=("share",), parts=(("found", "of"),)),
            ),
            per="check",
        ),
        "measured": Output((Group("readings", ("readings", "patients")),), dimensions=("quality",)),
    }
)


def released(
    name: str, told: pd.DataFrame, by: Sequence[str] = (), *, further: Mapping[Key, Sequence[Key]] = NONE
) -> pd.DataFrame:
    """Return an output of that name as it may leave; see `suppressing.suppressed` for what is hidden and how it shows.

    Parameters
    ----------
    name
        Of `OUTPUTS`: the function that gave it. Other outputs hold rows of single patients, and never leave.
    by
        What it was asked by, with or without totals (`cells.with_totals`).
    further
        As `suppressing.suppressed`; keys are in the order of the output's own dimensions and then `by`.
    """
    output = OUTPUTS[name]
    kept = told.drop(columns=[column for column in output.dropped if column in told.columns])
    dimensions = [*dict.fromkeys((*output.dimensions, *by))]
    if not dimensions:
        kept = kept.assign(all="all")
    hidden = suppressed(kept, dimensions or ["all"], output.groups, per=output.per, further=further)
    return hidden if dimensions else hidden.drop(columns="all")


def released_curve(curve: pd.DataFrame) -> pd.DataFrame:
    """Return one curve of `survival.at_days` as it may leave: days between which fewer than five things happened go.

    A day is told where at least five were at risk, and where since the last day that is told nothing happened or it
    happened to five or more.
    """
    kept, last = [], 0
    for place, (at_risk, events) in enumerate(zip(curve["at_risk"], curve["events"], strict=True)):
        since = events - last
        if at_risk >= LEAST and (since == 0 or since >= LEAST):
            kept.append(place)
            last = events
    return curve.iloc[kept].reset_index(drop=True)
