"""What no process can work with, on every topic that one reads: each ends as a dead letter and harms nobody else.

Each is written with a key that nobody has and with that of a patient who has a state, before the faults (when each
reader must name it exactly once) and while they go on (when it may name it again).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from schemas.dead_letters import DeadLetterReason
from schemas.topics import (
    ASSESSMENTS,
    CARE,
    DEAD_LETTER_ACTS,
    DEAD_LETTERS,
    PAGES,
    PATIENT_STATUS,
    RECEIPTS,
    SUBMISSIONS,
    TICKS,
    ZONE_CHANGES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_JSON: Final = DeadLetterReason.NOT_JSON
INVALID: Final = DeadLetterReason.INVALID
NEWER: Final = DeadLetterReason.UNSUPPORTED_VERSION
NOBODY: Final = b"poison"
READERS: Final = {
    SUBMISSIONS.name: ("triage",),
    CARE.name: ("triage", "storing"),
    TICKS.name: ("triage",),
    RECEIPTS.name: ("triage", "storing"),
    ASSESSMENTS.name: ("storing",),
    ZONE_CHANGES.name: ("storing",),
    PATIENT_STATUS.name: ("storing",),
    PAGES.name: ("storing", "paging"),
    DEAD_LETTERS.name: (),  # the clock counts them
    DEAD_LETTER_ACTS.name: (),  # the same
}
HUGE: Final = b"1" + b"0" * 400
DIGITS: Final = b"9" * 5_000
DEEP: Final = b'{"x":' + b"[" * 100_000
AT: Final = b"2026-01-05T08:00:00Z"
ID: Final = str(uuid5(NAMESPACE_OID, "poison")).encode()

Headers = tuple[tuple[str, bytes], ...]


class Poison(NamedTuple):
    """One message.

    Attributes
    ----------
    reasons
        Of each reader, why it is a dead letter; None: it can be read, and does no harm.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    reasons: tuple[DeadLetterReason | None, ...]
    headers: Headers = ()


def poison(patient: bytes) -> Iterator[Poison]:
    """Everything, `patient` being one who has a state."""
    for topic in READERS:
        for key in (NOBODY, patient):
            yield from _bytes(topic, key)
        yield from _extreme(topic, patient)
        if topic not in {TICKS.name, DEAD_LETTERS.name, DEAD_LETTER_ACTS.name}:
            yield from _keys(topic, patient)


def _bytes(topic: str, key: bytes) -> Iterator[Poison]:
    """What is no message at all."""
    for value, reason in (
        (b"", NOT_JSON),
        (b"{not json", NOT_JSON),
        (b'{"type":"submission","readings":"all"}', INVALID),
        (b'{"schema_version":99,"type":"submission"}', NEWER),
        (b"\xff\xfe\x00", NOT_JSON),
        (b'{"at":NaN,"value":Infinity}', NOT_JSON),
        (DEEP, NOT_JSON),
    ):
        yield _same(topic, key, value, reason)
    # Without a value: on a compacted topic it takes the key away, and is nothing to be told.
    yield _same(topic, key, None, None if topic == PATIENT_STATUS.name else NOT_JSON)
    odd = (("", b"x"), ("received_ms", DIGITS), ("offset", DIGITS), ("reason", b"\xff"), ("vendor", b""))
    yield _same(topic, key, b"{", NOT_JSON, odd)


def _extreme(topic: str, patient: bytes) -> Iterator[Poison]:
    """What reads as JSON, and says what cannot be."""
    of = b'"patient":"' + patient + b'"'
    both = {
        SUBMISSIONS.name: (
            b'{"type":"submission","submission_id":"%b",%b,"received_at":"%b","answers":[{"questionnaire":"q",'
            b'"questionnaire_version":1,"link_id":"a","value":%b}]}' % (ID, of, AT, HUGE),
            b'{"type":"submission","submission_id":"%b",%b,"received_at":"%b","readings":[{"code":"8867-4","value":1e999'
            b',"unit":"/min","measured_at":"%b"}]}' % (ID, of, AT, AT),
        ),
        CARE.name: (
            b'{"type":"plan_signed","event_id":"%b",%b,"at":"%b","recorded_at":"%b","signed_by":"d","plan":{"version":%b'
            b',"valid_from_at":"%b"}}' % (ID, of, AT, AT, HUGE, AT),
        ),
        TICKS.name: (b'{"at":%b}' % HUGE,),
        RECEIPTS.name: (
            b'{"receipt_id":"%b","page_id":"%b",%b,"ask":1,"outcome":"delivered","at":"%b","attempts":%b}'
            % (ID, ID, of, AT, HUGE),
            b'{"receipt_id":"%b","page_id":"%b",%b,"ask":%b,"outcome":"delivered","at":"%b","attempts":1}'
            % (ID, ID, of, HUGE, AT),
        ),
        ASSESSMENTS.name: (
            b'{"assessment_id":"%b","submission_id":"%b",%b,"revision":%b,"at":"%b","received_at":"%b","zone":"green",'
            b'"reasons":[],"readings":[],"service":null,"plan_version":null,"rules_version":"1"}'
            % (ID, ID, of, HUGE, AT, AT),
        ),
        ZONE_CHANGES.name: (
            b'{"zone_change_id":"%b",%b,"at":%b,"from_zone":"green","to_zone":"red"}' % (ID, of, HUGE),
        ),
        PATIENT_STATUS.name: (
            b'{%b,"revision":%b,"zone":"green","since_at":"%b","reasons":[]}' % (of, HUGE, AT),
            b'{%b,"revision":1,"zone":"green","since_at":"%b","reasons":[],"open_pages":%b}' % (of, AT, HUGE),
        ),
        PAGES.name: (
            b'{"page_id":"%b",%b,"service":"acute-one","zone":"red","priority":"high","at":"%b","zone_change_id":"%b",'
            b'"assessment_id":null,"ask":%b}' % (ID, of, AT, ID, HUGE),
        ),
        DEAD_LETTER_ACTS.name: (
            b'{"at":"%b","topic":"submissions","partition":%b,"offset":%b,"action":"retried","by":"s"}'
            % (AT, HUGE, HUGE),
        ),
    }
    for value in both.get(topic, ()):
        yield _same(topic, patient, value, INVALID)


def _keys(topic: str, patient: bytes) -> Iterator[Poison]:
    """What can be read, and stands under nobody's name or another's; and once under its own, which does no harm."""
    readable = _readable(topic)
    for key, reason in ((None, DeadLetterReason.MISSING_PATIENT), (patient, DeadLetterReason.WRONG_KEY)):
        if key is None and topic == PATIENT_STATUS.name:
            continue  # the broker takes no message without a key on a compacted topic
        reasons = tuple(
            # Paging has one word for both.
            DeadLetterReason.WRONG_KEY if reader == "paging" else reason
            for reader in READERS[topic]
        )
        yield Poison(topic, key, readable, reasons, (("received_ms", DIGITS),))
    if topic not in {SUBMISSIONS.name, CARE.name}:  # of which a state would come
        yield _same(topic, NOBODY, readable, None, (("received_ms", DIGITS), ("", b"")))


def _readable(topic: str) -> bytes:
    of = b'"patient":"' + NOBODY + b'"'
    return {
        SUBMISSIONS.name: b'{"type":"submission","submission_id":"%b",%b,"received_at":"%b","answers":['
        b'{"questionnaire":"q","questionnaire_version":1,"link_id":"a","value":1}]}' % (ID, of, AT),
        CARE.name: b'{"type":"discharged","event_id":"%b",%b,"at":"%b","recorded_at":"%b"}' % (ID, of, AT, AT),
        RECEIPTS.name: b'{"receipt_id":"%b","page_id":"%b",%b,"ask":1,"outcome":"delivered","at":"%b","attempts":1}'
        % (ID, ID, of, AT),
        ASSESSMENTS.name: b'{"assessment_id":"%b","submission_id":"%b",%b,"revision":1,"at":"%b","received_at":"%b",'
        b'"zone":"green","reasons":[],"readings":[],"service":null,"plan_version":null,"rules_version":"1"}'
        % (ID, ID, of, AT, AT),
        ZONE_CHANGES.name: b'{"zone_change_id":"%b",%b,"at":"%b","from_zone":"green","to_zone":"red"}' % (ID, of, AT),
        PATIENT_STATUS.name: b'{%b,"revision":1,"zone":"green","since_at":"%b","reasons":[]}' % (of, AT),
        PAGES.name: b'{"page_id":"%b",%b,"service":"nobody","zone":"red","priority":"high","at":"%b","zone_change_id":'
        b'"%b","assessment_id":null,"ask":1}' % (ID, of, AT, ID),
    }[topic]


def _same(
    topic: str, key: bytes, value: bytes | None, reason: DeadLetterReason | None, headers: Headers = ()
) -> Poison:
    return Poison(topic, key, value, (reason,) * len(READERS[topic]), headers)
