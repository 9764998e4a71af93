"""The pages of a patient that nobody is known to have got yet: asked, asked again, asked differently, or dropped.

And under which id a red is first asked about: another each time it comes back, or receivers that know its page would
not ring.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.triage.ids import derive
from pipeline.triage.instants import to_ms
from pipeline.triage.state import ID_BYTES, OpenPage
from schemas.paging import PageAction, PageRequest

if TYPE_CHECKING:
    from uuid import UUID

    from pipeline.triage.rules import Rules
    from pipeline.triage.state import State
    from schemas.paging import Receipt

TAKEN_BACK: Final = 16  # reds of which it is known how often they were taken back; our choice
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(PageRequest)


class Pages:
    """Those of a state, while one event is taken.

    Attributes
    ----------
    asked
        What the event has asked for, in order.
    taken_back
        As it stands in a state.
    """

    def __init__(self, state: State) -> None:
        self._patient = state.patient
        self._open = dict(state.open_pages)
        self.asked: list[PageRequest] = []
        self.taken_back = state.taken_back

    def first(self, known: UUID) -> UUID:
        """The id of a red's first page: `known`, and another once the red was taken back.

        Derived from nothing but the red and how often that was, so it is the same ahead of its turn and in it.
        """
        times = self.taken_back.get(known.bytes[:ID_BYTES], 0)
        return derive("page-again", self._patient, known.hex, times) if times else known

    def take_back(self, known: UUID) -> None:
        """The red whose first page is `known` stands no more, or is none by now that would be paged."""
        counts, key = dict(self.taken_back), known.bytes[:ID_BYTES]
        counts[key] = counts.pop(key, 0) + 1
        self.taken_back = {one: counts[one] for one in list(counts)[-TAKEN_BACK:]}

    def ask(self, request: PageRequest) -> None:
        """Ask for a page, for as long as nobody says that it was delivered."""
        request = _same(request)
        self._open[request.page_id.bytes] = OpenPage(_packed(request))
        self.asked.append(request)

    def drop(self, page_id: bytes) -> None:
        """Ask no more for one page."""
        self._open.pop(page_id, None)

    def drop_all(self, episode_id: UUID, *actions: PageAction) -> list[PageRequest]:
        """Ask no more for what was told of an episode by these actions; what that was."""
        dropped = [(key, request) for key, request in self.of(episode_id) if request.action in actions]
        for key, _ in dropped:
            del self._open[key]
        return [request for _, request in dropped]

    def of(self, episode_id: UUID | None) -> list[tuple[bytes, PageRequest]]:
        """The open pages of an episode; of those that name none, as old ones, for None."""
        every = ((key, _decoder.decode(page.request)) for key, page in self._open.items())
        return [(key, request) for key, request in every if request.episode_id == episode_id]

    def find(self, page_id: bytes) -> PageRequest | None:
        """The newest request for an open page."""
        page = self._open.get(page_id)
        return None if page is None else _decoder.decode(page.request)

    def renew(self, page_id: bytes, request: PageRequest) -> None:
        """Ask for an open page, when it is asked for again, as it is known now."""
        self._open[page_id] = OpenPage(_packed(_same(request)), self._open[page_id].again_ms)

    def ask_again(self, now_ms: int) -> None:
        """Ask once more for whatever has failed and waited long enough."""
        for page in list(self._open.values()):
            if page.again_ms is not None and page.again_ms <= now_ms:
                request = _decoder.decode(page.request)
                self.ask(msgspec.structs.replace(request, ask=request.ask + 1))

    def delivered(self, page_id: bytes) -> bool:
        """Take the news that a page was; whether anybody waited for it."""
        return self._open.pop(page_id, None) is not None

    def failed(self, receipt: Receipt, rules: Rules) -> PageRequest | None:
        """Take the news that the newest ask of a page failed: the page; None where that is no news."""
        key = receipt.page_id.bytes
        page, request = self._open.get(key), self.find(key)
        if page is None or request is None or receipt.ask != request.ask or page.again_ms is not None:
            return None
        wait_ms = min(rules.ask_again_first_ms * 2 ** min(receipt.ask - 1, 16), rules.ask_again_most_ms)
        self._open[key] = OpenPage(page.request, to_ms(receipt.at) + wait_ms)
        return request

    def kept(self, most: int) -> dict[bytes, OpenPage]:
        """Those that stay open: the newest, and before all others those by which somebody must look."""
        if len(self._open) <= most:
            return self._open
        told = [key for key in self._open if not self._urgent(key)]
        gone = [*told, *(key for key in self._open if key not in told)][: len(self._open) - most]
        return {key: page for key, page in self._open.items() if key not in gone}

    def _urgent(self, key: bytes) -> bool:
        request = self.find(key)
        return request is not None and request.action is PageAction.TRIGGER


def _same(request: PageRequest) -> PageRequest:
    """The request whose bytes are the same after a restart: msgspec leaves a text out only where it is the default."""
    return msgspec.structs.replace(request, to=intern(request.to))


def _packed(request: PageRequest) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(request))
