"""The directory itself: put, read, search and erase who patients are.

It records nobody who looks: whoever asks it does so after `demand`, and tells the access log.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import delete, insert, select, text, update

from agents.databases import writing
from agents.directory.identity import ErasedError, Identity, checked, from_fields, to_fields
from agents.directory.sealing import UnopenableError, close, new_key, open_, unwrap, wrap
from agents.directory.tables import FIELD, PATIENT, TABLES
from schemas.types import Pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from agents.keys import Keys

_LAST: Final = str.maketrans("å", "ÿ")  # å stands after æ and ø
CACHED: Final = 5_000  # patients whose entries are held opened, the latest used
AT_ONCE: Final = 500  # patients in one question to the database


class _Held(NamedTuple):
    revision: int
    identity: Identity


class Directory:
    """Who patients are.

    Parameters
    ----------
    engine
        From `agents.databases.opened`; disposed of by `close`.
    keys
        Master keys.
    """

    def __init__(self, engine: AsyncEngine, keys: Keys, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._keys = keys
        self._now = now
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def open(self) -> None:
        """Make the tables; raises UnopenableError where the keys are not those of this directory."""
        async with self._writing.begin() as connection:
            await connection.run_sync(TABLES.create_all)
            one = select(PATIENT).where(PATIENT.c.wrapped.is_not(None)).limit(1)
            row = (await connection.execute(one)).mappings().one_or_none()
        if row is not None:
            unwrap(row["wrapped"], row["version"], row["pseudonym"], self._keys)

    async def close(self) -> None:
        """Close the database, and forget what was opened."""
        self._held.clear()
        await self._engine.dispose()

    async def put(self, patient: str, identity: Identity) -> None:
        """Keep `identity` for `patient`, in place of what was there.

        Raises
        ------
        msgspec.ValidationError
            A field is not as it must be, or the pseudonym is none.
        ErasedError
            The patient was erased: a new follow-up takes a new pseudonym.
        """
        await self.put_all({patient: identity})

    async def put_all(self, identities: Mapping[str, Identity]) -> None:
        """Keep several at once, all or none; raises as `put` does."""
        for patient, identity in identities.items():
            checked(identity)
            msgspec.convert(patient, Pseudonym)
        async with self._writing.begin() as connection:
            for patient, identity in identities.items():
                await self._put(connection, patient, to_fields(identity))

    async def _put(self, connection: AsyncConnection, patient: str, fields: dict[str, str]) -> None:
        row = await self._row(connection, patient)
        if row is None:
            key = new_key()
            version, wrapped = wrap(key, patient, self._keys)
            await connection.execute(
                insert(PATIENT).values(pseudonym=patient, wrapped=wrapped, version=version, revision=1)
            )
        else:
            key = self._key(row)
            await connection.execute(
                update(PATIENT).where(PATIENT.c.pseudonym == patient).values(revision=row["revision"] + 1)
            )
        await connection.execute(delete(FIELD).where(FIELD.c.pseudonym == patient))
        closed = [
            {"pseudonym": patient, "name": name, "closed": close(value, name, patient, key)}
            for name, value in fields.items()
        ]
        await connection.execute(insert(FIELD), closed)

    async def of(self, pseudonym: str) -> Identity | None:
        """Return who a patient is, None where nobody has said; raises ErasedError, UnopenableError."""
        async with self._engine.connect() as connection:
            row = await self._row(connection, pseudonym)
        if row is None:
            return None
        if row["wrapped"] is None:
            raise ErasedError(_utc(row["erased_at"]))
        return (await self.many([pseudonym])).get(pseudonym)

    async def many(self, pseudonyms: Iterable[str]) -> dict[str, Identity]:
        """Return who patients are, those of whom it is known; raises UnopenableError."""
        found: dict[str, Identity] = {}
        for some in _parts(list(dict.fromkeys(pseudonyms))):
            found |= await self._some(some)
        return found

    async def search(self, words: str, among: Iterable[str]) -> list[str]:
        """Return those of the patients `among` whose name, telephone or relative holds every word, by their names.

        There is no index that could be read: entries are opened in this process and looked through, so `among` is one
        service's patients, a few thousand at most.
        """
        wanted = _plain(words).split()
        if not wanted:
            return []
        everyone = await self.many(among)
        hits = [
            (_plain(one.name).translate(_LAST), patient) for patient, one in everyone.items() if _holds(one, wanted)
        ]
        return [patient for _, patient in sorted(hits)]

    async def erase(self, patient: str) -> bool:
        """Destroy the patient's key and entry, and leave a tombstone; whether there was an entry.

        Without the key no copy of the entry can be opened, in a backup either, unless the copy has the wrapped key and
        the master key still exists: exchanging the master key (`sonevakt keys`) ends that too.
        """
        msgspec.convert(patient, Pseudonym)
        at = self._now()
        async with self._writing.begin() as connection:
            row = await self._row(connection, patient)
            await connection.execute(delete(FIELD).where(FIELD.c.pseudonym == patient))
            if row is None:
                gone = {"pseudonym": patient, "version": self._keys.newest, "revision": 1, "erased_at": at}
                await connection.execute(insert(PATIENT).values(wrapped=None, **gone))
            elif row["wrapped"] is not None:
                await connection.execute(
                    update(PATIENT)
                    .where(PATIENT.c.pseudonym == patient)
                    .values(wrapped=None, erased_at=at, revision=row["revision"] + 1)
                )
        self._held.pop(patient, None)
        if self._engine.dialect.name == "sqlite":
            # What was written lately stands in the write-ahead log too.
            async with self._engine.connect() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return row is not None and row["wrapped"] is not None

    async def rewrap(self) -> int:
        """Close every patient's key under the newest master key; how many there were to close. Fields stay as they are.

        Afterwards the older versions open nothing any more, and can be taken out of the key file.
        """
        count = 0
        old = select(PATIENT).where(PATIENT.c.wrapped.is_not(None), PATIENT.c.version != self._keys.newest)
        async with self._writing.begin() as connection:
            for row in (await connection.execute(old)).mappings().all():
                version, wrapped = wrap(self._key(row), row["pseudonym"], self._keys)
                await connection.execute(
                    update(PATIENT)
                    .where(PATIENT.c.pseudonym == row["pseudonym"])
                    .values(version=version, wrapped=wrapped)
                )
                count += 1
        return count

    async def _some(self, patients: Sequence[str]) -> dict[str, Identity]:
        async with self._engine.connect() as connection:
            known = select(PATIENT).where(PATIENT.c.pseudonym.in_(patients), PATIENT.c.wrapped.is_not(None))
            rows = {row["pseudonym"]: row for row in (await connection.execute(known)).mappings()}
            new = [name for name, row in rows.items() if self._cached(name, row["revision"]) is None]
            fields: dict[str, dict[str, bytes]] = {name: {} for name in new}
            if new:
                wanted = select(FIELD).where(FIELD.c.pseudonym.in_(new))
                for field in (await connection.execute(wanted)).mappings():
                    fields[field["pseudonym"]][field["name"]] = field["closed"]
        found: dict[str, Identity] = {}
        for name, row in rows.items():
            held = self._cached(name, row["revision"])
            found[name] = self._opened(row, fields[name]) if held is None else held
        return {name: found[name] for name in patients if name in found}

    def _opened(self, row: Any, fields: dict[str, bytes]) -> Identity:  # noqa: ANN401 - a row, which no type names
        patient = row["pseudonym"]
        key = self._key(row)
        try:
            identity = from_fields({name: open_(closed, name, patient, key) for name, closed in fields.items()})
        except msgspec.ValidationError:
            raise UnopenableError("an entry of the directory is incomplete: was a field taken out?") from None
        self._held[patient] = _Held(row["revision"], identity)
        if len(self._held) > CACHED:
            self._held.popitem(last=False)
        return identity

    def _cached(self, patient: str, revision: int) -> Identity | None:
        held = self._held.get(patient)
        if held is None or held.revision != revision:
            return None
        self._held.move_to_end(patient)
        return held.identity

    def _key(self, row: Any) -> bytes:  # noqa: ANN401 - the same
        if row["wrapped"] is None:
            raise ErasedError(_utc(row["erased_at"]))
        return unwrap(row["wrapped"], row["version"], row["pseudonym"], self._keys)

    async def _row(self, connection: AsyncConnection, patient: str) -> Any:  # noqa: ANN401 - the same
        one = select(PATIENT).where(PATIENT.c.pseudonym == patient).with_for_update()
        return (await connection.execute(one)).mappings().one_or_none()


def _utc(at: datetime) -> datetime:
    """SQLite gives an instant back without its zone."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _parts(patients: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(patients), AT_ONCE):
        yield patients[begin : begin + AT_ONCE]


def _plain(words: str) -> str:
    """The same word whatever its case and accents; Norwegian letters stay what they are."""
    folded = unicodedata.normalize("NFKC", words).casefold()
    return "".join(letter if letter in "æøå" else unicodedata.normalize("NFD", letter)[0] for letter in folded)


def _holds(one: Identity, wanted: Iterable[str]) -> bool:
    told = _plain(" ".join((one.name, one.telephone, one.telephone.replace(" ", ""), one.relative_name)))
    return all(word in told for word in wanted)
