"""The words themselves, in Norwegian bokmål and English: vitals, zones, and a sentence for every rule.

Each pair is bokmål and English. `pipeline.triage.explain` fills in what stands in braces.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.types import Zone


class Named(NamedTuple):
    """A vital in words, in both languages, and the digits that are shown of it at least."""

    names: tuple[str, str]
    digits: int
    units: tuple[str, str]


VITALS: Final = {
    "systolic": Named(("systolisk blodtrykk", "systolic pressure"), 0, ("mmHg", "mmHg")),
    "diastolic": Named(("diastolisk blodtrykk", "diastolic pressure"), 0, ("mmHg", "mmHg")),
    "heart_rate": Named(("puls", "pulse"), 0, ("slag/min", "beats/min")),
    "spo2": Named(("oksygenmetning", "oxygen saturation"), 0, ("%", "%")),
    "temperature": Named(("temperatur", "temperature"), 1, ("°C", "°C")),
    "weight": Named(("vekt", "weight"), 1, ("kg", "kg")),
    "respiratory_rate": Named(("pustefrekvens", "respiratory rate"), 0, ("pust/min", "breaths/min")),
    "glucose": Named(("blodsukker", "blood glucose"), 1, ("mmol/l", "mmol/L")),
    "fev1": Named(("FEV1", "FEV1"), 2, ("l", "L")),
    "pef": Named(("PEF", "peak flow"), 0, ("l/min", "L/min")),
}
ZONES: Final = {
    Zone.GREEN: ("grønn", "green"),
    Zone.YELLOW: ("gul", "yellow"),
    Zone.RED: ("rød", "red"),
    Zone.NO_DATA: ("blå: ingen data", "blue: no data"),
    Zone.NOT_MONITORED: ("ikke overvåket", "not monitored"),
}
EDGES: Final = {Zone.YELLOW: ("den gule grensen", "the yellow limit"), Zone.RED: ("den røde grensen", "the red limit")}
ISSUES: Final = {
    "unknown_code": ("målingen er av et ukjent slag", "the reading is of an unknown kind"),
    "unknown_unit": ("målingen har en ukjent enhet", "the reading has an unknown unit"),
    "not_finite": ("målingen er ikke et tall", "the reading is not a number"),
    "impossible": ("verdien er umulig og må måles på nytt", "the value is impossible and must be measured again"),
    "implausible": (
        "verdien er usannsynlig og bør måles på nytt",
        "the value is implausible: measure again",
    ),
    "future": ("målingen ligger fram i tid", "the reading lies in the future"),
    "too_old": ("målingen er for gammel", "the reading is too old"),
}
WHY_NOT: Final = {
    "not_enrolled": ("pasienten er ikke tatt inn i tjenesten", "the patient is not enrolled"),
    "no_plan": ("ingen lege har signert en plan", "no doctor has signed a plan"),
    "referral": ("pasienten er bare henvist", "the patient is only referred"),
    "ended": ("oppfølgingen er avsluttet", "the follow-up has ended"),
    "paused": ("oppfølgingen er satt på pause", "the follow-up is paused"),
    "unreadable_messages": (
        "meldinger fra pasienten kan ikke leses",
        "messages from the patient cannot be read",
    ),
    "unreadable_state": (
        "det som er kjent om pasienten kan ikke leses; driften er varslet",
        "what is known of the patient cannot be read; operations are told",
    ),
    "plan_contradicts_itself": ("planen motsier seg selv", "the plan contradicts itself"),
}

# Rule -> sentence in both languages, to be filled in from the reason.
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "quality": ("{Vital}: {issue}.", "{Vital}: {issue}."),
    "nothing_to_judge": (
        "Ingenting i registreringen kan vurderes etter planen.",
        "Nothing in the registration can be judged by the plan.",
    ),
    "nothing_measured": (
        "Bare svar er kommet, og planen ber om målinger.",
        "Only answers came, and the plan asks for measurements.",
    ),
    "vitals_missing": (
        "Målingene som planen ber om mangler: {missing}.",
        "The readings that the plan asks for are missing: {missing}.",
    ),
    "answer_missing": (
        "Svaret som planen ber om på spørsmålet «{question}» mangler.",
        "The answer that the plan asks for to the question “{question}” is missing.",
    ),
    "not_monitored": ("Ikke overvåket: {why}.", "Not monitored: {why}."),
    "overdue": ("Registreringen er ikke kommet i tide.", "The registration did not come in time."),
    "awaiting_registration": ("Venter på første registrering.", "Waiting for the first registration."),
    "entered_in_error": ("Registreringen var ført feil.", "The registration was entered in error."),
    "within_limits": ("Alt er innenfor grensene.", "All is within the limits."),
    "limit_low": (
        "{Vital} {value} er på eller under {edge} {limit}.",
        "{Vital} {value} is at or below {edge} {limit}.",
    ),
    "limit_high": (
        "{Vital} {value} er på eller over {edge} {limit}.",
        "{Vital} {value} is at or above {edge} {limit}.",
    ),
    "relative_low": (
        "{Vital} {value} er på eller under {edge} {limit}, som følger av det som er vanlig for pasienten ({center}).",
        "{Vital} {value} is at or below {edge} {limit}, which follows from what is usual for the patient ({center}).",
    ),
    "relative_high": (
        "{Vital} {value} er på eller over {edge} {limit}, som følger av det som er vanlig for pasienten ({center}).",
        "{Vital} {value} is at or above {edge} {limit}, which follows from what is usual for the patient ({center}).",
    ),
    "rise": (
        "{Vital} {value} har steget {change} på {window}; grensen er {limit}.",
        "{Vital} {value} has risen {change} in {window}; the limit is {limit}.",
    ),
    "fall": (
        "{Vital} {value} har falt {change} på {window}; grensen er {limit}.",
        "{Vital} {value} has fallen {change} in {window}; the limit is {limit}.",
    ),
    "sustained": (
        "{Vital}: {count} av de {of} siste målingene er utenfor målområdet.",
        "{Vital}: {count} of the {of} newest readings are outside the target range.",
    ),
    "deviation": (
        "{Vital} {value} avviker mye fra det som er vanlig for pasienten ({center} over {days} dager; avvik {score}).",
        "{Vital} {value} is far from what is usual for the patient ({center} over {days} days; deviation {score}).",
    ),
    "deviation_repeated": (
        "{Vital} {value} avviker, for andre gang på rad, fra det vanlige ({center} over {days} dager; avvik {score}).",
        "{Vital} {value} is away from the usual, the second time in a row ({center}, {days} days; deviation {score}).",
    ),
    "deviation_noted": (
        "{Vital} {value} avviker fra det som er vanlig for pasienten ({center}), men er ikke nær legens grense.",
        "{Vital} {value} is away from what is usual for the patient ({center}), but not near the doctor's limit.",
    ),
    "deviation_with_symptom": (
        "En måling avviker fra det som er vanlig for pasienten, samtidig med et annet tegn på forverring.",
        "A reading is away from what is usual for the patient, at the same time as another sign of worsening.",
    ),
    "deviations_together": (
        "Flere slags målinger avviker samtidig fra det som er vanlig for pasienten.",
        "Several kinds of readings are away from what is usual for the patient at the same time.",
    ),
    "slow_rise": (
        "{Vital} har steget over tid: {value} er {apart} det som er vanlig for pasienten.",
        "{Vital} has been rising for some time: {value} is {apart} what is usual for the patient.",
    ),
    "slow_fall": (
        "{Vital} har falt over tid: {value} er {apart} det som er vanlig for pasienten.",
        "{Vital} has been falling for some time: {value} is {apart} what is usual for the patient.",
    ),
    # The average of the last days, which the newest value itself may lie on the other side of.
    "shift_high": (
        "{Vital}: gjennomsnittet av de siste dagene er over det som er vanlig for pasienten; {value} er {apart} det.",
        "{Vital}: the average of the last days is above what is usual for the patient; {value} is {apart} that.",
    ),
    "shift_low": (
        "{Vital}: gjennomsnittet av de siste dagene er under det som er vanlig for pasienten; {value} er {apart} det.",
        "{Vital}: the average of the last days is below what is usual for the patient; {value} is {apart} that.",
    ),
    "drift_high": (
        "Pasientens vanlige {vital} ligger nå {change} høyere enn ved oppstart.",
        "The patient's usual {vital} is now {change} higher than at the start.",
    ),
    "drift_low": (
        "Pasientens vanlige {vital} ligger nå {change} lavere enn ved oppstart.",
        "The patient's usual {vital} is now {change} lower than at the start.",
    ),
    "weight_rise_day": (
        "Vekten {value} har steget {change} på {window}.",
        "Weight {value} has risen {change} in {window}.",
    ),
    "weight_rise_days": (
        "Vekten {value} har steget {change} på {window}.",
        "Weight {value} has risen {change} in {window}.",
    ),
    "weight_rise_week": (
        "Vekten {value} har steget {change} på {window}.",
        "Weight {value} has risen {change} in {window}.",
    ),
    "weight_over_normal": (
        "Vekten {value} er {change} over det som er vanlig for pasienten ({center}).",
        "Weight {value} is {change} above what is usual for the patient ({center}).",
    ),
    "weight_fall_month": (
        "Vekten {value} har falt {change} på {window}.",
        "Weight {value} has fallen {change} in {window}.",
    ),
    "oxygen_below_normal": (
        "{Vital} {value} er {change} under det som er vanlig for pasienten ({center}).",
        "{Vital} {value} is {change} below what is usual for the patient ({center}).",
    ),
    "oxygen_low": (
        "{Vital} {value} er på eller under {limit}; planen har ingen egen grense.",
        "{Vital} {value} is at or below {limit}; the plan has no limit of its own.",
    ),
    "news2": (
        "NEWS2 er minst {total}; {count} av {of} deler er kjent.",
        "NEWS2 is at least {total}; {count} of {of} parts are known.",
    ),
    "news2_part": (
        "Én del av NEWS2 gir alene 3 poeng; summen er minst {total}, og {count} av {of} deler er kjent.",
        "One part of NEWS2 alone has 3 points; the sum is at least {total}, and {count} of {of} parts are known.",
    ),
    "answer_not_judged": (
        "Svaret på spørsmålet «{question}» er av et annet slag enn planen spør etter, og kan ikke vurderes.",
        "The answer to the question “{question}” is of another kind than the plan asks for, and cannot be judged.",
    ),
    "answer": (
        "Svaret på spørsmålet «{question}» er {zone} i planen.",
        "The answer to the question “{question}” is {zone} in the plan.",
    ),
    "remeasure": (
        "En senere måling av {vital} i samme registrering var bedre; den første teller fortsatt.",
        "A later reading of {vital} in the same registration was better; the first still counts.",
    ),
    "red_kept": (
        "Fortsatt rød til noen har kvittert og en registrering er grønn.",
        "Still red until somebody has acknowledged and a registration is green.",
    ),
    "yellow_kept": (
        "Fortsatt gul til to registreringer på rad er grønne, eller én et døgn etter.",
        "Still yellow until two registrations in a row are green, or one a day later.",
    ),
    "leaving_red": (
        "Kvittert, og en registrering er grønn; en til, så er det over.",
        "Acknowledged, and a registration is green; one more and it is over.",
    ),
    "acknowledged": (
        "Kvittert, etter registreringer som er grønne.",
        "Acknowledged, after registrations that are green.",
    ),
}
