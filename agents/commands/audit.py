"""`sonevakt audit`: whether the access log is as it was written, and who looked at a patient."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agents import keys, logs, settings
from agents.access import verifying
from agents.access.entries import EntryError
from agents.settings import SettingsError

if TYPE_CHECKING:
    from agents.access.entries import Entry
    from agents.access.verifying import Verified
    from agents.keys import Keys

_FOLDER = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the log is; by default SONEVAKT_ACCESS_FOLDER.",
)


@click.group("audit")
def group() -> None:
    """The access log: who saw or changed which patient, when, and who was refused."""


@group.command("verify")
@_FOLDER
@click.option("--archived", is_flag=True, help="Earlier months were moved away on purpose.")
def verify(*, folder: Path | None, archived: bool) -> None:
    """Tell whether the log is intact, or where it is broken first.

    Exit codes: 0 intact, 1 broken, 2 wrong use or settings.
    """
    where, seal = _log(folder)
    found = verifying.verify(where, seal, archived=archived)
    for line in _lines(found):
        click.echo(line)
    sys.exit(0 if found.broken is None else 1)


@group.command("who")
@click.option("--patient", required=True, help="Pseudonym.")
@_FOLDER
def who(*, patient: str, folder: Path | None) -> None:
    """Name everybody who saw or changed something of a patient, or was refused, the oldest first."""
    where, seal = _log(folder)
    try:
        for entry in verifying.about(where, seal, patient):
            click.echo(line_of(entry))
    except EntryError as error:
        click.echo(f"sonevakt: {error}", err=True)
        sys.exit(1)


def line_of(entry: Entry) -> str:
    """One entry as a line."""
    told = f"{entry.at.isoformat()}  {entry.person}  {entry.action}  {entry.outcome}  {entry.service or '-'}"
    return told if entry.why is None else f"{told}  {entry.why}"


def _lines(found: Verified) -> list[str]:
    lines = [f"entries intact: {found.entries}"]
    for name, entry in (("first", found.first), ("last", found.last)):
        if entry is not None:
            lines.append(f"{name}: {entry.seq}, {entry.at.isoformat()}")
    if found.half:
        lines.append("a crash left half an entry at the end, which was never confirmed")
    lines.append("the log is intact" if found.broken is None else f"BROKEN at {found.broken}")
    return lines


def _log(folder: Path | None) -> tuple[Path, Keys]:
    read = settings.read(os.environ)
    logs.configure("audit", level="error", broker_lines=False)
    seal = keys.load("access_key_file", read.access_key_file)
    where = folder or Path(read.access_folder)
    if not where.is_dir():
        raise SettingsError("SONEVAKT_ACCESS_FOLDER is no folder: give --folder")
    return where, seal
