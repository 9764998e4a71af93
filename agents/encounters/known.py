"""What the topic `care` holds already of what a file tells: events by their ids, and who is a patient at all."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from agents.reconciliation.logs import opened
from schemas.care import Admitted, CareEvent, Discharged, EmergencyContact, Enrolled
from schemas.codec import Codec, UnreadableError
from schemas.topics import CARE

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from agents.reconciliation.logs import Logs

_CODEC: Final[Codec[CareEvent]] = Codec(CareEvent)


class Known:
    """Filled by `take`, event by event, in the order of the log: of one id the first holds, as in triage.

    Attributes
    ----------
    patients
        Those asked for who were ever enrolled.
    events
        Those asked for, by id.
    others
        By patient, admissions and emergencies that were told otherwise: when, and of which type.
    stays
        By patient, how many admissions and discharges there are, which triage keeps for good.
    """

    def __init__(self, ids: Collection[UUID], patients: Collection[str]) -> None:
        self._ids = frozenset(ids)
        self._asked = frozenset(patients)
        self.patients: set[str] = set()
        self.events: dict[UUID, CareEvent] = {}
        self.others: dict[str, list[tuple[type, datetime]]] = {}
        self.stays: dict[str, int] = {}

    def take(self, event: CareEvent) -> None:
        """Hear one event."""
        first = event.event_id in self._ids and event.event_id not in self.events
        if first:
            self.events[event.event_id] = event
        if event.patient not in self._asked:
            return
        if isinstance(event, Enrolled):
            self.patients.add(event.patient)
        if isinstance(event, Admitted | Discharged) and (first or event.event_id not in self._ids):
            self.stays[event.patient] = self.stays.get(event.patient, 0) + 1
        if isinstance(event, Admitted | EmergencyContact) and event.event_id not in self._ids:
            self.others.setdefault(event.patient, []).append((type(event), event.at))


async def read(
    bootstrap: str, prefix: str, partitions: int, *, ids: Collection[UUID], patients: Collection[str]
) -> Known:
    """Go through the whole of the topic, which is kept for ever.

    Raises
    ------
    RecordingError
        It has other partitions than the settings say.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    known = Known(ids, patients)
    async with opened(bootstrap, prefix=prefix, partitions=partitions, read=(CARE,)) as logs:
        for partition in range(partitions):
            await _hear(logs, partition, known)
    return known


async def _hear(logs: Logs, partition: int, known: Known) -> None:
    begin, end = await logs.bounds(CARE, partition)
    async with aclosing(logs.read(CARE, partition, begin, end)) as records:
        async for record in records:
            try:
                event = _CODEC.decode(record.value)
            except UnreadableError:
                continue  # triage has named it in the dead letters
            known.take(event)
