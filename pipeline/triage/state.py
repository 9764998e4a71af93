"""What is kept of a patient: the history that decisions are a function of, in as few bytes as it takes.

A state is written to Kafka at every submission, so it is an array without field names; codes, devices and question
ids stand once in `names`. Whatever in it could be worked out from the history (series, marks) is kept so that a
registration that comes in its turn needs no look at the others. Thousands of states lie in memory: their frozen structs
cannot refer back to themselves, so the garbage collector is told not to look into them.

A new field stands last and has a default, so that older states are read. A reader drops the fields that it does not
know, and writes the state back without them: so every new field needs a new `STATE_VERSION`, which an older reader
refuses. tests/earlier holds what each version wrote, for ever.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from pipeline.triage.baseline import Series, Track
from pipeline.triage.ids import derive
from pipeline.triage.zones import SEVERITY
from schemas.codec import UNREADABLE
from schemas.paging import PageCause
from schemas.submissions import OnBehalf
from schemas.types import Zone

STATE_VERSION: Final = 4  # written; every earlier one is read
ID_BYTES: Final = 8  # of an id that is random, enough to know it among a patient's own
NEVER: Final = -(2**62)  # before every instant [ms]


class More(Struct, frozen=True, array_like=True, gc=False):
    """What is told of few readings."""

    manual: bool = False
    attempt: int = 1
    oxygen_l_min: float | None = None
    at_rest: bool | None = None


PLAIN: Final = More()


class Row(Struct, frozen=True, array_like=True, gc=False):
    """One reading as it was sent. `code`, `unit` and `device` are places in the state's `names`."""

    code: int
    unit: int
    value: float | int
    before_ms: int  # measured so long before the session was received
    device: int = -1
    more: More | None = None


class Given(Struct, frozen=True, array_like=True, gc=False):
    """One answer as it was sent; names as in Row."""

    questionnaire: int
    version: int
    link: int
    value: int | bool | str


class Body(Struct, frozen=True, array_like=True, gc=False):
    """What one submission, or its replacement, holds."""

    rows: tuple[Row, ...]
    answers: tuple[Given, ...]


class Content(Struct, frozen=True, array_like=True, gc=False):
    """A session's whole content: as first sent, and as corrected by the latest correction."""

    sent: Body | None  # None: only a correction of it has come so far
    corrections: tuple[bytes, ...] = ()  # ids
    corrected_ms: int = 0  # when the latest of them was recorded
    corrected_by: bytes = b""
    replacement: Body | None = None  # None with corrections: entered in error
    first_ms: int | None = None  # the earliest time that any of the corrections gave the session
    on_behalf: OnBehalf | None = None  # staff entered it


class Session(Struct, frozen=True, array_like=True, gc=False):
    """One submission in the history. `content` is read only where something before it has changed."""

    id: bytes
    at_ms: int
    after_ms: int  # received so long after that
    day: int  # patient-local
    corrected: int  # number of corrections
    moved_ms: int  # how far that lies behind the earliest of its times, as sent and as ever corrected
    content: Raw

    @property
    def received_ms(self) -> int:
        """When it was received."""
        return self.at_ms + self.after_ms

    @property
    def from_ms(self) -> int:
        """The earliest of its times."""
        return self.at_ms - self.moved_ms


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """The patient came into a zone; or is red again, and that is the first of it that is paged."""

    at_ms: int
    zone: int  # severity
    session: bytes = b""  # empty: time or a care event
    paged: bool = False


class Episode(Struct, frozen=True, array_like=True, gc=False):
    """The patient's open episode, see episodes."""

    zone: int  # severity
    opened_ms: int
    worsened_ms: int
    change: bytes  # the zone change that an acknowledgement must name
    acknowledged: bool = False
    greens: int = 0  # green registrations in a row
    reasons: Raw = Raw(b"\x90")  # of its newest registration in its zone


class OpenPage(Struct, frozen=True, array_like=True, gc=False):
    """A page that nobody is known to have got yet."""

    request: Raw  # the newest request for it
    again_ms: int | None = None  # ask again from then on: the newest ask failed


class Asked(Struct, frozen=True, array_like=True, gc=False):
    """A duty that was asked to look, and whom that reached."""

    service: str
    to: str
    by: str | None = None
    contact: str | None = None  # None: nobody is known to have got it
    page: bytes = b""  # the first ID_BYTES of the id of the newest page that asked, until it is known whom that reached


class Climb(Struct, frozen=True, array_like=True, gc=False):
    """A red that people were asked to look at: how far up the ladder that has come, and whom to tell of its end."""

    episode_ms: int  # when its episode had opened, as was known at its first page: all its pages name that
    change: bytes  # the zone change that the pages are about
    at_ms: int  # of that change
    asked_ms: int  # when the first page of this climb was asked: the steps count from here
    session: bytes = b""  # of that change
    service: str = ""  # whose ladder it is; empty: of a state that does not say it
    step: int = 0  # the last that was asked
    times: int = 0  # that so often the last step of all was asked again
    last_ms: int = NEVER  # when that was due
    next_ms: int | None = None  # when the next is; None: somebody has acknowledged
    newest: bytes = b""  # the last page
    asked: tuple[Asked, ...] = ()
    before: tuple[Asked, ...] = ()  # asked in the same episode before it became worse
    causes: tuple[PageCause, ...] = ()
    incidents: tuple[bytes, ...] = ()  # what its pages and those before it in the episode are known by, newest last


class Base(Struct, frozen=True, array_like=True, gc=False):
    """Where the walk over the kept history starts: what the history before it came to."""

    from_day: int = 0  # every session of this day and later is kept; 0: nothing was ever forgotten
    events: int = 0  # weight of what was forgotten
    zone: int = 4  # severity
    since_ms: int = 0  # in the zone since
    decided_ms: int = NEVER
    last_ms: int = NEVER  # the newest session
    due_ms: int | None = None
    overdue_ms: int | None = None
    tracks: dict[int, Track] = {}  # by vital index
    alert_ms: int = NEVER  # the newest registration in yellow or red
    near_ms: int = NEVER  # the newest with a value near a limit or beyond it
    episode: Episode | None = None
    paged: bool = False  # somebody was asked to be paged for that zone


class State(Struct, frozen=True, array_like=True, gc=False):
    """One patient. Whatever the order in which the events came, the same events end in the same state."""

    version: int
    patient: str
    care: bytes = b""  # encoded events, see standing
    clock_ms: int = NEVER  # time has come to here
    decided_ms: int = NEVER  # everything up to here stands in marks
    last_ms: int = NEVER  # the newest session
    due_ms: int | None = None
    overdue_ms: int | None = None
    unreadable_ms: int = NEVER  # when a message came that could not be read, while many could not
    base: Base = Base()
    next_base: Base | None = None  # the base to be, once the history is too long
    names: tuple[str, ...] = ()
    series: dict[int, Series] = {}
    marks: tuple[Mark, ...] = ()
    sessions: tuple[Session, ...] = ()
    sessions_bytes: int = 0  # of their contents
    sessions_weight: int = 0  # events that they stand for
    forgotten: bytes = b""  # the first ID_BYTES of the newest forgotten sessions' ids, one after the other
    open_pages: dict[bytes, OpenPage] = {}  # by page id
    pending: dict[bytes, Raw] = {}  # corrections whose submission has not come
    reasons: Raw = Raw(b"\x90")  # why the patient is in the newest mark's zone
    alert_ms: int = NEVER  # the newest registration in yellow or red
    near_ms: int = NEVER  # the newest with a value near a limit or beyond it
    episode: Episode | None = None
    climb: Climb | None = None  # see ladder
    taken_back: dict[bytes, int] = {}  # of a red's first page, the first ID_BYTES -> how often it was taken back


class UnreadableStateError(ValueError):
    """A stored state that this version cannot read."""


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(State)


def encode(state: State) -> bytes:
    """MessagePack bytes of `state`."""
    return _encoder.encode(state)


def decode(raw: bytes) -> State:
    """The state in `raw`, written by this version or an earlier one; raises UnreadableStateError."""
    try:
        state = _decoder.decode(raw)
    except UNREADABLE:
        raise UnreadableStateError("not a state of this version") from None
    if not 1 <= state.version <= STATE_VERSION:
        raise UnreadableStateError("a state of a newer version")
    if state.version == 1:
        state = _of_version_1(state)
    if state.version == 2:  # noqa: PLR2004 - a version
        state = _of_version_2(state)
    # Version 3 knew no plan that asks for answers.
    return state if state.version == STATE_VERSION else msgspec.structs.replace(state, version=STATE_VERSION)


def _of_version_2(state: State) -> State:
    """A state whose pages know one incident for each episode, by the episode's own id."""
    climb = state.climb
    if climb is not None:
        own = derive("episode", state.patient, climb.episode_ms).bytes
        climb = msgspec.structs.replace(climb, incidents=(own,))
    return msgspec.structs.replace(state, version=3, climb=climb)


def _of_version_1(state: State) -> State:
    """A state that knows no ladder: a red that was paged and not acknowledged stands on the first step of one.

    When it was asked is not known, so the steps count from the newest that is.
    """
    climb, episode = None, state.episode
    if episode is not None and episode.zone == SEVERITY[Zone.RED] and not episode.acknowledged:
        marks = [mark for mark in state.marks if (mark.at_ms, mark.zone) == (episode.worsened_ms, episode.zone)]
        if any(mark.paged for mark in marks) or (not marks and state.base.paged):
            climb = Climb(
                episode_ms=episode.opened_ms,
                change=episode.change,
                at_ms=episode.worsened_ms,
                asked_ms=state.clock_ms,
                session=marks[-1].session if marks else b"",
                last_ms=state.clock_ms,
                next_ms=state.clock_ms,
            )
    return msgspec.structs.replace(state, version=2, climb=climb)
