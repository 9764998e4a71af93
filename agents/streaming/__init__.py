"""Faust in the one shape that loses nothing: what our agents run in.

A worker takes whole polled batches, hands them to a handler, waits until the broker has confirmed every output and
every changed state, and only then lets a commit pass them. Which part answers which fault of the libraries below
stands in each module; tests/agents/streaming and tests/stack hold a test for each that fails without it.
"""

from __future__ import annotations

from agents.streaming.records import (
    Fold,
    Folded,
    Handler,
    Messenger,
    Output,
    Record,
    Sink,
    StreamMetrics,
    StreamSettings,
    dead_letter,
)
from agents.streaming.version import UnverifiedVersionError
from agents.streaming.worker import Health, Place, StreamWorker

__all__ = [
    "Fold",
    "Folded",
    "Handler",
    "Health",
    "Messenger",
    "Output",
    "Place",
    "Record",
    "Sink",
    "StreamMetrics",
    "StreamSettings",
    "StreamWorker",
    "UnverifiedVersionError",
    "dead_letter",
]
