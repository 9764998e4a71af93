"""The tally knows dead submissions by name, and counts none twice."""

from __future__ import annotations

from uuid import UUID

from agents.replay.tally import Tally
from schemas.codec import encode
from schemas.dead_letters import REASON, TOPIC
from tests.histories import SPO2_LIMITS, signed, spo2, submitted


def headers(topic: str, offset: int) -> dict[str, bytes]:
    return {TOPIC: topic.encode(), REASON: b"too_late", "partition": b"0", "offset": b"%d" % offset}


async def test_a_dead_submission_is_known_by_its_id_once() -> None:
    tally = Tally("127.0.0.1:1", "t-")
    sent = submitted("one", 1, spo2(90, 1))
    for offset in (7, 7, 8):
        tally._bury(headers("t-submissions", offset), encode(sent))
    tally._bury(headers("t-submissions", 9), b'{"submission_id": 1}')
    tally._bury(headers("t-submissions", 10), b"\xff")
    tally._bury(headers("t-care", 7), encode(signed(0, SPO2_LIMITS)))
    assert tally.dead_submissions == {UUID(str(sent.submission_id))}
    assert len(tally.letters) == 5
    await tally.stop()
