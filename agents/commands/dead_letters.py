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
from agents.dead_letters.acting import acting
from agents.dead_letters.letters import NAMES, UNKNOWN, DeadLettersError, LetterId
from agents.dead_letters.log import Log
from agents.dead_letters.newer import span
from schemas.dead_letters import DeadLetterReason
from schemas.topics import DEAD_LETTERS
from schemas.types import StaffRef

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from agents.dead_letters.acting import Refused
    from agents.dead_letters.standing import Standing
    from agents.settings import Settings

T = TypeVar("T")
WHY_LENGTH: Final = 500
COMES_BACK: Final = "what still cannot be worked with comes back as a dead letter with an id of its own"
COMES_BACK_FOR: Final = {
    DeadLetterReason.FUTURE: "a message from the future is taken once its own time has come, and not before",
    DeadLetterReason.TOO_LATE: "a message that was too late is too late still, unless the patient's history was mended",
}
REASONS: Final = (*(reason.value for reason in DeadLetterReason), UNKNOWN)
_BY = click.option("--by", required=True, help="Who does it: a reference to staff or their role, no name.")


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
    """Name open dead letters, the oldest first: id, when, reason, field, state. Nothing of what they hold is told."""
    at = None if since is None else _instant(since)
    read = _settings()
    found = [
        one
        for one in _run(_standings(read)).values()
        if (every or one.act is None)
        and reason in {None, one.letter.reason}
        and topic in {None, one.letter.id.topic}
        and (at is None or one.letter.at_ms >= at.timestamp() * 1000)
    ]
    if as_json:
        click.echo(telling.as_json(found[:limit]))
        return
    for line in telling.lines(found[:limit]):
        click.echo(line)
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
@click.argument("letter_ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", type=click.Choice(REASONS), help="Every open one with this reason; needs --yes.")
@click.option("--all-open", is_flag=True, help="Every open one; needs --yes.")
@click.option("--yes", is_flag=True, help="For many at once.")
@_BY
def retry(*, letter_ids: tuple[str, ...], reason: str | None, all_open: bool, yes: bool, by: str) -> None:
    """Send messages again to the topic that they came from, as they were, once what was wrong is mended.

    Every reader knows a message by its id, so one that comes again changes nothing. One that still cannot be worked
    with becomes a dead letter anew, with an id of its own. A message that a newer one has replaced since is not sent.
    """
    _check_by(by)
    if [bool(letter_ids), reason is not None, all_open].count(True) != 1:
        raise DeadLettersError("retry takes ids, or --reason, or --all-open")
    ids = [LetterId.parse(one) for one in letter_ids]
    refused = _run(_retried(_settings(), ids, reason, by, yes=yes))
    for one in refused:
        click.echo(f"{one.id}: {one.problem}", err=True)
    sys.exit(1 if refused else 0)


@group.command("discard")
@click.argument("letter_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--why", required=True, help="In words, for whoever asks later; no patient's name.")
@_BY
def discard(*, letter_ids: tuple[str, ...], why: str, by: str) -> None:
    """Leave dead letters as they are: they are open no longer, and why is written down."""
    _check_by(by)
    if not why.strip() or len(why) > WHY_LENGTH:
        raise DeadLettersError(f"--why takes 1 to {WHY_LENGTH} characters")
    _run(_discarded(_settings(), [LetterId.parse(one) for one in letter_ids], why, by))


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


async def _retried(read: Settings, ids: Sequence[LetterId], reason: str | None, by: str, *, yes: bool) -> list[Refused]:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        known = await standing.read(log)
        if ids:
            chosen = _named(known, ids)
        else:
            chosen = [one for one in known.values() if one.act is None and reason in {None, one.letter.reason}]
            if chosen and not yes:
                raise DeadLettersError(f"that would send {len(chosen)} messages again: say so with --yes")
        if not chosen:
            click.echo("none is open", err=True)
            return []
        async with acting(log, read.bootstrap, by) as operator:
            refused = await operator.retry([one.letter for one in chosen], lambda done: click.echo(f"retried {done}"))
    if len(refused) < len(chosen):
        _say_what_may_come_back(chosen)
    return refused


def _say_what_may_come_back(chosen: Sequence[Standing]) -> None:
    click.echo(COMES_BACK)
    for reason, words in COMES_BACK_FOR.items():
        if any(one.letter.reason == reason.value for one in chosen):
            click.echo(words)


async def _discarded(read: Settings, ids: Sequence[LetterId], why: str, by: str) -> None:
    async with Log(read.bootstrap, read.topic_prefix) as log:
        chosen = _named(await standing.read(log), ids)
        for one in chosen:
            if one.act is not None:
                raise DeadLettersError(f"{one.letter.id} is {one.state} already")
        async with acting(log, read.bootstrap, by) as operator:
            letters = [one.letter for one in chosen]
            await operator.discard(letters, why, lambda done: click.echo(f"discarded {done}"))


def _named(known: dict[LetterId, Standing], ids: Sequence[LetterId]) -> list[Standing]:
    for about in ids:
        if about not in known:
            raise DeadLettersError(f"there is no dead letter {about}: it never was, or its time on the topic ran out")
    return [known[about] for about in dict.fromkeys(ids)]
