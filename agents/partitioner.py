"""Which partition a patient's messages go to: one answer for every producer of ours.

A patient's submissions, care events, pages and receipts meet in one worker only because all of them lie on the
partition of the same number. A producer that hashes otherwise sends a patient's plan to one worker and their
measurements to another, who then follows them without limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiokafka.partitioner import murmur2  # type: ignore[import-untyped] # aiokafka ships no types

if TYPE_CHECKING:
    from collections.abc import Sequence

_WITHOUT_SIGN: Final = 0x7FFFFFFF


def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition of `key` among `partitions`, as Kafka's own clients for Java choose it (murmur2).

    Raises
    ------
    ValueError
        There is no partition to choose from.
    """
    if partitions < 1:
        raise ValueError("a topic has at least one partition")
    hashed: int = murmur2(key)
    return (hashed & _WITHOUT_SIGN) % partitions


def by_key(key: bytes | None, all_partitions: Sequence[int], available: Sequence[int]) -> int:
    """Choose for `AIOKafkaProducer(partitioner=by_key)`; `available` is passed over, or an outage would move patients.

    Raises
    ------
    ValueError
        The record has no key: every message of ours is about a patient.
    """
    del available
    if key is None:
        raise ValueError("a record without key has no patient: give the pseudonym as key")
    return all_partitions[partition_for(key, len(all_partitions))]
