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
    # what is not at work: what it means here, and what to do
    "trouble.broker": (
        (
            "Meldingssystemet svarer ikke: nye registreringer vurderes ikke, og ingen varsles. Ring drift, bruk"
            " telefonlisten og følg rutinen for bortfall til dette er borte."
        ),
        (
            "The message system does not answer: new registrations are not judged and nobody is paged. Call"
            " operations, use the phone list and follow the fallback routine until this is gone."
        ),
    ),
    "trouble.triage": (
        (
            "Vurderingen står eller henger etter: nye røde vises ikke her i tide, og ingen varsles i tide. Ring"
            " drift, bruk telefonlisten og følg rutinen for bortfall."
        ),
        (
            "Triage stands still or is behind: new reds do not show here in time, and nobody is paged in time."
            " Call operations, use the phone list and follow the fallback routine."
        ),
    ),
    "trouble.paging": (
        (
            "Varslingen står eller henger etter: nye røde vises her, men ingen varsles. La noen følge med på"
            " listen hele tiden, og ring drift."
        ),
        (
            "Paging stands still or is behind: new reds show here, but nobody is paged. Have somebody watch the"
            " list all the time, and call operations."
        ),
    ),
    "trouble.clock": (
        (
            "Klokken står: ingen blir meldt over fristen, og varsler som ingen kvitterer, går ikke videre. Se"
            " selv etter frister og ukvitterte røde, og ring drift."
        ),
        (
            "The clock stands still: nobody is told to be overdue, and pages that nobody acknowledges go no"
            " further. Look at due times and unacknowledged reds yourself, and call operations."
        ),
    ),
    "trouble.canary_late": (
        (
            "Prøvevarselet kom ikke frem i tide: varsler for tjenesten kan bli borte eller forsinket. La noen"
            " følge med på listen hele tiden, ha telefonlisten klar og ring drift."
        ),
        (
            "The test alarm did not come through in time: the service's pages may be lost or late. Have somebody"
            " watch the list all the time, have the phone list ready and call operations."
        ),
    ),
    "trouble.storing": (
        (
            "Lagringen står eller henger etter: kurver og rapporter mangler det nyeste. Listen og varslene"
            " virker. Si fra til drift."
        ),
        (
            "Storing stands still or is behind: charts and reports lack the newest. The list and the pages work."
            " Tell operations."
        ),
    ),
    "trouble.store": (
        "Kurvene henger etter: databasen svarer ikke. Listen og varslene virker. Si fra til drift.",
        "Charts are behind: the database does not answer. The list and the pages work. Tell operations.",
    ),
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
    # zones
    "zone.red": ("rød", "red"),
    "zone.yellow": ("gul", "yellow"),
    "zone.no_data": ("mangler data", "no data"),
    "zone.not_monitored": ("ikke overvåket", "not monitored"),
    "zone.green": ("grønn", "green"),
    # episodes
    "episode.opened": ("ikke kvittert", "not acknowledged"),
    "episode.worsened": ("forverret, ikke kvittert", "worsened, not acknowledged"),
    "episode.acknowledged": ("kvittert", "acknowledged"),
    "episode.leaving": ("på vei ut", "on the way out"),
    # phases
    "phase.none": ("ikke tatt inn", "not enrolled"),
    "phase.referral": ("henvist", "referred"),
    "phase.start_up": ("oppstart", "start-up"),
    "phase.follow_up": ("oppfølging", "follow-up"),
    "phase.evaluation": ("evaluering", "evaluation"),
    "phase.ended": ("avsluttet", "ended"),
    "phase_fault.out_of_order": ("faseskifte ikke fulgt", "phase change not followed"),
    "phase_fault.trial_too_short": ("kort prøveperiode", "short trial period"),
    # vital signs
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
_MONTHS: Final[dict[Lang, tuple[str, ...]]] = {
    "nb": ("jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def word(key: str, lang: Lang) -> str:
    """Return the text of `key`; an unknown one shows as its own code, so that nothing goes unsaid."""
    texts = _WORDS.get(key)
    return texts[LANGUAGES.index(lang)] if texts else key.partition(".")[2].replace("_", " ") or key


def zone_word(zone: Zone, lang: Lang) -> str:
    """Return the zone's name."""
    return word(f"zone.{zone.value}", lang)


def vital_word(name: str, lang: Lang) -> str:
    """Return a vital sign in words."""
    return word(f"vital.{name}", lang)


def day_word(day: int, month: int, lang: Lang) -> str:
    """Return a day of the year, without the year."""
    return f"{day}. {_MONTHS[lang][month - 1]}" if lang == "nb" else f"{day} {_MONTHS[lang][month - 1]}"
