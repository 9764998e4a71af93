"""`sonevakt doctor`: the settings in force, and what stands in the way."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types
from prometheus_client import CollectorRegistry

from agents import keys, processes, wallclock
from agents import settings as deployment
from agents.acknowledging.links import load_links
from agents.broker import topics
from agents.canary import heartbeat
from agents.canary.settings import signing_secrets
from agents.council import load_council
from agents.gateway.tokens import load_tokens
from agents.metrics import Metrics
from agents.paging.ways import load_ways
from agents.people.claims import load_claims
from agents.people.users import load_users
from agents.services import load_services
from agents.settings import SettingsError
from agents.stores.port import ReadError
from agents.streaming import UnverifiedVersionError, version
from pipeline.triage.state import STATE_VERSION
from schemas.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.settings import Settings

SECRETS: Final = "/run/secrets"


async def run(settings: Settings) -> int:
    """Show everything; how many checks did not hold."""
    click.echo(f"messages of version {SCHEMA_VERSION}, states of version {STATE_VERSION}")
    for name, value in deployment.describe(settings):
        click.echo(f"{name}={value}")
    failed = 0
    found = [
        _versions(),
        await _broker(settings),
        await _store(settings),
        _file("services", settings.services_file, "nobody is paged", _services),
        _links(settings),
        _file("gateway tokens", settings.gateway_tokens_file, "nobody can send", load_tokens),
        _file("council", settings.council_file, "the council's report knows no targets and no benefits", load_council),
        _file("canaries", settings.services_file, "nobody knows whether a red would reach anybody", _canaries),
        _file(
            "heartbeat", settings.heartbeat_url_file, "nobody outside notices when all of this is gone", heartbeat.check
        ),
        _private("users", settings.users_file, "nobody signs in on the board with a password", load_users),
        _file("claims", settings.oidc_claims_file, "nobody signs in on the board by a provider", load_claims),
        _private("directory keys", settings.directory_key_file, "the board does not start", _directory_keys),
        _private("access keys", settings.access_key_file, "the board does not start", _access_keys),
        await _directory(settings),
    ]
    for name, problem in found:
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
    path = settings.sqlite_path
    if path is not None and not path.exists():  # looked at only: a doctor leaves nothing behind
        return "store (SQLite: its file is made at the first start)", _unwritable(path.absolute().parent)
    now = wallclock.now()
    try:
        async with processes.opened_store(settings, Metrics(CollectorRegistry())) as store:
            if not await store.ping():
                return "store", "does not answer: is it up, and is SONEVAKT_STORE right?"
            await store.read("assessment", start=now - timedelta(minutes=1), stop=now, fields=["zone"])
    except (SettingsError, ReadError) as error:
        return "store", str(error)
    return "store", None


def _unwritable(folder: Path) -> str | None:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return None if os.access(there, os.W_OK) else f"no file can be made in {there}: check the setting and rights"


def _private(name: str, path: str | None, without: str, load: Callable[[Path], object]) -> tuple[str, str | None]:
    """A file that is for its owner's eyes alone."""
    name, problem = _file(name, path, without, load)
    in_container = path is not None and Path(path).is_relative_to(SECRETS)  # where the folder outside is what is closed
    if path is not None and problem is None and not in_container and keys.open_to_others(Path(path)):
        return name, f"{Path(path).name} can be read or written by others: chmod 600"
    return name, problem


def _directory_keys(path: Path) -> object:
    return keys.load("directory_key_file", str(path))


def _access_keys(path: Path) -> object:
    return keys.load("access_key_file", str(path))


async def _directory(settings: Settings) -> tuple[str, str | None]:
    name = "patient directory"
    if settings.directory_key_file is None:
        return f"{name} (no keys)", None
    file = Path(settings.directory.removeprefix("sqlite:///")) if settings.directory.startswith("sqlite:") else None
    if file is not None and not file.exists():  # looked at only
        return f"{name} (SQLite: its file is made at the first start)", _unwritable(file.absolute().parent)
    from agents.people.opening import opened_directory  # noqa: PLC0415 - other commands need none of it

    try:
        async with opened_directory(settings):
            return name, None
    except (SettingsError, OSError) as error:
        return name, str(error) if isinstance(error, SettingsError) else f"cannot be opened ({type(error).__name__})"


def _services(path: Path) -> None:
    load_ways(load_services(path), path.parent)


def _links(settings: Settings) -> tuple[str, str | None]:
    try:
        links = load_links(settings)
    except SettingsError as error:
        return "links", str(error)
    return ("links (none: pages hold no link to acknowledge by)" if links is None else "links"), None


def _file(name: str, path: str | None, without: str, load: Callable[[Path], object]) -> tuple[str, str | None]:
    if path is None:
        return f"{name} (none: {without})", None
    try:
        load(Path(path))
    except SettingsError as error:
        return name, str(error)
    return name, None


def _canaries(path: Path) -> None:
    """Raise SettingsError unless every service of the file pages its canary."""
    signing_secrets(load_services(path), path.parent)
