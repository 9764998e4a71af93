"""`sonevakt page test`: whether a page comes to whoever has the duty, without anybody being ill."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import click
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped] # no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents import logs, settings, wallclock
from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.partitioner import partition_for
from agents.services import load_services
from agents.settings import SettingsError, variable
from schemas.codec import Codec, UnreadableError, encode
from schemas.paging import PageRequest, Priority, Receipt
from schemas.services import NURSE
from schemas.topics import PAGES, RECEIPTS
from schemas.types import Zone

if TYPE_CHECKING:
    from agents.settings import Settings

PATIENT: Final = "page-test"  # no patient: triage knows none of that name, and takes no receipt of theirs
WAIT_S: Final = 60.0
NOT_TOLD: Final = 1
_RECEIPTS: Final = Codec[Receipt](Receipt)


@click.group("page")
def group() -> None:
    """The way of a page to whoever has the duty."""


@group.command("test")
@click.option("--service", required=True, help="As it is named in the services file.")
@click.option("--to", "duty", default=NURSE, show_default=True, help="Whose duty it is.")
@click.option("--by", help="One of that person's ways; else their usual one.")
@click.option("--direct", is_flag=True, help="From this process, without broker and paging process.")
@click.option("--wait", default=WAIT_S, show_default=True, type=click.FloatRange(min=0, min_open=True), help="[s].")
def test(*, service: str, duty: str, by: str | None, direct: bool, wait: float) -> None:
    """Send a page marked as a test through the broker, and say who was told, by which way, and how long it took.

    Whoever is on duty is paged. Nobody is ill, and no patient's history knows of it.

    Exit codes: 0 it was delivered, 1 it was not, 2 wrong use or settings.
    """
    read = settings.read(os.environ)
    logs.configure("page", level="error", broker_lines=False)
    _check(read, service, duty, by, direct=direct)
    page = _page(service, duty, by)
    began = monotonic()
    receipt = asyncio.run(_directly(read, page) if direct else _through_the_broker(read, page, wait))
    took_s = monotonic() - began
    if receipt is None:
        click.echo(f"no receipt within {wait:g} s: is the paging process running, and on this broker?", err=True)
        sys.exit(NOT_TOLD)
    who = "nobody" if receipt.told is None else f"{receipt.told} by {receipt.by}"
    tries = f"{receipt.attempts} attempt{'' if receipt.attempts == 1 else 's'}"
    if receipt.reason is not None:
        click.echo(f"not delivered ({receipt.reason.value}): {who}, {tries}, {took_s:.2f} s", err=True)
        sys.exit(NOT_TOLD)
    click.echo(f"delivered: {who}, {tries}, {took_s:.2f} s")


def _check(read: Settings, service: str, duty: str, by: str | None, *, direct: bool) -> None:
    if read.services_file is None:
        if direct:
            raise SettingsError(f"{variable('services_file')} must be set: who is told of an alert, and how")
        return
    services = load_services(Path(read.services_file))
    if service not in services:
        raise SettingsError(f"--service: there is none of that name; there are {', '.join(sorted(services)) or 'none'}")
    known = services[service]
    shifts = known.roster.shifts if known.roster is not None else ()
    duties = {NURSE, *known.contacts, *(step.to for step in known.ladder.red), *(d for s in shifts for d in s.duty)}
    if duty not in duties:
        raise SettingsError(f"--to: the service has no such duty; it has {', '.join(sorted(duties))}")
    ways = sorted({way for contact in known.contacts.values() for way in contact.ways})
    if by is not None and by not in ways:
        raise SettingsError(f"--by: nobody of the service has such a way; there are {', '.join(ways)}")


def _page(service: str, duty: str, by: str | None) -> PageRequest:
    return PageRequest(
        page_id=uuid4(),
        patient=PATIENT,
        service=service,
        zone=Zone.RED,
        priority=Priority.HIGH,
        at=wallclock.now(),
        zone_change_id=uuid4(),
        assessment_id=None,
        ask=1,
        to=duty,
        by=by,
        test=True,
    )


async def _directly(read: Settings, page: PageRequest) -> Receipt:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - half a second that --help does not need

    from agents import processes  # noqa: PLC0415 - the same
    from agents.metrics import Metrics  # noqa: PLC0415 - the same

    async with processes.messenger(read, Metrics(CollectorRegistry())) as messenger:
        return await messenger.tell(page)


async def _through_the_broker(read: Settings, page: PageRequest, wait_s: float) -> Receipt | None:
    key = page.patient.encode()
    place = TopicPartition(topic_name(read.topic_prefix, RECEIPTS.name), partition_for(key, read.partitions))
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(
            started(AIOKafkaProducer(bootstrap_servers=read.bootstrap, acks="all"))
        )
        consumer = await stack.enter_async_context(
            started(AIOKafkaConsumer(bootstrap_servers=read.bootstrap, group_id=None, enable_auto_commit=False))
        )
        consumer.assign([place])
        try:
            await consumer.seek_to_end(place)
            await consumer.position(place)  # before the page is asked for, or its receipt might lie behind us
            await producer.send_and_wait(
                topic_name(read.topic_prefix, PAGES.name), encode(page), key=key, partition=place.partition
            )
            async with asyncio.timeout(wait_s):
                async for record in consumer:
                    receipt = _receipt(record.value)
                    if receipt is not None and receipt.page_id == page.page_id:
                        return receipt
        except TimeoutError:
            return None
        except (
            KafkaError,
            AssertionError,
        ) as error:  # AssertionError: aiokafka's word for a partition it does not know
            raise SettingsError(
                f"the broker did not take it ({type(error).__name__}): are its topics applied, with these settings?"
            ) from None
    return None


def _receipt(raw: bytes | None) -> Receipt | None:
    try:
        return _RECEIPTS.decode(raw)
    except UnreadableError:
        return None
