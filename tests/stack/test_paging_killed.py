"""The paging process killed between the post and its receipt: the receiver sees the page again under the same key."""

from __future__ import annotations

import asyncio
import os
import sys
from base64 import b64encode
from contextlib import AsyncExitStack
from secrets import token_bytes
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import pytest

from agents import processes, wallclock
from agents.broker import topics
from agents.http import serving
from agents.paging.receiver import Receiver, service_paged_at
from agents.paging.signing import SigningSecret
from agents.partitioner import partition_for
from agents.replay.feed import Feed
from agents.replay.tally import Tally
from agents.settings import Settings
from schemas.codec import encode
from schemas.paging import PageRequest, Priority
from schemas.topics import PAGES
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
SERVICE = "joint-centre"
PARTITIONS = 2


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def paging(settings: Settings) -> asyncio.subprocess.Process:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from agents.commands import main; main()",
        "run",
        "paging",
        env={
            **ours,
            "SONEVAKT_BROKER": settings.broker,
            "SONEVAKT_TOPIC_PREFIX": settings.topic_prefix,
            "SONEVAKT_PARTITIONS": str(settings.partitions),
            "SONEVAKT_SESSION_TIMEOUT_S": "6",
            "SONEVAKT_INSTANCE": "one",
            "SONEVAKT_SERVICES_FILE": settings.services_file or "",
        },
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_a_page_posted_and_not_receipted_is_posted_again_under_the_same_key(
    tmp_path: Path, kafka_bootstrap: str
) -> None:
    posts: list[str] = []
    hanging = asyncio.Event()

    async def hang_at_first(_: str, page_id: str) -> int | None:
        posts.append(page_id)
        if len(posts) == 1:
            hanging.set()
            await asyncio.sleep(30)  # it has taken the page, and never says so
        return None

    async with AsyncExitStack() as stack:
        key = token_bytes(32)
        receiver = Receiver({SERVICE: SigningSecret(key)}, wallclock.now, after=hang_at_first)
        port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
        (tmp_path / "secret").write_text(f"whsec_{b64encode(key).decode()}")
        entry = service_paged_at(SERVICE, f"http://127.0.0.1:{port}/pages/{SERVICE}", "secret", timeout_s=10)
        (tmp_path / "services.json").write_bytes(msgspec.json.encode({SERVICE: entry}))
        settings = Settings(
            broker=f"kafka://{kafka_bootstrap}",
            topic_prefix=f"page-{uuid4().hex[:8]}-",
            partitions=PARTITIONS,
            services_file=str(tmp_path / "services.json"),
        )
        await topics.apply(kafka_bootstrap, prefix=settings.topic_prefix, partitions=PARTITIONS, replication=1)
        tally = Tally(kafka_bootstrap, settings.topic_prefix)
        await tally.start()
        stack.push_async_callback(tally.stop)
        await stack.enter_async_context(processes.running(processes.Process("tally", tally.run)))
        page = PageRequest(
            page_id=uuid4(),
            patient="sim-0001",
            service=SERVICE,
            zone=Zone.RED,
            priority=Priority.HIGH,
            at=wallclock.now(),
            zone_change_id=uuid4(),
            assessment_id=None,
            ask=1,
        )
        feed = Feed(kafka_bootstrap, prefix=settings.topic_prefix, partitions=PARTITIONS, group="")
        async with feed.producing() as producer:
            await producer.send_and_wait(
                settings.topic_prefix + PAGES.name,
                encode(page),
                key=b"sim-0001",
                partition=partition_for(b"sim-0001", PARTITIONS),
            )
        process = await paging(settings)
        await asyncio.wait_for(hanging.wait(), 90)
        process.kill()
        await process.wait()
        assert tally.delivered == set()
        process = await paging(settings)
        try:
            await until(lambda: tally.delivered == {page.page_id})
        finally:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 60) == 0
    assert set(posts) == {str(page.page_id)}
    assert len(posts) >= 2
    assert list(receiver.taken) == [str(page.page_id)]
