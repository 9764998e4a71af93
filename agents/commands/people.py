"""`sonevakt users` and `sonevakt keys`: who may sign in by a password, and the files of keys."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import click
import msgspec

from agents import keys, logs, settings, wallclock
from agents.people.users import User, UserFile, UsersError
from schemas.people import Role
from schemas.types import StaffRef

_REF_FORM: Final = "a reference takes letters, digits, . _ and -, at most 64, never 11 digits in a row"


@click.group("users")
def users_group() -> None:
    """Who may sign in on the board by a password. Passwords are asked for, or read from stdin; never an argument."""


@users_group.command("add")
@click.argument("ref")
@click.option("--name", required=True, help="As the board shows it.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--service", "services", multiple=True, help="Whose patients they see; several times for several.")
def users_add(ref: str, name: str, roles: tuple[str, ...], services: tuple[str, ...]) -> None:
    """Let the person of reference REF sign in."""
    file = _file()
    _checked_ref(ref)
    if ref in (file.read() if file.path.exists() else {}):
        raise UsersError(f"{ref} is a user already: `sonevakt users password` sets another password")
    password = _new_password(ref, name, services)
    try:
        user = msgspec.convert(
            {
                "name": name,
                "roles": list(roles),
                "services": list(services),
                "password": _hashed(password),
                "valid_from_at": wallclock.now(),
            },
            User,
        )
    except msgspec.ValidationError:
        raise UsersError("--name takes 1 to 100 characters, --service small letters, digits and -") from None
    with file.changing() as users:
        users[ref] = user
    click.echo(f"added {ref}")


@users_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array in place of lines; no hash is in it.")
def users_list(*, as_json: bool) -> None:
    """Name every user, with roles and services."""
    users = sorted(_file().read().items())
    if as_json:
        told = [
            {"ref": ref, **{name: value for name, value in msgspec.to_builtins(user).items() if name != "password"}}
            for ref, user in users
        ]
        click.echo(msgspec.json.encode(told).decode())
        return
    for ref, user in users:
        state = "disabled" if user.disabled else "active"
        click.echo(f"{ref}  {state}  {', '.join(sorted(user.roles))}  {', '.join(sorted(user.services)) or '-'}")


@users_group.command("password")
@click.argument("ref")
def users_password(ref: str) -> None:
    """Set another password for REF. Every session of theirs ends."""
    file = _file()
    user = _known(file, ref)
    password = _new_password(ref, user.name, tuple(user.services))
    _change(file, ref, password=_hashed(password))
    click.echo(f"changed {ref}")


@users_group.command("disable")
@click.argument("ref")
def users_disable(ref: str) -> None:
    """Let REF in no more. Every session of theirs ends."""
    file = _file()
    _known(file, ref)
    _change(file, ref, disabled=True)
    click.echo(f"disabled {ref}")


@users_group.command("enable")
@click.argument("ref")
def users_enable(ref: str) -> None:
    """Let REF in again, by a new session."""
    file = _file()
    _known(file, ref)
    _change(file, ref, disabled=False)
    click.echo(f"enabled {ref}")


@users_group.command("sign-out")
@click.argument("ref")
def users_sign_out(ref: str) -> None:
    """End every session of REF, whichever way they signed in; at an identity provider close the account too."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - a worker's start needs none of it

    from agents import databases  # noqa: PLC0415 - the same
    from agents.people.sessions import Sessions  # noqa: PLC0415 - the same

    read = settings.read(os.environ)
    _checked_ref(ref)
    if not Path(read.sessions_file).exists():
        raise UsersError("SONEVAKT_SESSIONS_FILE is not there: nobody is signed in")

    async def end() -> None:
        sessions = Sessions(databases.opened(f"sqlite:///{read.sessions_file}"), wallclock.now, idle=timedelta(days=1))
        try:
            await sessions.open()
            await sessions.end_all(ref)
        finally:
            await sessions.close()

    try:
        asyncio.run(end())
    except SQLAlchemyError:
        raise UsersError("SONEVAKT_SESSIONS_FILE is no file of sessions") from None
    click.echo(f"signed out {ref}")


@click.group("keys")
def keys_group() -> None:
    """Files of keys: of the patient directory and of the access log."""


@keys_group.command("new")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keys_new(file: Path) -> None:
    """Make FILE with a new key, or give it its next version; only its owner may read it.

    The newest version closes, all of them open. A version that is taken out opens nothing any more.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    click.echo(f"version {keys.add(file)}")


def _file() -> UserFile:
    read = settings.read(os.environ)
    logs.configure("users", level="error", broker_lines=False)
    if read.users_file is None:
        raise UsersError("SONEVAKT_USERS_FILE must be set: a file's path")
    return UserFile(Path(read.users_file))


def _known(file: UserFile, ref: str) -> User:
    user = file.of(ref)
    if user is None:
        raise UsersError("there is no user of that reference: `sonevakt users list`")
    return user


def _change(file: UserFile, ref: str, **changed: object) -> None:
    with file.changing() as users:
        users[ref] = msgspec.structs.replace(users[ref], valid_from_at=wallclock.now(), **changed)


def _checked_ref(ref: str) -> None:
    try:
        msgspec.convert(ref, StaffRef)
    except msgspec.ValidationError:
        raise UsersError(_REF_FORM) from None


def _hashed(password: str) -> str:
    from agents.people.passwords import Passwords  # noqa: PLC0415 - a worker's start needs none of it

    return Passwords().hash(password)


def _new_password(ref: str, name: str, services: tuple[str, ...]) -> str:
    from agents.people.passwords import WeakPasswordError, check_strength  # noqa: PLC0415 - the same

    if sys.stdin.isatty():
        password = click.prompt("password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        check_strength(password, about=(ref, name, *services))
    except WeakPasswordError as error:
        raise UsersError(str(error)) from None
    return str(password)
