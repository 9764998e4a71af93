"""Every query of every panel, variable and annotation, asked of the running product on real servers.

The product's own processes are scraped by a real Prometheus and write to a real InfluxDB; tests/grafana/scenario.py is
what happens to them. No panel may be empty, and what a panel says of the known patients must be so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.grafana import limits
from dashboards.grafana.words import Words
from infra.local.servers import InfluxDB, Kafka
from schemas.types import Zone
from tests.grafana import asked as asking
from tests.grafana.known import KNOWN, SERVICE
from tests.grafana.product import TARGET
from tests.grafana.scenario import POISON, played

if TYPE_CHECKING:
    from pathlib import Path

    from tests.grafana.asked import Asked
    from tests.grafana.known import Person

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
EN = Words("en")
IN_ZONES = Counter(person.zone for person in KNOWN)


@dataclass(frozen=True)
class Seen:
    """What was asked, by the dashboard's uid, and what became of the product meanwhile."""

    everybody: dict[str, Asked]
    known: dict[str, Asked]
    quiet: dict[str, Asked]
    unstored: dict[str, Asked]
    board_url: str
    took_s: float  # from the day's beginning until the known were asked
    ends: list[str]

    def centre(self, panel: str) -> Any:  # noqa: ANN401 - an Answer
        """A panel of the follow-up centre, of the known service."""
        return self.of("centre", panel)

    def of(self, dashboard: str, panel: str) -> Any:  # noqa: ANN401 - an Answer
        """A panel of a clinical dashboard, of the known service."""
        return self.known[f"sonevakt-{dashboard}-en"].of(EN.said(f"{dashboard}.{panel}").title)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return asyncio.run(_seen(tmp_path_factory.mktemp("panels")))


async def _seen(folder: Path) -> Seen:
    with Kafka() as kafka, InfluxDB() as influxdb:
        async with played(kafka, influxdb, folder) as scene:
            everybody = await asking.everything(scene)
            known = await asking.known(scene)
            stop = known[0].period.stop
            quiet = await asking.quiet(scene)
            ends = scene.product.ends()
            unstored = await asking.unstored(scene)
            return Seen(
                {one.dashboard["uid"]: one for one in everybody},
                {one.dashboard["uid"]: one for one in known},
                {one.dashboard["uid"]: one for one in quiet},
                {one.dashboard["uid"]: one for one in unstored},
                scene.product.board_url,
                (stop - scene.began_at).total_seconds(),
                ends,
            )


def test_no_panel_variable_or_annotation_is_empty(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    every = list(seen.everybody.values())
    asked = [answer for one in every for answer in one.answers]
    panels = {(answer.question.of, answer.question.panel) for answer in asked if answer.question.where == "panel"}
    told = f"{len(every)} dashboards, {len(panels)} panels, {len(asked)} queries, {sum(one.rows for one in asked)} rows"
    with capsys.disabled():
        print(f"\n{told}")  # noqa: T201 - how much was asked
    assert [name for one in every for name in one.empty] == []


def test_where_there_is_nobody_panels_are_empty_or_0_and_no_query_is_an_error(seen: Seen) -> None:
    """An error would have ended the asking."""
    asked = seen.quiet["sonevakt-centre-en"]
    assert asked.of(EN.said("centre.zones_now").title).last() == {zone.value: 0.0 for zone in Zone}
    assert asked.of(EN.said("centre.worklist").title).rows == 0
    assert asked.of(EN.said("centre.overdue_count").title).column("patients") == [0.0]
    assert asked.of(EN.said("centre.reds_waiting").title).column("patients") == [0.0]
    assert seen.quiet["sonevakt-patient-en"].of(EN.said("patient.answers").title).rows == 0


def test_the_list_of_patients_has_everybody_whatever_service_is_chosen(seen: Seen) -> None:
    every, quiet = seen.everybody["sonevakt-patient-en"], seen.quiet["sonevakt-patient-en"]
    assert {person.name for person in KNOWN} < set(every.values["patient"])
    assert set(quiet.values["patient"]) >= set(every.values["patient"])


@pytest.mark.parametrize("dashboard", ["centre", "patient", "equipment", "operations"])
def test_how_far_figures_are_behind_is_told_while_storing_runs_and_not_known_while_it_is_down(
    seen: Seen, dashboard: str
) -> None:
    title = EN.said("behind").title
    (behind_s,) = seen.known[f"sonevakt-{dashboard}-en"].of(title).last().values()
    assert 0 <= behind_s < limits.of_alert("MessagesWait").steps[0].value
    assert seen.unstored[f"sonevakt-{dashboard}-en"].of(title).rows == 0


def test_no_process_ended_by_itself(seen: Seen) -> None:
    assert seen.ends == []


def test_patients_stand_in_their_zones(seen: Seen) -> None:
    assert seen.centre("zones_now").last() == {zone.value: float(times) for zone, times in IN_ZONES.items()}


def test_and_stood_there_at_the_end_of_the_period(seen: Seen) -> None:
    over_time = seen.centre("zones_over_time")
    assert {zone.value: over_time.column(zone.value)[-1] for zone in Zone} == {
        zone.value: float(times) for zone, times in IN_ZONES.items()
    }


def test_the_worklist_has_everybody_who_is_not_green_in_the_order_of_the_board(seen: Seen) -> None:
    worklist = seen.centre("worklist")
    waiting = [person for person in KNOWN if person.zone is not Zone.GREEN]
    assert worklist.column("patient") == [person.name for person in waiting]
    assert worklist.column("zone") == [person.zone.value for person in waiting]
    assert worklist.column("unacknowledged") == [
        person.zone in {Zone.RED, Zone.YELLOW} and not person.acknowledged for person in waiting
    ]
    assert worklist.column("taken") == [_taken(person) for person in waiting]
    assert worklist.column("why")[0] == "At or below the plan's limit (SpO₂)"
    assert worklist.column("rule")[:3] == ["limit_low", "limit_low", "limit_high"]
    assert worklist.column("vital")[:3] == ["spo2", "spo2", "heart_rate"]
    assert worklist.column("municipality") == [person.municipality for person in waiting]
    assert set(worklist.column("service")) == {SERVICE}


def _taken(person: Person) -> str:
    if person.zone not in {Zone.RED, Zone.YELLOW}:
        return "nothing"
    return "somebody" if person.acknowledged else "nobody"


def test_the_oldest_red_that_nobody_has_taken_is_as_old_as_the_day(seen: Seen) -> None:
    (waited_s,) = seen.centre("oldest_red").column("waiting_s")
    assert 0 < waited_s <= seen.took_s
    waiting = [person for person in KNOWN if person.zone is Zone.RED and not person.acknowledged]
    assert seen.centre("reds_waiting").column("patients") == [float(len(waiting))]


def test_who_is_late_is_overdue_and_nobody_else(seen: Seen) -> None:
    assert seen.centre("overdue").column("patient") == [person.name for person in KNOWN if person.zone is Zone.NO_DATA]
    assert seen.centre("overdue_count").column("patients") == [1.0]


def test_each_red_and_each_yellow_is_one_alert(seen: Seen) -> None:
    alerts = {
        frame["schema"]["fields"][1]["name"]: sum(frame["data"]["values"][1]) for frame in seen.centre("alerts").frames
    }
    assert alerts == {"red": float(IN_ZONES[Zone.RED]), "yellow": float(IN_ZONES[Zone.YELLOW])}


def test_pages_are_counted_with_those_that_were_acknowledged(seen: Seen) -> None:
    for dashboard in ("centre", "operations"):
        times = seen.of(dashboard, "page_times")
        counted = [times.column(name) for name in ("service", "pages", "delivered", "acknowledged")]
        assert counted == [[SERVICE], [2.0], [2.0], [1.0]]


def test_nobody_is_left_without_a_page(seen: Seen) -> None:
    assert list(seen.centre("undeliverable").last().values()) == [0.0]


def test_the_caseload_stands_beside_its_target(seen: Seen) -> None:
    caseload = seen.of("operations", "caseload")
    assert caseload.column("service") == [SERVICE]
    assert caseload.column("patients") == [float(len(KNOWN))]
    assert caseload.column("target") == [float(TARGET)]
    assert caseload.column("share") == [len(KNOWN) / TARGET]


def test_everybody_is_in_start_up(seen: Seen) -> None:
    phases = seen.of("operations", "phases")
    assert dict(zip(phases.column("phase"), phases.column("patients"), strict=True))["start_up"] == len(KNOWN)
    assert set(seen.of("operations", "trials").column("patient")) == {person.name for person in KNOWN}


def test_what_is_handed_out_is_out_until_it_is_returned(seen: Seen) -> None:
    out = seen.of("equipment", "out")
    assert set(out.column("patient")) == {person.name for person in KNOWN} - {"known-late"}
    assert set(out.column("equipment")) == {"oximeter"}
    assert seen.of("equipment", "out_count").column("devices") == [float(len(KNOWN) - 1)]
    assert seen.of("equipment", "out_by_kind").column("devices") == [float(len(KNOWN) - 1)]


def test_open_dead_letters_are_those_that_were_made(seen: Seen) -> None:
    core = seen.everybody["sonevakt-core"].answers
    (now,) = [one for one in core if one.question.title == "Open dead letters" and one.question.target.get("instant")]
    assert list(now.last().values()) == [float(len(POISON))]


def test_the_attempts_to_sign_in_are_seen_from_the_first_on(seen: Seen) -> None:
    attempts = seen.everybody["sonevakt-core"].of("Attempts to sign in")
    most = {
        field["config"]["displayNameFromDS"]: max(value or 0.0 for value in values)
        for frame in attempts.frames
        for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True)
        if field["type"] == "number"
    }
    assert {outcome for outcome, times in most.items() if times > 0} == {"done", "refused"}


def test_links_lead_to_the_board_where_it_is(seen: Seen) -> None:
    """Where somebody looked at a known patient meanwhile, as the scenario does."""
    told = {tuple(asked.values["board"]) for asked in seen.everybody.values() if "board" in asked.values}
    assert told == {(seen.board_url,)}


def test_admissions_and_emergency_contacts_are_those_that_were_recorded(seen: Seen) -> None:
    rates = seen.of("outcomes", "rates")
    times = dict(zip(rates.column("what"), rates.column("times"), strict=True))
    assert times.pop("bed_days") == pytest.approx(2.0)
    assert times == {"admissions": 2.0, "acute": 1.0, "readmissions": 0.0, "emergency": 1.0}
    assert all(rate >= 0 for rate in rates.column("rate"))
