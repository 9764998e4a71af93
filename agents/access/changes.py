"""A change in the access log: that it is begun, before anything is changed, and then what became of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from agents.access.entries import Outcome


@asynccontextmanager
async def changing(
    add: Callable[[Outcome], Awaitable[None]], *, unsure: tuple[type[Exception], ...] = ()
) -> AsyncIterator[None]:
    """Record the change that the block makes: `begun` first, then `done`, `failed` or `unconfirmed`.

    An entry that stands alone as `begun` is of a change that was broken off: it may have been made.

    Parameters
    ----------
    add
        Writes one entry of that outcome; where `begun` cannot be written, the block does not run.
    unsure
        What the block raises where nobody knows whether the change was made.
    """
    await add("begun")
    try:
        yield
    except Exception as error:
        await add("unconfirmed" if isinstance(error, unsure) else "failed")
        raise
    await add("done")
