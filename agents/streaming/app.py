"""The Faust app of a worker: every setting that keeping messages asks for, and where its parts meet.

`at_least_once`, as upstream has open faults with transactions (#136, #177, #323, #440, #517). No wait for an empty
stream, which hangs where a sink is down. No web: its `/table` would serve what is known of patients.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import faust
from yarl import URL

from agents.streaming.consumer import BatchTransport
from agents.streaming.recovery import SafeTables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from faust.types import TP

    from agents.streaming.records import StreamSettings

# They build records for every message even where nobody listens, and may tell of keys.
_TALKATIVE = ("aiokafka", "aiokafka.consumer", "aiokafka.producer", "faust.topics", "faust", "mode")


class SafeApp(faust.App):
    """A Faust app that commits what is declared done and restores before it reads."""

    def __init__(
        self,
        settings: StreamSettings,
        on_restored: Callable[[int], Awaitable[None]],
        on_jump: Callable[[], None],
        alive: Callable[[float], None],
    ) -> None:
        self.done: dict[tuple[int, TP], int] = {}  # (generation, partition) -> next offset to read
        self.expected: dict[TP, int] = {}  # where reading starts, as last sought
        self.committed: dict[TP, int] = {}  # what the broker is known to have
        self.fetch_max_wait_ms = settings.fetch_max_wait_ms
        self.fleeting = settings.fleeting
        self.jumped = on_jump
        self.alive = alive  # told when a heartbeat was sent that the broker answered [s, monotonic]
        self._on_restored = on_restored
        url = f"kafka://{settings.broker.split(',')[0]}"
        brokers = [URL(f"kafka://{address}") for address in settings.broker.split(",")]
        more: dict[str, Any] = {}
        if settings.instance_id:
            more["consumer_group_instance_id"] = settings.instance_id
        super().__init__(
            settings.app_id,
            broker=brokers if len(brokers) > 1 else url,
            store="memory://",
            topic_partitions=settings.partitions,
            topic_disable_leader=True,
            topic_allow_declare=False,
            TableManager=SafeTables,
            processing_guarantee="at_least_once",
            web_enabled=False,
            web_tables_enabled=False,
            web_router_enabled=False,
            broker_commit_interval=settings.commit_interval_s,
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=min(settings.heartbeat_s, settings.session_timeout_s / 3),
            broker_max_poll_records=settings.batch_max,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            table_standby_replicas=0,
            producer_acks=-1,
            **more,
        )
        self.transport = BatchTransport(brokers, self)
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)

    def positioned(self, positions: Mapping[TP, int]) -> None:
        """Reading goes on from here."""
        self.expected = dict(positions)
        self.committed = dict(positions)

    def _create_directories(self) -> None:
        """Make none: a worker's states are in memory and in the changelog, and Faust's own folder would stay empty."""

    async def restored(self, generation: int) -> None:
        """The states of this generation are all here."""
        for old in [key for key in self.done if key[0] != generation]:
            del self.done[old]
        await self._on_restored(generation)
