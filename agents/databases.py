"""SQL databases by SQLAlchemy: a SQLite file of our own, or a PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event, make_url
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.ext.asyncio import create_async_engine

from agents.settings import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_S: Final = 5.0  # how long another process's write is waited for [s]
# What is deleted is overwritten, and what is committed is on the disk.
PRAGMAS: Final = ("secure_delete = ON", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

_WRITES: Final = "sonevakt_writes"


def opened(url: str, password: str | None = None) -> AsyncEngine:
    """Return an engine; dispose of it in the end. A SQLite file is made for its owner's eyes alone.

    Raises
    ------
    SettingsError
        The driver is not installed.
    OSError
        The file cannot be made.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_S}, hide_parameters=True
        )
        event.listen(engine.sync_engine, "connect", _pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    try:
        made = make_url(url)
        return create_async_engine(
            made if password is None else made.set(password=password), hide_parameters=True, pool_pre_ping=True
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise SettingsError("PostgreSQL needs its driver: pip install 'sonevakt[postgresql]'") from None


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for what reads and then writes: nobody else writes in between."""
    return engine.execution_options(**{_WRITES: True})


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's own
    connection.isolation_level = None  # or the driver begins by itself, and later than it must
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
