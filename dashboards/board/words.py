"""What the board says, in Norwegian (bokmål) and English. A missing word shows as its code, never as nothing."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from schemas.types import Zone

Lang = Literal["nb", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("nb", "en")

_WORDS: Final = msgspec.json.decode(
    (resources.files(__package__) / "words.json").read_bytes(), type=dict[str, tuple[str, str]]
)
_MONTHS: Final[dict[Lang, tuple[str, ...]]] = {
    "nb": ("jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def word(key: str, lang: Lang) -> str:
    """Return the text of `key`; an unknown one shows as its own code, so that nothing goes unsaid."""
    texts = _WORDS.get(key)
    return texts[LANGUAGES.index(lang)] if texts else key.partition(".")[2].replace("_", " ") or key


def known(key: str) -> bool:
    """Whether there is a text of `key`."""
    return key in _WORDS


def keys() -> frozenset[str]:
    """Return every key that there is a text of."""
    return frozenset(_WORDS)


def zone_word(zone: Zone, lang: Lang) -> str:
    """Return the zone's name."""
    return word(f"zone.{zone.value}", lang)


def vital_word(name: str, lang: Lang) -> str:
    """Return a vital sign in words."""
    return word(f"vital.{name}", lang)


def day_word(day: int, month: int, lang: Lang) -> str:
    """Return a day of the year, without the year."""
    return f"{day}. {_MONTHS[lang][month - 1]}" if lang == "nb" else f"{day} {_MONTHS[lang][month - 1]}"
