"""What the board says, in Norwegian (bokmål) and English. A missing word shows as its code, never as nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from schemas.types import Zone

Lang = Literal["nb", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("nb", "en")

_WORDS: Final[dict[str, tuple[str, str]]] = {
    # page
    "title": ("Triageliste", "Triage list"),
    "updated": ("Oppdatert", "Updated"),
    "patients": ("pasienter", "patients"),
    "one_patient": ("pasient", "patient"),
    "other_language": ("English", "Norsk"),
    "no_rows": ("Ingen pasienter følges opp ennå.", "No patients are followed yet."),
    "skip": ("Gå til listen", "Skip to the list"),
    "disclaimer": (
        "Beslutningsstøtte for helsepersonell. Ikke et sertifisert medisinsk utstyr.",
        "Decision support for health personnel. Not a certified medical device.",
    ),
    "stale": (
        "Listen er ikke oppdatert: ingen kontakt med meldingssystemet. Kontakt drift, og følg rutinen for bortfall.",
        "The list is not up to date: no contact with the message system. Call operations and follow the fallback plan.",
    ),
    "offline": (
        "Listen er ikke oppdatert: ingen kontakt med tavlen siden",
        "The list is not up to date: no contact with the board since",
    ),
    "unreadable": (
        "Pasienter med status som ikke kan leses, og som kan være feil her. Kontakt drift. Antall:",
        "Patients whose status cannot be read and may be wrong here. Call operations. Number:",
    ),
    "ended": ("avsluttet, ikke vist", "ended, not shown"),
    # columns
    "zone": ("Sone", "Zone"),
    "patient": ("Pasient", "Patient"),
    "pathway": ("Forløp", "Pathway"),
    "service": ("Tjeneste", "Service"),
    "since": ("Siden", "Since"),
    "last": ("Siste registrering", "Last registration"),
    "due": ("Neste frist", "Next due"),
    "reasons": ("Grunner", "Reasons"),
    # marks
    "overdue_mark": ("over fristen", "overdue"),
    "never": ("ingen ennå", "none yet"),
    "learning": ("lærer", "learning"),
    "stale_baseline": ("utdatert normal", "outdated normal"),
    "page_open": ("varsel ikke levert", "page not delivered"),
    "limit": ("grense", "limit"),
    "normal": ("normal", "normal"),
    # zones
    "zone.red": ("rød", "red"),
    "zone.yellow": ("gul", "yellow"),
    "zone.no_data": ("mangler data", "no data"),
    "zone.not_monitored": ("ikke overvåket", "not monitored"),
    "zone.green": ("grønn", "green"),
    # rules
    "rule.limit_low": ("på eller under grensen", "at or below the limit"),
    "rule.limit_high": ("på eller over grensen", "at or above the limit"),
    "rule.deviation": ("langt fra egen normal", "far from own normal"),
    "rule.deviation_repeated": ("fra egen normal to ganger på rad", "away from own normal twice in a row"),
    "rule.deviations_together": ("flere mål avviker samtidig", "several vitals deviate together"),
    "rule.quality": ("målingen kan ikke brukes alene", "the measurement cannot be used alone"),
    "rule.nothing_to_judge": ("ingenting å vurdere", "nothing to judge"),
    "rule.within_limits": ("innenfor grensene", "within limits"),
    "rule.not_monitored": ("ikke overvåket", "not monitored"),
    "rule.overdue": ("registrering uteblitt", "registration missing"),
    "rule.awaiting_registration": ("venter på første registrering", "awaiting the first registration"),
    "rule.entered_in_error": ("registrert ved en feil", "entered in error"),
    # details
    "detail.not_enrolled": ("ikke innskrevet", "not enrolled"),
    "detail.no_plan": ("ingen plan", "no plan"),
    "detail.paused": ("pause", "paused"),
    "detail.referral": ("henvist", "referred"),
    "detail.ended": ("avsluttet", "ended"),
    "detail.plan_contradicts_itself": ("planen motsier seg selv", "the plan contradicts itself"),
    "detail.unreadable_messages": ("meldinger kan ikke leses", "messages cannot be read"),
    "detail.unknown_code": ("ukjent kode", "unknown code"),
    "detail.unknown_unit": ("ukjent enhet", "unknown unit"),
    "detail.not_finite": ("ikke et tall", "not a number"),
    "detail.impossible": ("umulig verdi", "impossible value"),
    "detail.implausible": ("usannsynlig verdi, mål på nytt", "implausible value, measure again"),
    "detail.future": ("tidspunkt i fremtiden", "time in the future"),
    "detail.too_old": ("for gammel", "too old"),
    # vital signs, by name and by LOINC code
    "vital.systolic": ("systolisk", "systolic"),
    "vital.diastolic": ("diastolisk", "diastolic"),
    "vital.heart_rate": ("puls", "pulse"),
    "vital.spo2": ("SpO₂", "SpO₂"),
    "vital.temperature": ("temperatur", "temperature"),
    "vital.weight": ("vekt", "weight"),
    "vital.respiratory_rate": ("pust", "breathing"),
    "vital.glucose": ("blodsukker", "glucose"),
    "vital.fev1": ("FEV1", "FEV1"),
    "vital.pef": ("PEF", "PEF"),
}
_VITALS: Final = {
    "8480-6": "systolic",
    "8462-4": "diastolic",
    "8867-4": "heart_rate",
    "2708-6": "spo2",
    "59408-5": "spo2",
    "8310-5": "temperature",
    "29463-7": "weight",
    "9279-1": "respiratory_rate",
    "15074-8": "glucose",
    "20150-9": "fev1",
    "19935-6": "pef",
}
_UNITS: Final = {"mm[Hg]": "mmHg", "Cel": "°C"}
_MONTHS: Final[dict[Lang, tuple[str, ...]]] = {
    "nb": ("jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def word(key: str, lang: Lang) -> str:
    """Return the text of `key`; an unknown rule or detail shows as its own code, so that nothing goes unsaid."""
    texts = _WORDS.get(key)
    return texts[LANGUAGES.index(lang)] if texts else key.partition(".")[2].replace("_", " ") or key


def zone_word(zone: Zone, lang: Lang) -> str:
    """Return the zone's name."""
    return word(f"zone.{zone.value}", lang)


def vital_word(code_or_name: str, lang: Lang) -> str:
    """Return the name of a vital sign, given its LOINC code or its name."""
    return word(f"vital.{_VITALS.get(code_or_name, code_or_name)}", lang)


def number(value: float, lang: Lang) -> str:
    """Return a measured value as it is read aloud: at most one decimal, with the language's own comma."""
    text = f"{value:.1f}".removesuffix(".0")
    return text.replace(".", ",") if lang == "nb" else text


def unit_word(ucum: str) -> str:
    """Return how staff write a UCUM unit."""
    return _UNITS.get(ucum, ucum)


def day_word(day: int, month: int, lang: Lang) -> str:
    """Return a day of the year, without the year."""
    return f"{day}. {_MONTHS[lang][month - 1]}" if lang == "nb" else f"{day} {_MONTHS[lang][month - 1]}"
