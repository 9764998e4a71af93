"""`sonevakt import outcomes`: admissions and emergency contacts that are known elsewhere, into the topic `care`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from agents import keys, logs, settings, wallclock
from agents.commands.patients import checked_staff
from agents.gateway.delivery import UnconfirmedError
from agents.settings import SettingsError
from schemas.care import EMERGENCIES
from schemas.types import Slug

if TYPE_CHECKING:
    from agents.encounters.events import Origin
    from agents.encounters.report import Report
    from agents.settings import Settings

NOT_CONFIRMED: Final = 1


@click.group("import")
def import_group() -> None:
    """What is known elsewhere, taken in."""


@import_group.command("outcomes")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="Who numbers the encounters: a name in lower case, the same every time.")
@click.option("--by", required=True, help="Who does it: a reference to staff, no name.")
@click.option(
    "--contact",
    default=EMERGENCIES[0],
    show_default=True,
    type=click.Choice(EMERGENCIES),
    help="Where emergencies were seen of which FILE does not say it.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do none of it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of lines.")
def import_outcomes(  # noqa: PLR0913 - a command's options
    *, file: Path, source: str, by: str, contact: str, dry_run: bool, as_json: bool
) -> None:
    """Admissions, discharges and emergency contacts out of FILE: CSV, or a FHIR R4 bundle of Encounters in JSON.

    Patients stand in it under their pseudonyms. A row is taken once, however often its file comes; one that was
    changed or withdrawn after it was taken is refused, for what was taken stands. docs/import.md has the forms and
    the reasons. The access log records whose events were taken.

    Exit codes: 0 nothing is refused, 1 the broker does not answer or has not confirmed all (run it again), 2 wrong use
    or settings, or no such file, 3 rows are refused and the others taken.
    """
    read = settings.read(os.environ)
    logs.configure("import", level="error", broker_lines=False)
    checked_staff(by)
    try:
        msgspec.convert(source, Slug)
    except msgspec.ValidationError:
        raise SettingsError("--source takes lower case letters, digits and -, at most 64") from None

    from agents.encounters.events import Origin  # noqa: PLC0415 - half a second that --help does not need
    from agents.encounters.report import as_json as told_as_json  # noqa: PLC0415 - the same
    from agents.encounters.report import as_lines  # noqa: PLC0415 - the same

    origin = Origin(source, by, wallclock.now())
    try:
        found = asyncio.run(_imported(read, file, origin, contact, dry_run=dry_run))
    except UnconfirmedError:
        click.echo("sonevakt: the broker has not confirmed all of it: run it again, what is there is known", err=True)
        sys.exit(NOT_CONFIRMED)
    click.echo(told_as_json(found) if as_json else "\n".join(as_lines(found)))
    sys.exit(found.exit_code)


async def _imported(read: Settings, file: Path, origin: Origin, contact: str, *, dry_run: bool) -> Report:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - as above

    from agents.access import log as access_log  # noqa: PLC0415 - the same
    from agents.encounters import importing  # noqa: PLC0415 - the same
    from agents.encounters.report import report  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same

    rows = importing.rows_of(file, origin.recorded_at, contact)
    async with AsyncExitStack() as stack:
        access = None
        if not dry_run:  # what cannot be recorded is not done
            seal = keys.load("access_key_file", read.access_key_file)
            metrics = Metrics(CollectorRegistry())
            folder = Path(read.access_folder)
            access = await stack.enter_async_context(access_log.opened(folder, seal, wallclock.now, metrics))
        judged = await importing.judged(read, rows, origin)
        if access is not None and judged.events:
            try:
                await importing.tell(read, judged.events, access, origin.by)
            except access_log.AccessLogError:
                raise SettingsError("the access log cannot be written, so nothing is done") from None
        return report(judged, origin.source, dry_run=dry_run)
