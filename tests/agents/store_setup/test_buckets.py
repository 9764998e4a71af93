"""How long a bucket's files are: long where points are kept for long, and InfluxDB's own choice where they are not."""

from __future__ import annotations

import pytest

from agents.store_setup.buckets import Bucket


@pytest.mark.parametrize(
    ("days", "shard_days"), [(0, 182), (1_095, 182), (1_094, 28), (180, 28), (179, None), (7, None)]
)
def test_files_are_longer_the_longer_points_are_kept(days: int, shard_days: int | None) -> None:
    bucket = Bucket("b", days)
    assert bucket.shard_days == shard_days
    (rule,) = bucket.rules
    assert rule["everySeconds"] == days * 86_400
    assert rule.get("shardGroupDurationSeconds") == (None if shard_days is None else shard_days * 86_400)
