"""Servers of this folder's own, that may be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.servers import InfluxDB, Kafka

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def kafka() -> Iterator[Kafka]:
    """A broker of our own, that may be stopped."""
    with Kafka() as started:
        yield started


@pytest.fixture(scope="package")
def influxdb() -> Iterator[InfluxDB]:
    """A store of our own, that may be stopped."""
    with InfluxDB() as started:
        yield started
