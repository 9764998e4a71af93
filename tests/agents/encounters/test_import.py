"""`sonevakt import outcomes`, as an operator calls it: through the embedded broker into the store."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents import processes
from agents.broker.embedded import EmbeddedBroker
from agents.commands.main import main
from agents.encounters import importing
from agents.frames.reading import Frames
from agents.gateway.delivery import UnconfirmedError
from agents.metrics import Metrics
from agents.recordings import log
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.settings import read
from schemas.care import Admitted, CareEvent, Discharged, EmergencyContact
from schemas.topics import CARE
from tests.agents.encounters.test_from_fhir import encounter
from tests.agents.frames import told
from tests.agents.frames.told import day

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    import pandas as pd
    from click.testing import Result

pytestmark = [pytest.mark.usefixtures("logs_as_they_were"), pytest.mark.timeout(180)]
HEAD = "encounter,patient,kind,start,end,acute,contact,status\n"
STAY = "e-1,p-1,admission,2026-02-01T08:00:00Z,2026-02-03T08:00:00Z,yes,,\n"
EMERGENCY = "e-2,p-2,emergency,2026-02-05T08:00:00Z,,,out-of-hours,\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SONEVAKT_ACCESS_KEY_FILE", "keys/access")
    monkeypatch.setenv("SONEVAKT_STORE", "sqlite:///points.sqlite")
    assert run("keys", "new", "keys/access").exit_code == 0
    return tmp_path


@pytest.fixture
def broker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedBroker]:
    """A broker on which two patients are enrolled."""
    assert folder
    with EmbeddedBroker(partitions=3, prefix="t-") as running:
        monkeypatch.setenv("SONEVAKT_BROKER", f"kafka://{running.bootstrap}")
        monkeypatch.setenv("SONEVAKT_TOPIC_PREFIX", "t-")
        monkeypatch.setenv("SONEVAKT_PARTITIONS", "3")
        feed = Feed(running.bootstrap, prefix="t-", partitions=3, group="")

        async def fill() -> None:
            async with feed.producing() as producer:
                await feed.send_all(
                    producer, [Event(day(0), CARE, told.enrolled(patient, day(0))) for patient in ("p-1", "p-2")]
                )

        asyncio.run(fill())
        yield running


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def imported(folder: Path, content: str | dict[str, Any], *options: str) -> Result:
    path = folder / "outcomes"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return run("import", "outcomes", str(path), "--source", "hospital", "--by", "importer-1", *options)


def on_topic(patient: str) -> list[CareEvent]:
    """What the topic has about a patient, but for the enrolment."""
    now = read(os.environ)
    found = asyncio.run(log.of_patient(now.bootstrap, now.topic_prefix, now.partitions, patient, topics=(CARE,)))
    return [event.message for event in found][1:]  # type: ignore[misc] # of that topic alone


@pytest.mark.usefixtures("broker")
def test_a_file_is_taken_once_however_often_it_comes(folder: Path) -> None:
    first = imported(folder, HEAD + STAY + EMERGENCY)

    assert (first.exit_code, first.stderr) == (0, "")
    assert first.output.splitlines() == [
        "told: admitted 1, discharged 1, emergency_contact 1",
        "rows read 2, taken 2, there already 0, refused 0",
    ]
    assert [type(event) for event in on_topic("p-1")] == [Admitted, Discharged]
    (contact,) = on_topic("p-2")
    assert isinstance(contact, EmergencyContact)
    assert (contact.kind, contact.recorded_by) == ("out-of-hours", "importer-1")

    again = imported(folder, HEAD + EMERGENCY + STAY)
    assert again.exit_code == 0
    assert again.output.splitlines() == ["told: nothing", "rows read 2, taken 0, there already 2, refused 0"]
    assert len(on_topic("p-1")) == 2


@pytest.mark.usefixtures("broker")
def test_a_dry_run_tells_what_would_be_done_and_does_none_of_it(folder: Path) -> None:
    done = imported(folder, HEAD + STAY + "e-3,p-9,admission,2026-02-01T08:00:00Z,,yes,,\n", "--dry-run")

    assert done.exit_code == 3
    assert done.output.splitlines() == [
        "would tell: admitted 1, discharged 1",
        "rows read 2, taken 1, there already 0, refused 1",
        "row 2 refused, patient: nobody of that pseudonym was ever enrolled",
    ]
    assert on_topic("p-1") == []
    assert not (folder / "data" / "access").exists()


@pytest.mark.usefixtures("broker")
def test_rows_that_are_well_are_taken_beside_one_that_is_refused(folder: Path) -> None:
    national = "e-3,12057912345,admission,2026-02-01T08:00:00Z,,yes,,\n"

    done = imported(folder, HEAD + national + STAY, "--json")

    assert done.exit_code == 3
    assert "12057912345" not in done.output
    assert json.loads(done.output) == {
        "source": "hospital",
        "dry_run": False,
        "rows": 2,
        "taken": 1,
        "there": 0,
        "passed": {},
        "refused": [{"row": 1, "reason": "national_number", "field": None}],
        "events": {"admitted": 1, "discharged": 1},
        "near": [],
    }
    assert len(on_topic("p-1")) == 2


@pytest.mark.usefixtures("broker")
def test_an_encounter_that_was_withdrawn_after_it_was_taken_is_named_and_stands(folder: Path) -> None:
    imported(folder, HEAD + STAY)

    done = imported(folder, HEAD + "e-1,p-1,admission,2026-02-01T08:00:00Z,,,,entered-in-error\n")

    assert (done.exit_code, len(on_topic("p-1"))) == (3, 2)
    assert "row 1 refused, status: was taken before, and cannot be taken back" in done.output


@pytest.mark.usefixtures("broker")
def test_a_bundle_is_taken_as_csv_is(folder: Path) -> None:
    entries = [
        encounter(period={"start": "2026-02-01T08:00:00Z", "end": "2026-02-03T08:00:00Z"}),
        encounter(id="e-2", subject={"reference": "Patient/p-2"}, **{"class": {"code": "EMER"}}),
        {"resourceType": "Patient", "id": "p-1"},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}

    done = imported(folder, bundle, "--contact", "ambulance")

    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "told: admitted 1, discharged 1, emergency_contact 1",
            "rows read 3, taken 2, there already 0, refused 0",
            "passed over 1: another kind of resource",
        ],
    )
    assert imported(folder, HEAD + STAY).output.splitlines()[0] == "told: nothing", "the same encounter of one source"
    (contact,) = on_topic("p-2")
    assert isinstance(contact, EmergencyContact)
    assert contact.kind == "ambulance"


def test_what_was_imported_stands_in_the_store_as_every_care_event_does(
    folder: Path, broker: EmbeddedBroker, eventually: Callable[..., Awaitable[None]]
) -> None:
    imported(folder, HEAD + STAY + EMERGENCY)

    async def stored() -> pd.DataFrame:
        metrics = Metrics(CollectorRegistry())
        async with processes.opened_store(read(os.environ), metrics) as store:
            async with processes.running(processes.storing(read(os.environ), broker.bootstrap, metrics, store)):
                await eventually(lambda: metrics.points_written.labels("care_event")._value.get() >= 5, within=60)
            return await Frames(store).care_events(day(-1), day(100))

    found = asyncio.run(stored())

    columns = ["patient", "kind", "responsible", "acute", "contact"]
    rows = found[columns].astype("object").where(found[columns].notna(), None).to_numpy().tolist()
    assert rows == [
        ["p-1", "enrolled", "lungs", None, None],
        ["p-2", "enrolled", "lungs", None, None],
        ["p-1", "admitted", "lungs", True, None],
        ["p-1", "discharged", "lungs", None, None],
        ["p-2", "emergency_contact", "lungs", None, "out-of-hours"],
    ]


@pytest.mark.usefixtures("broker")
def test_the_access_log_has_every_patient_of_whom_something_was_taken(folder: Path) -> None:
    imported(folder, HEAD + STAY + EMERGENCY)
    imported(folder, HEAD + STAY)

    files = (folder / "data" / "access").glob("*.jsonl")
    entries = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert [(one["person"], one["action"], one["patient"]) for one in entries] == [
        ("importer-1", "import_outcomes", "p-1"),
        ("importer-1", "import_outcomes", "p-2"),
    ]


@pytest.mark.usefixtures("broker")
def test_what_cannot_be_recorded_is_not_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SONEVAKT_ACCESS_KEY_FILE")

    done = imported(folder, HEAD + STAY)

    assert done.exit_code == 2
    assert done.stderr.startswith("sonevakt: SONEVAKT_ACCESS_KEY_FILE must be set")
    assert on_topic("p-1") == []


@pytest.mark.usefixtures("broker")
def test_a_broker_that_does_not_confirm_is_told_and_the_file_is_imported_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unconfirmed(*_: object) -> None:
        raise UnconfirmedError("TimeoutError")

    with monkeypatch.context() as broken:
        broken.setattr(importing.Delivery, "confirm", unconfirmed)
        failed = imported(folder, HEAD + STAY)
    assert (failed.exit_code, failed.stderr) == (
        1,
        "sonevakt: the broker has not confirmed all of it: run it again, what is there is known\n",
    )
    assert imported(folder, HEAD + STAY).exit_code == 0
    assert len(on_topic("p-1")) == 2


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("a,b\n1,2\n", (), "the first line of a CSV file names its columns"),
        ('{"resourceType": "Patient"}', (), "this is no FHIR bundle in JSON"),
        (HEAD, ("--source", "St. Olav"), "--source takes lower case letters"),
        (HEAD, ("--by", "A Name"), "--by takes a reference"),
    ],
)
def test_a_mistake_in_use_ends_with_one_line(folder: Path, content: str, options: tuple[str, ...], said: str) -> None:
    done = imported(folder, content, *options)

    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert said in done.output


def test_a_file_that_is_too_large_or_no_text_is_refused_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 2**20)
    assert "larger than 1 MiB" in imported(folder, HEAD + "x" * 2**20).output
    (folder / "latin").write_bytes("encounter,patient,kind,start\næ,p-1\n".encode("latin-1"))
    done = run("import", "outcomes", "latin", "--source", "hospital", "--by", "importer-1")
    assert (done.exit_code, done.stderr) == (2, "sonevakt: the file is not UTF-8\n")
