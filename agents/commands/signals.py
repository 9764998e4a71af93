"""Ending in order on SIGTERM and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine


def until_signal(work: Coroutine[None, None, int]) -> int:
    """Run `work` on the fast loop where there is one; a signal cancels it, and then 0 comes back."""
    if sys.platform == "win32":
        return asyncio.run(_cancelled_by_signal(work))
    import uvloop  # noqa: PLC0415 - not there on Windows

    return uvloop.run(_cancelled_by_signal(work))


async def _cancelled_by_signal(work: Coroutine[None, None, int]) -> int:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0
