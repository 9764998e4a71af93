"""`sonevakt export`, `erase` and `directory`: a patient's own extract, the end of a patient's entry, and its keys."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from agents import keys, logs, settings, wallclock
from agents.access import verifying
from agents.access.changes import changing
from agents.access.entries import EntryError
from agents.directory.identity import ErasedError
from agents.recordings import log
from agents.settings import SettingsError
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS
from schemas.types import Pseudonym, StaffRef

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.access.log import AccessLog
    from agents.directory.directory import Directory
    from agents.settings import Settings

WHY_LENGTH: Final = 500
_TOPICS: Final = (CARE, SUBMISSIONS, ASSESSMENTS)


@click.group("export")
def export_group() -> None:
    """What is held, as files: about one patient for them, or a period for analysts."""


@export_group.command("patient")
@click.argument("patient")
@click.option("--to", "to", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
@click.option("--by", required=True, help="Who does it: a reference to staff, no name.")
def export_patient(patient: str, to: Path, by: str) -> None:
    """All about PATIENT as one JSON file: directory entry, care events, submissions, assessments, and who looked.

    The access log records it. Submissions and assessments reach back as far as the broker keeps them (90 days); older
    measurements stand in the store. The file is for its owner's eyes alone: it names the patient.
    """
    read = _settings()
    _checked(patient, by)
    if to.exists():
        raise SettingsError(f"{to.name} is there already: give a new file")
    counts = asyncio.run(_exported(read, patient, to, by))
    click.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))


@click.group("erase")
def erase_group() -> None:
    """What is held about somebody, made unreadable."""


@erase_group.command("patient")
@click.argument("patient")
@click.option("--by", required=True, help="Who does it: a reference to staff, no name.")
@click.option("--why", required=True, help="In words, for whoever asks later; no patient's name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase_patient(patient: str, by: str, why: str, *, yes: bool) -> None:
    """Destroy the key of PATIENT's entry in the directory: nobody can tell any more who that is.

    Measurements, decisions and the access log stay, under a pseudonym that has no name. Submissions and assessments
    leave the broker after 90 days; care events, and what the store holds, stay for as long as they are kept there.
    """
    read = _settings()
    _checked(patient, by)
    if not why.strip() or len(why) > WHY_LENGTH:
        raise SettingsError(f"--why takes 1 to {WHY_LENGTH} characters")
    if not yes:
        click.confirm(f"erase {patient} from the directory, for ever?", abort=True)
    held = asyncio.run(_erased(read, patient, by, why))
    click.echo(f"erased {patient}" if held else f"{patient} had no entry; none can be made any more")
    click.echo(
        "what was measured and decided stays under the pseudonym, which has no name now: submissions and assessments"
        " leave the broker after 90 days; care events, the store and the access log keep theirs by their own times"
    )


@click.group("directory")
def directory_group() -> None:
    """The patient directory."""


@directory_group.command("rewrap")
def directory_rewrap() -> None:
    """Close every patient's key under the newest key of SONEVAKT_DIRECTORY_KEY_FILE; then older ones can be taken out.

    First `sonevakt keys new FILE`, and a restart of the board, which reads the file once.
    """
    read = _settings()

    from agents.people.opening import opened_directory  # noqa: PLC0415 - a worker's start needs none of it

    async def rewrapped() -> int:
        async with opened_directory(read) as directory:
            return await directory.rewrap()

    click.echo(f"closed anew: {asyncio.run(rewrapped())}")


async def _exported(read: Settings, patient: str, to: Path, by: str) -> dict[str, int]:
    async with _opened(read) as (directory, access):
        events = await log.of_patient(read.bootstrap, read.topic_prefix, read.partitions, patient, topics=_TOPICS)
        await access.add(by, "export", patient, None)
        identity: Any = None
        erased_at = None
        try:
            identity = await directory.of(patient)
        except ErasedError as error:
            erased_at = error.at
    looked = await asyncio.to_thread(_who_looked, read, patient)
    told: dict[str, Any] = {
        topic.name.replace("-", "_"): [
            {"at": event.at, "message": event.message} for event in events if event.topic is topic
        ]
        for topic in _TOPICS
    }
    told["who_looked"] = looked
    extract = {
        "patient": patient,
        "made_at": wallclock.now(),
        "directory": identity,
        "erased_from_directory_at": erased_at,
        **told,
    }
    await asyncio.to_thread(keys.write_private, to, msgspec.json.format(msgspec.json.encode(extract), indent=2) + b"\n")
    return {name: len(rows) for name, rows in told.items()}


def _who_looked(read: Settings, patient: str) -> list[dict[str, Any]]:
    seal = keys.load("access_key_file", read.access_key_file)
    try:
        entries = list(verifying.about(Path(read.access_folder), seal, patient))
    except EntryError as error:
        raise SettingsError(f"the access log is broken: {error}") from None
    told = ("at", "person", "action", "outcome", "service", "why")
    return [{name: getattr(entry, name) for name in told if getattr(entry, name)} for entry in entries]


async def _erased(read: Settings, patient: str, by: str, why: str) -> bool:
    async with (
        _opened(read) as (directory, access),
        changing(lambda outcome: access.add(by, "erase", patient, None, outcome, why=why)),
    ):
        return await directory.erase(patient)


@asynccontextmanager
async def _opened(read: Settings) -> AsyncIterator[tuple[Directory, AccessLog]]:
    """The directory and the access log: what is not recorded is not done."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - a worker's start needs none of it

    from agents.access import log as access_log  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same
    from agents.people.opening import opened_directory  # noqa: PLC0415 - the same

    seal = keys.load("access_key_file", read.access_key_file)
    metrics = Metrics(CollectorRegistry())
    try:
        async with (
            opened_directory(read) as directory,
            access_log.opened(Path(read.access_folder), seal, wallclock.now, metrics) as access,
        ):
            yield directory, access
    except access_log.AccessLogError:
        raise SettingsError("the access log cannot be written, so nothing is done") from None


def _settings() -> Settings:
    read = settings.read(os.environ)
    logs.configure("patients", level="error", broker_lines=False)
    return read


def checked_staff(by: str) -> None:
    """Raise SettingsError unless `by` may stand for somebody of the staff."""
    try:
        msgspec.convert(by, StaffRef)
    except msgspec.ValidationError:
        wrong = "--by takes a reference of letters, digits, . _ and -, at most 64, never 11 digits in a row"
        raise SettingsError(wrong) from None


def _checked(patient: str, by: str) -> None:
    try:
        msgspec.convert(patient, Pseudonym)
    except msgspec.ValidationError:
        wrong = "a pseudonym takes letters, digits, - and _, at most 64, never 11 digits in a row"
        raise SettingsError(wrong) from None
    checked_staff(by)
