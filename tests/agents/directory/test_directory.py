"""The patient directory: what is put is read, nothing of it can be read without the keys, and erased is erased."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agents import databases
from agents.directory import directory as directories
from agents.directory.directory import Directory
from agents.directory.identity import FIELDS, ErasedError, Identity
from agents.directory.sealing import UnopenableError, close, new_key, open_, unwrap, wrap
from agents.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = Keys({1: b"k" * 32})
ONE = Identity(
    name="Patient Øne",
    year_of_birth=1941,
    telephone="+47 000 00 001",
    relative_name="Relative One",
    relative_telephone="+47 000 00 002",
    gp="Practice One",
    note="Hard of hearing: let it ring.",
)
TWO = Identity(name="Patient Two")


def path(folder: Path) -> Path:
    return folder / "directory.sqlite"


async def opened(folder: Path, keys: Keys = KEYS) -> Directory:
    made = Directory(databases.opened(f"sqlite:///{path(folder)}"), keys, lambda: NOW)
    await made.open()
    return made


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    made = await opened(tmp_path)
    yield made
    await made.close()


def raw(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.glob("directory.sqlite*"))


def modes(folder: Path) -> set[int]:
    return {one.stat().st_mode & 0o077 for one in folder.glob("directory.sqlite*")}


def changed(folder: Path, statement: str, *values: Any) -> int:  # noqa: ANN401 - whatever SQLite takes
    with closing(sqlite3.connect(path(folder))) as connection, connection:
        return connection.execute(statement, values).rowcount


async def test_what_is_put_is_read(directory: Directory) -> None:
    await directory.put("p-1", ONE)
    await directory.put("p-2", TWO)
    assert await directory.of("p-1") == ONE
    assert await directory.many(["p-2", "p-1", "p-9", "p-1"]) == {"p-1": ONE, "p-2": TWO}
    assert await directory.of("p-9") is None


async def test_a_later_entry_takes_the_place_of_the_whole_earlier_one(directory: Directory) -> None:
    await directory.put("p-1", ONE)
    assert await directory.of("p-1") == ONE
    await directory.put("p-1", TWO)
    assert await directory.of("p-1") == TWO


async def test_it_is_there_after_a_restart(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", ONE)
    again = await opened(tmp_path)
    assert await again.of("p-1") == ONE
    await again.close()


@pytest.mark.parametrize(
    ("patient", "identity"),
    [
        ("p-1", Identity(name="")),
        ("p-1", Identity(name="x" * 101)),
        ("p-1", Identity(name="One", year_of_birth=1800)),
        ("p-1", Identity(name="One", note="x" * 501)),
        ("12345678901", TWO),
        ("a b", TWO),
    ],
)
async def test_what_is_not_as_it_must_be_is_not_put(directory: Directory, patient: str, identity: Identity) -> None:
    with pytest.raises(msgspec.ValidationError):
        await directory.put(patient, identity)
    assert await directory.many([patient]) == {}


async def test_nothing_personal_can_be_read_in_its_files(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", ONE)
    await directory.put("p-1", msgspec.structs.replace(ONE, note="Another note altogether."))
    content = raw(tmp_path)
    assert b"p-1" in content
    for value in msgspec.structs.asdict(ONE).values():
        assert str(value).encode() not in content
    for key in KEYS.versions.values():
        assert key not in content


async def test_its_files_are_for_their_owner_alone(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", ONE)
    assert modes(tmp_path) == {0}


async def test_names_of_different_length_look_equally_long(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", Identity(name="A"))
    await directory.put("p-2", Identity(name="A" * 60))
    with closing(sqlite3.connect(path(tmp_path))) as connection:
        lengths = connection.execute("SELECT length(closed) FROM field").fetchall()
    assert len(set(lengths)) == 1


@pytest.mark.parametrize(
    "moved",
    [
        (
            "UPDATE field SET closed = (SELECT closed FROM field WHERE pseudonym = 'p-2' AND name = 'name')"
            " WHERE pseudonym = 'p-1' AND name = 'name'"
        ),  # another patient's
        (
            "UPDATE field SET closed = (SELECT closed FROM field WHERE pseudonym = 'p-1' AND name = 'gp')"
            " WHERE pseudonym = 'p-1' AND name = 'name'"
        ),  # another field's
        "UPDATE patient SET wrapped = (SELECT wrapped FROM patient WHERE pseudonym = 'p-2') WHERE pseudonym = 'p-1'",
        "UPDATE field SET closed = zeroblob(80) WHERE pseudonym = 'p-1' AND name = 'gp'",
        "UPDATE field SET closed = x'' WHERE pseudonym = 'p-1' AND name = 'gp'",
        "DELETE FROM field WHERE pseudonym = 'p-1' AND name = 'name'",
    ],
)
async def test_what_was_moved_or_changed_in_the_database_does_not_open(
    tmp_path: Path, directory: Directory, moved: str
) -> None:
    await directory.put("p-1", ONE)
    await directory.put("p-2", msgspec.structs.replace(ONE, name="Patient Two"))
    assert changed(tmp_path, moved) == 1
    with pytest.raises(UnopenableError):
        await directory.of("p-1")
    assert await directory.of("p-2") is not None


async def test_with_another_key_nothing_is_opened(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", ONE)
    for other in (Keys({1: b"x" * 32}), Keys({2: b"k" * 32})):
        wrong = Directory(databases.opened(f"sqlite:///{path(tmp_path)}"), other, lambda: NOW)
        with pytest.raises(UnopenableError, match="the directory"):
            await wrong.open()
        await wrong.close()


async def test_the_master_key_is_exchanged_while_everything_stays_readable(
    tmp_path: Path, directory: Directory
) -> None:
    await directory.put("p-1", ONE)
    both = await opened(tmp_path, Keys({**KEYS.versions, 2: b"n" * 32}))
    await both.put("p-2", TWO)
    assert await both.rewrap() == 1
    assert await both.rewrap() == 0
    await both.close()
    newest = await opened(tmp_path, Keys({2: b"n" * 32}))
    assert await newest.many(["p-1", "p-2"]) == {"p-1": ONE, "p-2": TWO}
    await newest.close()


async def test_erasing_destroys_the_key_and_leaves_a_tombstone(tmp_path: Path, directory: Directory) -> None:
    await directory.put("p-1", ONE)
    await directory.put("p-2", TWO)
    with closing(sqlite3.connect(path(tmp_path))) as connection:
        (wrapped,) = connection.execute("SELECT wrapped FROM patient WHERE pseudonym = 'p-1'").fetchone()
        closed = [row[0] for row in connection.execute("SELECT closed FROM field WHERE pseudonym = 'p-1'")]
    assert all(one in raw(tmp_path) for one in (wrapped, *closed))
    assert await directory.of("p-1") == ONE  # and so held opened
    assert await directory.erase("p-1") is True
    assert not [one for one in (wrapped, *closed) if one in raw(tmp_path)]
    with pytest.raises(ErasedError) as erased:
        await directory.of("p-1")
    assert erased.value.at == NOW
    assert await directory.many(["p-1", "p-2"]) == {"p-2": TWO}
    assert await directory.search("Patient", ["p-1", "p-2"]) == ["p-2"]
    with pytest.raises(ErasedError):
        await directory.put("p-1", ONE)
    assert await directory.erase("p-1") is False


async def test_somebody_without_an_entry_can_be_erased_before_one_is_made(directory: Directory) -> None:
    assert await directory.erase("p-1") is False
    with pytest.raises(ErasedError):
        await directory.put("p-1", ONE)


async def test_what_another_process_erased_or_changed_is_so_at_once(tmp_path: Path, directory: Directory) -> None:
    other = await opened(tmp_path)
    await directory.put("p-1", ONE)
    await directory.put("p-2", ONE)
    assert await directory.many(["p-1", "p-2"]) == {"p-1": ONE, "p-2": ONE}
    await other.erase("p-1")
    await other.put("p-2", TWO)
    assert await directory.many(["p-1", "p-2"]) == {"p-2": TWO}
    await other.close()


async def test_many_at_once_put_and_read_without_losing_any(directory: Directory) -> None:
    await asyncio.gather(*(directory.put(f"p-{n}", Identity(name=f"Patient {n}")) for n in range(40)))
    await asyncio.gather(*(directory.put("p-0", Identity(name=f"Patient {n}")) for n in range(20)))
    found = await directory.many(f"p-{n}" for n in range(40))
    assert len(found) == 40
    assert found["p-39"].name == "Patient 39"


SEARCHES = [
    ("øne", ["p-1"]),
    ("ØNE", ["p-1"]),
    ("patient", ["p-4", "p-2", "p-1"]),
    ("patient t", ["p-4", "p-2", "p-1"]),  # every word, wherever it stands
    ("two patient", ["p-2"]),
    ("emile", ["p-4"]),
    ("00001", ["p-1"]),
    ("000 00 001", ["p-1"]),
    ("relative", ["p-1"]),
    ("three", []),  # of another service
    ("practice", []),
    ("", []),
    ("%", []),
]


@pytest.mark.parametrize(("words", "found"), SEARCHES)
async def test_search_finds_by_name_telephone_and_relative_within_the_patients_given(
    directory: Directory, words: str, found: list[str]
) -> None:
    await directory.put("p-1", ONE)
    await directory.put("p-2", TWO)
    await directory.put("p-3", Identity(name="Patient Three"))
    await directory.put("p-4", Identity(name="Patient Émile"))
    assert await directory.search(words, ["p-1", "p-2", "p-4", "p-9"]) == found


async def test_opened_entries_are_held_within_a_bound(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "CACHED", 3)
    monkeypatch.setattr(directories, "AT_ONCE", 2)
    for number in range(7):
        await directory.put(f"p-{number}", Identity(name=f"Patient {number}"))
    found = await directory.many(f"p-{number}" for number in range(7))
    assert [one.name for one in found.values()] == [f"Patient {number}" for number in range(7)]
    assert list(directory._held) == ["p-4", "p-5", "p-6"]
    await directory.close()
    assert list(directory._held) == []


def test_a_field_opens_for_its_patient_its_name_and_its_key_alone() -> None:
    key = new_key()
    closed = close("Patient One", "name", "p-1", key)
    assert open_(closed, "name", "p-1", key) == "Patient One"
    assert closed != close("Patient One", "name", "p-1", key)
    for field, patient, other in (("gp", "p-1", key), ("name", "p-2", key), ("name", "p-1", new_key())):
        with pytest.raises(UnopenableError):
            open_(closed, field, patient, other)


@pytest.mark.parametrize("text", ["", "x", "x" * 63, "x" * 64, "\x80", "æ" * 200, "ends with \x80\0"])
def test_any_text_comes_back_as_it_was(text: str) -> None:
    key = new_key()
    assert open_(close(text, "note", "p-1", key), "note", "p-1", key) == text


def test_a_patients_key_is_bound_to_the_patient() -> None:
    key = new_key()
    version, wrapped = wrap(key, "p-1", KEYS)
    assert unwrap(wrapped, version, "p-1", KEYS) == key
    with pytest.raises(UnopenableError):
        unwrap(wrapped, version, "p-2", KEYS)


def test_every_field_of_an_identity_is_known() -> None:
    assert set(FIELDS) == set(msgspec.structs.asdict(ONE))
    assert all(value for value in msgspec.structs.asdict(ONE).values())
