"""Stores for tests: their metrics, and a patience that does not wait in earnest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def waits() -> list[float]:
    """Collects the waits [s] that were asked for and not waited."""
    return []


@pytest.fixture
def patience(metrics: Metrics, waits: list[float]) -> Callable[[str], Patience]:
    async def pause(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0.001)

    return lambda sink: Patience(sink, metrics, pause=pause)
