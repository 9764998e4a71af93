"""The vendor's app: hands sessions to the gateway and keeps asking, with the same ids, until it is told 202.

What was answered 202 must be on the topic, whatever became of the gateway and the broker: `Vendor.taken` is what the
product is held to.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec

from agents.partitioner import partition_for
from schemas.codec import encode
from schemas.submissions import Correction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from agents.recordings.events import Event
    from schemas.submissions import Submission

LANES: Final = 4  # requests under way at once; one patient's sessions are handed in one after the other
MOST_ITEMS: Final = 60
MOST_BYTES: Final = 900_000
PATIENCE_S: Final = 15.0
MOST_WAIT_S: Final = 1.5  # whatever Retry-After says: an app that is in a hurry
ACCEPTED: Final = 202


class RefusedError(Exception):
    """The gateway will not have what is right; the text holds its answer."""


class Vendor:
    """A client of one gateway.

    Parameters
    ----------
    url
        Where the gateway is, also while it is not.
    tokens
        One for each lane: each has a quota of its own.

    Attributes
    ----------
    taken
        Id of each session and correction that was answered 202 -> the message.
    answers
        How often which answer came; None: no answer.
    longest_s
        From the first asking to the 202 [s].
    """

    def __init__(self, url: str, tokens: list[str]) -> None:
        self._url = url
        self._tokens = tokens
        self._waiting: list[deque[Submission | Correction]] = [deque() for _ in range(LANES)]
        self._more = [asyncio.Event() for _ in range(LANES)]
        self._open = 0
        self.taken: dict[UUID, Submission | Correction] = {}
        self.answers: Counter[int | None] = Counter()
        self.longest_s = 0.0

    async def run(self) -> None:
        """Hand in what there is, for ever."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as lanes:
            for lane in range(LANES):
                lanes.create_task(self._lane(http, lane))

    def put(self, events: Iterable[Event]) -> None:
        """Hand these in as soon as it is possible."""
        for event in events:
            message: Any = event.message
            lane = partition_for(message.patient.encode(), LANES)
            self._waiting[lane].append(message)
            self._more[lane].set()
            self._open += 1

    async def emptied(self) -> None:
        """Wait until everything was answered 202."""
        while self._open:  # noqa: ASYNC110 - several lanes end it
            await asyncio.sleep(0.1)

    async def _lane(self, http: aiohttp.ClientSession, lane: int) -> None:
        waiting = self._waiting[lane]
        while True:
            while waiting:
                batch = _batch(waiting)
                await self._insist(http, lane, batch)
                self._open -= len(batch)
            self._more[lane].clear()
            await self._more[lane].wait()

    async def _insist(self, http: aiohttp.ClientSession, lane: int, batch: list[Submission | Correction]) -> None:
        address = "corrections" if isinstance(batch[0], Correction) else "submissions"
        body = b"[" + b",".join(map(encode, batch)) + b"]" if len(batch) > 1 else encode(batch[0])
        headers = {"Authorization": f"Bearer {self._tokens[lane]}", "Content-Type": "application/json"}
        began = monotonic()
        while True:
            wait_s = 0.3
            try:
                async with http.post(f"{self._url}/v1/{address}", data=body, headers=headers) as answer:
                    said = await answer.read()
                    self.answers[answer.status] += 1
                    if answer.status == ACCEPTED:
                        self._take(batch, said)
                        self.longest_s = max(self.longest_s, monotonic() - began)
                        return
                    if answer.status < 500 and answer.status not in {408, 429}:
                        raise RefusedError(f"{answer.status} for {batch[0].patient}: {said[:300]!r}")
                    wait_s = min(MOST_WAIT_S, float(answer.headers.get("Retry-After", wait_s)))
            except (aiohttp.ClientError, TimeoutError, OSError):
                self.answers[None] += 1
            await asyncio.sleep(wait_s)

    def _take(self, batch: list[Submission | Correction], said: bytes) -> None:
        accepted = {str(one) for one in msgspec.json.decode(said)["accepted"]}
        for message in batch:
            if str(id_of(message)) not in accepted:
                raise RefusedError(f"202 that does not name {id_of(message)}")
            self.taken[id_of(message)] = message


def id_of(message: Submission | Correction) -> UUID:
    """What makes a repeat recognisable."""
    return message.correction_id if isinstance(message, Correction) else message.submission_id


def _batch(waiting: deque[Submission | Correction]) -> list[Submission | Correction]:
    """The next of one kind, not too many, not too large and none twice."""
    batch = [waiting.popleft()]
    size, ids = len(encode(batch[0])), {id_of(batch[0])}
    while waiting and len(batch) < MOST_ITEMS and type(waiting[0]) is type(batch[0]) and id_of(waiting[0]) not in ids:
        size += len(encode(waiting[0]))
        if size > MOST_BYTES:
            break
        ids.add(id_of(waiting[0]))
        batch.append(waiting.popleft())
    return batch
