"""An import from its file to the broker's confirmation of every event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.encounters import from_csv, from_fhir
from agents.encounters.encounter import Encounter
from agents.encounters.events import ids
from agents.encounters.judging import judge
from agents.encounters.known import read
from agents.gateway.delivery import Delivery, build_producer
from agents.gateway.intake import Accepted
from agents.recordings.events import RecordingError
from schemas.codec import encode
from schemas.topics import CARE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from agents.access.log import AccessLog
    from agents.encounters.encounter import Row
    from agents.encounters.events import Origin, Told
    from agents.encounters.judging import Judged
    from agents.settings import Settings

MOST_BYTES: Final = 200 * 2**20  # the file is held whole
SENT_AT_ONCE: Final = 500
CONFIRM_S: Final = 60.0  # for so many [s]
ACTION: Final = "import_outcomes"
_HEADER: Final = "import"
_BOM: Final = b"\xef\xbb\xbf"


def rows_of(path: Path, now: datetime, contact: str) -> list[Row]:
    """Return every row of a file, which is a FHIR bundle where it begins with a brace, else CSV.

    Raises
    ------
    RecordingError
        It is neither, or too large.
    """
    if path.stat().st_size > MOST_BYTES:
        raise RecordingError(f"the file is larger than {MOST_BYTES // 2**20} MiB: split it, and import each part")
    content = path.read_bytes().removeprefix(_BOM)
    if content.lstrip()[:1] == b"{":
        return list(from_fhir.rows(content, now, contact))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise RecordingError("the file is not UTF-8") from None
    return list(from_csv.rows(text, now, contact))


async def judged(settings: Settings, rows: Sequence[Row], origin: Origin) -> Judged:
    """Decide about every row, by what the topic holds.

    Raises
    ------
    RecordingError
        The topic has other partitions than the settings say.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    told = [row for row in rows if isinstance(row, Encounter)]
    wanted = {id_ for row in told for id_ in ids(origin.source, row.id).values()}
    known = await read(
        settings.bootstrap,
        settings.topic_prefix,
        settings.partitions,
        ids=wanted,
        patients={row.patient for row in told},
    )
    return judge(rows, origin, known)


async def tell(settings: Settings, events: Sequence[Told], access: AccessLog, by: str) -> None:
    """Write `events` to the topic, each patient's in order; the access log has every patient first.

    What was confirmed before a failure is known by its id when the file is imported again.

    Raises
    ------
    agents.gateway.delivery.UnconfirmedError
        The broker has not confirmed all of them.
    """
    patients = sorted({event.patient for event in events})
    await asyncio.gather(*(access.add(by, ACTION, patient, None) for patient in patients))
    async with started(build_producer(settings.bootstrap, idempotent=False)) as producer:
        delivery = Delivery(producer, topic_name(settings.topic_prefix, CARE.name), CONFIRM_S)
        for first in range(0, len(events), SENT_AT_ONCE):
            some = events[first : first + SENT_AT_ONCE]
            await delivery.confirm(
                (Accepted(event.event_id, event.patient.encode(), encode(event)) for event in some), _HEADER
            )
