"""`sonevakt report` and `sonevakt export tables`: what leaves, through disclosure control."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from agents import logs, settings, wallclock
from agents.settings import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from agents.report.making import Configured, Wanted
    from agents.settings import Settings
    from dashboards.report.views import Document

Every = Literal["month", "quarter", "year"]
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_LONGEST_DAYS: Final = 3 * 366

_from = click.option("--from", "from_", metavar="DAY", help="The first day, as 2026-01-01.")
_to = click.option("--to", "to", metavar="DAY", help="The day after the last, as 2026-04-01.")
_last = click.option(
    "--last", type=click.Choice(list(_MONTHS)), help="In place of --from and --to: the last one that is over."
)
_service = click.option(
    "--service", "services", multiple=True, help="About this one; may be given again. By default all."
)


@click.command("report")
@_from
@_to
@_last
@_service
@click.option("--lang", default="nb", show_default=True, type=click.Choice(["nb", "en"]))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="A folder.")
@click.option("--pdf/--no-pdf", default=True, show_default=True, help="The same page as a PDF too.")
def command(  # noqa: PLR0913 - a command's options
    *,
    from_: str | None,
    to: str | None,
    last: Every | None,
    services: tuple[str, ...],
    lang: Literal["nb", "en"],
    out: Path,
    pdf: bool,
) -> None:
    """The operating council's report of a period: one HTML file that needs nothing else, and a PDF of it.

    Users against target, gains, stability, responsibilities, adherence, questionnaires, alarms, zones, equipment,
    contacts, benefits and data quality, from the store. Numbers that tell of fewer than five are hidden, and those by
    which they could be worked out. What targets, nurses, questionnaires and benefits there are, SONEVAKT_COUNCIL_FILE
    says. Make reports of whole quarters and years: those of periods that overlap may together tell what each hides.

    A report that is there already is left as it is.

    Exit codes: 0 made or there already, 1 the store does not answer, 2 wrong use or settings.
    """
    read = settings.read(os.environ)
    logs.configure("report", level="error", broker_lines=False)
    _libraries(pdf=pdf)
    start, stop = _period(from_, to, last, wallclock.now())

    from agents.report import writing  # noqa: PLC0415 - half a second that --help does not need
    from agents.report.making import Wanted  # noqa: PLC0415 - the same

    wanted = Wanted(start, stop, services)
    place = out / f"council-{writing.name_of(start, stop, services)}.{lang}"
    if writing.there(place, pdf=pdf):
        click.echo(f"{place.name} is there already")
        return
    configured = _configured(read)
    document = asyncio.run(_document(read, configured, wanted))
    for path in writing.written(document, place, lang, configured.names, pdf=pdf):
        click.echo(f"{path.name}: {path.stat().st_size} bytes")


@click.command("tables")
@_from
@_to
@_last
@_service
@click.option("--format", "form", default="csv", show_default=True, type=click.Choice(["csv", "parquet"]))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
def export_tables(  # noqa: PLR0913 - a command's options
    *, from_: str | None, to: str | None, last: Every | None, services: tuple[str, ...], form: str, out: Path
) -> None:
    """The tables of the council's report as files: aggregates, through disclosure control. These may leave.

    A file for each table; `*` in a column is all of its values together. `NAME_hidden` says where numbers are hidden.
    docs/disclosure.md says what that holds against.

    Exit codes: 0 exported, 1 the store does not answer, 2 wrong use or settings.
    """
    read = settings.read(os.environ)
    logs.configure("export", level="error", broker_lines=False)
    start, stop = _period(from_, to, last, wallclock.now())

    from agents.exporting import folder, formats  # noqa: PLC0415 - half a second that --help does not need
    from agents.report.making import Wanted  # noqa: PLC0415 - the same

    formats.available(form)
    folder.check(out)
    tables = asyncio.run(_tables(read, _configured(read), Wanted(start, stop, services)))
    with folder.new_folder(out) as new:
        for name, table in tables.items():
            path = new / f"{name.replace(':', '-')}.{form}"
            table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path, index=False)
    click.echo(f"exported {len(tables)} tables to {out.name}; small numbers are hidden")


def _period(from_: str | None, to: str | None, last: Every | None, now: datetime) -> tuple[datetime, datetime]:
    """Midnights of the report's calendar."""
    from agents.report.making import CALENDAR  # noqa: PLC0415 - half a second that --help does not need

    if last is not None:
        if from_ or to:
            raise SettingsError("--last stands in place of --from and --to")
        begins, ends = last_whole(last, now.astimezone(CALENDAR).date())
    else:
        if from_ is None or to is None:
            raise SettingsError("give --from and --to, or --last")
        begins, ends = _day("--from", from_), _day("--to", to)
    start, stop = (datetime.combine(day, time(), CALENDAR) for day in (begins, ends))
    if start >= stop:
        raise SettingsError("--from must lie before --to")
    if stop > now:
        raise SettingsError("--to must not lie ahead: what has not been is not told")
    if stop - start > timedelta(days=_LONGEST_DAYS):
        raise SettingsError("a report is about three years at the most")
    return start, stop


def last_whole(every: Every, today: date) -> tuple[date, date]:
    """Return the first day, and the day after the last, of the newest month, quarter or year that is over."""
    months = _MONTHS[every]
    this = 12 * today.year + (today.month - 1) // months * months
    return tuple(date(month // 12, month % 12 + 1, 1) for month in (this - months, this))  # type: ignore[return-value] # two


def _day(option: str, text: str) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    raise SettingsError(f"{option} takes a day, as 2026-01-01")


def _libraries(*, pdf: bool) -> None:
    """Raise SettingsError where what draws and prints is not installed."""
    try:
        for name in ("matplotlib", "weasyprint") if pdf else ("matplotlib",):
            import_module(name)
    except ImportError:
        raise SettingsError("a report needs matplotlib and WeasyPrint: pip install 'sonevakt[report]'") from None
    except OSError:
        raise SettingsError("WeasyPrint needs the library Pango: install it, or give --no-pdf") from None


def _configured(read: Settings) -> Configured:
    from agents.council import load_council  # noqa: PLC0415 - half a second that --help does not need
    from agents.report.making import Configured  # noqa: PLC0415 - the same
    from agents.services import load_services  # noqa: PLC0415 - the same
    from schemas.council import Council  # noqa: PLC0415 - the same

    services = load_services(Path(read.services_file)) if read.services_file else {}
    council = load_council(Path(read.council_file), services) if read.council_file else Council()
    return Configured(services, council)


async def _document(read: Settings, configured: Configured, wanted: Wanted) -> Document:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - half a second that --help does not need

    from agents import processes  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same
    from agents.report.making import CALENDAR, made  # noqa: PLC0415 - the same

    async with processes.opened_store(read, Metrics(CollectorRegistry())) as store:
        return await made(store, configured, wanted, wallclock.now().astimezone(CALENDAR))


async def _tables(read: Settings, configured: Configured, wanted: Wanted) -> dict[str, pd.DataFrame]:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - half a second that --help does not need

    from agents import processes  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same
    from agents.report.making import worked_out  # noqa: PLC0415 - the same

    async with processes.opened_store(read, Metrics(CollectorRegistry())) as store:
        _, told = await worked_out(store, configured, wanted)
    mine = set(wanted.services)
    return {
        name: table[table["service"].isin(mine)] if mine and "service" in table else table
        for name, table in told.tables.items()
    }
