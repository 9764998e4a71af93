"""What the tests of processes share: waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

Eventually = Callable[..., Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Return a waiter: it comes back as soon as the condition holds, and fails past its bound [s]."""

    async def wait(condition: Callable[[], object], *, within: float = 20) -> None:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - most of what is waited for has no event to tell of it
                await asyncio.sleep(0.01)

    return wait
