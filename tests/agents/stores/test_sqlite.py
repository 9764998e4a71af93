"""SQLite as a store: the contract, and a file that is locked, full, missing or taken away."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from agents.stores.port import ReadError, ReadFault, TimeSeriesStore
from agents.stores.sqlite import SQLiteStore
from tests.agents.stores.contract import DAY, NOON, StoreContract, point, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from agents.metrics import Metrics
    from agents.stores.patience import Patience

SMALL_BYTES = 524_288


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "points.sqlite"


@pytest.fixture
async def store(path: Path, metrics: Metrics, patience: Callable[[str], Patience]) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(path, metrics=metrics, patience=patience("sqlite"))
    yield store
    await store.close()


class TestContract(StoreContract):
    """SQLite does all of it."""


async def test_another_process_finds_what_was_confirmed(
    store: SQLiteStore, path: Path, metrics: Metrics, patience: Callable[[str], Patience]
) -> None:
    await store.write([point(value=1.0)])
    other = SQLiteStore(path, metrics=metrics, patience=patience("sqlite"))

    assert len(await rows(other)) == 1
    await other.close()


async def test_a_type_conflict_is_remembered_by_the_file(
    store: SQLiteStore, path: Path, metrics: Metrics, patience: Callable[[str], Patience]
) -> None:
    await store.write([point(value=1.0)])
    await store.close()
    again = SQLiteStore(path, metrics=metrics, patience=patience("sqlite"))

    assert len(await again.write([point(value="one")])) == 1
    await again.close()


async def test_a_locked_file_is_asked_again_until_it_is_free(
    store: SQLiteStore, path: Path, waits: list[float], eventually: Callable[..., object], metrics: Metrics
) -> None:
    await store.write([point(value=1.0)])
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(store.write([point(1, value=2.0)]))
        await eventually(lambda: waits)
        assert not store.reachable
        assert not writing.done()
        other.execute("ROLLBACK")
    other.close()

    assert await writing == []
    assert store.reachable
    assert len(await rows(store)) == 2
    labels = {"sink": "sqlite", "outcome": "unreachable"}
    assert metrics.registry.get_sample_value("sonevakt_sink_seconds_count", labels) >= 1


async def test_a_full_disk_is_asked_again_and_leaves_nothing_half_written(
    store: SQLiteStore, waits: list[float], eventually: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write([point(value=1.0)])
    open_file = store._open
    room = False

    def without_room() -> sqlite3.Connection:
        connection = open_file()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {1_000_000 if room else pages}")
        return connection

    monkeypatch.setattr(store, "_open", without_room)
    writing = asyncio.create_task(store.write([point(n, value=float(n)) for n in range(5_000)]))
    await eventually(lambda: waits)
    assert [row["value"] for row in await rows(store)] == [1.0]
    room = True

    assert await writing == []
    assert len(await rows(store)) == 5_000


@pytest.fixture(params=["volume", "file"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder with room for half a megabyte, and how to make more: a volume of its own, or a limit to every file.

    Where no volume may be mounted there is the limit alone: another error of the system, met in the same place.
    """
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "none", str(folder)]
    if request.param == "volume" and subprocess.run(mount, capture_output=True, check=False).returncode == 0:  # noqa: S603 - our own
        more = ["mount", "-o", "remount,size=64m", str(folder)]
        yield folder, lambda: subprocess.run(more, check=True) and None  # type: ignore[func-returns-value] # noqa: S603
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 - the same
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, before[1]))
    yield folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_on_a_really_full_disk_nothing_that_was_confirmed_is_lost_and_the_rest_is_written_when_there_is_room(
    small: tuple[Path, Callable[[], None]],
    metrics: Metrics,
    patience: Callable[[str], Patience],
    waits: list[float],
    eventually: Callable[..., object],
) -> None:
    folder, make_room = small
    store = SQLiteStore(folder / "points.sqlite", metrics=metrics, patience=patience("sqlite"))
    confirmed = 0
    while True:  # what its write-ahead log takes is given back at the first refusal, so one is not the end
        waits.clear()
        batch = [point(confirmed + n, value=float(confirmed + n)) for n in range(200)]
        writing = asyncio.create_task(store.write(batch))
        await eventually(lambda writing=writing: writing.done() or len(waits) > 5)
        if not writing.done():
            break
        confirmed += 200
    assert confirmed > 200  # the file and its log were there, and grew until there was no room
    assert not store.reachable
    make_room()

    assert await writing == []
    found = {row["value"] for row in await rows(store)}
    assert found == {float(n) for n in range(confirmed + 200)}
    await store.close()
    with closing(sqlite3.connect(folder / "points.sqlite")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_folder_that_is_not_there_is_waited_for(
    tmp_path: Path,
    metrics: Metrics,
    patience: Callable[[str], Patience],
    waits: list[float],
    eventually: Callable[..., object],
) -> None:
    store = SQLiteStore(tmp_path / "later" / "points.sqlite", metrics=metrics, patience=patience("sqlite"))
    assert not await store.ping()
    with pytest.raises(ReadError) as unreadable:
        await store.read("reading", start=NOON - DAY, stop=NOON)
    assert unreadable.value.reason is ReadFault.UNREACHABLE
    writing = asyncio.create_task(store.write([point()]))
    await eventually(lambda: waits)
    (tmp_path / "later").mkdir()

    assert await writing == []
    await store.close()


async def test_giving_up_a_write_leaves_the_store_usable(store: SQLiteStore) -> None:
    for _ in range(20):
        writing = asyncio.create_task(store.write([point(n, value=float(n)) for n in range(200)]))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    assert await store.write([point(n, value=float(n)) for n in range(200)]) == []
    assert len(await rows(store)) == 200


async def test_several_at_once_are_all_written_without_standing_in_each_others_way(
    store: TimeSeriesStore, waits: list[float]
) -> None:
    await asyncio.gather(*(store.write([point(n, value=float(n))]) for n in range(20)))

    assert len(await rows(store)) == 20
    assert waits == []
