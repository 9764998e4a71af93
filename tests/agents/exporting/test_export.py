"""`sonevakt export frames`, as an operator calls it: what leaves, under which names, whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents.commands.main import main
from agents.exporting import formats, running
from agents.exporting.running import Wanted
from agents.frames.catalogue import FRAMES, VERSION
from agents.frames.columns import Kind
from agents.frames.reading import Frames
from agents.metrics import Metrics
from agents.stores.port import ReadError, ReadFault
from agents.stores.sqlite import SQLiteStore
from schemas.submissions import Answer, Submission
from tests.agents.frames import told
from tests.agents.frames.contract import everything, tell
from tests.agents.frames.told import day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
PERIOD = ("--from", day(-1).isoformat(), "--to", day(100).isoformat())
BY = ("--by", "analyst-1")
DEVICE = "oximeter-7"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own: a store with rows of every frame, and a key for the access log."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SONEVAKT_STORE", "sqlite:///points.sqlite")
    monkeypatch.setenv("SONEVAKT_ACCESS_KEY_FILE", "keys/access")
    assert run("keys", "new", "keys/access").exit_code == 0
    asyncio.run(fill(tmp_path))
    return tmp_path


async def fill(folder: Path) -> None:
    store = opened(folder)
    odd = Submission(
        submission_id=told.named("odd"),
        patient="p-2",
        received_at=day(9),
        answers=(Answer(questionnaire="copd", questionnaire_version=1, link_id="=1+1", value=3),),
    )
    await tell(store, *everything(), *told.folded([told.enrolled("p-2", day(2), "heart"), odd]))
    await store.write([told.limit("p-1", "spo2", day(0), 1, red_low=85.0)])
    await store.close()


def opened(folder: Path) -> SQLiteStore:
    return SQLiteStore(folder / "points.sqlite", metrics=Metrics(CollectorRegistry()))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def export(*options: str, out: str = "out") -> Result:
    return run("export", "frames", *PERIOD, *BY, "--out", out, *options)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def held(folder: Path, name: str, **asked: Any) -> pd.DataFrame:  # noqa: ANN401 - as Frames takes it
    async def work() -> pd.DataFrame:
        store = opened(folder)
        found = await Frames(store).whole(name, day(-1), day(100), **asked)
        await store.close()
        return found

    return asyncio.run(work())


def test_an_export_has_a_file_for_each_frame_and_says_what_it_holds(folder: Path) -> None:
    done = export("--format", "csv")

    assert (done.exit_code, done.stderr) == (0, "")
    out = folder / "out"
    assert {path.name for path in out.iterdir()} == {
        *(f"{name}.csv" for name in FRAMES),
        "dictionary.csv",
        "vital-signs.csv",
        "manifest.json",
    }
    for name, frame in FRAMES.items():
        found = rows(out / f"{name}.csv")
        assert len(found) == len(held(folder, name)) > 0
        assert list(found[0]) == [column.name for column in frame.columns]
    words = {(row["frame"], row["column"]) for row in rows(out / "dictionary.csv")}
    assert words == {(name, column.name) for name, frame in FRAMES.items() for column in frame.columns}
    manifest = json.loads((out / "manifest.json").read_text())
    assert {name: manifest[name] for name in ("pseudonyms", "everything", "services", "format", "frames_version")} == {
        "pseudonyms": False,
        "everything": False,
        "services": [],
        "format": "csv",
        "frames_version": VERSION,
    }
    assert (manifest["from_at"], manifest["to_at"]) == ("2026-01-04T00:00:00Z", "2026-04-15T00:00:00Z")
    for file in manifest["files"]:
        content = (out / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert {file["name"] for file in manifest["files"]} == {path.name for path in out.iterdir()} - {"manifest.json"}


def test_it_is_its_owners_alone(folder: Path) -> None:
    export("--format", "csv")

    assert (folder / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (folder / "out").iterdir()} == {0o600}


@pytest.mark.parametrize("name", FRAMES)
def test_parquet_gives_back_the_frame_as_it_was(folder: Path, name: str) -> None:
    assert export("--pseudonyms", "--frame", name).exit_code == 0

    path = folder / "out" / f"{name}.parquet"
    found = pd.read_parquet(path)
    frame = held(folder, name)
    pd.testing.assert_frame_equal(found, frame, check_categorical=False)
    schema = pq.read_schema(path)
    for column in FRAMES[name].columns:
        said = schema.field(column.name).metadata
        assert said[b"meaning"].decode() == column.meaning
        assert said.get(b"unit", b"").decode() == (column.unit or "")
        if column.kind is Kind.INSTANT:
            assert str(schema.field(column.name).type) == "timestamp[ms, tz=UTC]"


def test_csv_gives_back_what_stands_in_the_frame(folder: Path) -> None:
    export("--pseudonyms", "--format", "csv", "--frame", "readings", "--frame", "care_events")

    found, frame = rows(folder / "out" / "readings.csv"), held(folder, "readings")
    assert [row["time"] for row in found] == [
        f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" for at in frame["time"]
    ]
    assert [float(row["value"]) for row in found] == list(frame["value"])
    assert [row["device"] for row in found] == frame["device"].astype("str").fillna("").tolist()
    assert {row["withdrawn"] for row in found} == {"false"}
    (admitted,) = [row for row in rows(folder / "out" / "care_events.csv") if row["kind"] == "admitted"]
    assert (admitted["acute"], admitted["reached"], admitted["services"]) == ("true", "", "")


def test_without_asking_for_it_neither_pseudonym_nor_id_nor_device_leaves(folder: Path) -> None:
    export("--format", "csv", out="first")
    export("--format", "csv", out="second")

    private = {"p-1", "p-2", DEVICE}
    for name, frame in FRAMES.items():
        told_of = held(folder, name)
        private |= {str(one) for column in frame.columns if column.private for one in told_of[column.name].dropna()}
    first = {name: rows(folder / "first" / f"{name}.csv") for name in FRAMES}
    cells = {cell for found in first.values() for row in found for cell in row.values()}
    assert len(private) > 20
    assert cells & private == set()
    # The files can be joined with each other ...
    assert {row["patient"] for row in first["readings"]} <= {row["patient"] for row in first["enrolments"]}
    assert {row["submission_id"] for row in first["readings"]} <= {row["submission_id"] for row in first["assessments"]}
    (acknowledged,) = [row for row in first["care_events"] if row["kind"] == "acknowledged"]
    assert acknowledged["zone_change_id"] in {row["zone_change_id"] for row in first["zone_changes"]}
    assert len({row["patient"] for row in first["enrolments"]}) == 2
    # ... and not with those of another export.
    second = rows(folder / "second" / "enrolments.csv")
    assert {row["patient"] for row in first["enrolments"]} & {row["patient"] for row in second} == set()


def test_a_service_has_its_own_patients_alone_and_one_that_is_none_is_named(folder: Path) -> None:
    assert export("--format", "csv", "--pseudonyms", "--service", "heart").exit_code == 0

    for name in ("enrolments", "answers", "care_events"):
        assert {row["patient"] for row in rows(folder / "out" / f"{name}.csv")} == {"p-2"}
    wrong = export("--format", "csv", "--service", "kidneys", out="other")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "sonevakt: no service kidneys ever had a patient; there are heart, lungs\n",
    )
    assert not (folder / "other").exists()


def test_a_text_that_a_spreadsheet_would_work_out_is_made_harmless(folder: Path) -> None:
    export("--format", "csv", "--frame", "answers")

    assert "'=1+1" in {row["question"] for row in rows(folder / "out" / "answers.csv")}


def test_nothing_is_put_over_what_is_there(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "mine").write_text("precious")

    done = export("--format", "csv")

    assert (done.exit_code, done.stderr) == (2, "sonevakt: out is there already: give a new folder\n")
    assert [path.name for path in (folder / "out").iterdir()] == ["mine"]
    nowhere = export("--format", "csv", out="no/where")
    assert (nowhere.exit_code, nowhere.stderr) == (2, "sonevakt: there is no folder for where to stand in\n")


class Failing(Frames):
    """A store that goes away within the readings."""

    async def parts(self, name: str, *period: Any, **asked: Any) -> AsyncIterator[pd.DataFrame]:  # noqa: ANN401 - as Frames
        async for part in super().parts(name, *period, **asked):
            yield part
        if name == "readings":
            raise ReadError(ReadFault.UNREACHABLE, "gone")


@pytest.mark.parametrize("form", formats.FORMATS)
def test_an_export_that_fails_leaves_nothing(folder: Path, form: str) -> None:
    wanted = Wanted(day(-1), day(100), tuple(FRAMES), (), form, pseudonyms=False, everything=False)
    before = {path.name for path in folder.iterdir()}

    async def work() -> None:
        store = opened(folder)
        try:
            await running.export(Failing(store), wanted, folder / "out", day(201))
        finally:
            await store.close()

    with pytest.raises(ReadError):
        asyncio.run(work())
    assert {path.name for path in folder.iterdir()} == before


def test_the_access_log_has_who_took_what(folder: Path) -> None:
    export("--format", "csv", "--service", "lungs", "--service", "heart", "--frame", "pages", "--pseudonyms")

    files = (folder / "data" / "access").glob("*.jsonl")
    entries = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    why = "2026-01-04T00:00:00+00:00 to 2026-04-15T00:00:00+00:00, pseudonyms: pages"
    assert [(one["person"], one["action"], one["service"], one["outcome"], one["why"]) for one in entries] == [
        ("analyst-1", "export_frames", "lungs", "done", why),
        ("analyst-1", "export_frames", "heart", "done", why),
    ]


def test_what_cannot_be_recorded_is_not_exported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SONEVAKT_ACCESS_KEY_FILE")

    done = export("--format", "csv")

    assert done.exit_code == 2
    assert done.stderr.startswith("sonevakt: SONEVAKT_ACCESS_KEY_FILE must be set")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "2026-03-01", *BY), "--from takes a time with an offset"),
        (("--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z", *BY), "--from must lie before --to"),
        (("--from", "2026-03-02T00:00:00Z", "--by", "A Name"), "--by takes a reference"),
    ],
)
def test_a_mistake_in_use_ends_with_one_line(folder: Path, options: tuple[str, ...], said: str) -> None:
    done = run("export", "frames", *options, "--out", "out")

    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert said in done.output
    assert not (folder / "out").exists()


def test_parquet_without_its_library_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(formats, "import_module", missing)

    done = export()

    assert (done.exit_code, done.stderr) == (
        2,
        "sonevakt: Parquet needs pyarrow: pip install 'sonevakt[parquet]', or --format csv\n",
    )
    assert not (folder / "out").exists()
