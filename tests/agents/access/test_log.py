"""The access log: in order, sealed, whole after a crash, and no page without its entry."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents.access import files
from agents.access.entries import FIRST_PREV, EntryError
from agents.access.files import Draft, append
from agents.access.log import AccessLog, AccessLogError, opened
from agents.access.verifying import about, verify
from agents.keys import Keys
from agents.metrics import Metrics
from agents.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from tests.agents.conftest import Eventually

NOW = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
KEYS = Keys({1: b"k" * 32})
OTHER = Keys({1: b"o" * 32})


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def drafts(count: int, *, at: datetime = NOW, patient: str = "p-1") -> list[Draft]:
    return [Draft(at, "nurse-1", "see_patient", patient, "north", "done") for _ in range(count)]


def lines(folder: Path) -> list[bytes]:
    return [line for path in files.months(folder) for line in path.read_bytes().splitlines()]


def test_each_entry_names_the_one_before_and_the_months_are_one_chain(tmp_path: Path) -> None:
    append(tmp_path, drafts(2), KEYS)
    append(tmp_path, drafts(2, at=NOW + timedelta(seconds=1)), KEYS)
    entries = [json.loads(line) for line in lines(tmp_path)]
    assert [path.name for path in files.months(tmp_path)] == ["access-2026-03.jsonl", "access-2026-04.jsonl"]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4]
    assert entries[0]["prev"] == FIRST_PREV
    assert len({entry["prev"] for entry in entries}) == 4
    found = verify(tmp_path, KEYS)
    assert (found.entries, found.broken, found.half) == (4, None, False)
    assert found.last is not None
    assert (found.last.seq, found.last.patient) == (4, "p-1")


def test_a_clock_that_goes_back_over_a_month_breaks_nothing(tmp_path: Path) -> None:
    append(tmp_path, drafts(1, at=NOW + timedelta(days=1)), KEYS)
    append(tmp_path, drafts(1), KEYS)
    assert [path.name for path in files.months(tmp_path)] == ["access-2026-04.jsonl"]
    assert verify(tmp_path, KEYS).broken is None


def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    append(tmp_path / "x", drafts(1), KEYS)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "x").glob("*")}
    assert set(modes.values()) == {0o600}


def rewritten(line: bytes, **changed: Any) -> bytes:  # noqa: ANN401 - any field
    return msgspec.json.encode({**json.loads(line), **changed})


def change(at: int, of: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    return lambda held: [of(line) if number == at else line for number, line in enumerate(held, start=1)]


def drop(at: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda held: [line for number, line in enumerate(held, start=1) if number != at]


TAMPERED: list[tuple[str, Callable[[list[bytes]], list[bytes]], str]] = [
    ("who", change(3, lambda line: rewritten(line, person="nurse-2")), "access-2026-03.jsonl, line 3: is not as it"),
    ("spaces", change(3, lambda line: line.replace(b":", b": ", 1)), "access-2026-03.jsonl, line 3: is not as it"),
    ("a field more", change(3, lambda line: rewritten(line, x=1)), "access-2026-03.jsonl, line 3: is no entry"),
    ("no JSON", change(2, lambda _: b"{"), "access-2026-03.jsonl, line 2: is no entry"),
    ("one taken out", drop(3), "access-2026-03.jsonl, line 3: is entry 4, where 3 must follow"),
    ("the first taken out", drop(1), "access-2026-03.jsonl, line 1: is entry 2, where 1 must follow"),
    ("the last taken out", drop(5), "head.json: the log ended with entry 5"),
    ("two exchanged", lambda held: [held[0], held[2], held[1], *held[3:]], "access-2026-03.jsonl, line 2: is entry 3"),
    ("one twice", lambda held: [*held[:2], held[1], *held[2:]], "access-2026-03.jsonl, line 3: is entry 2"),
    ("all taken out", lambda _: [], "head.json: the log ended with entry 5"),
]


@pytest.mark.parametrize(("name", "tamper", "told"), TAMPERED, ids=[row[0] for row in TAMPERED])
def test_whatever_is_changed_is_found_at_its_place(
    tmp_path: Path, name: str, tamper: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    append(tmp_path, drafts(5), KEYS)
    (path,) = files.months(tmp_path)
    path.write_bytes(b"".join(line + b"\n" for line in tamper(path.read_bytes().splitlines())))
    broken = verify(tmp_path, KEYS).broken
    assert broken is not None, name
    assert str(broken).startswith(told)


def test_who_can_only_write_the_files_cannot_make_a_chain_of_their_own(tmp_path: Path) -> None:
    append(tmp_path, drafts(3), OTHER)
    broken = verify(tmp_path, KEYS).broken
    assert str(broken) == "head.json: the head of the access log is not as it was sealed"
    (tmp_path / "head.json").unlink()
    assert str(verify(tmp_path, KEYS).broken) == "access-2026-03.jsonl, line 1: is not as it was sealed"


def test_without_its_head_nobody_can_tell_whether_the_end_is_missing(tmp_path: Path) -> None:
    append(tmp_path, drafts(3), KEYS)
    (tmp_path / "head.json").unlink()
    assert "cut off the end" in str(verify(tmp_path, KEYS).broken)


def test_a_month_that_is_missing_is_told_and_the_earliest_may_be_moved_away_on_purpose(tmp_path: Path) -> None:
    for days in (0, 1, 31):
        append(tmp_path, drafts(2, at=NOW + timedelta(days=days)), KEYS)
    first, middle, _ = files.months(tmp_path)
    kept = first.read_bytes()
    first.unlink()
    assert "is entry 3, where 1 must follow" in str(verify(tmp_path, KEYS).broken)
    assert verify(tmp_path, KEYS, archived=True).broken is None
    first.write_bytes(kept)
    middle.unlink()
    assert "is entry 5, where 3 must follow" in str(verify(tmp_path, KEYS, archived=True).broken)


def test_a_key_is_exchanged_while_the_log_goes_on(tmp_path: Path) -> None:
    append(tmp_path, drafts(2), KEYS)
    both = Keys({**KEYS.versions, 2: b"n" * 32})
    append(tmp_path, drafts(2), both)
    assert verify(tmp_path, both).broken is None
    assert [json.loads(line)["key"] for line in lines(tmp_path)] == [1, 1, 2, 2]
    assert "version 2" not in str(verify(tmp_path, both).broken)
    assert verify(tmp_path, Keys({2: b"n" * 32})).broken is not None


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_half_an_entry_after_a_crash_is_put_aside_and_the_log_goes_on(tmp_path: Path, cut: int) -> None:
    append(tmp_path, drafts(2), KEYS)
    (path,) = files.months(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    append(tmp_path / "elsewhere", drafts(3), KEYS)
    half = lines(tmp_path / "elsewhere")[2][:cut]
    path.write_bytes(path.read_bytes() + half)
    found = verify(tmp_path, KEYS)
    assert (found.entries, found.half, found.broken) == (2, True, None)
    append(tmp_path, drafts(1), KEYS)
    found = verify(tmp_path, KEYS)
    assert (found.entries, found.half, found.broken) == (3, False, None)
    (aside,) = tmp_path.glob("*.half-*")
    assert aside.read_bytes() == half


def test_a_crash_between_the_entries_and_the_head_loses_nothing(tmp_path: Path) -> None:
    append(tmp_path, drafts(2), KEYS)
    head = (tmp_path / "head.json").read_bytes()
    append(tmp_path, drafts(2), KEYS)
    (tmp_path / "head.json").write_bytes(head)
    assert (verify(tmp_path, KEYS).entries, verify(tmp_path, KEYS).broken) == (4, None)
    append(tmp_path, drafts(1), KEYS)
    assert (verify(tmp_path, KEYS).entries, verify(tmp_path, KEYS).broken) == (5, None)


def test_nothing_is_appended_to_a_log_whose_end_is_missing(tmp_path: Path) -> None:
    append(tmp_path, drafts(3), KEYS)
    (path,) = files.months(tmp_path)
    path.write_bytes(b"".join(line + b"\n" for line in path.read_bytes().splitlines()[:2]))
    with pytest.raises(files.BrokenLogError, match="entries are missing at the end"):
        append(tmp_path, drafts(1), KEYS)


def test_nothing_is_appended_to_a_log_that_was_cut_and_has_lost_its_head(tmp_path: Path) -> None:
    append(tmp_path, drafts(5), KEYS)
    (path,) = files.months(tmp_path)
    path.write_bytes(b"".join(line + b"\n" for line in path.read_bytes().splitlines()[:3]))
    (tmp_path / "head.json").unlink()
    with pytest.raises(files.BrokenLogError, match="the head of the access log is missing"):
        append(tmp_path, drafts(1), KEYS)
    with pytest.raises(files.BrokenLogError, match="the head of the access log is missing"):
        files.opened(tmp_path, KEYS)
    assert len(lines(tmp_path)) == 3
    assert str(verify(tmp_path, KEYS).broken).startswith("head.json: is missing")


def test_nothing_is_appended_after_an_entry_that_is_not_there(tmp_path: Path) -> None:
    append(tmp_path, drafts(3), KEYS)
    with pytest.raises(files.BrokenLogError, match="entries are missing at the end"):
        append(tmp_path, drafts(1), KEYS, after=4)
    assert append(tmp_path, drafts(1), KEYS, after=3) == 4
    assert append(tmp_path, drafts(1), KEYS, after=3) == 5  # another process wrote meanwhile


class Crash(Exception):  # noqa: N818 - no error
    """The process ends here."""


def crash(*_: object) -> None:
    raise Crash


def test_a_crash_after_the_head_that_stands_before_the_first_entry_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(files, "_write", crash)
        with pytest.raises(Crash):
            append(tmp_path, drafts(2), KEYS)
    head = files.head(tmp_path, KEYS)
    assert head is not None
    assert (head.seq, files.months(tmp_path), verify(tmp_path, KEYS).broken) == (0, [], None)
    append(tmp_path, drafts(2), KEYS)
    assert (verify(tmp_path, KEYS).entries, verify(tmp_path, KEYS).broken) == (2, None)


def test_a_crash_between_the_first_entries_and_their_head_is_not_taken_for_tampering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(path: Path, content: bytes) -> None:
        write(path, content)
        raise Crash

    write = files._write
    with monkeypatch.context() as patched:
        patched.setattr(files, "_write", written)
        with pytest.raises(Crash):
            append(tmp_path, drafts(2), KEYS)
    assert (len(lines(tmp_path)), verify(tmp_path, KEYS).broken) == (2, None)
    append(tmp_path, drafts(1), KEYS)
    assert (verify(tmp_path, KEYS).entries, verify(tmp_path, KEYS).broken) == (3, None)


def _write(folder: str, count: int, together: Barrier) -> None:
    together.wait()
    for _ in range(count):
        append(Path(folder), drafts(1), KEYS)


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    writers = [context.Process(target=_write, args=(str(tmp_path), 40, together)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    found = verify(tmp_path, KEYS)
    assert (found.entries, found.broken) == (120, None)


def test_an_entry_of_another_course_of_the_same_log_does_not_fit(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        append(tmp_path / name, drafts(2), KEYS)
        append(tmp_path / name, drafts(1, patient=f"p-{name}"), KEYS)
        append(tmp_path / name, drafts(1), KEYS)
    (path,) = files.months(tmp_path / "one")
    mixed = [*lines(tmp_path / "one")[:3], lines(tmp_path / "other")[3]]
    path.write_bytes(b"".join(line + b"\n" for line in mixed))
    assert str(verify(tmp_path / "one", KEYS).broken) == f"{path.name}, line 4: does not follow the entry before it"


def test_who_looked_at_a_patient(tmp_path: Path) -> None:
    append(tmp_path, [*drafts(1), *drafts(2, patient="p-10"), *drafts(1)], KEYS)
    assert [entry.seq for entry in about(tmp_path, KEYS, "p-1")] == [1, 4]
    with pytest.raises(EntryError, match="line 1"):
        list(about(tmp_path, OTHER, "p-1"))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


async def test_a_change_is_on_the_disk_when_it_is_answered(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path / "access", KEYS, Clock(), metrics) as log:
        await log.add("nurse-1", "acknowledge", "p-1", "north")
        assert len(lines(tmp_path / "access")) == 1
        assert metrics.registry.get_sample_value("sonevakt_access_log_last") == 1


async def test_a_view_is_written_soon_after_and_at_the_end_at_the_latest(
    tmp_path: Path, metrics: Metrics, eventually: Eventually
) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        await log.add("nurse-1", "see_patient", "p-1", "north")
        await log.add("nurse-1", "sign_plan", "p-1", "north", "refused")
        await eventually(lambda: len(lines(tmp_path)) == 2)
        await log.add("nurse-1", "see_patient", "p-2", "north")
    assert [json.loads(line)["outcome"] for line in lines(tmp_path)] == ["done", "refused", "done"]
    assert verify(tmp_path, KEYS).broken is None
    assert metrics.registry.get_sample_value("sonevakt_access_log_entries_total", {"outcome": "refused"}) == 1


async def test_entries_are_counted_from_0_on_so_that_the_first_is_an_increase(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics):
        counted = [
            metrics.registry.get_sample_value("sonevakt_access_log_entries_total", {"outcome": outcome})
            for outcome in ("done", "refused")
        ]
    assert counted == [0, 0]


async def test_signing_a_plan_is_a_change_and_awaited(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        await log.add("doctor-1", "sign_plan", "p-1", "north")
        assert len(lines(tmp_path)) == 1


async def test_many_at_once_are_one_chain(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        await asyncio.gather(*(log.add("nurse-1", "record", f"p-{number}", "north") for number in range(200)))
        found = verify(tmp_path, KEYS)
    assert (found.entries, found.broken) == (200, None)


async def test_while_it_cannot_be_written_nothing_is_shown_or_done_and_then_it_goes_on(
    tmp_path: Path, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    full = True

    def no_space(folder: Path, some: list[Draft], keys: Keys, *, after: int) -> int:
        if full:
            raise OSError(28, "no space left")
        return append(folder, some, keys, after=after)

    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        monkeypatch.setattr(files, "append", no_space)
        await log.add("nurse-1", "see_patient", "p-1", "north")  # shown before anybody could know
        with pytest.raises(AccessLogError):
            await log.add("nurse-1", "record", "p-1", "north")
        with pytest.raises(AccessLogError):
            await log.add("nurse-1", "see_patient", "p-2", "north")
        assert log.writes is False
        full = False
        await eventually(lambda: log.writes)
        await log.add("nurse-1", "see_patient", "p-3", "north")
    assert [json.loads(line)["patient"] for line in lines(tmp_path)] == ["p-1", "p-3"]


async def test_a_log_that_has_failed_with_nothing_waiting_finds_out_by_itself_that_it_can_write_again(
    tmp_path: Path, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        with monkeypatch.context() as patched:
            patched.setattr(files, "append", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
            with pytest.raises(AccessLogError):
                await log.add("nurse-1", "record", "p-1", "north")
        await eventually(lambda: log.writes)
    assert lines(tmp_path) == []


def copied(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in [*files.months(folder), folder / "head.json"] if path.exists()}


def set_back(folder: Path, to: dict[Path, bytes]) -> None:
    for path in copied(folder):
        path.unlink()
    for path, content in to.items():
        path.write_bytes(content)


@pytest.mark.parametrize("held", [0, 1])
async def test_a_log_that_is_set_back_whole_while_it_is_written_takes_nothing_until_it_is_whole_again(
    tmp_path: Path, metrics: Metrics, eventually: Eventually, held: int
) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        for _ in range(held):
            await log.add("nurse-1", "record", "p-1", "north")
        before = copied(tmp_path)
        await log.add("nurse-1", "record", "p-1", "north")
        whole = copied(tmp_path)
        set_back(tmp_path, before)
        with pytest.raises(AccessLogError):
            await log.add("nurse-1", "record", "p-2", "north")
        with pytest.raises(AccessLogError):
            await log.add("nurse-1", "see_patient", "p-2", "north")
        assert (log.writes, copied(tmp_path)) == (False, before)
        set_back(tmp_path, whole)
        await eventually(lambda: log.writes)
        await log.add("nurse-1", "record", "p-3", "north")
    assert (verify(tmp_path, KEYS).entries, verify(tmp_path, KEYS).broken) == (held + 2, None)


async def test_a_log_that_is_set_back_whole_before_the_first_entry_of_a_board_takes_nothing(
    tmp_path: Path, metrics: Metrics
) -> None:
    append(tmp_path, drafts(1), KEYS)
    before = copied(tmp_path)
    append(tmp_path, drafts(1), KEYS)
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        set_back(tmp_path, before)
        with pytest.raises(AccessLogError):
            await log.add("nurse-1", "record", "p-2", "north")
    assert copied(tmp_path) == before


async def test_a_broken_log_is_not_opened(tmp_path: Path, metrics: Metrics) -> None:
    append(tmp_path, drafts(2), OTHER)
    with pytest.raises(SettingsError, match="is not as it was sealed"):
        async with opened(tmp_path, KEYS, Clock(), metrics):
            raise AssertionError


@pytest.mark.parametrize(
    "entry",
    [
        ("Nurse One", "record", "p-1", "north", "done"),
        ("nurse-1", "Record", "p-1", "north", "done"),
        ("nurse-1", "record", "A Name", "north", "done"),
        ("nurse-1", "record", "12345678901", "north", "done"),
        ("nurse-1", "record", "p-1", "north", "maybe"),
    ],
)
async def test_what_could_not_be_read_again_is_not_taken(
    tmp_path: Path, metrics: Metrics, entry: tuple[Any, ...]
) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        with pytest.raises(msgspec.ValidationError):
            await log.add(*entry)
    assert lines(tmp_path) == []


async def test_about_no_patient_and_of_no_service_may_be_said_by_nothing_or_by_an_empty_text(
    tmp_path: Path, metrics: Metrics
) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        await log.add("nurse-1", "manage_course", "", "", "refused")
        await log.add("nurse-1", "manage_course", None, None, "refused")
    entries = [json.loads(line) for line in lines(tmp_path)]
    assert ["patient" in entry or "service" in entry for entry in entries] == [False, False]


async def test_who_asks_no_longer_does_not_stop_the_log(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        asking = asyncio.create_task(log.add("nurse-1", "record", "p-1", "north"))
        await asyncio.sleep(0)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await log.add("nurse-1", "record", "p-2", "north")
    assert len(lines(tmp_path)) == 2


async def test_after_its_end_it_takes_nothing(tmp_path: Path, metrics: Metrics) -> None:
    async with opened(tmp_path, KEYS, Clock(), metrics) as log:
        pass
    assert isinstance(log, AccessLog)
    with pytest.raises(AccessLogError):
        await log.add("nurse-1", "see_patient", "p-1", "north")
