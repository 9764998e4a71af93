"""From a request's body to messages that may go to the broker, and the faults of those that may not.

Of a batch the valid items are taken and the others named (207). All or nothing would let one wrong session hold back
the measurements of every other patient in the batch, and a vendor's outbox would offer the same batch again for ever;
what is taken twice does no harm, what is held back can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from agents.gateway import not_numbers
from agents.gateway.faults import Fault, faults_of, joined
from agents.gateway.problems import EMPTY, NOT_JSON, TOO_MANY_ITEMS, Refusal
from schemas.codec import UNREADABLE, Codec, UnreadableError, encode
from schemas.submissions import Correction, Submission

if TYPE_CHECKING:
    from uuid import UUID

    from agents.gateway.settings import GatewaySettings

Check = Callable[[Submission], Sequence[tuple[str, str]]]  # -> (field path, problem)

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # our choice: before it a device's clock was never set
FAULTS_SHOWN: Final = 200  # in one answer, shared out evenly among its items
_SPACE: Final = b" \t\r\n"


class Accepted(NamedTuple):
    """A message that may go to the broker."""

    id: UUID
    key: bytes  # the patient
    value: bytes


@dataclass(frozen=True)
class Sorted:
    """What is right in a request and what is not."""

    accepted: tuple[Accepted, ...]
    faults: tuple[Fault, ...]
    refused_items: int
    batch: bool


class Address(NamedTuple):
    """What is sent to one address."""

    message: type[Submission | Correction]
    id_field: str  # makes a repeat recognisable
    stamp_field: str  # the instant that the gateway alone sets


SESSIONS: Final = Address(Submission, "submission_id", "received_at")
CORRECTIONS: Final = Address(Correction, "correction_id", "recorded_at")


class Intake:
    """Reads the bodies of one address.

    Parameters
    ----------
    address
        What is sent there.
    check
        What the rules know of codes and units, given a session.
    settings
        Limits.
    """

    def __init__(self, address: Address, check: Check, settings: GatewaySettings) -> None:
        self._address = address
        self._codec = Codec[Submission | Correction](address.message)
        self._check = check
        self._settings = settings

    def sort(self, body: bytes, now: datetime) -> Sorted:
        """Read `body`, taken at `now`.

        Raises
        ------
        Refusal
            It is no JSON object or array, holds nothing, or too many items.
        """
        batch, items = self._split(body)
        shown = max(1, FAULTS_SHOWN // len(items))
        accepted: dict[UUID, Accepted] = {}
        places: dict[UUID, int] = {}
        faults: list[Fault] = []
        refused = 0
        for place, item in enumerate(items):
            path = f"[{place}]" if batch else ""
            read = self._read(item, now, shown)
            if isinstance(read, Accepted) and accepted.setdefault(read.id, read) != read:
                # The first of the two stands: which of them was meant, only the vendor can tell.
                read = [Fault(self._address.id_field, f"stands at [{places[read.id]}] already, with other content")]
            if isinstance(read, Accepted):
                places.setdefault(read.id, place)
            else:
                refused += 1
                faults += [Fault(joined(path, fault.field), fault.problem) for fault in read]
        return Sorted(tuple(accepted.values()), tuple(faults), refused, batch)

    def _split(self, body: bytes) -> tuple[bool, tuple[msgspec.Raw, ...]]:
        batch = body.lstrip(_SPACE)[:1] == b"["
        try:
            if not batch:
                msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            items = msgspec.json.decode(body, type=tuple[msgspec.Raw, ...]) if batch else (msgspec.Raw(body),)
        except UNREADABLE:
            items = self._with_not_numbers(body)
        if not items:
            raise Refusal(EMPTY)
        if len(items) > self._settings.batch_items:
            raise Refusal(TOO_MANY_ITEMS)
        return batch, items

    def _with_not_numbers(self, body: bytes) -> tuple[msgspec.Raw, ...]:
        """Return the items of a body that is no JSON as a whole, where NaN or Infinity alone is the cause."""
        try:
            return tuple(map(msgspec.Raw, not_numbers.items_of(body)))
        except (ValueError, RecursionError):
            raise Refusal(NOT_JSON) from None

    def _read(self, item: msgspec.Raw, now: datetime, shown: int) -> Accepted | list[Fault]:
        try:
            fields = msgspec.json.decode(item, type=dict[str, msgspec.Raw])
        except UNREADABLE:
            return self._unread(bytes(item), shown)
        fields[self._address.stamp_field] = msgspec.Raw(msgspec.json.encode(now))
        stamped = msgspec.json.encode(fields)
        try:
            message = self._codec.decode(stamped)
        except UnreadableError as error:
            found = list(islice(faults_of(stamped, self._address.message), shown))
            return found or [Fault(error.field or "$", error.problem)]
        faults = [*self._ill_timed(message, now), *self._unknown(message, now)]
        if faults:
            return faults[:shown]
        value = encode(message)
        if len(value) > self._settings.message_bytes:
            return [Fault("$", f"is larger than {self._settings.message_bytes} bytes as a message")]
        return Accepted(getattr(message, self._address.id_field), message.patient.encode(), value)

    def _unread(self, item: bytes, shown: int) -> list[Fault]:
        try:
            found = list(islice(not_numbers.faults_of(item), shown))
        except (ValueError, RecursionError):
            found = []
        return found or [Fault("$", "is not a JSON object")]

    def _ill_timed(self, message: Submission | Correction, now: datetime) -> list[Fault]:
        latest = now + timedelta(minutes=self._settings.ahead_minutes)
        faults = []
        for index, reading in enumerate(message.readings):
            if reading.measured_at > latest:
                ahead = f"lies more than {self._settings.ahead_minutes} minutes ahead of the gateway's clock"
                faults.append(Fault(f"readings[{index}].measured_at", ahead))
            elif reading.measured_at < EARLIEST:
                faults.append(Fault(f"readings[{index}].measured_at", f"lies before the year {EARLIEST.year}"))
        return faults

    def _unknown(self, message: Submission | Correction, now: datetime) -> list[Fault]:
        if isinstance(message, Submission):
            session = message
        elif message.readings or message.answers:
            # What replaces a session is held to the same as a session.
            session = Submission(
                submission_id=message.submission_id,
                patient=message.patient,
                received_at=now,
                readings=message.readings,
                answers=message.answers,
            )
        else:
            return []
        return [Fault(field, problem) for field, problem in self._check(session)]
