"""Frames of the installation that the environment names, for a notebook or a script."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from agents import processes, settings
from agents.frames.reading import Frames
from agents.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def opened() -> AsyncIterator[Frames]:
    """The frames of the store that `SONEVAKT_STORE` names, while the block runs; raises SettingsError."""
    async with processes.opened_store(settings.read(os.environ), Metrics(CollectorRegistry())) as store:
        yield Frames(store)
