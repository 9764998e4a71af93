"""Every Flux function on a real InfluxDB, against what was worked out by hand of tests/stack/followed.py."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from influxdb_client import InfluxDBClient
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.settings import Settings
from agents.store_setup import applying, tokens
from agents.store_setup import tasks as setup_tasks
from agents.store_setup.asking import asking
from agents.store_setup.rolling import Rolling
from agents.stores.influxdb import InfluxDBStore
from dashboards import flux
from schemas.services import Service
from tests.stack import followed
from tests.stack.followed import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agents.stores.port import Point
    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
WEEK: Final = {"start": at("03-02 00:00"), "stop": at("03-09 00:00")}
DAYS: Final = [f"03-{day:02}" for day in range(2, 9)]
ZONES: Final = ("red", "yellow", "no_data", "green", "not_monitored")
_MARKS: Final = frozenset({"result", "table", "_start", "_stop"})
Row = dict[str, Any]


class Store:
    """An InfluxDB with buckets, tasks and tokens of its own, asked by a reader's token."""

    def __init__(self, influxdb: RunningInfluxDB, folder: Path) -> None:
        self.bucket = f"flux-{uuid4().hex[:8]}"
        self._influxdb, self._folder = influxdb, folder / self.bucket
        self._folder.mkdir()
        (self._folder / "operator").write_text(influxdb.token)
        self.settings = Settings(
            store=influxdb.url.replace("http:", "influxdb:"),
            influxdb_org=influxdb.org,
            influxdb_bucket=self.bucket,
            influxdb_operator_token_file=str(self._folder / "operator"),
            influxdb_tokens_folder=str(self._folder / "tokens"),
        )

    def token(self, role: str) -> str:
        """The token of a role."""
        (found,) = (one for one in tokens.ROLES if one.name == role)
        return tokens.file_of(self._folder / "tokens", found).read_text()

    def apply(self, services: dict[str, Service], now: datetime) -> None:
        """As `sonevakt store apply` does."""
        asyncio.run(applying.apply(self.settings, services, now))

    def write(self, points: Sequence[Point]) -> None:
        """Write with the writer's token."""

        async def write() -> None:
            where = {"org": self._influxdb.org, "bucket": self.bucket, "token": self.token("writer")}
            store = InfluxDBStore(self._influxdb.url, **where, metrics=Metrics(CollectorRegistry()))
            assert await store.write(points) == []
            await store.close()

        asyncio.run(write())

    def roll_up(self, first: date, last: date) -> None:
        """Write rollups with the tasks' token."""

        async def roll() -> None:
            rolling = Rolling(
                self._influxdb.url,
                org=self._influxdb.org,
                bucket=self.bucket,
                token=self.token("tasks"),
                zone="Europe/Oslo",
            )
            async with rolling:
                written = [piece async for piece in rolling.days(first, last)]
                written += [piece async for piece in rolling.weeks(first, last)]
            assert written

        asyncio.run(roll())

    def ask(self, function: str, **arguments: Any) -> list[Row]:  # noqa: ANN401 - any of a function
        """The rows of a call, by the reader's token; empty cells are left out."""
        query = flux.call(function, bucket=self.bucket, **arguments)
        return self.ask_text(query.text, query.params)

    def ask_text(self, text: str, params: dict[str, Any]) -> list[Row]:
        """The rows of a query."""
        with InfluxDBClient(self._influxdb.url, token=self.token("reader"), org=self._influxdb.org) as client:
            tables = client.query_api().query(text, params=params)
        rows = [record.values for table in tables for record in table.records]
        return [
            {name: value for name, value in row.items() if name not in _MARKS and value is not None} for row in rows
        ]

    def drop(self) -> None:
        """Take away all of it."""

        async def drop() -> None:
            async with asking(self._influxdb.url, self._influxdb.org, self._influxdb.token) as influxdb:
                for name in (self.bucket, f"{self.bucket}-daily", f"{self.bucket}-weekly"):
                    for found in (await influxdb.get("buckets", name=name)).get("buckets", []):
                        await influxdb.delete(f"buckets/{found['id']}")
                for name, task in (await setup_tasks._found(influxdb)).items():
                    if name.startswith(self.bucket):
                        await influxdb.delete(f"tasks/{task['id']}")

        asyncio.run(drop())


@contextmanager
def opened(influxdb: RunningInfluxDB, folder: Path) -> Iterator[Store]:
    """A store of its own, while the block runs."""
    store = Store(influxdb, folder)
    try:
        yield store
    finally:
        store.drop()


@pytest.fixture(scope="module")
def store(influxdb: RunningInfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The week of tests/stack/followed.py, with its rollups."""
    with opened(influxdb, tmp_path_factory.mktemp("store")) as store:
        services = {"north": Service(name="North", target_patients=10), "south": Service(name="South")}
        store.apply(services, at("03-01 00:00"))
        store.write(list(followed.points()))
        store.roll_up(date(2026, 3, 2), date(2026, 3, 8))
        yield store


def series(rows: list[Row]) -> dict[str, list[tuple[Any, float]]]:
    """By series, (wall clock in Oslo, value) of what is not 0; in order of time."""
    found: defaultdict[str, list[tuple[Any, float]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["_time"]):
        if row.get("_value", 0.0) != 0.0:
            found[row["series"]].append((clock(row["_time"]), row["_value"]))
    return dict(found)


def clock(instant: datetime) -> str:
    """As tests/stack/followed.py says it."""
    return instant.astimezone(followed.OSLO).strftime("%m-%d %H:%M")


def by_day(**values: float) -> list[tuple[str, float]]:
    """(wall clock of the day's beginning, value), of days named as `d3`."""
    return [(f"03-{int(day[1:]):02} 00:00", value) for day, value in values.items()]


# Where patients stand.


def test_patients_are_counted_by_where_they_stood_as_was_known_then(store: Store) -> None:
    counts = {row["zone"]: row["patients"] for row in store.ask("patientsByZone", at=at("03-03 12:00"))}
    assert counts == {"red": 1.0, "yellow": 0.0, "no_data": 0.0, "not_monitored": 0.0, "green": 2.0}
    zones = [row["zone"] for row in store.ask("patientsByZone", at=at("03-03 12:00"))]
    assert zones == ["red", "yellow", "no_data", "green", "not_monitored"]


@pytest.mark.parametrize(
    ("services", "municipalities", "green", "red"),
    [
        (["north"], ["*"], 0.0, 1.0),
        (["south"], ["*"], 2.0, 0.0),
        (["south"], ["m1"], 1.0, 0.0),
        (["north", "south"], ["m2"], 1.0, 0.0),
        ([], ["*"], 0.0, 0.0),
        (["no.th"], ["*"], 0.0, 0.0),  # a name, not a pattern
    ],
)
def test_patients_are_counted_by_service_and_municipality(
    store: Store, services: list[str], municipalities: list[str], green: float, red: float
) -> None:
    rows = store.ask("patientsByZone", at=at("03-03 12:00"), services=services, municipalities=municipalities)
    counts = {row["zone"]: row["patients"] for row in rows}
    assert (counts["green"], counts["red"]) == (green, red)


def test_who_has_ended_is_followed_no_more(store: Store) -> None:
    counts = {row["zone"]: row["patients"] for row in store.ask("patientsByZone", at=at("03-05 13:00"))}
    assert (counts["green"], counts["not_monitored"]) == (2.0, 0.0)


def test_the_worklist_says_who_waits_why_and_for_how_long(store: Store) -> None:
    (first,) = store.ask("worklist", at=at("03-03 09:10"))
    assert {name: first[name] for name in ("patient", "zone", "rule", "vital", "service", "municipality", "phase")} == {
        "patient": "p-1",
        "zone": "red",
        "rule": "limit_high",
        "vital": "heart_rate",
        "service": "north",
        "municipality": "m1",
        "phase": "follow_up",
    }
    assert (first["unacknowledged"], first["late"], first["waiting_s"], first["open_pages"]) == (True, True, 600.0, 1.0)
    assert clock(first["since"]) == "03-03 09:00"
    assert clock(first["respond_by"]) == "03-03 09:05"


def test_the_worklist_is_in_the_order_of_the_board_and_leaves_out_who_needs_nobody(store: Store) -> None:
    rows = store.ask("worklist", at=at("03-04 12:00"))
    assert [(row["patient"], row["zone"], row["unacknowledged"], row["waiting_s"]) for row in rows] == [
        ("p-2", "yellow", True, 2 * 3600.0),  # nobody has it
        ("p-1", "yellow", False, 21 * 3600.0),
    ]
    assert store.ask("worklist", at=at("03-06 12:00")) == []  # one green, one paused
    assert store.ask("worklist", at=at("03-01 11:00")) == []  # only who has nothing to send yet


def test_overdue_is_who_has_not_sent_what_was_due_as_was_known_then(store: Store) -> None:
    rows = store.ask("overdue", at=at("03-04 11:00"))
    assert [(row["patient"], row["overdue_s"], clock(row["due"]), row["zone"]) for row in rows] == [
        ("p-4", 25 * 3600.0, "03-03 10:00", "green"),
        ("p-1", 3600.0, "03-04 10:00", "yellow"),
    ]
    assert [row["patient"] for row in store.ask("overdue", at=at("03-04 11:00"), services=["south"])] == ["p-4"]
    assert store.ask("overdue", at=at("03-06 09:00")) == []


def test_the_oldest_red_that_nobody_has_is_told_with_how_many_there_are(store: Store) -> None:
    assert store.ask("oldestUnacknowledgedRed", at=at("03-03 09:10")) == [{"waiting_s": 600.0, "patients": 1.0}]
    assert store.ask("oldestUnacknowledgedRed", at=at("03-04 09:10")) == [{"waiting_s": 0.0, "patients": 0.0}]


def test_phases_are_counted_in_the_order_of_the_pathway(store: Store) -> None:
    rows = store.ask("phasesAt", at=at("03-08 12:00"))
    assert [(row["phase"], row["patients"]) for row in rows] == [
        ("referral", 0.0),
        ("start_up", 0.0),
        ("follow_up", 2.0),
        ("evaluation", 0.0),
        ("ended", 1.0),
    ]


def test_caseload_stands_beside_the_target_of_each_service(store: Store) -> None:
    assert store.ask("caseload", at=at("03-03 12:00")) == [
        {"service": "north", "patients": 1.0, "target": 10.0, "share": 0.1},
        {"service": "south", "patients": 2.0},
    ]
    assert [(row["service"], row["patients"]) for row in store.ask("caseload", at=at("03-08 12:00"))] == [
        ("north", 0.0),  # a service with a target and nobody
        ("south", 2.0),
    ]


def test_equipment_is_out_where_it_was_handed_out_last(store: Store) -> None:
    rows = store.ask("equipmentOut", at=at("03-08 10:00"))
    named = ("device", "equipment", "patient", "service", "municipality", "days")
    assert [tuple(row[name] for name in named) for row in rows] == [
        ("d-1", "pulse-meter", "p-1", "south", "m1", 7.0),
        ("d-3", "cuff", "p-2", "south", "m2", 2.0),
    ]
    earlier = store.ask("equipmentOut", at=at("03-03 10:00"), services=["south"])
    assert [row["device"] for row in earlier] == ["d-2", "d-3"]


def test_a_patient_whose_state_cannot_be_read_is_on_every_list(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    lost = followed.Reason(rule="not_monitored", zone=followed.Zone.NOT_MONITORED, detail="unreadable_state")
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(followed.stood("p-9", "03-02 09:00", followed.Zone.NOT_MONITORED, "03-02 09:00", lost))
        rows = store.ask("worklist", at=at("03-02 10:00"), services=["north"], municipalities=["m1"])
    assert [(row["patient"], row["detail"], row["waiting_s"]) for row in rows] == [("p-9", "unreadable_state", 3600.0)]


# What happened.


def test_zones_over_time_follow_a_patient_who_is_transferred(store: Store) -> None:
    period = {"start": at("03-04 10:30"), "stop": at("03-04 16:30")}
    rows = store.ask("zonesOverTime", **period, every=timedelta(hours=2))
    found = series(rows)
    assert found == {
        "yellow": [("03-04 11:00", 2.0), ("03-04 13:00", 2.0), ("03-04 15:00", 2.0), ("03-04 16:30", 2.0)],
        "green": [("03-04 11:00", 1.0), ("03-04 13:00", 1.0), ("03-04 15:00", 1.0), ("03-04 16:30", 1.0)],
    }
    north = series(store.ask("zonesOverTime", **period, every=timedelta(hours=2), services=["north"]))
    assert north == {"yellow": [("03-04 11:00", 1.0)]}  # at 12:00 p-1 goes over to south


def test_zones_over_time_end_with_the_follow_up(store: Store) -> None:
    period = {"start": at("03-05 09:00"), "stop": at("03-05 15:00")}
    found = series(
        store.ask("zonesOverTime", **period, every=timedelta(hours=3), services=["south"], municipalities=["m1"])
    )
    # p-1 and p-4 until 12:00, then p-1 alone
    assert found == {"green": [("03-05 10:00", 2.0), ("03-05 13:00", 1.0), ("03-05 15:00", 1.0)]}


def test_alerts_are_counted_once_where_they_stand_and_are_news(store: Store) -> None:
    found = series(store.ask("alertsPerHour", start=at("03-02 00:00"), stop=at("03-05 00:00")))
    assert found == {"red": [("03-03 09:00", 1.0)], "yellow": [("03-04 10:00", 1.0)]}


def test_an_alert_belongs_to_the_service_of_that_time(store: Store) -> None:
    north = series(store.ask("alertsPerHour", **WEEK, services=["north"]))
    south = series(store.ask("alertsPerHour", **WEEK, services=["south"]))
    assert north == {"red": [("03-03 09:00", 1.0)]}
    assert south == {"yellow": [("03-04 10:00", 1.0)]}


def test_an_episode_that_goes_on_after_a_pause_is_no_new_alert(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    kept = followed.Reason(rule="yellow_kept", zone=followed.Zone.YELLOW)
    zone = followed.Zone
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(
            [
                *followed.enrolled("p-1", "north", "m1", "copd"),
                *followed.changed("p-1", "03-02 09:00", zone.NOT_MONITORED, zone.YELLOW, followed.HEAVIER, kept),
                *followed.changed("p-1", "03-03 09:00", zone.NOT_MONITORED, zone.YELLOW, followed.HEAVIER),
                *followed.changed("p-1", "03-04 09:00", zone.RED, zone.RED, followed.HIGH),
            ]
        )
        found = series(store.ask("alertsPerHour", **WEEK))
    assert found == {"yellow": [("03-03 09:00", 1.0)], "red": [("03-04 09:00", 1.0)]}


def test_an_alert_counts_for_every_rule_that_raised_it_and_what_was_said_last_counts(store: Store) -> None:
    rows = store.ask("alertsByRule", **WEEK)
    assert [
        tuple(row[name] for name in ("rule", "vital", "to_zone", "alerts", "acknowledged", "right", "wrong"))
        for row in rows
    ] == [
        ("deviation", "heart_rate", "red", 1.0, 1.0, 1.0, 0.0),
        ("limit_high", "heart_rate", "red", 1.0, 1.0, 1.0, 0.0),
        ("weight_week", "weight", "yellow", 1.0, 0.0, 0.0, 0.0),
    ]


def test_a_page_is_timed_from_the_red_to_its_delivery_and_from_there_to_whoever_took_it(store: Store) -> None:
    (row,) = store.ask("pageTimes", **WEEK)
    assert (row["patient"], row["service"], row["municipality"]) == ("p-1", "north", "m1")
    assert (clock(row["_time"]), row["delivered_s"], row["acknowledged_s"]) == ("03-03 09:00", 20.0, 300.0)


def test_times_of_pages_are_ranked_by_service(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    points = [*followed.enrolled("p-1", "north", "m1", "copd"), *followed.enrolled("p-2", "south", "m2", "copd")]
    for number, took_s in enumerate((600.0, 60.0, 180.0, 120.0)):
        when = f"03-02 1{number}:00"
        points += [*followed.paged("p-1", when, 0), *followed.delivered("p-1", when, 0, 10.0)]
        points += followed.taken_over("p-1", when, 10.0 + took_s, "true")
    points += [*followed.paged("p-1", "03-02 15:00", 0), *followed.delivered("p-1", "03-02 15:00", 0, 10.0)]
    points += followed.paged("p-2", "03-02 15:00", 0)
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(points)
        rows = store.ask("pageTimesByService", **WEEK)
    assert rows == [
        {
            "service": "north",
            "pages": 5.0,
            "delivered": 5.0,
            "acknowledged": 4.0,
            "p50_s": 120.0,
            "p95_s": 600.0,
            "longest_s": 600.0,
        },
        {"service": "south", "pages": 1.0, "delivered": 0.0, "acknowledged": 0.0},
    ]


def test_emergency_contacts_are_counted_where_the_patient_belonged(store: Store) -> None:
    assert series(store.ask("emergencyContactsPerDay", **WEEK, services=["south"])) == {"out-of-hours": by_day(d5=1.0)}
    assert store.ask("emergencyContactsPerDay", **WEEK, services=["north"]) == []
    assert series(store.ask("emergencyContactsPerDay", **WEEK, weeks=True)) == {"out-of-hours": by_day(d2=1.0)}
    assert series(store.ask("emergencyPerDay", **WEEK, services=["south"])) == {"emergency": by_day(d5=1.0)}
    assert series(store.ask("emergencyPerDay", **WEEK, services=["north"])) == {}
    assert series(store.ask("emergencyPerDay", **WEEK, weeks=True)) == {"emergency": by_day(d2=1.0)}


# One patient.

ONE: Final = {"patient": "p-1", "vital": "heart_rate"}


def test_readings_of_a_patient_are_those_that_stand_and_say_something(store: Store) -> None:
    assert series(store.ask("patientReadings", **ONE, **WEEK)) == {
        "d-1": [
            ("03-02 09:00", 72.0),
            ("03-03 09:00", 130.0),
            ("03-04 18:00", 100.0),
            ("03-05 08:00", 80.0),
            ("03-05 08:01", 90.0),
        ]
    }


def test_limits_of_a_patient_are_those_of_the_plan_in_force(store: Store) -> None:
    rows = store.ask("patientLimits", **ONE, start=at("03-04 00:00"), stop=at("03-07 00:00"))
    found: defaultdict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["_time"]):
        found[row["series"]].append((clock(row["_time"]), row.get("_value")))
    # The plan of the 6th has a lower version than the one of the 5th: it never holds.
    assert found == {
        "red_low": [("03-04 00:00", 40.0), ("03-05 00:00", 40.0), ("03-06 23:59", 40.0)],
        "yellow_low": [("03-04 00:00", 50.0), ("03-05 00:00", 50.0), ("03-06 23:59", 50.0)],
        "yellow_high": [("03-04 00:00", 100.0), ("03-05 00:00", 110.0), ("03-06 23:59", 110.0)],
        "red_high": [("03-04 00:00", 120.0), ("03-05 00:00", None), ("03-06 23:59", None)],
    }


def test_limits_of_a_vital_end_with_a_plan_that_says_nothing_of_it(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write([*followed.signed("p-1", "03-02 00:00", 1, 100.0), *followed.signed("p-1", "03-04 00:00", 2, None)])
        rows = store.ask("patientLimits", **ONE, **WEEK)
        weight = store.ask("patientLimits", **ONE | {"vital": "weight"}, **WEEK)
    high = [(clock(row["_time"]), row.get("_value")) for row in rows if row["series"] == "yellow_high"]
    assert high == [("03-02 00:00", 100.0), ("03-04 00:00", None), ("03-08 23:59", None)]
    assert weight == []


def test_the_band_of_a_patient_is_two_spreads_either_way(store: Store) -> None:
    assert series(store.ask("patientBand", **ONE, **WEEK)) == {
        "low": [("03-02 09:00", 64.0)],
        "center": [("03-02 09:00", 70.0)],
        "high": [("03-02 09:00", 76.0)],
    }


def test_zones_of_a_patient_are_steps_of_what_stands(store: Store) -> None:
    rows = store.ask("patientZones", patient="p-1", start=at("03-02 00:00"), stop=at("03-05 00:00"))
    assert [(clock(row["_time"]), row["zone"], row["zone_rank"]) for row in rows] == [
        ("03-02 00:00", "green", 0.0),
        ("03-03 09:00", "red", 3.0),
        ("03-03 15:00", "yellow", 2.0),
        ("03-04 15:00", "green", 0.0),
        ("03-04 23:59", "green", 0.0),
    ]
    never = store.ask("patientZones", patient="nobody", start=at("03-02 00:00"), stop=at("03-05 00:00"))
    assert [row["zone"] for row in never] == ["not_monitored", "not_monitored"]


@pytest.mark.parametrize("turned", [False, True])
def test_changes_within_one_millisecond_lead_where_they_lead_whatever_their_order(
    influxdb: RunningInfluxDB, tmp_path: Path, *, turned: bool
) -> None:
    zone = followed.Zone
    yellow = followed.changed("p-1", "03-02 09:00", zone.GREEN, zone.YELLOW)[0]
    red = followed.changed("p-1", "03-02 09:00", zone.YELLOW, zone.RED)[0]
    first, second = (red, yellow) if turned else (yellow, red)
    points = [
        *followed.enrolled("p-1", "north", "m1", "copd"),
        *followed.changed("p-1", "03-01 12:00", zone.NOT_MONITORED, zone.GREEN),
        replace(first, apart_ns=1),
        replace(second, apart_ns=2),
        *followed.changed("p-1", "03-04 09:00", zone.RED, zone.GREEN),
    ]
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(points)
        store.roll_up(date(2026, 3, 2), date(2026, 3, 4))
        days = series(store.ask("zonesPerDay", **WEEK))
        spent = {row["zone"]: row["hours"] for row in store.ask("timeInZone", **WEEK)}
        rows = store.ask("patientZones", patient="p-1", start=at("03-03 00:00"), stop=at("03-03 12:00"))
    assert days == {"red": by_day(d2=1.0, d3=1.0, d4=1.0)}
    hours = {"red": 48.0, "green": 24.0, "yellow": 0.0, "no_data": 0.0, "not_monitored": 0.0}
    assert spent == pytest.approx(hours, abs=1e-6)
    assert [row["zone"] for row in rows] == ["red", "red"]


def test_alerts_and_events_of_a_patient_are_annotations(store: Store) -> None:
    alerts = store.ask("patientAlerts", patient="p-1", **WEEK)
    assert [(clock(row["_time"]), row["title"], row["text"], row["tags"]) for row in alerts] == [
        ("03-03 09:00", "red", "deviation:heart_rate,limit_high:heart_rate", "red")
    ]
    events = store.ask("patientEvents", patient="p-1", start=at("03-03 00:00"), stop=at("03-07 00:00"))
    assert sorted((clock(row["_time"]), row["title"], row["text"]) for row in events) == [
        ("03-03 09:05", "acknowledged", "not-said"),
        ("03-03 10:00", "acknowledged", "true"),
        ("03-04 12:00", "transferred", "south"),
        ("03-05 00:00", "plan_signed", "2"),
        ("03-06 00:00", "admitted", "acute"),
        ("03-06 00:00", "plan_signed", "1"),
        ("03-06 18:00", "admitted", "planned"),
    ]


def test_answers_are_those_of_the_newest_revision(influxdb: RunningInfluxDB, store: Store, tmp_path: Path) -> None:
    assert series(store.ask("patientAnswers", patient="p-1", **WEEK)) == {"breath": [("03-02 09:00", 2.0)]}

    def said(value: int, *, link: str = "breath", **more: Any) -> list[Point]:  # noqa: ANN401 - any of a registration
        answer = followed.Answer(questionnaire="q", questionnaire_version=1, link_id=link, value=value)
        return followed.registered("p-1", "03-03 09:00", answers=(answer,), **more)

    with opened(influxdb, tmp_path) as other:
        other.apply({}, at("03-01 00:00"))
        other.write([*said(4, link="energy"), *said(3, revision=2)])  # the correction leaves `energy` out
        corrected = series(other.ask("patientAnswers", patient="p-1", **WEEK))
        other.write(said(3, revision=3, entered_in_error=True))
        withdrawn = other.ask("patientAnswers", patient="p-1", **WEEK)
    assert (corrected, withdrawn) == ({"breath": [("03-03 09:00", 3.0)]}, [])


def test_adherence_of_a_patient_counts_what_came_to_be_known_later(store: Store) -> None:
    assert series(store.ask("patientAdherence", patient="p-1", **WEEK)) == {
        "due": by_day(d2=1.0, d3=1.0, d4=1.0, d6=1.0, d8=1.0),
        "awaited": by_day(d2=1.0, d3=1.0, d4=1.0, d6=1.0, d7=1.0, d8=1.0),
        "done": by_day(d2=1.0, d3=1.0, d4=1.0, d7=1.0, d8=1.0),
        "late": by_day(d7=1.0),
        "registrations": by_day(d2=1.0, d3=1.0, d4=1.0, d5=1.0, d7=1.0, d8=1.0),
    }
    assert series(store.ask("patientAdherence", patient="p-2", **WEEK)) == {
        "due": by_day(d7=1.0),
        "awaited": by_day(d7=1.0),
        "done": by_day(d7=1.0),
        "registrations": by_day(d7=1.0),
    }


# Rollups.

PER_DAY: Final = {
    "green": by_day(d2=2.0, d3=2.0, d4=1.0, d5=2.0, d6=1.0, d7=1.0, d8=2.0),
    "no_data": by_day(d2=1.0, d7=1.0),
    "red": by_day(d3=1.0),
    "yellow": by_day(d4=2.0, d5=1.0),
    "not_monitored": by_day(d6=1.0),
}


def test_each_day_of_a_patient_counts_in_its_worst_zone(store: Store) -> None:
    assert series(store.ask("zonesPerDay", **WEEK)) == PER_DAY


def test_a_day_counts_for_the_service_of_its_end(store: Store) -> None:
    assert series(store.ask("zonesPerDay", **WEEK, services=["north"])) == {
        "green": by_day(d2=1.0),
        "red": by_day(d3=1.0),
    }
    m2 = series(store.ask("zonesPerDay", **WEEK, municipalities=["m2"]))
    assert m2["yellow"] == by_day(d4=1.0, d5=1.0)


def test_weeks_add_up_their_days(store: Store) -> None:
    found = series(store.ask("zonesPerDay", **WEEK, weeks=True))
    assert found == {zone: [("03-02 00:00", sum(value for _, value in days))] for zone, days in PER_DAY.items()}
    assert series(store.ask("caseloadPerDay", **WEEK, weeks=True)) == {"south": by_day(d2=2.0)}


def test_at_the_end_of_a_day_patients_stand_where_they_stood_over_time(store: Store) -> None:
    found = series(store.ask("zonesAtDaysEnd", **WEEK))
    ends = {day: at("03-01 00:00") + timedelta(days=day) for day in range(2, 9)}
    over_time = {
        day: series(store.ask("zonesOverTime", start=end - timedelta(hours=1), stop=end, every=timedelta(hours=1)))
        for day, end in ends.items()
    }
    asked = {
        zone: by_day(**{f"d{day}": by_zone[zone][-1][1] for day, by_zone in over_time.items() if zone in by_zone})
        for zone in {zone for by_zone in over_time.values() for zone in by_zone}
    }
    assert found == asked
    assert {"green", "yellow", "not_monitored"} <= found.keys()
    last = {zone: days[-1][1] for zone, days in found.items() if days[-1][0] == "03-08 00:00"}
    assert series(store.ask("zonesAtDaysEnd", **WEEK, weeks=True)) == {
        zone: [("03-02 00:00", patients)] for zone, patients in last.items()
    }


def test_days_before_anything_is_known_of_a_patient_have_nobody_in_a_zone(
    influxdb: RunningInfluxDB, tmp_path: Path
) -> None:
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(followed.enrolled("p-1", "north", "m1", "copd"))
        store.roll_up(date(2026, 3, 2), date(2026, 3, 4))
        days = store.ask("zonesAtDaysEnd", **WEEK)
        hours = store.ask("zonesOverTime", **WEEK, every=timedelta(hours=12))
    assert (days, hours) != ([], [])
    assert (series(days), series(hours)) == ({}, {})


def test_over_weeks_zones_are_told_of_the_end_of_each_day(store: Store) -> None:
    days = store.ask("zonesStood", **WEEK, every=timedelta(hours=6))
    assert series(days) == series(store.ask("zonesAtDaysEnd", **WEEK))
    hours = store.ask("zonesStood", **WEEK, every=timedelta(hours=5))
    assert series(hours) == series(store.ask("zonesOverTime", **WEEK, every=timedelta(hours=5)))


def test_time_in_zone_is_that_of_the_follow_up_alone(store: Store) -> None:
    rows = store.ask("timeInZone", **WEEK)
    assert [row["zone"] for row in rows] == ["red", "yellow", "no_data", "green", "not_monitored"]
    hours = {row["zone"]: row["hours"] for row in rows}
    assert hours == pytest.approx({"red": 6, "yellow": 48, "no_data": 20, "green": 322, "not_monitored": 24}, abs=1e-6)
    assert [row["share"] for row in rows] == pytest.approx([6 / 420, 48 / 420, 20 / 420, 322 / 420, 24 / 420])
    north = {row["zone"]: row["hours"] for row in store.ask("timeInZone", **WEEK, services=["north"])}
    assert north == pytest.approx({"red": 6, "yellow": 9, "no_data": 0, "green": 33, "not_monitored": 0}, abs=1e-6)
    nobody = store.ask("timeInZone", **WEEK, services=["nowhere"])
    assert [(row["hours"], "share" in row) for row in nobody] == [(0.0, False)] * 5


def test_time_in_range_is_held_against_the_limits_of_that_time(store: Store) -> None:
    # 72 within 50 to 100; 130 and 100 break it; 80 and 90 within 50 to 110. No weight has a limit.
    assert store.ask("timeInRange", **WEEK) == [{"vital": "heart_rate", "readings": 5.0, "in_range": 3.0, "share": 0.6}]
    north = store.ask("timeInRange", **WEEK, services=["north"])  # until the transfer
    assert north == [{"vital": "heart_rate", "readings": 2.0, "in_range": 1.0, "share": 0.5}]
    assert store.ask("timeInRange", **WEEK, weeks=True) == store.ask("timeInRange", **WEEK)


def test_adherence_by_day_counts_patients(store: Store) -> None:
    assert series(store.ask("adherencePerDay", **WEEK)) == {
        "due": by_day(d2=2.0, d3=2.0, d4=1.0, d6=1.0, d7=1.0, d8=1.0),
        "awaited": by_day(d2=2.0, d3=2.0, d4=2.0, d6=1.0, d7=2.0, d8=1.0),  # on the 5th p-4 has ended
        "done": by_day(d2=2.0, d3=1.0, d4=1.0, d7=2.0, d8=1.0),
        "late": by_day(d7=1.0),
    }
    north = series(store.ask("adherencePerDay", **WEEK, services=["north"]))
    assert north["awaited"] == by_day(d2=1.0, d3=1.0)


def test_alerts_and_pages_by_day_count_each_step_and_no_test(store: Store) -> None:
    assert series(store.ask("alertsPerDay", **WEEK)) == {
        "red": by_day(d3=1.0),
        "yellow": by_day(d4=1.0),
        "pages": by_day(d3=2.0),
    }


def test_admissions_are_counted_once_and_bed_days_are_nights(store: Store) -> None:
    found = series(store.ask("admissionsPerDay", **WEEK))
    assert found == {
        "admissions": by_day(d6=1.0, d8=1.0),
        "acute": by_day(d6=1.0, d8=1.0),
        "readmissions": by_day(d8=1.0),
        "bed_days": by_day(d6=1.0, d8=1.0),
    }


def test_caseload_by_day_is_who_is_followed_at_its_end(store: Store) -> None:
    assert series(store.ask("caseloadPerDay", **WEEK)) == {
        "north": by_day(d2=1.0, d3=1.0),
        "south": by_day(d2=2.0, d3=2.0, d4=3.0, d5=2.0, d6=2.0, d7=2.0, d8=2.0),
    }


def test_quarantined_readings_are_told_by_vital_and_equipment(store: Store) -> None:
    rows = store.ask("dataQuality", **WEEK)
    found = [
        (row["vital"], row["equipment"], row["readings"], row["quarantined"], pytest.approx(row["share"]))
        for row in rows
    ]
    assert found == [
        ("heart_rate", "pulse-meter", 6.0, 1.0, 1 / 6),
        ("weight", "own", 1.0, 0.0, 0.0),
    ]


def test_a_vital_of_a_patient_is_told_by_day_in_its_least_middle_and_greatest(store: Store) -> None:
    found = series(store.ask("patientVitalDays", **ONE, **WEEK))
    assert found == {
        "count": by_day(d2=1.0, d3=1.0, d4=1.0, d5=2.0),
        "min": by_day(d2=72.0, d3=130.0, d4=100.0, d5=80.0),
        "median": by_day(d2=72.0, d3=130.0, d4=100.0, d5=85.0),
        "max": by_day(d2=72.0, d3=130.0, d4=100.0, d5=90.0),
    }
    week = series(store.ask("patientVitalDays", **ONE, **WEEK, weeks=True))
    assert week == {"count": by_day(d2=5.0), "min": by_day(d2=72.0), "median": by_day(d2=90.0), "max": by_day(d2=130.0)}


# Late knowledge.


def rolled(store: Store) -> list[Row]:
    """Every point of both rollups."""
    text = """
union(
    tables: [
        from(bucket: p_daily) |> range(start: p_start, stop: p_stop),
        from(bucket: p_weekly) |> range(start: p_start, stop: p_stop),
    ],
)
"""
    params = {"p_daily": f"{store.bucket}-daily", "p_weekly": f"{store.bucket}-weekly", "p_start": at("01-01 00:00")}
    return sorted(store.ask_text(text, params | {"p_stop": at("12-31 00:00")}), key=str)


def test_a_rollup_that_is_written_again_is_the_same(store: Store) -> None:
    before = rolled(store)
    store.roll_up(date(2026, 3, 2), date(2026, 3, 8))
    assert len(before) > 100
    assert rolled(store) == before


def test_what_comes_late_or_is_taken_back_leaves_nothing_standing(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    with opened(influxdb, tmp_path) as late, opened(influxdb, tmp_path) as fresh:
        for store in (late, fresh):
            store.apply({}, at("03-01 00:00"))
        # First as it seemed: nobody has written the transfer down, and two things are wrong.
        late.write([point for point in followed.points() if point.tags.get("kind") != "transferred"])
        wrong = followed.registered("p-1", "03-06 09:00", followed.measured("03-06 09:00", 150.0))
        late.write([*wrong, *followed.changed("p-2", "03-06 12:00", followed.Zone.NOT_MONITORED, followed.Zone.RED)])
        late.roll_up(date(2026, 3, 2), date(2026, 3, 8))
        # Then all that is so, and what was wrong taken back.
        gone = followed.measured("03-06 09:00", 150.0, withdrawn=True)
        taken_back = followed.registered("p-1", "03-06 09:00", gone, entered_in_error=True, revision=2)
        retracted = followed.changed(
            "p-2", "03-06 12:00", followed.Zone.NOT_MONITORED, followed.Zone.RED, retracted=True
        )
        for store in (late, fresh):
            store.write([*followed.points(), *taken_back, *retracted])
            store.roll_up(date(2026, 3, 2), date(2026, 3, 8))
        asked = ("zonesPerDay", "adherencePerDay", "alertsPerDay", "admissionsPerDay", "caseloadPerDay")
        for function in asked:
            for weeks in (False, True):
                assert series(late.ask(function, **WEEK, weeks=weeks)) == series(
                    fresh.ask(function, **WEEK, weeks=weeks)
                )
        for function in ("timeInZone", "timeInRange", "dataQuality"):
            assert late.ask(function, **WEEK) == fresh.ask(function, **WEEK)
        assert series(late.ask("patientVitalDays", **ONE, **WEEK)) == series(
            fresh.ask("patientVitalDays", **ONE, **WEEK)
        )


def test_days_are_those_of_the_wall_clock_where_clocks_change(influxdb: RunningInfluxDB, tmp_path: Path) -> None:
    zone = followed.Zone
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        store.write(
            [
                *followed.enrolled("p-1", "north", "m1", "copd"),
                *followed.changed("p-1", "03-01 12:00", zone.NOT_MONITORED, zone.GREEN),
                *followed.changed("p-1", "03-29 23:30", zone.GREEN, zone.YELLOW),  # 29 March has 23 hours
            ]
        )
        store.roll_up(date(2026, 3, 28), date(2026, 3, 30))
        period = {"start": at("03-28 00:00"), "stop": at("03-31 00:00")}
        days = series(store.ask("zonesPerDay", **period))
        spent = {row["zone"]: row["hours"] for row in store.ask("timeInZone", **period)}
    assert days == {"green": [("03-28 00:00", 1.0)], "yellow": [("03-29 00:00", 1.0), ("03-30 00:00", 1.0)]}
    assert (spent["green"], spent["yellow"]) == pytest.approx((24 + 22.5, 24.5), abs=1e-6)


def test_the_beginnings_of_days_are_in_utc(store: Store) -> None:
    times = {row["_time"] for row in store.ask("zonesPerDay", **WEEK)}
    assert datetime(2026, 3, 1, 23, tzinfo=UTC) in times
