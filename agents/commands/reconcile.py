"""`sonevakt reconcile`: received = assessed = stored, partition by partition, or the names of what is missing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry

from agents import processes
from agents.metrics import Metrics
from agents.reconciliation.account import Account, Counts, Step, total
from agents.reconciliation.checking import check, span_of
from agents.reconciliation.logs import opened
from pipeline.triage.instants import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.reconciliation.account import Missing
    from agents.settings import Settings

MISSING: Final = 3  # exit codes
NOT_KEPT: Final = 4
_COLUMNS: Final = (
    "received",
    "repeated",
    "corrections",
    "assessed",
    "dead_lettered",
    "stored",
    "refused",
    "underway",
    "care_received",
    "care_stored",
    "care_refused",
)
_WORDS: Final = {
    Step.ASSESSED: "not assessed and no dead letter",
    Step.CORRECTED: "correction, nothing came of it",
    Step.STORED: "assessed, not in the store",
    Step.CARE_STORED: "care event, not in the store",
}


class Found(Struct, frozen=True):
    """A whole installation's account of a period."""

    from_at: datetime
    to_at: datetime
    whole: bool
    whole_log: bool  # whether the logs reach back to `from_at` everywhere
    total: Counts
    partitions: tuple[Account, ...]

    @property
    def exit_code(self) -> int:
        """0: everything is accounted for."""
        if not self.whole:
            return MISSING
        return 0 if self.whole_log else NOT_KEPT


async def run(settings: Settings, bootstrap: str, from_at: datetime, to_at: datetime, settled_at: datetime) -> Found:
    """Go through all partitions, one after the other.

    Raises
    ------
    ReadError
        The store does not answer.
    RecordingError
        The topics have other partitions than the settings say.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    accounts = []
    async with (
        processes.opened_store(settings, Metrics(CollectorRegistry())) as store,
        opened(bootstrap, prefix=settings.topic_prefix, partitions=settings.partitions) as logs,
    ):
        for partition in range(settings.partitions):
            span = await span_of(logs, partition, to_ms(from_at), to_ms(to_at))
            accounts.append(await check(logs, store, span, settled_ms=to_ms(settled_at)))
    return Found(
        from_at=from_at,
        to_at=to_at,
        whole=all(account.whole for account in accounts),
        whole_log=all(account.whole_log for account in accounts),
        total=total(accounts),
        partitions=tuple(accounts),
    )


def as_json(found: Found) -> str:
    """The account as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def as_lines(found: Found) -> Iterator[str]:
    """The account as lines to be read: a table by partition, then what is missing."""
    yield f"taken by the broker from {found.from_at.isoformat()} on and before {found.to_at.isoformat()}"
    heads = ["partition", *(name.replace("_", "-") for name in _COLUMNS)]
    rows = [(str(account.partition), account.counts) for account in found.partitions]
    for name, counts in (*rows, ("all", found.total)):
        if name == "0":
            yield "  ".join(heads)
        cells = [name, *(str(getattr(counts, column)) for column in _COLUMNS)]
        yield "  ".join(cell.rjust(len(head)) for cell, head in zip(cells, heads, strict=True))
    for account in found.partitions:
        yield from map(_missing, account.missing)
        missing = sum(account.unaccounted.values())
        if missing > len(account.missing):
            yield f"missing: {missing - len(account.missing)} more on partition {account.partition}"
        if not account.whole_log:
            yield f"the logs of partition {account.partition} reach back to {account.from_at.isoformat()} only"
    count = sum(sum(account.unaccounted.values()) for account in found.partitions)
    yield "everything is accounted for" if found.whole else f"{count} unaccounted for"


def _missing(one: Missing) -> str:
    name = str(one.id) if one.id else "(unreadable)"
    place = f"{one.topic}/{one.partition} offset {one.offset}"
    return f"missing: {name} at {place}, received {one.received_at.isoformat()}: {_WORDS[one.step]}"
