"""Triage on Faust as its documentation has it: an agent, a table, awaited sends. What the guarantee is held against."""

from __future__ import annotations

import os
from typing import Any

import faust
from prometheus_client import CollectorRegistry

from agents import settings as deployment
from agents.metrics import Metrics
from agents.processes import STATE_TABLE, group
from agents.streaming import Record
from agents.triage import TriageFold


def app_of(settings: deployment.Settings) -> faust.App:
    """The worker."""
    app = faust.App(
        group(settings, "triage"),
        broker=f"kafka://{settings.bootstrap}",
        store="memory://",
        topic_partitions=settings.partitions,
        topic_disable_leader=True,
        topic_allow_declare=False,
        processing_guarantee="at_least_once",
        web_enabled=False,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 3,
        broker_commit_interval=settings.commit_interval_s,
    )
    fold = TriageFold(
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        dead_letter_ratio=settings.dead_letter_ratio,
        metrics=Metrics(CollectorRegistry()),
    )
    table = app.Table(STATE_TABLE, key_type=bytes, value_type=bytes, partitions=settings.partitions)
    topics: dict[str, Any] = {}

    @app.agent(app.topic(*fold.sources, key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def judge(stream: Any) -> None:  # noqa: ANN401 - Faust's stream is untyped
        async for event in stream.events():
            sent = event.message
            record = Record(sent.topic, sent.partition, sent.offset, sent.key, sent.value, round(sent.timestamp * 1000))
            folded = fold([record], table.data)
            for partition, output in folded.outputs:
                if output.topic not in topics:
                    topics[output.topic] = app.topic(output.topic, key_serializer="raw", value_serializer="raw")
                await topics[output.topic].send(
                    key=output.key, value=output.value, partition=partition, headers=list(output.headers)
                )
            for key, (_, state) in folded.states.items():
                table[key] = state

    return app


if __name__ == "__main__":
    faust.Worker(app_of(deployment.read(os.environ)), loglevel="ERROR").execute_from_commandline()
