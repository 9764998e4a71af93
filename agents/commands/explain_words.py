"""The words of `sonevakt explain` around the reasons, with dates and times in the form of the language."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schemas.assessments import EpisodeState
from schemas.types import Phase

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from pipeline.triage.explain import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "nb": {
        "status": "Pasienten",
        "since": "siden",
        "phase": "Fase",
        "episode": "Episode siden",
        "registration": "Registrering",
        "plan": "plan",
        "no_plan": "ingen plan",
        "rules": "regler",
        "service": "Tjeneste",
        "no_service": "ingen tjeneste",
        "revision": "revisjon",
        "assessment": "vurdering",
        "self_care": "Egne tiltak i planen",
        "none": "Ingenting var kjent om pasienten da.",
        "came_last": "Det som kom sist, målt før den nyeste registreringen:",
        "same": "det samme",
        "differs": "Avgjort da etter regler {then}: {then_zone}. Etter dagens regler ({now}): {now_zone}.",
        "another": (
            "Den nyeste vurderingen som ble sagt da, etter regler {then}, er av en annen registrering enn den nyeste"
            " etter dagens regler ({now})."
        ),
        "told_then": "Slik det ble sagt da:",
        "by_today": "Regnet ut på nytt etter dagens regler ({rules}):",
        "as_then": "Avgjort da etter regler {rules}, og det samme etter dagens.",
        "not_in_log": ("Loggen har ingen vurdering fra da; dette er regnet ut på nytt etter dagens regler ({rules})."),
        "only_sent": "Regnet ut av det som ble sendt, etter dagens regler ({rules}).",
    },
    "en": {
        "status": "The patient",
        "since": "since",
        "phase": "Phase",
        "episode": "Episode since",
        "registration": "Registration",
        "plan": "plan",
        "no_plan": "no plan",
        "rules": "rules",
        "service": "Service",
        "no_service": "no service",
        "revision": "revision",
        "assessment": "assessment",
        "self_care": "The plan's own measures",
        "none": "Nothing was known of the patient then.",
        "came_last": "What came last, measured before the newest registration:",
        "same": "the same",
        "differs": "Decided then under rules {then}: {then_zone}. By today's rules ({now}): {now_zone}.",
        "another": (
            "The newest assessment that was told then, under rules {then}, is of another registration than the newest"
            " by today's rules ({now})."
        ),
        "told_then": "As it was told then:",
        "by_today": "Worked out again by today's rules ({rules}):",
        "as_then": "Decided then under rules {rules}, and the same by today's.",
        "not_in_log": "The log holds no assessment of then; this is worked out again by today's rules ({rules}).",
        "only_sent": "Worked out from what was sent, by today's rules ({rules}).",
    },
}
PHASES: Final[dict[Phase, dict[Language, str]]] = {
    Phase.REFERRAL: {"nb": "henvist", "en": "referral"},
    Phase.START_UP: {"nb": "oppstart med prøvetid", "en": "start-up trial"},
    Phase.FOLLOW_UP: {"nb": "oppfølging", "en": "follow-up"},
    Phase.EVALUATION: {"nb": "evaluering", "en": "evaluation"},
    Phase.ENDED: {"nb": "avsluttet", "en": "ended"},
}
EPISODES: Final[dict[EpisodeState, dict[Language, str]]] = {
    EpisodeState.OPENED: {"nb": "åpen, ikke kvittert", "en": "open, not acknowledged"},
    EpisodeState.WORSENED: {"nb": "forverret, ikke kvittert", "en": "worsened, not acknowledged"},
    EpisodeState.ACKNOWLEDGED: {"nb": "kvittert", "en": "acknowledged"},
    EpisodeState.LEAVING: {"nb": "på vei ut: én registrering er grønn", "en": "leaving: one registration is green"},
}
_MONTHS: Final[dict[Language, tuple[str, ...]]] = {
    "nb": (
        *("januar", "februar", "mars", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "desember"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_HOUR: Final = timedelta(hours=1)


def moment(at: datetime, zone: tzinfo, language: Language) -> str:
    """An instant by the patient's clock, with how far that is from UTC."""
    local = at.astimezone(zone)
    month = _MONTHS[language][local.month - 1]
    offset = _offset(local.utcoffset() or timedelta(0))
    if language == "nb":
        return f"{local.day}. {month} {local.year} kl. {local:%H.%M} ({offset})"
    return f"{local.day} {month} {local.year} at {local:%H:%M} ({offset})"


def _offset(offset: timedelta) -> str:
    """As in UTC+2, or UTC+5:30."""
    if not offset:
        return "UTC"
    sign = "+" if offset > timedelta(0) else "\N{MINUS SIGN}"
    hours, rest = divmod(abs(offset), _HOUR)
    minutes = rest // timedelta(minutes=1)
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
