"""`sonevakt export frames`: what the store holds of a period, as files for analysts."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agents import keys, logs, settings, wallclock
from agents.commands.patients import checked_staff
from agents.exporting import running
from agents.exporting.folder import check
from agents.exporting.formats import FORMATS, available
from agents.exporting.running import Wanted
from agents.frames.catalogue import FRAMES
from agents.settings import SettingsError

if TYPE_CHECKING:
    from agents.exporting.tables import Manifest
    from agents.settings import Settings


@click.command("frames")
@click.option("--from", "from_", required=True, help="RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00.")
@click.option("--to", "to", help="The same; by default now.")
@click.option("--service", "services", multiple=True, help="Of this service alone; may be given again.")
@click.option("--frame", "frames", multiple=True, type=click.Choice(list(FRAMES)), help="This alone; by default all.")
@click.option("--format", "form", default="parquet", show_default=True, type=click.Choice(list(FORMATS)))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
@click.option("--by", required=True, help="Who does it: a reference to staff, no name.")
@click.option("--pseudonyms", is_flag=True, help="Patients under their pseudonyms, not under keys of this export.")
@click.option("--everything", is_flag=True, help="Also what was withdrawn or taken back, tests and canaries.")
def export_frames(  # noqa: PLR0913 - a command's options
    *,
    from_: str,
    to: str | None,
    services: tuple[str, ...],
    frames: tuple[str, ...],
    form: str,
    out: Path,
    by: str,
    pseudonyms: bool,
    everything: bool,
) -> None:
    """What the store holds of a period: a file for each frame, what its columns mean, and a manifest.

    Not to leave the organisation: its rows are about single patients. What may leave, `sonevakt export tables` gives.
    Without --pseudonyms every patient, device and id has a name that holds for this export alone. The access log
    records the export. The folder is its owner's alone, is never put over another, and is there whole or not at all.

    Exit codes: 0 exported, 1 the store does not answer, 2 wrong use or settings.
    """
    read = settings.read(os.environ)
    logs.configure("export", level="error", broker_lines=False)
    checked_staff(by)
    from_at, to_at = _instant("--from", from_), wallclock.now() if to is None else _instant("--to", to)
    if from_at >= to_at:
        raise SettingsError("--from must lie before --to")

    available(form)
    wanted = Wanted(from_at, to_at, frames or tuple(FRAMES), services, form, pseudonyms, everything)
    manifest = asyncio.run(_exported(read, wanted, out, by))
    for file in manifest.files:
        click.echo(f"{file.name}: {file.rows} rows")
    click.echo(f"exported to {out.name}; it tells of single patients: it is not to leave the organisation")


async def _exported(read: Settings, wanted: Wanted, out: Path, by: str) -> Manifest:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - half a second that --help does not need

    from agents import processes  # noqa: PLC0415 - the same
    from agents.access import log as access_log  # noqa: PLC0415 - the same
    from agents.frames.reading import Frames  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same

    check(out)
    seal = keys.load("access_key_file", read.access_key_file)
    metrics = Metrics(CollectorRegistry())
    try:
        async with (
            processes.opened_store(read, metrics) as store,
            access_log.opened(Path(read.access_folder), seal, wallclock.now, metrics) as access,
        ):
            frames = Frames(store)
            await running.check_services(frames, wanted.services)
            why = _said(wanted)
            for service in wanted.services or (None,):
                await access.add(by, "export_frames", None, service, why=why)
            return await running.export(frames, wanted, out, wallclock.now())
    except access_log.AccessLogError:
        raise SettingsError("the access log cannot be written, so nothing is done") from None


def _said(wanted: Wanted) -> str:
    """What the access log keeps of it."""
    under = "pseudonyms" if wanted.pseudonyms else "keys"
    return f"{wanted.from_at.isoformat()} to {wanted.to_at.isoformat()}, {under}: {' '.join(wanted.frames)}"


def _instant(option: str, text: str) -> datetime:
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at
    raise SettingsError(f"{option} takes a time with an offset, as 2026-03-01T12:00:00+01:00")
