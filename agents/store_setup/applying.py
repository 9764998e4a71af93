"""All of it: what InfluxDB should hold beside points, made so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.settings import SettingsError, secret, variable
from agents.store_setup import buckets, targets, tasks, tokens
from agents.store_setup.asking import asking
from agents.stores.influxdb import InfluxDBStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agents.settings import Settings
    from schemas.services import Service


class Applied(NamedTuple):
    """What was done, and what was left as it was found."""

    changes: list[str]
    differences: list[str]


async def apply(
    settings: Settings,
    services: Mapping[str, Service],
    now: datetime,
    *,
    shorten: bool = False,
    renew: frozenset[str] = frozenset(),
) -> Applied:
    """Make buckets, tasks, tokens and services' targets as the settings want them; run again, it changes nothing.

    Parameters
    ----------
    shorten
        Whether a bucket may be kept for less than it is.
    renew
        Roles whose tokens are made anew; the old ones are good no more.

    Raises
    ------
    SettingsError
        A setting that it needs is missing.
    StoreSetupError
        InfluxDB does not answer, or will not do it.
    """
    address = settings.influxdb_address or ""
    for field in ("influxdb_operator_token_file", "influxdb_tokens_folder"):
        if getattr(settings, field) is None:
            raise SettingsError(f"{variable(field)} must be set for `store apply`: docs/flux.md")
    token = secret("influxdb_operator_token_file", settings.influxdb_operator_token_file or "")
    name = settings.influxdb_bucket
    async with asking(address, settings.influxdb_org, token) as influxdb:
        found = [await buckets.apply(influxdb, bucket, shorten=shorten) for bucket in buckets.wanted(settings)]
        changes = [change for one in found for change in one.changes]
        changes += await tasks.apply(influxdb, address, name, settings.influxdb_time_zone)
        folder = Path(settings.influxdb_tokens_folder or "")
        ids = tuple(one.id for one in found)
        changes += await tokens.apply(influxdb, folder, name, ids, renew=renew)
    store = InfluxDBStore(
        address, org=settings.influxdb_org, bucket=name, token=token, metrics=Metrics(CollectorRegistry())
    )
    try:
        changes += await targets.apply(store, services, now)
    finally:
        await store.close()
    return Applied(changes, [difference for one in found for difference in one.differences])
