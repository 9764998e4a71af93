"""The zone that a patient is in, and every way from one to another. Only green says that all is as it should be.

Words as for episodes, and s silence until a registration is overdue, p a pause from then on, e the end of that pause.
The diagram is made by walking, and leaves out what keeps a patient in a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from schemas.care import Paused
from schemas.paging import Tick
from tests.histories import PATIENT, at, named
from tests.spec.test_episodes import Course

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID: Final = {
    "g": "green",
    "y": "yellow",
    "r": "red",
    "x": "cannot be judged",
    "u": "cannot be read",
    "s": "silence",
    "p": "pause",
    "e": "end of a pause",
    "a": "acknowledged",
}
PAUSE_H: Final = 6
SILENCE_H: Final = 24 * 10


class Patient(Course):
    """A course with silence and pauses."""

    def go(self, words: str) -> Patient:
        for word in words.split():
            if word == "s":
                self.hours += SILENCE_H
                self.take(Tick(at=at(self.hours)))
            elif word == "p":
                begin = at(self.hours)
                ends = at(self.hours + PAUSE_H)
                self.take(
                    Paused(
                        event_id=named(f"p-{self.hours}"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=ends
                    )
                )
                self.hours += 1
            elif word == "e":
                self.hours += PAUSE_H
                self.take(Tick(at=at(self.hours)))
            else:
                super().go(word)
        return self

    def zone(self) -> str:
        return "no_data" if self.status is None else self.status.zone.value


BEFORE: Final = ("", "g", "y", "y g", "r", "r g", "r a", "r a g", "s", "u", "r u", "y u", "p", "g p", "r p", "y p")


def edges() -> Iterator[tuple[str, str, str]]:
    """What each kind of news makes of a patient who has come so far."""
    for way in BEFORE:
        here = Patient().go(way)
        for word, said in SAID.items():
            paused = way.endswith("p")
            if (word == "a" and not here.changes) or paused is not (word == "e"):
                continue
            yield here.zone(), Patient().go(f"{way} {word}").zone(), said


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("", "no_data"),  # a plan, and nothing heard yet
        ("g", "green"), ("y", "yellow"), ("r", "red"), ("x", "no_data"), ("u", "not_monitored"),
        ("s", "no_data"), ("p", "not_monitored"), ("p e", "no_data"),
        ("g s", "no_data"), ("g x", "no_data"), ("g u", "not_monitored"),
        ("g p", "not_monitored"), ("g p e", "no_data"),
        ("g s g", "green"), ("g s x", "no_data"), ("g s r", "red"), ("g u g", "green"), ("g p e g", "green"),
        ("y s", "yellow"), ("y x", "yellow"), ("y u", "not_monitored"), ("y p", "not_monitored"), ("y p e", "yellow"),
        ("r s", "red"), ("r x", "red"), ("r u", "not_monitored"), ("r p", "not_monitored"), ("r p e", "red"),
        ("r u g", "red"), ("r p g", "not_monitored"), ("r p e g", "red"), ("r s g", "red"), ("r a s g", "yellow"),
        ("y u s", "not_monitored"), ("u s", "not_monitored"),
        # What cannot be judged tells nothing of how the patient is, and does not end that nobody can tell.
        ("u x", "not_monitored"), ("g u x", "not_monitored"), ("g u x g", "green"), ("g u x s", "not_monitored"),
        ("y u x", "yellow"), ("r u x", "red"), ("g p x", "not_monitored"), ("r p x", "not_monitored"),
        ("r p x e", "red"),
    ],
)  # fmt: skip
def test_every_zone_after_every_kind_of_news(words: str, zone: str) -> None:
    assert Patient().go(words).zone() == zone


@pytest.mark.parametrize(
    ("words", "zones"),
    [
        ("g r", "no_data green red"),
        ("r p", "no_data red not_monitored"),
        ("r p g", "no_data red not_monitored"),  # what comes in a pause brings no zone back
        ("r p r", "no_data red not_monitored"),
        ("r p g e", "no_data red not_monitored red"),
        ("r u g", "no_data red not_monitored red"),
        ("g u x g", "no_data green not_monitored green"),
    ],
)
def test_every_change_of_zone_is_told_once(words: str, zones: str) -> None:
    assert [change.to_zone.value for change in Patient().go(words).changes] == zones.split()
