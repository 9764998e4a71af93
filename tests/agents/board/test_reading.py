"""The board knows its list for complete only once it has read to the end."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition

from agents.board import reading
from agents.board.reading import Reading

ONE, TWO = TopicPartition("patient-status", 0), TopicPartition("patient-status", 1)


class Consumer:
    """A consumer that stands at given positions and gets nothing new."""

    def __init__(self, positions: dict[TopicPartition, int], ends: dict[TopicPartition, int]) -> None:
        self._positions = positions
        self._ends = ends

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        """Return nothing, at once."""
        assert timeout_ms > 0
        return {}

    def assignment(self) -> set[TopicPartition]:
        """Return what it reads."""
        return set(self._positions)

    async def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where the broker's log ends."""
        return {partition: self._ends[partition] for partition in partitions}

    async def position(self, partition: TopicPartition) -> int:
        """Return what it reads next."""
        return self._positions[partition]


@pytest.mark.parametrize(
    ("positions", "expected"),
    [({ONE: 5, TWO: 0}, True), ({ONE: 4, TWO: 0}, False), ({}, False)],
    ids=["at the end", "one message behind", "no partition known yet"],
)
async def test_is_up_to_date_at_the_end_of_every_partition_alone(
    positions: dict[TopicPartition, int], *, expected: bool
) -> None:
    reader = Reading(bootstrap="", prefix="", sources=())
    await reader._read(Consumer(positions, {ONE: 5, TWO: 0}))
    assert reader.up_to_date() is expected


async def test_a_list_that_was_complete_is_stale_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reading(bootstrap="", prefix="", sources=())
    await reader._read(Consumer({ONE: 5}, {ONE: 5}))
    assert reader.up_to_date()
    monkeypatch.setattr(reading, "STALE_AFTER", 0)
    assert not reader.up_to_date()
