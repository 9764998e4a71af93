"""What it means that a process ended by itself, and whether a fault that we made is a good reason for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents.streaming.worker import EXIT_CRASHED, EXIT_FENCED, EXIT_GAP, EXIT_STALLED
from tests.faults.proxy import Mood

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.product import End

MEANINGS: Final = {
    EXIT_GAP: "messages missing",
    EXIT_STALLED: "stands still",
    EXIT_CRASHED: "crashed",
    EXIT_FENCED: "not sure of what it owns",
    1: "could not begin",
}
OF_STORE: Final = frozenset({"influxdb_stop", *(mood.value for mood in Mood)})
AFTER_S: Final = 20.0  # so long after a fault its consequences may show


class Fault(NamedTuple):
    """Something that we did: from when to when [s since 1970], and to which process where it was to one."""

    kind: str
    began: float
    ended: float
    pid: int | None = None


def line(end: End, faults: Iterable[Fault]) -> str:
    """An end in words."""
    why = reason(end, faults)
    return f"{end.name} ended with {end.code} ({MEANINGS.get(end.code, 'unknown')}): {why or 'for no fault of ours'}"


def reason(end: End, faults: Iterable[Fault]) -> str | None:
    """Which fault is a good reason for an end; None where none is.

    A pause is one for the fence of the paused process. While the broker is away, or for storing the store, a batch that
    is being written keeps partitions from moving on, which ends in the fence; what is starting finds no broker then.
    A hole, a crash and standing still are never right.
    """
    near = [fault for fault in faults if fault.began <= end.at <= fault.ended + AFTER_S]
    if end.code == EXIT_FENCED and any(fault.kind == "pause" and fault.pid == end.pid for fault in near):
        return "it was paused"
    if end.code in {EXIT_FENCED, 1} and any(fault.kind == "kafka_stop" for fault in near):
        return "the broker was away"
    if end.code == EXIT_FENCED and end.name == "storing" and any(fault.kind in OF_STORE for fault in near):
        return "the store confirmed nothing"
    return None
