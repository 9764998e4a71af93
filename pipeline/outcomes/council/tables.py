"""Every table that the council is told, worked out of what a store holds. Nothing leaves here unprotected."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.outcomes.acknowledging import taken_over, waits
from pipeline.outcomes.adherence import adherence, due, participation
from pipeline.outcomes.alarms import alarm_load, by_rule, by_zone
from pipeline.outcomes.caseload import caseload
from pipeline.outcomes.contacts import contacts
from pipeline.outcomes.council.cut import BY, Cut, by_service, by_time, cut, quarters, stacked, withheld
from pipeline.outcomes.delivery import delivery
from pipeline.outcomes.disclosure.outputs import released, released_curve
from pipeline.outcomes.equipment import equipment_use
from pipeline.outcomes.own_control import Times, around, before_after
from pipeline.outcomes.periods import ZONE
from pipeline.outcomes.quality import checks, measured
from pipeline.outcomes.questionnaires import change, response, scores
from pipeline.outcomes.rates import admissions, emergency_contacts, rates, readmissions
from pipeline.outcomes.responsibility import handed_over, held
from pipeline.outcomes.survival import at_days, time_to_end, time_to_first_admission
from pipeline.outcomes.tasks import open_tasks
from pipeline.outcomes.warning import warned
from pipeline.outcomes.zones import time_in_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope
    from schemas.council import Questionnaire

PLACES: Final = ("service", "municipality", "pathway")
_DIMENSIONS: Final = ("service", "period", "municipality", "pathway")
CURVE_DAYS: Final = (*range(30, 361, 30), 365)
BEFORE_AFTER: Final = ("admissions", "acute_admissions", "emergency_contacts")


class Held(NamedTuple):
    """What the store holds, as `pipeline.outcomes.frames` has it.

    Attributes
    ----------
    care_events, zone_changes
        From the beginning: who is followed, and in which zone, hangs on all that came before.
    assessments, statuses, pages, receipts
        Of the period.
    readings
        Of the last 30 days of the period, with `device` and `quality`.
    answers
        By questionnaire: from 120 days before the period on.
    """

    care_events: pd.DataFrame
    zone_changes: pd.DataFrame
    assessments: pd.DataFrame
    statuses: pd.DataFrame
    pages: pd.DataFrame
    receipts: pd.DataFrame
    readings: pd.DataFrame
    answers: Mapping[str, pd.DataFrame] = MappingProxyType({})


class Asked(NamedTuple):
    """What is asked.

    Attributes
    ----------
    targets, nurses
        `frames.TARGETS`, `frames.NURSES`; None: nobody has said.
    within
        Minutes in which alarms are to be taken over, by service and zone.
    known_from
        Admissions of before this are not known; None: all are.
    """

    start: datetime
    stop: datetime
    targets: pd.DataFrame | None = None
    nurses: pd.DataFrame | None = None
    questionnaires: Mapping[str, Questionnaire] = MappingProxyType({})
    within: Mapping[tuple[str, str], int] = MappingProxyType({})
    known_from: datetime | None = None
    zone: str = ZONE


class Told(NamedTuple):
    """Tables by name, as they may leave; in `service` and `period`, `*` is all of them.

    Attributes
    ----------
    tables
        `caseload` is by month, and `moves` the same by the periods that are shown, whose users stand in `caseload`.
        `rates` and `before_after` are by municipality and pathway too; those of questionnaires are told as
        `response:NAME` and `change:NAME`.
    when
        The period, cut: its months and quarters.
    """

    tables: Mapping[str, pd.DataFrame]
    when: Cut


def told(held_: Held, asked: Asked) -> Told:
    """Return every table of the council; `released` has been over each of them."""
    when = cut(held_.care_events, asked.start, asked.stop, asked.zone)
    found = {
        **_users(when, asked),
        **_gains(held_, when, asked),
        **_handling(held_, when, asked),
        **_taking_part(held_, when, asked),
        **_alarms(held_, when, asked),
        **_means(held_, when, asked),
    }
    return Told(found, when)


def _users(when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    users = released("caseload", _load(when.months, asked), ("service",))
    moves = released("caseload", _load(when.shown, asked), ("service",))
    # Moves of a quarter and the users of its months tell of each other.
    hidden = set(users.loc[users["users_hidden"], "service"])
    moves = withheld("caseload", moves, moves["service"].isin(hidden), ("moves",))
    ends = at_days(time_to_end(when.whole), asked=CURVE_DAYS)
    return {"caseload": users, "moves": moves, "time_to_end": released_curve(ends)}


def _gains(held_: Held, when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    care, here = held_.care_events, when.whole
    by_place = [("service", one) for one in PLACES[1:]] + [(one,) for one in PLACES[1:]]
    by_when = [(scope, (*service, *by)) for scope, by in when.scopes for service in (("service",), ())]
    rows = stacked(
        ((rates(care, scope, by=by), by) for scope, by in [*by_when, *((here, by) for by in by_place)]),
        _DIMENSIONS,
    )
    times = Times(known_from=asked.known_from)
    events = {
        "admissions": admissions(here),
        "acute_admissions": admissions(here, acute=True),
        "emergency_contacts": emergency_contacts(care),
    }
    return {
        "rates": released("rates", rows, _DIMENSIONS, further=quarters(rows, _DIMENSIONS, when.quarter_of)),
        "readmissions": by_time("readmissions", when, lambda scope, by: readmissions(scope, by=by)),
        **{
            f"before_after:{name}": released(
                "before_after",
                stacked(
                    (
                        (before_after(events[name], here, by=by, times=times), by)
                        for by in [*by_place, ("service",), ()]
                    ),
                    PLACES,
                ),
                PLACES,
            )
            for name in BEFORE_AFTER
        },
        "around": released("around", around(events["admissions"], here, known_from=asked.known_from)),
        "time_to_first_admission": released_curve(at_days(time_to_first_admission(here), asked=CURVE_DAYS)),
        "warned": released("warned", _by_service(lambda by: warned(held_.zone_changes, here, by=by)), ("service",)),
    }


def _handling(held_: Held, when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    alarms = [(scope, waits(held_.zone_changes, held_.care_events, scope, asked.within)) for scope, _ in when.coarse]
    waited = {id(scope): one for scope, one in alarms}
    whole = waited[id(when.whole)]
    return {
        "held": by_time("held", when, lambda scope, by: held(scope, by=by)),
        "handed_over": released("handed_over", handed_over(when.whole), ("before", "service")),
        "taken_over": by_time("taken_over", when, lambda scope, by: taken_over(waited[id(scope)], by=by)),
        "open_tasks": released(
            "open_tasks", _by_service(lambda by: open_tasks(whole, held_.statuses, when.whole, by=by)), ("service",)
        ),
        "delivery": by_time("delivery", when, lambda scope, by: delivery(held_.pages, held_.receipts, scope, by=by)),
    }


def _taking_part(held_: Held, when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    judged, here = held_.assessments, when.whole
    was_due = {id(scope): due(held_.statuses, judged, scope) for scope, _ in when.coarse}
    found = {
        "adherence": by_time("adherence", when, lambda scope, by: adherence(was_due[id(scope)], by=by)),
        "participation": by_service("participation", when, lambda scope, by: participation(judged, scope, by=by)),
    }
    for name, one in asked.questionnaires.items():
        known = scores(held_.answers[name], judged, name, one.items)
        found[f"response:{name}"] = by_service("response", when, _responding(known, one.pathways))
        table = _by_service(_changing(known, here, one))
        found[f"change:{name}"] = released("change", table, ("service",))
    return found


def _responding(known: pd.DataFrame, pathways: Sequence[str]) -> Callable[[Scope, tuple[str, ...]], pd.DataFrame]:
    def tell(scope: Scope, by: tuple[str, ...]) -> pd.DataFrame:
        asked = scope.time["pathway"].isin(list(pathways)) if pathways else scope.time["pathway"].notna()
        return response(known, scope._replace(time=scope.time[asked]), by=by)

    return tell


def _changing(known: pd.DataFrame, here: Scope, one: Questionnaire) -> Callable[[tuple[str, ...]], pd.DataFrame]:
    return lambda by: change(known, here, by=by, important=one.important, better=one.better)


def _alarms(held_: Held, when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    zones, care = held_.zone_changes, held_.care_events
    return {
        "alarm_load": by_time("alarm_load", when, lambda scope, by: alarm_load(zones, scope, asked.nurses, by=by)),
        "by_rule": released("by_rule", _by_service(lambda by: by_rule(zones, care, when.whole, by=by)), ("service",)),
        "by_zone": by_time("by_zone", when, lambda scope, by: by_zone(zones, care, scope, by=by)),
        "time_in_zone": by_time(
            "time_in_zone", when, lambda scope, by: time_in_zone(zones, scope, by=by), months=False
        ),
    }


def _means(held_: Held, when: Cut, asked: Asked) -> dict[str, pd.DataFrame]:
    care, here = held_.care_events, when.whole
    last = here.followed.drop_duplicates("patient", keep="last").set_index("patient")["service"]
    mine = care[care["patient"].astype("str").isin(set(last.index))]
    used = stacked(
        (
            (equipment_use(mine, held_.readings, asked.start, asked.stop, services=last), ("service", "equipment")),
            (equipment_use(mine, held_.readings, asked.start, asked.stop), ("equipment",)),
        ),
        ("service", "equipment"),
    )
    return {
        "equipment_use": released("equipment_use", used, ("service",)),
        "contacts": by_time("contacts", when, lambda scope, by: contacts(care, scope, by=by)),
        "checks": released(
            "checks", _by_service(lambda by: checks(care, held_.assessments, here, by=by)), ("service",)
        ),
        "measured": released("measured", _by_service(lambda by: measured(held_.readings, here, by=by)), ("service",)),
    }


def _by_service(tell: Callable[[tuple[str, ...]], pd.DataFrame]) -> pd.DataFrame:
    by: tuple[tuple[str, ...], ...] = (("service",), ())
    return stacked(((tell(one), one) for one in by), ("service",))


def _load(here: Scope, asked: Asked) -> pd.DataFrame:
    """The caseload of each service and of all together: a hand-over is a move of both services, and so of all.

    The target of all is the sum of those in force, where each service that has had users has one.
    """
    load = caseload(here, asked.targets, by=("service",))
    sums = load.groupby("period", sort=False)[["users", "came", "left", "target"]].sum(min_count=1)
    whole = load.groupby("period", sort=False)["target"].apply(lambda each: bool(each.notna().all()))
    sums = sums.assign(target=sums["target"].where(whole))
    both = stacked(((load, ("service", "period")), (sums.reset_index(), ("period",))), BY)
    return both.assign(share=both["users"] / both["target"])
