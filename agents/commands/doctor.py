"""`sonevakt doctor`: the settings in force, and what stands in the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types
from prometheus_client import CollectorRegistry

from agents import processes
from agents import settings as deployment
from agents.broker import topics
from agents.metrics import Metrics
from agents.paging.webhooks import WebhooksError, load_webhooks
from agents.settings import SettingsError
from agents.streaming import UnverifiedVersionError, version

if TYPE_CHECKING:
    from agents.settings import Settings


async def run(settings: Settings) -> int:
    """Show everything; how many checks did not hold."""
    for name, value in deployment.describe(settings):
        click.echo(f"{name}={value}")
    failed = 0
    for name, problem in [_versions(), await _broker(settings), await _store(settings), _webhooks(settings)]:
        click.echo(f"{'ok  ' if problem is None else 'FAIL'} {name}{'' if problem is None else f': {problem}'}")
        failed += problem is not None
    return failed


def _versions() -> tuple[str, str | None]:
    try:
        version.check()
    except UnverifiedVersionError as error:
        return "versions", str(error)
    return "versions", None


async def _broker(settings: Settings) -> tuple[str, str | None]:
    if settings.broker == "embedded":
        return "broker (embedded: only `sonevakt demo` and `sonevakt replay` run on it)", None
    try:
        found = await topics.differences(
            settings.bootstrap,
            topics.wanted(
                prefix=settings.topic_prefix,
                partitions=settings.partitions,
                replication=settings.topic_replication,
                changelogs=(processes.changelog(settings),),
            ),
        )
    except (OSError, topics.TopicsError, KafkaError) as error:
        return "broker", f"does not answer ({type(error).__name__}): is it up, and is SONEVAKT_BROKER right?"
    return "broker", str(found[0]) if found else None


async def _store(settings: Settings) -> tuple[str, str | None]:
    try:
        async with processes.opened_store(settings, Metrics(CollectorRegistry())) as store:
            if await store.ping():
                return "store", None
    except SettingsError as error:
        return "store", str(error)
    return "store", "does not answer: is it up, and is SONEVAKT_STORE right?"


def _webhooks(settings: Settings) -> tuple[str, str | None]:
    if settings.webhooks_file is None:
        return "webhooks (none: nobody is paged)", None
    try:
        load_webhooks(Path(settings.webhooks_file))
    except WebhooksError as error:
        return "webhooks", str(error)
    return "webhooks", None
