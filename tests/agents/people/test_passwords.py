"""Which passwords are strong enough, how long guessing takes, and how the user file is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agents.keys import KEY_BYTES, add, load
from agents.people.attempts import ADDRESS, FORGET_S, KEPT, USER, Attempts
from agents.people.passwords import Passwords, WeakPasswordError, check_strength
from agents.people.users import UserFile, UsersError, load_users
from agents.settings import SettingsError
from schemas.people import Person, Role
from tests.agents.people.conftest import QUICK, user

if TYPE_CHECKING:
    from pathlib import Path

WEAK = [
    ("short", "at least 12 characters"),
    ("elevenchars", "at least 12 characters"),
    ("x" * 257, "at most 256 characters"),
    ("aaaaaaaaaaaaaaaa", "different characters"),
    ("abababababababab", "different characters"),
    ("password1234", "among the first"),
    ("Password!2026", "among the first"),
    ("Velkommen2026!", "among the first"),
    ("Sommer2026Sommer", "among the first"),
    ("qwertyuiop123", "among the first"),
    ("123456789012345", "among the first"),
    ("Sonevakt-Sykehus-2026", "among the first"),
    ("nurse-1-north-2026", "among the first"),
    ("Northcentre 2026", "among the first"),
]


@pytest.mark.parametrize(("password", "told"), WEAK)
def test_a_password_that_would_be_guessed_is_refused_without_repeating_it(password: str, told: str) -> None:
    with pytest.raises(WeakPasswordError, match=told) as caught:
        check_strength(password, about=("nurse-1", "Northcentre One", "north"))
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "fjordlampe9kveld", "Ærlig talt, nå regner det", "x7!kQz0p&Lm2"]
)
def test_a_password_that_nobody_guesses_is_taken_whatever_it_is_made_of(password: str) -> None:
    check_strength(password, about=("nurse-1", "Nurse One", "north"))


async def test_the_same_letters_are_the_same_password_however_they_are_typed() -> None:
    passwords = Passwords(QUICK)
    held = user(password=passwords.hash("café på hjørnet"))
    assert await passwords.right(held, "cafe\u0301 pa\u030a hjørnet")
    assert not await passwords.right(held, "cafe på hjørnet")


def test_the_parameters_are_those_of_argon2id_at_full_cost() -> None:
    assert Passwords().hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


class Now:
    """A clock that a test sets [s]."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_attempts_of_one_user_wait_twice_as_long_each_time_and_never_more_than_a_minute() -> None:
    now = Now()
    attempts = Attempts(now)
    waits = []
    for number in range(20):
        wait = attempts.take("nurse-1", f"10.0.0.{number}")
        waits.append(wait)
        now.at += wait
        if wait:
            assert attempts.take("nurse-1", f"10.0.0.{number}") == 0
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, *[60] * 9]
    assert max(waits) == USER.most_s


def test_a_thousand_attempts_at_once_are_not_each_the_first() -> None:
    attempts = Attempts(Now())
    assert sum(attempts.take("nurse-1", "10.0.0.1") == 0 for _ in range(1000)) == USER.free


def test_one_address_cannot_try_many_users_and_another_address_is_not_hindered() -> None:
    attempts = Attempts(Now())
    assert sum(attempts.take(f"u-{number}", "10.0.0.1") == 0 for number in range(100)) == ADDRESS.free
    assert attempts.take("u-1000", "10.0.0.2") == 0


def test_the_right_password_takes_the_count_back() -> None:
    attempts = Attempts(Now())
    for _ in range(500):
        assert attempts.take("nurse-1", "10.0.0.1") == 0
        attempts.succeeded("nurse-1", "10.0.0.1")


def test_attempts_are_forgotten_after_an_hour_and_kept_within_a_bound() -> None:
    now = Now()
    attempts = Attempts(now)
    for _ in range(USER.free):
        attempts.take("nurse-1", "10.0.0.1")
    assert attempts.take("nurse-1", "10.0.0.1") > 0
    now.at = FORGET_S + 1
    assert attempts.take("nurse-1", "10.0.0.1") == 0
    for number in range(KEPT + 50):
        attempts.take(f"u-{number}", f"10.0.{number // 256}.{number % 256}")
    assert (len(attempts._users), len(attempts._addresses)) == (KEPT, KEPT)


def test_users_are_kept_for_their_owner_alone_and_read_again_when_the_file_changes(tmp_path: Path) -> None:
    one, other = UserFile(tmp_path / "users.json"), UserFile(tmp_path / "users.json")
    with one.changing() as users:
        users["nurse-1"] = user()
    assert other.of("nurse-1") == user(password=other.read()["nurse-1"].password)
    with one.changing() as users:
        del users["nurse-1"]
    assert other.of("nurse-1") is None
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.json")} == {0}


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = UserFile(tmp_path / "users.json")
    with file.changing() as users:
        users["nurse-1"] = user()
    before = file.path.read_bytes()

    def fails() -> None:
        with file.changing() as users:
            del users["nurse-1"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert file.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".users.json.lock", "users.json"]


def test_two_who_change_the_file_at_once_lose_nothing(tmp_path: Path) -> None:
    def add_some(first: int) -> None:
        for number in range(first, first + 20):
            with UserFile(tmp_path / "users.json").changing() as users:
                users[f"nurse-{number}"] = held

    held = user()
    threads = [threading.Thread(target=add_some, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(UserFile(tmp_path / "users.json").read()) == 60


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"nurse-1": {}}',
        b'{"01017012345": {}}',
        b'{"nurse-1": {"name": "N", "roles": ["nurse"], "password": "plain", "valid_from_at": "2026-03-01T00:00:00Z"}}',
    ],
)
def test_a_file_that_is_not_one_of_ours_is_refused_without_telling_its_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "users.json").write_bytes(content)
    with pytest.raises(UsersError, match=r"^users.json: ") as caught:
        UserFile(tmp_path / "users.json").read()
    assert "plain" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_lets_nobody_in_is_told(tmp_path: Path) -> None:
    file = UserFile(tmp_path / "users.json")
    with pytest.raises(UsersError, match="cannot be read"):
        load_users(file.path)
    with file.changing() as users:
        users["nurse-1"] = user(disabled=True)
    with pytest.raises(UsersError, match="lets nobody in"):
        load_users(file.path)


def test_a_user_is_who_the_file_says() -> None:
    assert user(Role.DOCTOR, services=("north", "south")).person("doctor-1") == Person(
        ref="doctor-1", name="Nurse One", roles=frozenset({Role.DOCTOR}), services=frozenset({"north", "south"})
    )


def test_keys_are_made_random_and_for_their_owner_alone_and_the_newest_closes(tmp_path: Path) -> None:
    assert [add(tmp_path / "key"), add(tmp_path / "key")] == [1, 2]
    keys = load("directory_key_file", str(tmp_path / "key"))
    assert (keys.newest, {len(key) for key in keys.versions.values()}) == (2, {KEY_BYTES})
    assert keys.versions[1] != keys.versions[2]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert "bytes" not in repr(keys)
    assert repr(keys) == "Keys()"


@pytest.mark.parametrize("content", ["x", "1 short", "0 " + "A" * 43 + "=", "1 " + "A" * 43 + "=\n1 " + "B" * 43 + "="])
def test_a_key_file_that_is_none_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(SettingsError, match=r"^SONEVAKT_ACCESS_KEY_FILE: the file needs lines") as caught:
        load("access_key_file", str(tmp_path / "key"))
    assert "AAAA" not in str(caught.value)
    with pytest.raises(SettingsError, match="SONEVAKT_ACCESS_KEY_FILE must be set"):
        load("access_key_file", None)
