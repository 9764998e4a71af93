"""Topics as data: what is on each, how it is kept, and who writes it. Keys are patients' pseudonyms unless told."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import CareEvent
from schemas.dead_letters import DeadLetterAct
from schemas.paging import PageRequest, Receipt, Tick
from schemas.submissions import SubmissionEvent

DAY_MS: Final = 86_400_000
DEFAULT_PARTITIONS: Final = 12
MAX_MESSAGE_BYTES: Final = 1_048_576  # a message over this is refused by the gateway and by the broker
LETTER_BYTES: Final = 65_536  # room for what a dead letter's headers add to the message that it holds whole


class Topic(Struct, frozen=True, kw_only=True):
    """A topic as a contract: name, message type (None: raw bytes), retention and owner."""

    name: str
    message: object | None
    owner: str  # the process that writes it
    meaning: str
    retention_days: int | None  # None: kept for ever, or compacted
    compacted: bool = False
    keyed: bool = True  # False: one message per partition
    about: str = "patient"  # what a key names
    max_bytes: int = MAX_MESSAGE_BYTES

    def config(self) -> dict[str, str]:
        """Kafka's topic configuration for it.

        The broker stamps every message, whatever time its writer believes it is. It would refuse those of a writer
        whose clock is an hour ahead, pages too, and delete at once those of one whose clock is months behind.
        """
        retention = -1 if self.retention_days is None else self.retention_days * DAY_MS
        return {
            "message.timestamp.type": "LogAppendTime",
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(retention),
            "max.message.bytes": str(self.max_bytes),
        }


SUBMISSIONS: Final = Topic(
    name="submissions",
    message=SubmissionEvent,
    owner="gateway",
    meaning="Sessions that patients sent, and corrections of them.",
    retention_days=90,
)
CARE: Final = Topic(
    name="care",
    message=CareEvent,
    owner="board, `sonevakt import`",
    meaning="What staff decided and did: enrolment, plans, pauses, admissions, contacts, acknowledgements.",
    retention_days=None,
)
TICKS: Final = Topic(
    name="ticks",
    message=Tick,
    owner="clock",
    meaning="Time passes: one message per partition.",
    retention_days=1,
    keyed=False,
)
RECEIPTS: Final = Topic(
    name="receipts",
    message=Receipt,
    owner="paging",
    meaning="What became of each asked page.",
    retention_days=90,
)
ASSESSMENTS: Final = Topic(
    name="assessments",
    message=Assessment,
    owner="triage",
    meaning="Every registration's zone with its reasons; a higher revision supersedes.",
    retention_days=90,
)
ZONE_CHANGES: Final = Topic(
    name="zone-changes",
    message=ZoneChange,
    owner="triage",
    meaning="Patients moving between zones, and retractions.",
    retention_days=90,
)
PATIENT_STATUS: Final = Topic(
    name="patient-status",
    message=PatientStatus,
    owner="triage",
    meaning="Where each patient stands now.",
    retention_days=None,
    compacted=True,
)
PAGES: Final = Topic(
    name="pages",
    message=PageRequest,
    owner="triage",
    meaning="Requests to tell somebody now.",
    retention_days=90,
)
DEAD_LETTERS: Final = Topic(
    name="dead-letters",
    message=None,
    owner="every process",
    meaning="Original bytes of what could not be worked with; headers say why, where from and which process it was.",
    retention_days=90,
    max_bytes=MAX_MESSAGE_BYTES + LETTER_BYTES,
)
DEAD_LETTER_ACTS: Final = Topic(
    name="dead-letter-acts",
    message=DeadLetterAct,
    owner="`sonevakt dead-letters`",
    meaning="What operators did about dead letters: sent again, or discarded with a reason.",
    retention_days=None,
    compacted=True,
    about="dead letter",
)

TOPICS: Final = (
    SUBMISSIONS,
    CARE,
    TICKS,
    RECEIPTS,
    ASSESSMENTS,
    ZONE_CHANGES,
    PATIENT_STATUS,
    PAGES,
    DEAD_LETTERS,
    DEAD_LETTER_ACTS,
)
