"""`sonevakt store rebuild`: what the store lost, written to it again from the broker's logs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from agents import logs, settings
from agents.settings import SettingsError

if TYPE_CHECKING:
    from agents.settings import Settings

LEAVING_S: Final = 10.0  # beyond the session of a process that has just ended [s]


@click.command("rebuild")
@click.option("--from", "from_", help="RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00; else all that is kept.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(*, from_: str | None, yes: bool) -> None:
    """Let storing write again what the broker took from a time on, when it starts next; what is stored stays as it is.

    Stop every storing process first. Measurements, decisions, pages and receipts are kept by the broker for 90 days,
    care events for ever, and of statuses the newest of each patient: what is older comes from a backup of the store.
    What is older than the store's own retention becomes a dead letter.

    Exit codes: 0 set back, 1 storing is at work or the broker does not answer, 2 wrong use or settings.
    """
    from_at = None if from_ is None else _instant(from_)
    read = settings.read(os.environ)
    logs.configure("store", level="error", broker_lines=False)
    sys.exit(asyncio.run(_set_back(read, from_at, yes=yes)))


async def _set_back(read: Settings, from_at: datetime | None, *, yes: bool) -> int:
    from agents import processes  # noqa: PLC0415 - half a second that --help does not need
    from agents.reconciliation import rebuilding  # noqa: PLC0415 - the same

    try:
        async with rebuilding.opened(
            read.bootstrap,
            processes.group(read, "storing"),
            prefix=read.topic_prefix,
            partitions=read.partitions,
            patience_s=read.session_timeout_s + LEAVING_S,
        ) as group:
            places = await group.places(from_at)
            count: Counter[str] = Counter()
            for place in places:
                count[place.topic.name] += place.messages
            for name, messages in count.items():
                click.echo(f"{name}: {messages}")
            if not yes:
                await asyncio.to_thread(click.confirm, f"store these {count.total()} messages again?", abort=True)
            await group.set_back(places)
    except rebuilding.AtWorkError as error:
        click.echo(f"sonevakt: {error}", err=True)
        return 1
    click.echo("start storing; it is through when it is behind by nothing")
    return 0


def _instant(text: str) -> datetime:
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at
    raise SettingsError("--from takes a time with an offset, as 2026-03-01T12:00:00+01:00")
