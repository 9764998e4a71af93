"""`sonevakt dead-letters`: what could not be worked with, and what an operator does about it."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from agents import logs, settings
from agents.dead_letters import standing, telling
from agents.dead_letters.acting import Refused, acting, done_already, unsendable
from agents.dead_letters.letters import NAMES, UNKNOWN, DeadLettersError, LetterId
from agents.dead_letters.log import Log
from agents.dead_letters.newer import span
from schemas.dead_letters import DeadLetterReason
from schemas.topics import DEAD_LETTERS, PAGES
from schemas.types import StaffRef

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from agents.dead_letters.standing import Standing
    from agents.settings import Settings

T = TypeVar("T")
WHY_LENGTH: Final = 500
COMES_BACK: Final = "what still cannot be worked with comes back as a dead letter with an id of its own"
COMES_BACK_FOR: Final = {
    DeadLetterReason.FUTURE: "a message from the future is taken once its own time has come, and not before",
    DeadLetterReason.TOO_LATE: "a message that was too late is too late still, unless the patient's history was mended",
}
POSTED_AGAIN: Final = "a page is posted again: its receiver knows it by its id"
REASONS: Final = (*(reason.value for reason in DeadLetterReason), UNKNOWN)
_CHOOSING: Final = (
    click.argument("letter_ids", metavar="[ID]...", nargs=-1),
    click.option("--reason", type=click.Choice(REASONS), help="Every open one with this reason."),
    click.option("--topic", type=click.Choice(NAMES), help="Every open one that came from there."),
    click.option("--all-open", is_flag=True, help="Every open one."),
    click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--by", required=True, help="Who does it: a reference to staff or their role, no name."),
)


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` what both acts take: which letters, whether to ask, and who does it."""
    for option in reversed(_CHOOSING):
        command = option(command)
    return command


@click.group("dead-letters")
def group() -> None:
    """What could not be worked with: look at it, send it again, or leave it be.

    A dead letter is known by where its message came from. It is kept for 90 days on the topic dead-letters; then it is
    gone from every list, dealt with or not.
    """


@group.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were dealt with too.")
@click.option("--reason", type=click.Choice(REASONS))
@click.option("--topic", type=click.Choice(NAMES), help="Where the message came from.")
@click.option("--since", help="Written then or later: RFC 3339 with an offset, as 2026-03-01T12:00:00+01:00.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="So many, the oldest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array in place of lines.")
def list_letters(  # noqa: PLR0913 - one for each option
    *, every: bool, reason: str | None, topic: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Name open dead letters, the oldest first: id, when, process, reason, field, state.

    The process is the one that could not work with the message, or all that could not. What it holds is not told.
    """
    at = None if since is None else _instant(since)
    read = _settings()
    found = [
        one
        for one in _run(_standings(read)).values()
        if (every or one.act is None)
        and _matches(one, reason, topic)
        and (at is None or one.letter.at_ms >= at.timestamp() * 1000)
    ]
    shown = found[:limit]
    click.echo(telling.as_json(shown) if as_json else "\n".join(telling.lines(shown)))
    if len(found) > limit:
        click.echo(f"{len(found) - limit} more: --limit", err=True)


@group.command("show")
@click.argument("letter_id", metavar="ID")
def show_letter(letter_id: str) -> None:
    """All of the dead letter ID: its headers, what was done about it, and the message as it came.

    The message holds what the patient sent: it is for your terminal, and nowhere else.
    """
    about = LetterId.parse(letter_id)
    read = _settings()
    for line in _run(_shown(read, about)):
        click.echo(line)


@group.command("retry")
@_choosing
def retry(  # noqa: PLR0913 - one for each option
    *,
    letter_ids: tuple[str, ...],
    reason: str | None,
    topic: str | None,
    all_open: bool,
    dry_run: bool,
    yes: bool,
    by: str,
) -> None:
    """Send messages again, as they were, to where they came from, once what was wrong is mended.

    Takes ids, or --reason and --topic, or --all-open. Every reader knows a message by its id, so one that comes again
    changes nothing. One that still cannot be worked with becomes a dead letter anew, with an id of its own. A message
    that was sent again already, or that a newer one has replaced since, is not sent.

    Exit codes: 0 all were sent, 1 one was not, or nobody said yes, 2 wrong use or settings.
    """
    _check_by(by)
    ids = _ids(letter_ids, reason, topic, all_open=all_open)
    read = _settings()
    chosen, refused = _run(_to_retry(read, ids, reason, topic))
    _tell(chosen, refused)
    for line in _what_comes_of(chosen):
        click.echo(line)
    if _agreed(chosen, "send again", dry_run=dry_run, yes=yes):
        more = _run(_retried(read, by, chosen))
        _tell_refused(more)
        refused += more
    sys.exit(1 if refused else 0)


@group.command("discard")
@_choosing
@click.option("--why", required=True, help="In words, for whoever asks later; no patient's name.")
def discard(  # noqa: PLR0913 - one for each option
    *,
    letter_ids: tuple[str, ...],
    reason: str | None,
    topic: str | None,
    all_open: bool,
    dry_run: bool,
    yes: bool,
    by: str,
    why: str,
) -> None:
    """Leave dead letters as they are: they are open no longer, and why is written down.

    Takes ids, or --reason and --topic, or --all-open. What is discarded can be sent again while it is kept.

    Exit codes: 0 all are discarded, 1 one was dealt with before, or nobody said yes, 2 wrong use or settings.
    """
    _check_by(by)
    if not why.strip() or len(why) > WHY_LENGTH:
        raise DeadLettersError(f"--why takes 1 to {WHY_LENGTH} characters")
    ids = _ids(letter_ids, reason, topic, all_open=all_open)
    read = _settings()
    chosen, refused = _run(_to_discard(read, ids, reason, topic))
    _tell(chosen, refused)
    if _agreed(chosen, "discard", dry_run=dry_run, yes=yes):
        _run(_discarded(read, by, why, chosen))
    sys.exit(1 if refused else 0)


def _settings() -> Settings:
    read = settings.read(os.environ)
    logs.configure("dead-letters", level="error", broker_lines=False)
    return read


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise DeadLettersError("--since takes a time with an offset, as 2026-03-01T12:00:00+01:00")
    return at


def _check_by(by: str) -> None:
    try:
        msgspec.convert(by, StaffRef)
    except msgspec.ValidationError:
        raise DeadLettersError(
            "--by takes a reference of letters, digits, . _ and -, at most 64, never 11 digits in a row"
        ) from None


async def _standings(read: Settings) -> dict[LetterId, Standing]:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        return await standing.read(log)


async def _shown(read: Settings, about: LetterId) -> list[str]:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        (found,) = _named(await standing.read(log), [about])
        place = found.letter.place
        async for record in log.records(DEAD_LETTERS, *span([place])):
            if record.offset == place.offset:
                return list(telling.shown(found, record))
    raise DeadLettersError(f"{about} is gone: its time on the topic ran out meanwhile")


async def _to_retry(
    read: Settings, ids: Sequence[LetterId], reason: str | None, topic: str | None
) -> tuple[list[Standing], list[Refused]]:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        chosen = _chosen(await standing.read(log), ids, reason, topic)
        refused = await unsendable(log, chosen)
    left = {one.id for one in refused}
    return [one for one in chosen if one.letter.id not in left], refused


async def _retried(read: Settings, by: str, chosen: Sequence[Standing]) -> list[Refused]:
    async with Log(read.bootstrap, read.topic_prefix) as log, acting(log, read.bootstrap, by) as operator:
        return await operator.retry([one.letter for one in chosen], lambda done: click.echo(f"retried {done}"))


async def _to_discard(
    read: Settings, ids: Sequence[LetterId], reason: str | None, topic: str | None
) -> tuple[list[Standing], list[Refused]]:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        chosen = _chosen(await standing.read(log), ids, reason, topic)
    refused = [Refused(one.letter.id, done_already(one.act)) for one in chosen if one.act is not None]
    return [one for one in chosen if one.act is None], refused


async def _discarded(read: Settings, by: str, why: str, chosen: Sequence[Standing]) -> None:
    async with Log(read.bootstrap, read.topic_prefix) as log, acting(log, read.bootstrap, by) as operator:
        await operator.discard([one.letter for one in chosen], why, lambda done: click.echo(f"discarded {done}"))


def _tell(chosen: Sequence[Standing], refused: Sequence[Refused]) -> None:
    for line in telling.lines(chosen):
        click.echo(line)
    _tell_refused(refused)


def _tell_refused(refused: Sequence[Refused]) -> None:
    for one in refused:
        click.echo(f"{one.id}: {one.problem}", err=True)


def _agreed(chosen: Sequence[Standing], what: str, *, dry_run: bool, yes: bool) -> bool:
    """Whether it is to be done; ends the command where somebody says no, or nobody is there to say."""
    if not chosen:
        return False
    if dry_run:
        click.echo(f"would {what}: {len(chosen)}; nothing was done")
        return False
    return yes or click.confirm(f"{what} {len(chosen)}?", abort=True)


def _what_comes_of(chosen: Sequence[Standing]) -> list[str]:
    """What an operator should know before messages are sent again."""
    told = [words for reason, words in COMES_BACK_FOR.items() if any(one.letter.reason == reason for one in chosen)]
    if any(one.letter.id.topic == PAGES.name for one in chosen):
        told.append(POSTED_AGAIN)
    return [COMES_BACK, *told] if chosen else []


def _ids(texts: Sequence[str], reason: str | None, topic: str | None, *, all_open: bool) -> list[LetterId]:
    """Return the ids that were given, where one way of choosing was taken and no other."""
    if [bool(texts), reason is not None or topic is not None, all_open].count(True) != 1:
        raise DeadLettersError("choose by ids, or by --reason and --topic, or take --all-open")
    return [LetterId.parse(one) for one in texts]


def _chosen(
    known: dict[LetterId, Standing], ids: Sequence[LetterId], reason: str | None, topic: str | None
) -> list[Standing]:
    if ids:
        return _named(known, ids)
    return [one for one in known.values() if one.act is None and _matches(one, reason, topic)]


def _matches(one: Standing, reason: str | None, topic: str | None) -> bool:
    return reason in {None, one.letter.reason} and topic in {None, one.letter.id.topic}


def _named(known: dict[LetterId, Standing], ids: Sequence[LetterId]) -> list[Standing]:
    for about in ids:
        if about not in known:
            raise DeadLettersError(f"there is no dead letter {about}: it never was, or its time on the topic ran out")
    return [known[about] for about in dict.fromkeys(ids)]
