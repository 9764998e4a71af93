"""What the tests of processes share: waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator

import pytest
import structlog

Eventually = Callable[..., Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Return a waiter: it comes back as soon as the condition holds, and fails past its bound [s]."""

    async def wait(condition: Callable[[], object], *, within: float = 20) -> None:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - most of what is waited for has no event to tell of it
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Take back what configuring the logs changes in this process, or the next test would capture nothing."""
    root, hook, raises = logging.getLogger(), sys.excepthook, logging.raiseExceptions
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("aiokafka", "faust", "mode", "asyncio", "aiohttp")}
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
    logging.getLogger("aiohttp.access").disabled = False
    sys.excepthook, logging.raiseExceptions = hook, raises
