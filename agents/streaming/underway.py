"""Messages that are carried at the same time and finish out of turn.

A commit may pass only what is finished, and everything before it. Answers `concurrency` above 1, with which Faust lets
a fast message commit over a slow one (upstream #606, #707).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from faust.types import TP


class Underway:
    """What one generation has under way.

    Parameters
    ----------
    most
        At most so many of a partition at once.
    done
        Told the next offset to read of a partition, whenever it moves.
    failed
        Told the kind of what a message's work raised.
    """

    def __init__(
        self, generation: int, most: int, done: Callable[[TP, int], None], failed: Callable[[str], None]
    ) -> None:
        self.generation = generation
        self._most = most
        self._done = done
        self._failed = failed
        self._open: dict[TP, dict[int, bool]] = {}  # offset -> finished, in order
        self._slots: dict[TP, asyncio.Semaphore] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, tp: TP, offset: int, work: Coroutine[None, None, bool]) -> None:
        """Start `work` as soon as there is room; it says whether it is done."""
        slots = self._slots.setdefault(tp, asyncio.Semaphore(self._most))
        await slots.acquire()
        self._open.setdefault(tp, {})[offset] = False
        task = asyncio.create_task(self._finish(tp, offset, work, slots))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def at_work(self) -> bool:
        """Whether anything is under way."""
        return bool(self._tasks)

    def cancel(self) -> None:
        """Give up what is under way: it is read again."""
        for task in self._tasks:
            task.cancel()

    async def _finish(self, tp: TP, offset: int, work: Coroutine[None, None, bool], slots: asyncio.Semaphore) -> None:
        try:
            finished = await work
        except Exception as error:  # noqa: BLE001 - nobody awaits this task: tell, or it would be lost
            self._failed(type(error).__name__)
            return
        finally:
            slots.release()
        if finished:
            waiting = self._open[tp]
            waiting[offset] = True
            self._move(tp, waiting)

    def _move(self, tp: TP, waiting: dict[int, bool]) -> None:
        moved = None
        while waiting:
            first = next(iter(waiting))
            if not waiting[first]:
                break
            del waiting[first]
            moved = first + 1
        if moved is not None:
            self._done(tp, moved)
