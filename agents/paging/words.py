"""What a person reads in a page: who, in which zone, in which service, and where to go on. In bokmål or English.

Never a value, a name, or a rule that would tell the illness: a page lies on a telephone's locked screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.board.words import LANGUAGES, zone_word
from schemas.paging import PageAction

if TYPE_CHECKING:
    from agents.paging.notice import Notice
    from schemas.services import Language

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "test": ("TEST, ingen pasient:", "TEST, no patient:"),
    "trigger": ("pasient {patient} i {service}. Noen må se på det.", "patient {patient} in {service}. Please look."),
    "again": (" Ingen har kvittert.", " Nobody has acknowledged."),
    "acknowledge": (
        "pasient {patient} i {service} er kvittert.",
        "patient {patient} in {service} is acknowledged.",
    ),
    "resolve": ("pasient {patient} i {service}: varselet er over.", "patient {patient} in {service}: it is over."),
    "group": (
        "{patients} pasienter i {service} må ses på. Alle står på tavlen.",
        "{patients} patients in {service} need somebody to look. All are on the board.",
    ),
    "title": ("Varsel", "Alert"),
}
SERVICE_LENGTH: Final = 60  # of the name, so that a message by SMS stays whole [characters]; our choice


def said(notice: Notice) -> str:
    """Return the notice in one sentence or two, without its link."""
    language = notice.service.language
    page = notice.first
    service = _short(notice.service.name)
    if notice.grouped:
        text = _word("group", language).format(patients=len(notice.patients), service=service)
    else:
        text = _word(page.action.value, language).format(patient=page.patient, service=service)
        if page.action is PageAction.TRIGGER and page.step > 0:
            text += _word("again", language)
    zone = zone_word(notice.zone, language).upper()
    marked = f"{_word('test', language)} " if page.test else ""
    return f"{marked}{zone}: {text}"


def with_link(notice: Notice) -> str:
    """Return the notice and, on a line of its own, its link."""
    return said(notice) if notice.link is None else f"{said(notice)}\n{notice.link}"


def title(notice: Notice) -> str:
    """Return the heading for ways that have one, as e-mail."""
    marked = "TEST " if notice.first.test else ""
    return f"{marked}Sonevakt: {_word('title', notice.service.language).lower()}"


def _short(name: str) -> str:
    return name if len(name) <= SERVICE_LENGTH else f"{name[: SERVICE_LENGTH - 3]}..."


def _word(key: str, language: Language) -> str:
    return _WORDS[key][LANGUAGES.index(language)]
