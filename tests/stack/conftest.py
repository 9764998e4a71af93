"""The servers that `make test-stack` runs the tests beside: one Kafka and one InfluxDB for all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from infra.local.stack import Addresses

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class RunningKafka:
    """A broker; `bootstrap` is host:port."""

    bootstrap: str


@dataclass(frozen=True)
class RunningInfluxDB:
    """A database, and the token that may do everything there."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)


@pytest.fixture(scope="session")
def addresses() -> Addresses:
    try:
        return Addresses.read(os.environ)
    except KeyError as missing:
        pytest.fail(f"the real servers are not running ({missing} is not set): run `make test-stack`", pytrace=False)


@pytest.fixture(scope="session")
def kafka(addresses: Addresses) -> RunningKafka:
    return RunningKafka(addresses.kafka)


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka: RunningKafka) -> str:
    return kafka.bootstrap


@pytest.fixture(scope="session")
def influxdb(addresses: Addresses) -> RunningInfluxDB:
    return RunningInfluxDB(
        url=addresses.influxdb_url,
        org=addresses.influxdb_org,
        bucket=addresses.influxdb_bucket,
        token=addresses.influxdb_token_file.read_text(),
    )


@pytest.fixture(scope="session")
def prometheus_bin(addresses: Addresses) -> Path:
    return addresses.prometheus_bin
