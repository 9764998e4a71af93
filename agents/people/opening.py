"""All that the board needs of people, patients' names and the access log, by the settings: or nothing is opened."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from agents import databases, disks, keys, wallclock
from agents.access import log as access_log
from agents.directory.directory import Directory
from agents.directory.sealing import UnopenableError
from agents.people.attempts import Attempts
from agents.people.claims import load_claims
from agents.people.doors import Doors
from agents.people.guard import Guard
from agents.people.oidc import Provider
from agents.people.origin import Address
from agents.people.passwords import Passwords
from agents.people.sessions import Sessions
from agents.people.users import UserFile, load_users
from agents.settings import SettingsError, secret, variable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from agents.access.log import AccessLog
    from agents.metrics import Metrics
    from agents.settings import Settings


@dataclass(frozen=True)
class People:
    """What the board's pages stand on."""

    guard: Guard
    access: AccessLog
    directory: Directory

    def before(self, app: web.Application) -> None:
        """Put the guard before every page of `app`, with the pages for signing in."""
        app.middlewares.append(self.guard.middleware)
        app.add_routes(self.guard.routes())


def check(settings: Settings) -> None:
    """Raise SettingsError where nobody could sign in: a board is never open to whoever comes."""
    if settings.users_file is None and not settings.oidc_issuer:
        raise SettingsError(
            f"{variable('users_file')} or {variable('oidc_issuer')} must be set: the board shows nothing to whoever is"
            " not signed in"
        )


@asynccontextmanager
async def opened(settings: Settings, metrics: Metrics) -> AsyncIterator[People]:
    """Open everything while the block runs.

    Raises
    ------
    SettingsError
        Nobody could sign in, a key is missing, or a file is not as it must be: one sentence.
    """
    check(settings)
    address = Address(settings.board_url, settings.http_host)
    users = None if settings.users_file is None else UserFile(Path(settings.users_file))
    if users is not None:
        load_users(users.path)
    seal = keys.load("access_key_file", settings.access_key_file)
    provider = None if not settings.oidc_issuer else _provider(settings)
    async with AsyncExitStack() as stack:
        directory = await stack.enter_async_context(opened_directory(settings))
        log = await stack.enter_async_context(
            access_log.opened(Path(settings.access_folder), seal, wallclock.now, metrics)
        )
        sessions = Sessions(
            databases.opened(f"sqlite:///{settings.sessions_file}"),
            wallclock.now,
            idle=timedelta(minutes=settings.session_idle_minutes),
        )
        stack.push_async_callback(sessions.close)
        await sessions.open()
        passwords = await asyncio.to_thread(Passwords)
        doors = Doors(
            sessions=sessions,
            address=address,
            access=log,
            metrics=metrics,
            users=users,
            passwords=passwords,
            attempts=Attempts(time.monotonic),
            provider=provider,
            proxy=settings.board_proxy,
        )
        guard = Guard(sessions=sessions, address=address, access=log, users=users, doors=doors)
        disks.show(_files(settings), metrics)
        yield People(guard, log, directory)


def _files(settings: Settings) -> dict[str, Path]:
    """What the board keeps on this machine; without the directory where that is a PostgreSQL."""
    kept = {"sessions": Path(settings.sessions_file), "access_log": Path(settings.access_folder)}
    if settings.directory.startswith("sqlite:///"):
        kept["directory"] = Path(settings.directory.removeprefix("sqlite:///"))
    return kept


@asynccontextmanager
async def opened_directory(settings: Settings) -> AsyncIterator[Directory]:
    """The patient directory while the block runs; raises SettingsError."""
    master = keys.load("directory_key_file", settings.directory_key_file)
    file = settings.directory_password_file
    password = None if file is None else secret("directory_password_file", file)
    directory = Directory(databases.opened(settings.directory, password), master, wallclock.now)
    try:
        await directory.open()
        yield directory
    except UnopenableError as error:
        raise SettingsError(str(error)) from None
    except (SQLAlchemyError, ConnectionError) as error:
        raise SettingsError(
            f"{variable('directory')}: the database does not answer as it must ({type(error).__name__})"
        ) from None
    finally:
        await directory.close()


def _provider(settings: Settings) -> Provider:
    if not settings.oidc_client_id or settings.oidc_claims_file is None:
        raise SettingsError(
            f"{variable('oidc_client_id')} and {variable('oidc_claims_file')} must be set where"
            f" {variable('oidc_issuer')} is"
        )
    file = settings.oidc_client_secret_file
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=None if file is None else secret("oidc_client_secret_file", file),
        claims=load_claims(Path(settings.oidc_claims_file)),
        now=wallclock.now,
        clock=time.monotonic,
    )
