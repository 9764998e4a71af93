"""Who is signed in: sessions in a file, so that a restart of the board amid an alarm signs nobody out.

A session's id is random and stands in the browser's cookie alone; the file has its SHA-256, so that whoever reads the
file is not signed in by it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Float, LargeBinary, MetaData, String, Table, delete, insert, or_, select, update

from agents.databases import writing
from schemas.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

ABSOLUTE: Final = timedelta(hours=12)  # a long shift; our choice
IDLE: Final = timedelta(minutes=30)  # our choice
TOUCH: Final = timedelta(minutes=1)  # an act is written down at most so often
_ID_LENGTH: Final = 43  # of 32 random bytes
_TABLES: Final = MetaData()
_SESSION: Final = Table(
    "session",
    _TABLES,
    Column("id", LargeBinary(32), primary_key=True),
    Column("ref", String(64), nullable=False, index=True),
    Column("way", String(16), nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("began", Float, nullable=False),
    Column("acted", Float, nullable=False),
)


class Session(Struct, frozen=True, kw_only=True):
    """Somebody signed in.

    Attributes
    ----------
    person
        As they were when they signed in.
    way
        `password` or `oidc`.
    csrf
        What each of their forms must hold.
    """

    person: Person
    way: str
    csrf: str
    began_at: datetime
    acted_at: datetime


class Sessions:
    """All sessions of a board.

    Parameters
    ----------
    engine
        From `agents.databases.opened`; disposed of by `close`.
    """

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime], *, idle: timedelta = IDLE) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._now = now
        self._idle = idle

    async def open(self) -> None:
        """Make the table, and drop what has ended."""
        async with self._writing.begin() as connection:
            await connection.run_sync(_TABLES.create_all)
        await self.sweep()

    async def close(self) -> None:
        """Close the file."""
        await self._engine.dispose()

    async def begin(self, person: Person, way: str, *, instead_of: str | None = None) -> tuple[str, Session]:
        """Sign `person` in; return the new session's id and itself. The session that the browser had before ends."""
        sid = token_urlsafe(32)
        now = self._now()
        session = Session(person=person, way=way, csrf=token_urlsafe(32), began_at=now, acted_at=now)
        row = {
            "id": _digest(sid),
            "ref": person.ref,
            "way": way,
            "person": msgspec.json.encode(person),
            "csrf": session.csrf,
            "began": now.timestamp(),
            "acted": now.timestamp(),
        }
        async with self._writing.begin() as connection:
            if instead_of is not None:
                await connection.execute(delete(_SESSION).where(_SESSION.c.id == _digest(instead_of)))
            await connection.execute(insert(_SESSION).values(row))
        return sid, session

    async def of(self, sid: str, *, act: bool) -> Session | None:
        """Return the session, None where there is none or it has ended; `act`: somebody did something just now."""
        if len(sid) != _ID_LENGTH:
            return None
        wanted = _SESSION.c.id == _digest(sid)
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(_SESSION).where(wanted))).mappings().one_or_none()
        if row is None:
            return None
        now = self._now()
        began, acted = (datetime.fromtimestamp(row[name], UTC) for name in ("began", "acted"))
        if now - began >= ABSOLUTE or now - acted >= self._idle:
            await self.end(sid)
            return None
        if act and now - acted >= TOUCH:
            async with self._writing.begin() as connection:
                await connection.execute(update(_SESSION).where(wanted).values(acted=now.timestamp()))
        person = msgspec.json.decode(row["person"], type=Person)
        return Session(person=person, way=row["way"], csrf=row["csrf"], began_at=began, acted_at=acted)

    async def end(self, sid: str) -> None:
        """Sign out."""
        async with self._writing.begin() as connection:
            await connection.execute(delete(_SESSION).where(_SESSION.c.id == _digest(sid)))

    async def end_all(self, ref: str) -> None:
        """End every session of a person."""
        async with self._writing.begin() as connection:
            await connection.execute(delete(_SESSION).where(_SESSION.c.ref == ref))

    async def sweep(self) -> None:
        """Drop the sessions that have ended by time."""
        now = self._now()
        ended = or_(
            _SESSION.c.began <= (now - ABSOLUTE).timestamp(), _SESSION.c.acted <= (now - self._idle).timestamp()
        )
        async with self._writing.begin() as connection:
            await connection.execute(delete(_SESSION).where(ended))


def _digest(sid: str) -> bytes:
    return hashlib.sha256(sid.encode("utf-8", "surrogateescape")).digest()
