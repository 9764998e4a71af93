"""What dashboards for nurses and analysts say, in Norwegian (bokmål) and English. Operators read English."""

from __future__ import annotations

from importlib import resources
from typing import Final, NamedTuple

import msgspec

from dashboards.board import words as board
from dashboards.board.words import LANGUAGES, Lang
from dashboards.grafana.panels import Said

_WORDS: Final = msgspec.json.decode(
    (resources.files(__package__) / "words.json").read_bytes(), type=dict[str, tuple[str, str]]
)

VITALS: Final = {  # as the store's tag `vital` names them, with their UCUM units
    "systolic": "mm[Hg]",
    "diastolic": "mm[Hg]",
    "heart_rate": "/min",
    "spo2": "%",
    "temperature": "Cel",
    "weight": "kg",
    "respiratory_rate": "/min",
    "glucose": "mmol/L",
    "fev1": "L",
    "pef": "L/min",
}


def begun(text: str) -> str:
    """Return a text with a capital at its beginning, as what stands alone has it."""
    return text[:1].upper() + text[1:]


class Words(NamedTuple):
    """The words of one language."""

    lang: Lang

    def of(self, key: str) -> str:
        """Return the text of `key`: our own, else the board's; raises KeyError where neither has it."""
        if key in _WORDS:
            return _WORDS[key][LANGUAGES.index(self.lang)]
        if board.known(key):
            return board.word(key, self.lang)
        raise KeyError(key)

    def all(self, prefix: str) -> dict[str, str]:
        """Return every word that begins with `prefix.`, ours and the board's, by what follows it."""
        begin = f"{prefix}."
        every = sorted({*_WORDS, *board.keys()})
        return {key.removeprefix(begin): self.of(key) for key in every if key.startswith(begin)}

    def rules(self) -> dict[str, str]:
        """Return the rules in words."""
        return self.all("rule")

    def vitals(self) -> dict[str, str]:
        """Return the vital signs in words; none has none."""
        return {name: self.of(f"vital.{name}") for name in VITALS} | {"none": ""}

    def questions(self) -> dict[str, str]:
        """Return what our own pathways ask for, in a few words each."""
        return self.all("question")

    def said_of_events(self) -> dict[str, str]:
        """Return what care events say beside their kind in words: phases, equipment, contacts, reasons."""
        found: dict[str, str] = {}
        for prefix in ("phase", "equipment", "contact", "emergency", "reason", "admission"):
            found |= self.all(prefix)
        return found

    def vital(self, name: str) -> str:
        """Return a vital sign and its unit, as the title of a chart."""
        text = self.of(f"vital.{name}")
        return f"{begun(text)} [{self.of(f'unit.{VITALS[name]}')}]"

    def said(self, panel: str) -> Said:
        """Return title and description of a panel."""
        return Said(self.of(f"{panel}.title"), self.of(f"{panel}.says"))


def keys() -> frozenset[str]:
    """Return every key of our own."""
    return frozenset(_WORDS)
