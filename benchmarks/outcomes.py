"""What all outcomes of one year of 2,000 patients cost: processor time and memory, of frames as a store gives them."""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.outcomes.adherence import adherence, due, participation
from pipeline.outcomes.alarms import alarm_load, by_rule
from pipeline.outcomes.awaited import adherence_by_day, awaited_days
from pipeline.outcomes.caseload import caseload
from pipeline.outcomes.change_points import change_points
from pipeline.outcomes.contacts import contacts
from pipeline.outcomes.control_chart import u_chart
from pipeline.outcomes.disclosure.cells import with_totals
from pipeline.outcomes.disclosure.outputs import released
from pipeline.outcomes.equipment import equipment_use
from pipeline.outcomes.own_control import around, before_after
from pipeline.outcomes.questionnaires import change, response, scores
from pipeline.outcomes.rates import admissions, rates, readmissions, series
from pipeline.outcomes.regression import trend
from pipeline.outcomes.survival import at_days, time_to_end, time_to_first_admission
from pipeline.outcomes.time_at_risk import Scope, scope
from pipeline.outcomes.warning import warned
from pipeline.outcomes.zones import time_in_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENTS = 2000
START = datetime(2026, 1, 1, tzinfo=UTC)
STOP = START + timedelta(days=365)
ITEMS = ("breath", "energy", "sleep", "worry")
BY = ("municipality", "period")
MEBIBYTE = 1024  # of the kibibytes in which Linux tells


def frames(seed: int = 1) -> dict[str, pd.DataFrame]:
    """Two thousand patients, each with a registration every third day."""
    random = np.random.default_rng(seed)
    names = np.array([f"sim-{number:04d}" for number in range(PATIENTS)], dtype=object)

    def rows(each: float, low: float = 0.0) -> tuple[np.ndarray, pd.Series]:
        who = np.repeat(names, random.poisson(each, PATIENTS))
        days = np.sort(random.uniform(low, 365, len(who)))
        return who, _times(days)

    registered, at = rows(122)
    ids = np.array([f"registration-{number}" for number in range(len(registered))], dtype=object)
    judged = pd.DataFrame(
        {
            "time": at,
            "patient": registered,
            "zone": random.choice(["green", "yellow", "red", "no_data"], len(registered), p=[0.8, 0.1, 0.05, 0.05]),
            "submission_id": ids,
            "revision": 1.0,
            "entered_in_error": 0.0,
            "at": _ms(at),
        }
    )
    answered = judged.loc[judged.index.repeat(len(ITEMS)), ["time", "patient", "submission_id", "revision"]]
    answers = answered.assign(
        questionnaire="copd-daily",
        question=np.tile(ITEMS, len(judged)),
        kind="number",
        value=random.integers(0, 5, len(answered)).astype(float),
    ).reset_index(drop=True)
    read = judged.loc[judged.index.repeat(3), ["time", "patient"]]
    readings = read.assign(device="d-" + read["patient"], withdrawn=0.0).reset_index(drop=True)
    changed, moved_at = rows(40)
    ends = random.choice(["green", "yellow", "red", "no_data"], len(changed))
    zones = pd.DataFrame(
        {
            "time": moved_at,
            "patient": changed,
            "from_zone": "green",
            "to_zone": ends,
            "zone_change_id": [f"change-{number}" for number in range(len(changed))],
            "alert_reasons": random.choice(["limit_red:spo2", "deviation_yellow:weight,news2:none"], len(changed)),
            "retracted": (random.random(len(changed)) < 0.03).astype(float),
        }
    )
    statuses = judged[["time", "patient"]].assign(due=judged["at"] + 3 * 86_400_000.0)
    return {
        "care_event": _care(random, names, zones),
        "assessment": judged,
        "answer": answers,
        "reading": readings,
        "zone_change": zones,
        "status": statuses,
    }


def _care(random: np.random.Generator, names: np.ndarray, zones: pd.DataFrame) -> pd.DataFrame:
    towns = np.array([f"simulated-municipality-{number}" for number in range(1, 11)], dtype=object)
    services = np.array(["simulated-a", "simulated-b", "simulated-c"], dtype=object)
    begun = random.uniform(0, 200, PATIENTS)
    enrolled = pd.DataFrame(
        {"patient": names, "day": begun, "kind": "enrolled", "pathway": "copd", "phase": "start_up"}
    )
    enrolled["service"] = random.choice(services, PATIENTS)
    enrolled["municipality"] = random.choice(towns, PATIENTS)
    on = pd.DataFrame({"patient": names, "day": begun + 21, "kind": "phase_changed", "phase": "follow_up"})
    who = np.repeat(names, random.poisson(3, PATIENTS))
    came = random.uniform(-365, 365, len(who))
    admitted = pd.DataFrame({"patient": who, "day": came, "kind": "admitted", "acute": 1.0})
    left = admitted.assign(day=came + random.exponential(5, len(who)), kind="discharged")
    seen = np.repeat(names, random.poisson(2, PATIENTS))
    contact = pd.DataFrame({"patient": seen, "day": random.uniform(-365, 365, len(seen)), "kind": "emergency_contact"})
    called = np.repeat(names, random.poisson(10, PATIENTS))
    made = pd.DataFrame({"patient": called, "day": random.uniform(0, 365, len(called)), "kind": "contact_made"})
    made = made.assign(contact=random.choice(["call", "message"], len(made)), reached=1.0)
    handed = pd.DataFrame({"patient": names, "day": begun, "kind": "equipment_handed_out", "equipment": "oximeter"})
    handed["device"] = "d-" + handed["patient"]
    told = pd.concat([enrolled, on, admitted, left, contact, made, handed], ignore_index=True)
    told = told.assign(time=_times(told["day"].to_numpy())).drop(columns="day")
    said = zones[["time", "patient", "zone_change_id"]].assign(kind="acknowledged")
    said["reason_code"] = random.choice(["true", "technique", "not-said"], len(said))
    told = pd.concat([told, said], ignore_index=True)
    return told.assign(recorded=_ms(told["time"]), event_id=[f"event-{number}" for number in range(len(told))])


def _times(days: np.ndarray) -> pd.Series:
    return pd.Series(pd.to_datetime(START.timestamp() * 1000 + (days * 86_400_000).round(), unit="ms", utc=True))


def _ms(times: pd.Series) -> pd.Series:
    return times.astype("datetime64[ms, UTC]").astype("int64").astype("float64")


def steps(found: Mapping[str, pd.DataFrame], here: Scope) -> dict[str, Callable[[], object]]:
    """What is asked of them, by name."""
    care, zones, judged = found["care_event"], found["zone_change"], found["assessment"]
    told = scores(found["answer"], judged, "copd-daily", ITEMS)
    return {
        "rates by municipality and quarter, with totals": lambda: released(
            "rates", with_totals(lambda by: rates(care, here, by=by), BY), BY
        ),
        "readmissions": lambda: released("readmissions", readmissions(here, by=BY), BY),
        "before and after": lambda: released(
            "before_after", before_after(admissions(here), here, by=("municipality",)), ("municipality",)
        ),
        "around enrolment": lambda: around(admissions(here), here),
        "chart, change points, trend": lambda: [
            (u_chart(one), change_points(one), trend(one)) for one in [series(rates(care, here), here, "admissions")]
        ],
        "time to first admission and end": lambda: (at_days(time_to_first_admission(here)), at_days(time_to_end(here))),
        "warnings": lambda: warned(zones, here, by=("municipality",)),
        "adherence": lambda: adherence(due(found["status"], judged, here), by=BY),
        "adherence by day": lambda: adherence_by_day(awaited_days(found["status"], judged, here), by=BY),
        "participation": lambda: participation(judged, here, by=BY),
        "questionnaires": lambda: (
            response(told, here, by=BY),
            change(told, here, by=("municipality",), important=2.0),
        ),
        "alarms": lambda: (alarm_load(zones, here, by=BY), by_rule(zones, care, here)),
        "time in zone": lambda: released("time_in_zone", time_in_zone(zones, here, by=BY), BY),
        "caseload": lambda: released("caseload", caseload(here, by=("municipality",)), ("municipality",)),
        "equipment, contacts": lambda: (
            equipment_use(care, found["reading"], START, STOP),
            contacts(care, here, by=BY),
        ),
    }


def main() -> None:
    """Print what each costs."""
    found = frames()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    print(
        f"outcomes of {PATIENTS} patients over a year: {sum(map(len, found.values())):,} rows, {held:.0f} MiB with them"
    )
    began = process_time()
    here = scope(found["care_event"], START, STOP, "quarter")
    print(f"  who was followed, stays, time at risk: {process_time() - began:.2f} s")
    for name, step in steps(found, here).items():
        start = process_time()
        step()
        print(f"  {name}: {process_time() - start:.2f} s", flush=True)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    print(f"  all: {process_time() - began:.1f} s of one processor, at most {most:.0f} MiB")


if __name__ == "__main__":
    main()
