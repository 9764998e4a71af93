"""Every output there is, of one simulated cohort: a store's frames, with admissions and the rest drawn at random."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.outcomes.acknowledging import taken_over, waits
from pipeline.outcomes.adherence import adherence, due, participation
from pipeline.outcomes.alarms import alarm_load, by_rule, by_zone
from pipeline.outcomes.awaited import adherence_by_day, awaited_days
from pipeline.outcomes.caseload import caseload
from pipeline.outcomes.change_points import change_points
from pipeline.outcomes.contacts import contacts
from pipeline.outcomes.control_chart import u_chart
from pipeline.outcomes.delivery import delivery
from pipeline.outcomes.equipment import equipment_use
from pipeline.outcomes.frames import CARE_EVENTS, ZONE_CHANGES
from pipeline.outcomes.own_control import Times, around, before_after
from pipeline.outcomes.quality import checks, measured
from pipeline.outcomes.questionnaires import change, response, scores
from pipeline.outcomes.rates import admissions, rates, readmissions, series
from pipeline.outcomes.regression import trend
from pipeline.outcomes.responsibility import handed_over, held
from pipeline.outcomes.survival import at_days, time_to_end, time_to_first_admission
from pipeline.outcomes.tasks import open_tasks
from pipeline.outcomes.time_at_risk import scope
from pipeline.outcomes.warning import warned
from pipeline.outcomes.zones import time_in_zone
from tests.pipeline.outcomes.stored import START, cohort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAYS = 60
BY = ("service", "period")
ITEMS = ("breath", "energy", "sleep", "worry")


class Told(NamedTuple):
    """An output, and what it was asked by."""

    frame: pd.DataFrame
    by: Sequence[str] = ()


def stored(shift: timedelta = timedelta(0)) -> dict[str, pd.DataFrame]:
    """The frames of the cohort with what befell its patients, everything moved by `shift`."""
    found = {name: frame.copy() for name, frame in cohort().items()}
    found["care_event"] = pd.concat([found["care_event"], _befell()], ignore_index=True)
    found["zone_change"] = found["zone_change"].reindex(columns=list(ZONE_CHANGES.columns))
    for frame in found.values():
        frame["time"] += shift
        for column in ("recorded", "at", "due"):
            if column in frame:
                known = frame[column] >= 0
                frame.loc[known, column] += shift / timedelta(milliseconds=1)
    return found


def everything(found: Mapping[str, pd.DataFrame], shift: timedelta = timedelta(0)) -> dict[str, Told]:
    """Every output by service and time, of the names that `disclosure.outputs.OUTPUTS` has, and further ones."""
    care, start, stop = found["care_event"], START + shift, START + shift + timedelta(days=DAYS)
    here = scope(care, start, stop, "all")
    whole = rates(care, here)
    one = series(whole, here, "admissions")
    asked = due(found["status"], found["assessment"], here)
    told = scores(found["answer"], found["assessment"], "copd-daily", ITEMS)
    zones, judged = found["zone_change"], found["assessment"]
    waited = waits(zones, care, here)
    near = Times(before_days=40, after_days=40)
    return {
        "rates": Told(rates(care, here, by=BY), BY),
        "readmissions": Told(readmissions(here, by=BY), BY),
        "before_after": Told(before_after(admissions(here), here, by=("service",), times=near), ("service",)),
        "around": Told(around(admissions(here), here, window_days=20, windows=2)),
        "u_chart": Told(u_chart(one)),
        "warned": Told(warned(zones, here, by=("service",)), ("service",)),
        "adherence": Told(adherence(asked, by=BY), BY),
        "adherence_by_day": Told(adherence_by_day(awaited_days(found["status"], judged, here), by=BY), BY),
        "participation": Told(participation(judged, here, by=BY), BY),
        "response": Told(response(told, here, by=BY), BY),
        "change": Told(change(told, here, by=("service",), after_days=(31, 60), important=1.0), ("service",)),
        "alarm_load": Told(alarm_load(zones, here, by=BY), BY),
        "by_rule": Told(by_rule(zones.assign(alert_reasons="limit_red:spo2"), care, here)),
        "by_zone": Told(by_zone(zones, care, here, by=BY), BY),
        "time_in_zone": Told(time_in_zone(zones, here, by=BY), BY),
        "caseload": Told(caseload(here), ("service",)),
        "equipment_use": Told(equipment_use(care, found["reading"], start, stop)),
        "contacts": Told(contacts(care, here, by=BY), BY),
        "held": Told(held(here, by=BY), BY),
        "handed_over": Told(handed_over(here), ("before", "service")),
        "taken_over": Told(taken_over(waited, by=BY), BY),
        "open_tasks": Told(open_tasks(waited, found["status"], here), ("service",)),
        "delivery": Told(delivery(found["page"], found["page_receipt"], here, by=BY), BY),
        "checks": Told(checks(care, judged, here), ("service",)),
        "measured": Told(measured(found["reading"], here, by=("service",)), ("service",)),
        "time_to_first_admission": Told(at_days(time_to_first_admission(here), asked=(10, 30, 50))),
        "time_to_end": Told(at_days(time_to_end(here), asked=(10, 30, 50))),
        "trend": Told(trend(one)),
        "change_points": Told(change_points(one)),
    }


def _befell() -> pd.DataFrame:
    random = np.random.default_rng(12)
    rows: list[dict[str, Any]] = []
    for number in range(1, 17):
        patient = f"sim-{number:04d}"
        for day in np.sort(random.uniform(-40, DAYS, random.poisson(4))):
            rows.append({"patient": patient, "kind": "admitted", "day": day, "acute": float(random.random() < 0.8)})
            rows.append({"patient": patient, "kind": "discharged", "day": day + random.exponential(4)})
        rows += [
            {"patient": patient, "kind": "emergency_contact", "day": day, "contact": "legevakt"}
            for day in random.uniform(-40, DAYS, random.poisson(2))
        ]
        rows += [
            {
                "patient": patient,
                "kind": "contact_made",
                "day": day,
                "contact": str(random.choice(["call", "message", "visit"])),
                "reached": float(random.random() < 0.8),
            }
            for day in random.uniform(0, DAYS, random.poisson(6))
        ]
        kind = "oximeter" if number % 3 else "cuff"
        if number % 4 == 0:
            rows.append({"patient": patient, "kind": "transferred", "day": 20.0 + number, "service": "simulated-other"})
        rows += [
            {"patient": patient, "kind": "acknowledged", "day": day, "reason_code": "true"}
            for day in random.uniform(0, DAYS, random.poisson(6))
        ]
        rows.append(
            {"patient": patient, "kind": "equipment_handed_out", "day": 6.0, "device": f"d-{number}", "equipment": kind}
        )
    told = pd.DataFrame(rows)
    told["time"] = pd.Timestamp(START) + pd.to_timedelta(told["day"], unit="D").dt.round("ms")
    told["recorded"] = [time.timestamp() * 1000 for time in told["time"]]
    told["event_id"] = [f"befell-{number:05d}" for number in range(len(told))]
    return told.reindex(columns=list(CARE_EVENTS.columns))
