"""A session's content on its way between message and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.triage import quality
from pipeline.triage.baseline import shorten
from pipeline.triage.instants import to_ms
from pipeline.triage.state import PLAIN, Body, Content, Given, More, Row
from schemas.submissions import Answer, EntryMode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.triage.rules import Rules
    from schemas.submissions import Reading

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Content)


class Names:
    """The names that stand once in a state, in the order in which they first occur."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self._places = {name: place for place, name in enumerate(self.names)}

    def place(self, name: str) -> int:
        """Where `name` stands; it is put last where it is new."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = len(self.names)
            self.names.append(name)
        return place

    def size(self) -> int:
        """How many characters the names take."""
        return sum(map(len, self.names))

    def moved(self, places: list[str], content: Content) -> Content:
        """`content`, whose names stand in `places`, as it is with these names."""
        return Content(
            sent=self._moved(places, content.sent),
            corrections=content.corrections,
            corrected_ms=content.corrected_ms,
            corrected_by=content.corrected_by,
            replacement=self._moved(places, content.replacement),
            first_ms=content.first_ms,
            on_behalf=content.on_behalf,
        )

    def _moved(self, places: list[str], body: Body | None) -> Body | None:
        if body is None:
            return None
        return Body(
            rows=tuple(
                msgspec.structs.replace(
                    row,
                    code=self.place(places[row.code]),
                    unit=self.place(places[row.unit]),
                    device=-1 if row.device < 0 else self.place(places[row.device]),
                )
                for row in body.rows
            ),
            answers=tuple(
                msgspec.structs.replace(
                    given, questionnaire=self.place(places[given.questionnaire]), link=self.place(places[given.link])
                )
                for given in body.answers
            ),
        )


def body(readings: Iterable[Reading], answers: Iterable[Answer], received_ms: int, names: Names) -> Body:
    """What was sent, in the state's form. Times are cut to milliseconds."""
    place = names.place
    return Body(
        rows=tuple(
            Row(
                place(reading.code),
                place(reading.unit),
                shorten(reading.value),
                received_ms - to_ms(reading.measured_at),
                -1 if reading.device is None else place(reading.device),
                _more(reading),
            )
            for reading in readings
        ),
        answers=tuple(
            Given(place(answer.questionnaire), answer.questionnaire_version, place(answer.link_id), answer.value)
            for answer in answers
        ),
    )


def _more(reading: Reading) -> More | None:
    context = reading.context
    more = More(
        reading.entry_mode is EntryMode.MANUAL,
        reading.attempt,
        None if context is None else context.oxygen_l_min,
        None if context is None else context.at_rest,
    )
    return None if more == PLAIN else more


def answers(given: Iterable[Given], names: list[str]) -> tuple[Answer, ...]:
    """The answers as they were sent."""
    return tuple(
        Answer(
            questionnaire=names[item.questionnaire],
            questionnaire_version=item.version,
            link_id=names[item.link],
            value=item.value,
        )
        for item in given
    )


def measured_ms(body: Body | None, received_ms: int, rules: Rules) -> int:
    """A session's own time: its latest measurement whose time can be true, else when it was received."""
    latest_ms = None
    for row in body.rows if body else ():
        at_ms = received_ms - row.before_ms
        if (latest_ms is None or at_ms > latest_ms) and quality.measured_when(at_ms, received_ms, rules) is None:
            latest_ms = at_ms
    return received_ms if latest_ms is None else latest_ms


def effective(content: Content) -> Body | None:
    """What holds: the replacement where there is one, nothing where it was entered in error."""
    return content.replacement if content.corrections else content.sent


def is_void(content: Content) -> bool:
    """Whether the session was entered in error."""
    return effective(content) is None


def pack(content: Content) -> msgspec.Raw:
    """The content's bytes; of most there is only what was sent, and a reader takes the rest to be as by default."""
    as_sent = not content.corrections and content.on_behalf is None
    return msgspec.Raw(_encoder.encode((content.sent,) if as_sent else content))


def unpack(raw: msgspec.Raw) -> Content:
    """The content in the bytes."""
    return _decoder.decode(raw)
