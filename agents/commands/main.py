"""`sonevakt` and its commands. Exit codes: 0 done, 1 something is not as it should be, 2 wrong use or settings."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sys
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from uuid import UUID

import click
from aiokafka.errors import KafkaConnectionError  # type: ignore[import-untyped] # aiokafka ships no types

from agents import logs, settings, wallclock
from agents import pathways as configured
from agents.broker import topics as broker_topics
from agents.broker.embedded import EmbeddedBrokerError
from agents.broker.library import LibraryNotFoundError
from agents.broker.topics import TopicsError
from agents.commands import assess as assessing
from agents.commands import audit, export, outcomes, patients, people
from agents.commands import dead_letters as letters
from agents.commands import demo as demonstration
from agents.commands import doctor as doctoring
from agents.commands import explain as explaining
from agents.commands import page as paging
from agents.commands import pathways as telling
from agents.commands import rebuild as rebuilding
from agents.commands import report as reporting
from agents.commands import store as storing
from agents.commands.signals import until_signal
from agents.dead_letters.acting import NotConfirmedError
from agents.dead_letters.letters import DeadLettersError
from agents.recordings import log
from agents.recordings.events import RecordingError
from agents.settings import SettingsError
from agents.store_setup.asking import StoreSetupError
from agents.stores.port import ReadError
from agents.streaming.version import UnverifiedVersionError
from pipeline.pathways import PathwayError
from schemas import generate
from schemas.care import Cadence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.triage.explain import Language

NOT_AS_IT_SHOULD_BE: Final = 1
WRONG_USE: Final = 2
_STATED: Final = (
    EmbeddedBrokerError,
    LibraryNotFoundError,
    NotConfirmedError,
    PathwayError,
    StoreSetupError,
    TopicsError,
    UnverifiedVersionError,
)


_RHYTHM: Final = Cadence()


def fail(problem: str, code: int) -> NoReturn:
    """End with one line that says what to do."""
    click.echo(f"sonevakt: {problem}", err=True)
    sys.exit(code)


class _Told(click.Group):
    """Ends every command with one sentence for what a user can mend; a defect of ours keeps its trace."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (DeadLettersError, RecordingError, SettingsError) as error:
            fail(str(error), WRONG_USE)
        except KafkaConnectionError:
            fail("the broker does not answer: is it up, and is SONEVAKT_BROKER right?", NOT_AS_IT_SHOULD_BE)
        except ReadError as error:
            fail(f"the store cannot be read: {error}", NOT_AS_IT_SHOULD_BE)
        except _STATED as error:
            fail(str(error), NOT_AS_IT_SHOULD_BE)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has seen enough, which click knows to end on
                raise
            fail(error.strerror or type(error).__name__, NOT_AS_IT_SHOULD_BE)


@click.group(cls=_Told, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sonevakt")
def main() -> None:
    """Follow patients at home: registrations in, zones and alerts out.

    Decision support, not a certified medical device.

    Exit codes: 0 done, 1 something is not as it should be, 2 wrong use or settings.
    """


@main.command()
@click.option("--once", is_flag=True, help="End after the replay and its summary.")
@click.option("--patients", default=200, show_default=True, type=click.IntRange(5, 2000), help="Simulated patients.")
@click.option("--days", default=60, show_default=True, type=click.IntRange(15, 120), help="Days to replay.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same patients.")
def demo(*, once: bool, patients: int, days: int, seed: int) -> None:
    """All of it, embedded: replay simulated patients, tell what happened, go on live until Ctrl-C."""
    read = settings.read(os.environ)
    logs.configure("demo", level="error", broker_lines=False)
    cohort = demonstration.simulated(seed, days, patients)
    sys.exit(asyncio.run(demonstration.run(read, cohort, once=once)))


@main.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--once", is_flag=True, help="End after the replay and its summary.")
@click.option("--speed", default="max", show_default=True, help="Recorded seconds a second, or max.")
@click.option(
    "--assessments", type=click.Path(path_type=Path), help="Write the newest assessments here, as JSON lines."
)
def replay(source: Path, *, once: bool, speed: str, assessments: Path | None) -> None:
    """Replay recorded data: a TIHM folder, or JSON lines of {"topic": ..., "message": ...}."""
    read = settings.read(os.environ)
    logs.configure("replay", level="error", broker_lines=False)
    pace = _pace(speed)
    recording = _recorded(source)
    sys.exit(asyncio.run(demonstration.run(read, recording, once=once, speed=pace, assessments=assessments)))


def _recorded(source: Path) -> demonstration.Source:
    """A recording; what of it could not be used is told beside the results, and not among them."""
    recording = demonstration.recorded(source)
    _warn(recording.warnings)
    return recording


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"sonevakt: {line}", err=True)


def _pace(speed: str) -> float | None:
    """Recorded seconds a second; None: as fast as it goes."""
    if speed == "max":
        return None
    with contextlib.suppress(ValueError):
        pace = float(speed)
        if 0 < pace < inf:
            return pace
    fail("--speed takes max or a number above 0", WRONG_USE)


@main.command()
def assess() -> None:
    """The fold alone: events as JSON lines on stdin, what follows from them as JSON lines on stdout."""
    sys.exit(assessing.run(sys.stdin.buffer, sys.stdout.buffer))


@main.group("evaluate")
def evaluate_group() -> None:
    """How well the rules find what there was to be found."""


@evaluate_group.command("tihm")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--daily-days",
    default=_RHYTHM.daily_days,
    show_default=True,
    type=click.IntRange(0, 3650),
    help="Rhythm of the plan: daily for so long.",
)
@click.option(
    "--every-days",
    default=_RHYTHM.every_days,
    show_default=True,
    type=click.IntRange(1, 92),
    help="Rhythm of the plan: then every so many days.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of tables.")
def evaluate_tihm(folder: Path, *, daily_days: int, every_days: int, as_json: bool) -> None:
    """The engine beside fixed limits on the TIHM recording in DIR (Physiology.csv and Labels.csv).

    The rhythm of the plan is what `plan` and both `adaptive` of the cadence table are judged by. Rows that cannot be
    read are skipped, counted, and told on stderr; where nothing at all can be judged, that is an error.
    """
    from agents.commands import evaluate  # noqa: PLC0415 - numpy, which --help does not need

    plan = Cadence(daily_days=daily_days, every_days=every_days)
    found, warnings = evaluate.of_tihm(folder, plan)
    _warn(warnings)
    click.echo(evaluate.as_json(found) if as_json else "\n".join(evaluate.as_tables(found)))


@evaluate_group.command("cohort")
@click.option("--seed", "seeds", multiple=True, type=int, default=(11, 12, 13), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON array in place of tables.")
def evaluate_cohort(*, seeds: tuple[int, ...], as_json: bool) -> None:
    """The engine beside plan limits alone on simulated patients, whose truth is known."""
    from agents.commands import evaluate  # noqa: PLC0415 - numpy, which --help does not need

    if len(set(seeds)) < len(seeds):
        fail("--seed takes each seed once: a cohort that is given twice would count twice", WRONG_USE)
    found = evaluate.of_cohorts(seeds)
    click.echo(evaluate.as_json(found) if as_json else "\n".join(evaluate.cohort_tables(found)))


@evaluate_group.command("alerts")
@click.option("--from", "from_", required=True, help="RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00.")
@click.option("--to", "to", help="The same; by default now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array in place of a table.")
def evaluate_alerts(*, from_: str, to: str | None, as_json: bool) -> None:
    """How often each rule was right, by what staff said of the alerts that they acknowledged in a period.

    Right are the reason codes `true` and `exacerbation`, wrong are `technique`, `device`, `already-known` and `other`.
    The last code that was said of an alert counts; none, or one that is not among these, is counted apart. An alert
    whose change of zone the broker no longer keeps is left out.
    """
    from agents.commands import evaluate  # noqa: PLC0415 - numpy, which --help does not need

    read = settings.read(os.environ)
    logs.configure("evaluate", level="error", broker_lines=False)
    from_at, to_at = _instant("--from", from_), wallclock.now() if to is None else _instant("--to", to)
    if from_at >= to_at:
        fail("--from must lie before --to", WRONG_USE)
    found = asyncio.run(evaluate.of_alerts(read, from_at, to_at))
    click.echo(evaluate.as_json(found) if as_json else "\n".join(evaluate.alert_tables(found)))


@main.command("what-if")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The other plan as JSON; its version and start are worked out.",
)
@click.option("--patient", help="One patient alone.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 3650), help="Counted back from the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of lines.")
def what_if(source: Path, *, plan_file: Path, patient: str | None, days: int, as_json: bool) -> None:
    """The last days of recorded patients under another plan: a TIHM folder, or JSON lines."""
    from agents.commands import what_if as comparing  # noqa: PLC0415 - numpy, which --help does not need

    logs.configure("what-if", level="error", broker_lines=False)
    found = comparing.of_recording(_recorded(source), plan_file, days=days, patient=patient)
    click.echo(comparing.as_json(found) if as_json else "\n".join(comparing.as_lines(found)))


@main.command("explain")
@click.option("--patient", required=True, help="Pseudonym; of a TIHM folder also its own id.")
@click.option(
    "--at",
    "instant",
    required=True,
    help="By what had reached us until then: RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00.",
)
@click.option(
    "--registration",
    "named",
    help="One registration alone: the minute in which it was measured, or the id of its submission or assessment.",
)
@click.option("--language", default="nb", show_default=True, type=click.Choice(["nb", "en"]))
@click.option(
    "--source",
    type=click.Path(exists=True, path_type=Path),
    help="A TIHM folder or JSON lines; else the broker's own log.",
)
def explain_decision(*, patient: str, instant: str, named: str | None, language: Language, source: Path | None) -> None:
    """What was decided about a patient at a time, and why, from what was known then.

    It tells where the patient stood at --at and why the newest registration was in its zone. Newest is what was
    measured last of all that had reached us. Where what came last was measured before that, the decision about it
    follows. --registration tells the decision about any other, as it stood at --at.
    """
    read = settings.read(os.environ)
    logs.configure("explain", level="error", broker_lines=False)
    at, registration = _instant("--at", instant), None if named is None else _registration(named)
    told = None
    if source is not None:
        recording = _recorded(source)
        patient, events = recording.patient(patient), recording.events
    else:
        events = asyncio.run(log.of_patient(read.bootstrap, read.topic_prefix, read.partitions, patient))
        told = asyncio.run(log.told_of(read.bootstrap, read.topic_prefix, read.partitions, patient))
        if not events and not told:
            fail("there is no such patient in the broker's log: patients are called by their pseudonym", WRONG_USE)
    try:
        for line in explaining.lines(events, patient, at, language, told, registration=registration):
            click.echo(line)
    except explaining.UnknownRegistrationError:
        fail("no such registration of the patient had reached us at --at", WRONG_USE)


def _registration(text: str) -> UUID | datetime:
    with contextlib.suppress(ValueError):
        return UUID(text)
    return _instant("--registration", text, "an id, or ")


@main.command("reconcile")
@click.option("--from", "from_", required=True, help="RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00.")
@click.option("--to", "to", help="The same; by default as late as SONEVAKT_SETTLE_SECONDS ago, and never later.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of lines.")
def reconcile(*, from_: str, to: str | None, as_json: bool) -> None:
    """Whether everything that the broker took in a period is assessed and stored; what is not is named.

    Every submission has an assessment or a dead letter, and every assessment its points in the store or a dead letter;
    every care event its point. Repeats are counted apart. A correction of a known submission has an assessment of its
    own, or a dead letter. That triage took a care event is not proved. Zone changes, pages and statuses are not looked
    at. Points that the store's own retention took are missing. At most 10,000 messages are held at once, and 1,000 of
    a partition are named.

    Exit codes: 0 everything is accounted for, 1 broker or store does not answer, 2 wrong use or settings, 3 something
    is missing, 4 nothing is missing but the logs no longer reach back to --from.
    """
    from agents.commands import reconcile as reconciling  # noqa: PLC0415 - half a second that --help does not need

    read = settings.read(os.environ)
    logs.configure("reconcile", level="error", broker_lines=False)
    settled_at = wallclock.now() - timedelta(seconds=read.settle_seconds)
    from_at = _instant("--from", from_)
    to_at = settled_at if to is None else min(_instant("--to", to), settled_at)
    if from_at >= to_at:
        fail(f"--from must lie before --to, which is {to_at.isoformat()} at the latest", WRONG_USE)
    found = asyncio.run(reconciling.run(read, read.bootstrap, from_at, to_at, settled_at))
    click.echo(reconciling.as_json(found) if as_json else "\n".join(reconciling.as_lines(found)))
    sys.exit(found.exit_code)


def _instant(option: str, text: str, other: str = "") -> datetime:
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at
    fail(f"{option} takes {other}a time with an offset, as 2026-03-01T12:00:00+01:00", WRONG_USE)


@main.command("run")
@click.argument(
    "name", type=click.Choice(["triage", "storing", "paging", "clock", "gateway", "board", "reconcile", "canary"])
)
def run_process(name: str) -> None:
    """Run one production process until SIGTERM or Ctrl-C."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - half a second that --help does not need

    from agents import processes  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same

    read = settings.read(os.environ)
    logs.configure(name, level=read.log_level)
    sys.exit(until_signal(processes.run(name, read, Metrics(CollectorRegistry()))))


@main.command()
def doctor() -> None:
    """Show the settings in force, and what is missing before a process can run."""
    read = settings.read(os.environ)
    logs.configure("doctor", level="error", broker_lines=False)
    sys.exit(NOT_AS_IT_SHOULD_BE if asyncio.run(doctoring.run(read)) else 0)


@main.group("topics")
def topics_group() -> None:
    """The broker's topics."""


@topics_group.command("apply")
def topics_apply() -> None:
    """Create the topics that are missing; name those that differ, and leave them as they are."""
    from agents import processes  # noqa: PLC0415 - half a second that --help does not need

    read = settings.read(os.environ)
    logs.configure("topics", level="error", broker_lines=False)
    applied = asyncio.run(
        broker_topics.apply(
            read.bootstrap,
            prefix=read.topic_prefix,
            partitions=read.partitions,
            replication=read.topic_replication,
            changelogs=(processes.changelog(read),),
        )
    )
    for name in applied.created:
        click.echo(f"created {name}")
    for difference in applied.differences:
        click.echo(str(difference), err=True)
    sys.exit(NOT_AS_IT_SHOULD_BE if applied.differences else 0)


storing.group.add_command(rebuilding.command)
main.add_command(letters.group)
main.add_command(storing.group)
main.add_command(paging.group)
for _group in (audit.group, people.users_group, people.keys_group):
    main.add_command(_group)
patients.export_group.add_command(export.export_frames)
patients.export_group.add_command(reporting.export_tables)
main.add_command(reporting.command)
for _group in (outcomes.import_group, patients.export_group, patients.erase_group, patients.directory_group):
    main.add_command(_group)

_OWN = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Pathways of your own, in place of the installed ones of the same name.",
)


@main.group("pathways")
def pathways_group() -> None:
    """What a kind of service follows: vital signs, starter limits, questions, rhythm."""


@pathways_group.command("list")
@_OWN
def pathways_list(folder: Path | None) -> None:
    """Name every pathway."""
    for line in telling.listed(configured.load(folder)):
        click.echo(line)


@pathways_group.command("show")
@click.argument("slug")
@_OWN
@click.option("--json", "as_json", is_flag=True, help="As a file to begin your own from.")
def pathways_show(slug: str, folder: Path | None, *, as_json: bool) -> None:
    """All of the pathway SLUG, its starter values among it."""
    found = configured.load(folder)
    if slug not in found:
        fail(f"there is no pathway of that name; there are {', '.join(found)}", WRONG_USE)
    click.echo(telling.as_json(found[slug]) if as_json else "\n".join(telling.shown(found[slug])))


@pathways_group.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def pathways_check(files: tuple[str, ...]) -> None:
    """Tell what is wrong in pathway files, field by field."""
    wrong = [line for file in files for line in telling.faults_of(Path(file))]
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(NOT_AS_IT_SHOULD_BE if wrong else 0)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def schemas(folder: Path) -> None:
    """Write the JSON Schema of every topic into FOLDER."""
    generate.write(folder)
