"""`sonevakt store`: InfluxDB's buckets, tasks and tokens, and rollups of periods past."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from agents import logs, settings, wallclock
from agents.settings import SettingsError, secret, variable

if TYPE_CHECKING:
    from datetime import date, datetime

    from agents.settings import Settings

ROLES: Final = ("writer", "reader", "grafana", "analyst", "tasks")
SQLITE: Final = "nothing to do: the store is SQLite, whose file is made at the first start"
_DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.group("store")
def group() -> None:
    """The time-series store: what it holds beside points."""


@group.command("apply")
@click.option("--shorten", is_flag=True, help="Keep buckets for less where the settings say so: what is older is gone.")
@click.option(
    "--renew",
    "renewed",
    multiple=True,
    type=click.Choice(ROLES),
    help="Make this role's token anew; the old is good no more.",
)
def apply(*, shorten: bool, renewed: tuple[str, ...]) -> None:
    """Make InfluxDB's buckets, rollup tasks and tokens as the settings want them.

    Run again, it changes nothing. It alone needs the operator's token. Each token is written to a file of its own
    below SONEVAKT_INFLUXDB_TOKENS_FOLDER, which its owner alone may read, and is never shown.
    """
    from agents import processes  # noqa: PLC0415 - half a second that --help does not need
    from agents.store_setup import applying  # noqa: PLC0415 - the same

    read = settings.read(os.environ)
    logs.configure("store", level="error", broker_lines=False)
    if read.sqlite_path is not None:
        click.echo(SQLITE)
        return
    services = processes.configured(read)
    done = asyncio.run(applying.apply(read, services, wallclock.now(), shorten=shorten, renew=frozenset(renewed)))
    for change in done.changes:
        click.echo(change)
    if not done.changes and not done.differences:
        click.echo("nothing to change")
    for difference in done.differences:
        click.echo(difference, err=True)
    sys.exit(1 if done.differences else 0)


@group.command("roll-up")
@click.option("--from", "from_", required=True, type=_DAY, help="The first day, as 2026-03-01.")
@click.option("--to", "to", required=True, type=_DAY, help="The last day; not today.")
def roll_up(*, from_: datetime, to: datetime) -> None:
    """Write the rollups of a period of the past, from the raw points as they are now.

    For what came later than the tasks look back (98 days), and for points from before there were tasks. Whatever stood
    there is overwritten. Needs the token of the role `tasks`, in SONEVAKT_INFLUXDB_TOKEN_FILE.
    """
    read = settings.read(os.environ)
    logs.configure("store", level="error", broker_lines=False)
    if read.sqlite_path is not None:
        click.echo(SQLITE)
        return
    if from_ > to or to.date() >= wallclock.now().astimezone(ZoneInfo(read.influxdb_time_zone)).date():
        raise SettingsError("--from must not lie after --to, and --to must lie before today")
    asyncio.run(_roll_up(read, from_.date(), to.date()))


async def _roll_up(read: Settings, first: date, last: date) -> None:
    from agents.store_setup.rolling import Rolling  # noqa: PLC0415 - the client, which --help does not need

    if read.influxdb_token_file is None:
        raise SettingsError(f"{variable('influxdb_token_file')} must be set: the token of the role `tasks`")
    token = secret("influxdb_token_file", read.influxdb_token_file)
    rolling = Rolling(
        read.influxdb_address or "",
        org=read.influxdb_org,
        bucket=read.influxdb_bucket,
        token=token,
        zone=read.influxdb_time_zone,
    )
    async with rolling:
        async for begin, end in rolling.days(first, last):
            click.echo(f"days {begin} to {end}")
        async for begin, end in rolling.weeks(first, last):
            click.echo(f"weeks {begin} to {end}")
