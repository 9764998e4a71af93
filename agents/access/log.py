"""The one who writes the access log in a process: a change is on the disk before it is answered, a view a second later.

What cannot be recorded is not shown: while the log cannot be written, every entry is refused and with it the page.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, get_args

import msgspec
import structlog

from agents.access import files
from agents.access.entries import Entry, Outcome
from agents.access.files import BrokenLogError, Draft
from agents.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from agents.keys import Keys
    from agents.metrics import Metrics

LATE_S: Final = 1.0  # a view is on the disk at most so much later [s]
MOST_WAITING: Final = 10_000  # entries in memory, of views
# What begins so changes nothing of a patient.
_VIEWS: Final = ("see_", "search", "try_", "sign_in", "sign_out", "list", "meeting", "equipment_list")
_log = structlog.get_logger()


class AccessLogError(Exception):
    """An entry was not written: what it is about must not be shown or done."""


class AccessLog:
    """The log in `folder`, which ended with entry `last`; made by `opened`."""

    def __init__(self, folder: Path, keys: Keys, now: Callable[[], datetime], metrics: Metrics, *, last: int) -> None:
        self._folder = folder
        self._keys = keys
        self._now = now
        self._metrics = metrics
        self._last = last
        self._waiting: list[tuple[Draft, asyncio.Future[None] | None]] = []
        self._wake = asyncio.Event()
        self._failed = False
        self._ending = False

    async def add(  # noqa: PLR0913 - what an entry holds
        self,
        person_ref: str,
        action: str,
        patient: str | None,
        service: str | None,
        outcome: str = "done",
        *,
        why: str | None = None,
    ) -> None:
        """Record that somebody saw or did something, or was refused.

        Parameters
        ----------
        person_ref
            Who: a reference, no name.
        patient, service
            None or empty: it is about none.
        action
            A right's value or another word for what was done. What only looks (`_VIEWS`), signing in and out
            and every refusal are written within a second; any other is on the disk when this returns.
        outcome
            One of `agents.access.entries.Outcome`; of a change see `agents.access.changes.changing`.
        why
            In words, for what cannot be taken back; no patient's name.

        Raises
        ------
        AccessLogError
            It is not recorded: show nothing, do nothing.
        """
        draft = Draft(self._now(), person_ref, action, patient or None, service or None, outcome, why)
        _check(draft)
        view = outcome == "refused" or action.startswith(_VIEWS)
        if self._ending or (view and (self._failed or len(self._waiting) >= MOST_WAITING)):
            raise AccessLogError
        confirmed = None if view else asyncio.get_running_loop().create_future()
        self._waiting.append((draft, confirmed))
        if confirmed is not None:
            self._wake.set()
            await confirmed

    async def run(self) -> None:
        """Write what is waiting, until `end`; while it cannot be written, try again every second."""
        while not self._ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(LATE_S):
                    await self._wake.wait()
            self._wake.clear()
            if self._waiting or self._failed:
                await self._write()
        if self._waiting:
            await self._write()

    def end(self) -> None:
        """Take no more, and write what is waiting."""
        self._ending = True
        self._wake.set()

    @property
    def writes(self) -> bool:
        """Whether the last that was to be written was: a check of readiness."""
        return not self._failed

    async def _write(self) -> bool:
        batch, self._waiting = self._waiting, []
        try:
            drafts = [draft for draft, _ in batch]
            self._last = await asyncio.to_thread(files.append, self._folder, drafts, self._keys, after=self._last)
        except (OSError, BrokenLogError) as error:
            if not self._failed:
                _log.error("access_log_not_written", error=type(error).__name__)
            self._failed = True
            # Of changes their askers are told; views were shown already, so they wait to be written.
            self._waiting = [(draft, None) for draft, confirmed in batch if confirmed is None] + self._waiting
            for _, confirmed in batch:
                if confirmed is not None and not confirmed.done():
                    confirmed.set_exception(AccessLogError())
            return False
        self._failed = False
        self._metrics.access_log_last.set(self._last)
        for draft, confirmed in batch:
            self._metrics.access_log_entries.labels(draft.outcome).inc()
            if confirmed is not None and not confirmed.done():
                confirmed.set_result(None)
        return True


@asynccontextmanager
async def opened(folder: Path, keys: Keys, now: Callable[[], datetime], metrics: Metrics) -> AsyncIterator[AccessLog]:
    """The log, written to while the block runs, and whole when it ends.

    Raises
    ------
    SettingsError
        The folder cannot be made, or the log in it does not end as it must.
    """
    try:
        last = await asyncio.to_thread(files.opened, folder, keys)
    except BrokenLogError as error:
        raise SettingsError(str(error)) from None
    metrics.access_log_last.set(last)
    for outcome in get_args(Outcome):
        metrics.access_log_entries.labels(outcome)  # from 0 on: of a series that begins at 1 no increase is seen
    log = AccessLog(folder, keys, now, metrics, last=last)
    writing = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        log.end()
        await writing


def _check(draft: Draft) -> None:
    """Raise ValueError for an entry that could not be read again: a defect of whoever adds it."""
    msgspec.convert({**draft._asdict(), "seq": 1, "prev": "0" * 64, "key": 1}, Entry)
