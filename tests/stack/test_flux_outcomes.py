"""What Flux counts of a random cohort on a real InfluxDB is what `pipeline/outcomes` counts with pandas.

Not one more and not one less. Simulated patients, to whom admissions, transfers and changes of phase befall at random,
in any order that staff may write them, go through the fold; what is stored of it is asked of both. By service and day,
so nothing evens out.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from agents.storing.care_points import of_care_event
from pipeline.cohort import simulate
from pipeline.cohort.people import SERVICES
from pipeline.outcomes.alarms import alarms
from pipeline.outcomes.awaited import awaited_days
from pipeline.outcomes.caseload import caseload
from pipeline.outcomes.rates import happened
from pipeline.outcomes.stays import readmitted, stays
from pipeline.outcomes.time_at_risk import scope
from pipeline.outcomes.zones import time_in_zone
from schemas.care import Admitted, Discharged, EmergencyContact, Enrolled, PhaseChanged, Transferred
from schemas.services import Service
from schemas.types import Phase, Zone
from tests.pipeline.outcomes.stored import START, folded, frames
from tests.stack.test_flux import Store, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope
    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SEEDS: Final = (1, 2)
PATIENTS: Final = 14
DAYS: Final = 56
OSLO: Final = ZoneInfo("Europe/Oslo")
FIRST: Final = date(2026, 1, 5)
LAST: Final = FIRST + timedelta(days=DAYS - 1)
PERIOD: Final = {"start": datetime(2026, 1, 5, tzinfo=OSLO), "stop": datetime(2026, 3, 2, tzinfo=OSLO)}
PHASES: Final = tuple(Phase)
Counted = dict[tuple[str, str, str], float]  # by what, service and day or week


class Both(NamedTuple):
    """The same points in an InfluxDB and as frames."""

    store: Store
    frames: dict[str, pd.DataFrame]
    scope: Scope


def befalls(random: np.random.Generator, patient: str) -> Iterator[tuple[datetime, Any]]:
    """What befalls a patient at random; hours apart or less, so that transfers within 8 hours are among it."""

    def about(at: datetime) -> dict[str, Any]:
        return {"event_id": UUID(bytes=random.bytes(16)), "patient": patient, "at": at, "recorded_at": at}

    def when() -> datetime:
        return START + timedelta(seconds=int(random.integers(3600, DAYS * 86_400)))

    for _ in range(random.poisson(5)):
        at = when()
        yield at, Admitted(**about(at), acute=bool(random.random() < 0.7))
        for _ in range(random.integers(0, 4)):
            at += timedelta(minutes=int(random.choice([7 * 60, 8 * 60, 9 * 60, 40 * 60, 100 * 60])))
            what = Discharged(**about(at)) if random.random() < 0.6 else Admitted(**about(at), acute=False)
            yield at, what
    for _ in range(random.poisson(3)):
        at = when()
        yield at, EmergencyContact(**about(at), kind="out-of-hours")
    for _ in range(random.poisson(2)):
        at = when()
        yield at, Transferred(**about(at), service=str(random.choice(list(SERVICES))))
    for _ in range(random.poisson(2)):
        at = when()
        yield at, PhaseChanged(**about(at), phase=PHASES[random.integers(len(PHASES))])
    for _ in range(random.poisson(1)):
        at = when()
        place = {"service": str(random.choice(list(SERVICES))), "municipality": "m1", "pathway": "copd"}
        yield at, Enrolled(**about(at), **place, phase=PHASES[random.integers(len(PHASES))])


@pytest.fixture(scope="module", params=SEEDS)
def both(
    request: pytest.FixtureRequest, influxdb: RunningInfluxDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    random = np.random.default_rng(request.param)
    cohort = simulate(request.param, START, DAYS, PATIENTS)
    told = [(event.at, event.message) for event in cohort.events]
    for one in cohort.patients:
        told += befalls(random, one.name)
    points = folded(told, DAYS)
    with opened(influxdb, tmp_path_factory.mktemp("both")) as store:
        store.apply({name: Service(name=name) for name in SERVICES}, START)
        store.write(points)
        store.roll_up(FIRST, LAST)
        held = frames(points)
        yield Both(store, held, scope(held["care_event"], PERIOD["start"], PERIOD["stop"], "week"))


def test_stays_whose_events_fall_together_are_the_same(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    """Events on few hours of few days: many at one instant, transfers, discharges of nobody, exactly 8 hours apart."""
    random = np.random.default_rng(3)
    points = []
    for number in range(400):
        patient, at = f"p-{number % 40}", START + timedelta(hours=int(random.integers(0, 60)))
        about = {"event_id": UUID(bytes=random.bytes(16)), "patient": patient, "at": at}
        about["recorded_at"] = at + timedelta(seconds=number)  # so that what is first of an instant is known
        what = Admitted(**about, acute=bool(random.random() < 0.5)) if random.random() < 0.5 else Discharged(**about)
        points += of_care_event(what)
    held = frames(points)["care_event"]
    until = START + timedelta(days=9)
    told = stays(held, until)
    again = readmitted(told)
    wanted = Counter()
    for stay, acute_again in zip(told.itertuples(), again, strict=True):
        wanted[stay.patient, stay.admitted.to_pydatetime(), 1.0, float(stay.acute), float(acute_again)] += 1
        if not stay.open:
            wanted[stay.patient, stay.discharged.to_pydatetime(), 0.0, 0.0, 0.0] += 1
    with opened(influxdb, tmp_path) as store:
        store.apply({}, START)
        store.write(points)
        rows = store.ask("stays", stop=until)
    found = Counter((row["patient"], row["_time"], row["bed"], row["acute"], row["readmission"]) for row in rows)
    assert found == wanted
    assert len(told) > len(set(told["patient"])) > 30
    assert again.any()


def ours(both: Both, function: str, *names: str) -> Counted:
    """What Flux says by day; what is 0 is left out."""
    found: Counted = {}
    for service in SERVICES:
        for row in both.store.ask(function, **PERIOD, services=[service]):
            if row["series"] in names and row.get("_value", 0.0) != 0.0:
                found[row["series"], service, str(row["_time"].astimezone(OSLO).date())] = row["_value"]
    return found


def theirs(events: pd.DataFrame, measure: pd.Series, worth: pd.Series | None = None) -> Counted:
    """What pandas says of events with `time` and `service`, by day."""
    days = events["time"].dt.tz_convert(OSLO).dt.date.astype("str")
    found: Counter[tuple[str, str, str]] = Counter()
    values = [1.0] * len(events) if worth is None else worth.tolist()
    for *key, value in zip(measure, events["service"], days, values, strict=True):
        if value:
            found[tuple(key)] += value  # type: ignore[index] # three of them
    return dict(found)


def test_admissions_readmissions_and_bed_days_are_the_same(both: Both) -> None:
    names = {"admissions": "admissions", "acute_admissions": "acute"} | {
        name: name for name in ("readmissions", "bed_days")
    }
    events = happened(both.frames["care_event"], both.scope)
    events = events[events["measure"].isin(names)]
    wanted = theirs(events, events["measure"].map(names))
    assert {name for name, _, _ in wanted} == set(names.values())
    assert ours(both, "admissionsPerDay", *names.values()) == wanted


def test_by_week_they_are_the_same_too(both: Both) -> None:
    events = happened(both.frames["care_event"], both.scope)
    events = events[events["measure"].isin(("admissions", "bed_days"))]
    wanted = Counter(zip(events["measure"], events["service"], events["period"], strict=True))
    found: dict[tuple[str, str, str], float] = {}
    for service in SERVICES:
        for row in both.store.ask("admissionsPerDay", **PERIOD, services=[service], weeks=True):
            if row["series"] in {"admissions", "bed_days"} and row.get("_value", 0.0) != 0.0:
                year, week, _ = row["_time"].astimezone(OSLO).isocalendar()
                found[row["series"], service, f"{year}-W{week:02}"] = row["_value"]
    assert found == wanted


def test_emergency_contacts_are_the_same(both: Both) -> None:
    events = happened(both.frames["care_event"], both.scope)
    events = events[events["measure"] == "emergency_contacts"]
    wanted = theirs(events, events["measure"].map({"emergency_contacts": "out-of-hours"}))
    assert wanted
    assert ours(both, "emergencyContactsPerDay", "out-of-hours") == wanted
    of_every_kind = theirs(events, events["measure"].map({"emergency_contacts": "emergency"}))
    assert ours(both, "emergencyPerDay", "emergency") == of_every_kind


def test_alarms_are_the_same(both: Both) -> None:
    events = both.scope.placed(alarms(both.frames["zone_change"]))
    wanted = theirs(events, events["to_zone"])
    assert {name for name, _, _ in wanted} == {"red", "yellow"}
    assert ours(both, "alertsPerDay", "red", "yellow") == wanted


def test_adherence_by_day_is_the_same(both: Both) -> None:
    events = awaited_days(both.frames["status"], both.frames["assessment"], both.scope)
    wanted: Counted = {}
    for name in ("due", "done", "late"):
        wanted |= theirs(events, events["patient"].map(lambda _, name=name: name), events[name])
    wanted |= theirs(events, events["patient"].map(lambda _: "awaited"))
    assert {name for name, _, _ in wanted} == {"awaited", "due", "done", "late"}
    assert ours(both, "adherencePerDay", "awaited", "due", "done", "late") == wanted


def test_users_at_the_end_of_each_week_are_the_same(both: Both) -> None:
    told = caseload(both.scope)
    ends = dict(zip(both.scope.periods["period"], both.scope.periods["stop"], strict=True))
    wanted = {
        (row.service, str((ends[row.period].tz_convert(OSLO) - timedelta(hours=12)).date())): float(row.users)
        for row in told.itertuples()
        if row.users
    }
    assert wanted
    rows = both.store.ask("caseloadPerDay", **PERIOD)
    found = {(row["series"], str(row["_time"].astimezone(OSLO).date())): row["_value"] for row in rows}
    assert {key: value for key, value in found.items() if key[1] in {day for _, day in wanted} and value} == wanted


def test_time_in_each_zone_is_the_same(both: Both) -> None:
    """Of all services: Flux counts a day where the patient belonged at its end, pandas each hour where it was spent."""
    told = time_in_zone(both.frames["zone_change"], both.scope, by=())
    wanted = {row.zone: pytest.approx(row.days * 24, abs=1e-3) for row in told.itertuples()}
    assert set(wanted) == {zone.value for zone in Zone}
    assert {row["zone"]: row["hours"] for row in both.store.ask("timeInZone", **PERIOD)} == wanted


def test_users_now_are_the_same(both: Both) -> None:
    stop = both.scope.until
    last = both.scope.followed[both.scope.followed["stop"] == stop]
    wanted = last.groupby("service").size().astype("float64").to_dict()
    rows = both.store.ask("caseload", at=stop.to_pydatetime())
    assert {row["service"]: row["patients"] for row in rows if row["patients"]} == wanted
