"""`sonevakt evaluate alerts` on what lies on a broker."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from click.testing import CliRunner

from agents import wallclock
from agents.broker.embedded import EmbeddedBroker
from agents.commands import main
from agents.partitioner import partition_for
from agents.replay.feed import Feed
from schemas.assessments import Reason, ZoneChange
from schemas.care import Acknowledged
from schemas.codec import encode
from schemas.topics import CARE, ZONE_CHANGES
from schemas.types import Zone

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_the_words_of_staff_are_counted_rule_by_rule_over_all_partitions() -> None:
    with EmbeddedBroker(partitions=2) as broker:
        feed = Feed(broker.bootstrap, prefix="", partitions=2, group="")
        async with feed.producing() as producer:
            for number, code in enumerate(("true", "true", "technique", "canary")):
                patient = f"p-{number}"
                change = ZoneChange(
                    zone_change_id=UUID(int=number),
                    patient=patient,
                    at=NOW,
                    from_zone=Zone.GREEN,
                    to_zone=Zone.RED,
                    reasons=(Reason(rule="limit_low", zone=Zone.RED),),
                )
                said = Acknowledged(
                    event_id=UUID(int=100 + number),
                    patient=patient,
                    at=NOW,
                    recorded_at=NOW,
                    zone_change_id=change.zone_change_id,
                    by="nurse-1",
                    reason_code=code,
                )
                for topic, raw in ((ZONE_CHANGES, encode(change)), (CARE, encode(said)), (CARE, b"{")):
                    key = patient.encode()
                    await producer.send_and_wait(topic.name, raw, key=key, partition=partition_for(key, 2))
        env = {"SONEVAKT_BROKER": f"kafka://{broker.bootstrap}", "SONEVAKT_PARTITIONS": "2"}
        code, said_json = await asked(env, "--json")
        assert code == 0
        assert json.loads(said_json) == [
            {
                "rule": "limit_low",
                "right": 2,
                "wrong": 1,
                "by_code": {"true": 2, "technique": 1},
                "not_said": 1,
                "ppv": pytest.approx(2 / 3),
                "interval": pytest.approx([0.2077, 0.9385], abs=1e-4),
            }
        ]
        code, table = await asked(env)
        assert (code, table.splitlines()[-1].split()[:5]) == (0, ["limit", "low", "2", "1", "1"])


async def asked(env: dict[str, str], *options: str) -> tuple[int, str]:
    """Run the command beside this loop."""
    since = (wallclock.now() - timedelta(hours=1)).isoformat()
    done = await asyncio.to_thread(CliRunner().invoke, main, ["evaluate", "alerts", "--from", since, *options], env=env)
    return done.exit_code, done.output


def test_a_period_that_is_none_is_wrong_use() -> None:
    done = CliRunner().invoke(
        main, ["evaluate", "alerts", "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z"]
    )
    assert (done.exit_code, "--from must lie before --to" in done.output) == (2, True)
