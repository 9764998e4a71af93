"""The demo's people: one of each role with a password made up at its start, and patients called by their number.

Everything lies in the demo's own folder and goes with it.
"""

from __future__ import annotations

from secrets import choice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from agents import keys
from agents.directory.identity import Identity
from agents.people.users import User, UserFile
from agents.settings import variable
from schemas.people import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from agents.directory.directory import Directory
    from agents.settings import Settings

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look alike: it is typed from a terminal
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4  # 80 bits in all


class Login(NamedTuple):
    """What is printed once."""

    ref: str
    password: str


def people(folder: Path, services: Iterable[str], now: datetime) -> list[Login]:
    """Write a user file into `folder`, with one user of each role for all `services`; return how they sign in."""
    from agents.people.passwords import Passwords  # noqa: PLC0415 - other commands need no argon2

    passwords = Passwords()
    logins = [Login(role.value, _password()) for role in Role]
    with UserFile(folder / "users.json").changing() as users:
        for role, login in zip(Role, logins, strict=True):
            users[login.ref] = User(
                name=f"{role.value.capitalize()} One",
                roles=frozenset({role}),
                services=frozenset(services),
                password=passwords.hash(login.password),
                valid_from_at=now,
            )
    return logins


def settings_in(folder: Path, settings: Settings) -> Settings:
    """Return `settings` with everything about people in `folder`, with keys made for it."""
    return msgspec.structs.replace(settings, **_places(folder))


def variables_in(folder: Path) -> dict[str, str]:
    """The same as a process's environment."""
    return {variable(field): place for field, place in _places(folder).items()}


def _places(folder: Path) -> dict[str, str]:
    for name in ("directory.key", "access.key"):
        keys.add(folder / name)
    return {
        "users_file": str(folder / "users.json"),
        "sessions_file": str(folder / "sessions.sqlite"),
        "directory": f"sqlite:///{folder / 'directory.sqlite'}",
        "directory_key_file": str(folder / "directory.key"),
        "access_folder": str(folder / "access"),
        "access_key_file": str(folder / "access.key"),
    }


def lines(logins: Sequence[Login]) -> Iterator[str]:
    """What the terminal shows, once."""
    yield "sign in, until this demo ends, with one of"
    yield from (f"  {login.ref:<14} {login.password}" for login in logins)


async def fill(directory: Directory, patients: Iterable[str]) -> None:
    """Give each simulated patient an entry; a number stands for a name."""
    await directory.put_all({patient: _called(number) for number, patient in enumerate(patients, start=1)})


def _called(number: int) -> Identity:
    return Identity(
        name=f"Patient {number}",
        year_of_birth=1935 + number % 40,
        telephone=f"+47 000 {number:05d}",
        relative_name=f"Relative of Patient {number}",
        relative_telephone=f"+47 001 {number:05d}",
        gp=f"Practice {number % 12 + 1}",
    )


def _password() -> str:
    groups = ("".join(choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)
