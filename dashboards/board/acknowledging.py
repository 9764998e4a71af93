"""The page behind the link in a page: who it is about, since when, and a form to take the patient over. No script."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dashboards.board.words import LANGUAGES, day_word, zone_word
from schemas.care import AlertReason

if TYPE_CHECKING:
    from datetime import datetime

    from dashboards.board.words import Lang
    from schemas.care import Acknowledged
    from schemas.paging import PageRequest

REASONS: Final = tuple(reason.value for reason in AlertReason if reason is not AlertReason.NOT_SAID)
_STYLE: Final = (resources.files(__package__) / "acknowledging.css").read_text(encoding="utf-8")
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_FORM: Final = ("open", "unsaid", "unconfirmed")  # where it can be tried, or tried again
_SHOWN: Final = (*_FORM, "done", "used", "test")  # where it says who it is about
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Kvittering", "Acknowledgement"),
    "open": ("Noen må se på denne pasienten", "Somebody must look at this patient"),
    "done": ("Du har kvittert", "You have acknowledged"),
    "test": ("Dette var et prøvevarsel", "This was a test page"),
    "forged": ("Lenken er ikke gyldig", "The link is not valid"),
    "behind": ("Tavlen har ikke hørt om varselet ennå", "The board has not heard of this alert yet"),
    "expired": ("Lenken er utløpt", "The link has expired"),
    "retracted": ("Varselet er over", "The alert is over"),
    "late": ("Pasienten er blitt verre siden", "The patient has become worse since"),
    "used": ("Noen har kvittert allerede", "Somebody has acknowledged already"),
    "unsaid": ("Ikke kvittert ennå", "Not acknowledged yet"),
    "elsewhere": ("Skjemaet kom fra et annet sted", "The form came from somewhere else"),
    "unconfirmed": ("Ikke kvittert: prøv igjen", "Not acknowledged: try again"),
    "open.more": (
        "Kvitter når du har sett på pasienten og tar ansvar for oppfølgingen.",
        "Acknowledge once you have looked at the patient and take responsibility.",
    ),
    "done.more": ("Ingen andre varsles om dette.", "Nobody else is paged about this."),
    "test.more": ("Ingen pasient er syk, og lenken virker.", "No patient is ill, and the link works."),
    "forged.more": ("Åpne tavlen, eller bruk lenken slik den kom.", "Open the board, or use the link as it came."),
    "behind.more": ("Prøv igjen om et øyeblikk.", "Try again in a moment."),
    "expired.more": ("Den gjelder i 24 timer. Åpne tavlen.", "It is valid for 24 hours. Open the board."),
    "retracted.more": (
        "Det er trukket tilbake eller avsluttet, og det er ingenting å kvittere.",
        "It was taken back or has ended, and there is nothing to acknowledge.",
    ),
    "late.more": (
        "Denne lenken gjelder et tidligere varsel. Bruk lenken i det nyeste, eller åpne tavlen.",
        "This link is about an earlier alert. Use the link in the newest one, or open the board.",
    ),
    "used.more": ("Det er ikke nødvendig å gjøre mer her.", "There is nothing more to do here."),
    "unsaid.more": (
        "Velg en grunn. Notatet kan ha 500 tegn og ingen fødselsnummer.",
        "Choose a reason. The note takes 500 characters and no national number.",
    ),
    "elsewhere.more": ("Åpne lenken på nytt, og kvitter der.", "Open the link again, and acknowledge there."),
    "unconfirmed.more": (
        "Meldingssystemet svarte ikke. Varslingen går videre til noen har kvittert.",
        "The message system did not answer. Paging goes on until somebody has acknowledged.",
    ),
    "patient": ("Pasient", "Patient"),
    "zone": ("Sone", "Zone"),
    "since": ("Siden", "Since"),
    "service": ("Tjeneste", "Service"),
    "by": ("Kvittert av", "Acknowledged by"),
    "reason": ("Hva fant du?", "What did you find?"),
    "reason.true": ("Varselet var riktig", "The alert was right"),
    "reason.exacerbation": ("Varselet var riktig: forverring", "The alert was right: exacerbation"),
    "reason.technique": ("Målt feil", "Measured wrongly"),
    "reason.device": ("Feil på utstyret", "Faulty equipment"),
    "reason.already-known": ("Kjent fra før", "Already known"),
    "reason.other": ("Annet", "Other"),
    "note": ("Notat (uten navn)", "Note (no names)"),
    "board": ("Åpne tavlen", "Open the board"),
    "send": ("Kvitter", "Acknowledge"),
}


def render(  # noqa: PLR0913 - each is one thing that the page shows
    standing: str,
    lang: Lang,
    *,
    page: PageRequest | None = None,
    service: str | None = None,
    zone: str = "Europe/Oslo",
    by: Acknowledged | None = None,
    board: str | None = None,
) -> str:
    """Return the whole page.

    Parameters
    ----------
    standing
        What the link is good for: one of the words above.
    page
        What it is about, where that is known and may be told.
    service
        The service's name.
    zone
        The service's time zone.
    by
        Who has acknowledged, where somebody has.
    board
        Where the triage list is.
    """
    facts = _facts(standing, lang, page, service, ZoneInfo(zone), by)
    form = _form(lang) if standing in _FORM and page is not None else ""
    on = "" if board is None else f'<p><a href="{escape(board)}">{_t("board", lang)}</a></p>\n'
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{_t("title", lang)} - Sonevakt</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_t(standing, lang)}</h1>
<p>{_t(f"{standing}.more", lang)}</p>
{facts}{form}{on}</main>
</body>
</html>
"""


def _facts(  # noqa: PLR0913, PLR0917 - what may be shown
    standing: str, lang: Lang, page: PageRequest | None, service: str | None, tz: ZoneInfo, by: Acknowledged | None
) -> str:
    if page is None or standing not in _SHOWN:
        return ""
    shown = [
        ("patient", escape(page.patient)),
        ("zone", escape(zone_word(page.zone, lang))),
        ("since", _when(page.at, tz, lang)),
        ("service", escape(service or page.service)),
    ]
    if by is not None:
        shown.append(("by", f"{escape(by.by)}, {_when(by.at, tz, lang)}"))
    rows = "".join(f"<dt>{_t(key, lang)}</dt><dd>{text}</dd>" for key, text in shown)
    return f'<dl class="{page.zone.value}">{rows}</dl>\n'


def _form(lang: Lang) -> str:
    choices = "".join(
        f'<label><input type="radio" name="reason" value="{reason}" required> {_t(f"reason.{reason}", lang)}</label>\n'
        for reason in REASONS
    )
    return f"""<form method="post">
<fieldset><legend>{_t("reason", lang)}</legend>
{choices}</fieldset>
<label for="note">{_t("note", lang)}</label>
<textarea id="note" name="note" maxlength="500" rows="3"></textarea>
<button type="submit">{_t("send", lang)}</button>
</form>
"""


def _when(at: datetime, tz: ZoneInfo, lang: Lang) -> str:
    local = at.astimezone(tz)
    return f'<time datetime="{at.isoformat()}">{escape(day_word(local.day, local.month, lang))} {local:%H:%M}</time>'


def _t(key: str, lang: Lang) -> str:
    return escape(_WORDS[key][LANGUAGES.index(lang)])
