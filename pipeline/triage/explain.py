"""Reasons in words, for nurses: Norwegian bokmål and English, with numbers and units in the language's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.triage.vitals import BY_CODE
from pipeline.triage.zones import SEVERITY
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.assessments import Reason

Language = Literal["nb", "en"]

_NBSP: Final = "\N{NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
_PLACE: Final = {"nb": 0, "en": 1}
_HOURS_OF_A_DAY: Final = 24


class _Named(NamedTuple):
    """A vital in words, in both languages, and the digits that are shown of it."""

    names: tuple[str, str]
    digits: int
    units: tuple[str, str]


_VITALS: Final = {
    "systolic": _Named(("systolisk blodtrykk", "systolic pressure"), 0, ("mmHg", "mmHg")),
    "diastolic": _Named(("diastolisk blodtrykk", "diastolic pressure"), 0, ("mmHg", "mmHg")),
    "heart_rate": _Named(("puls", "pulse"), 0, ("slag/min", "beats/min")),
    "spo2": _Named(("oksygenmetning", "oxygen saturation"), 0, ("%", "%")),
    "temperature": _Named(("temperatur", "temperature"), 1, ("°C", "°C")),
    "weight": _Named(("vekt", "weight"), 1, ("kg", "kg")),
    "respiratory_rate": _Named(("pustefrekvens", "respiratory rate"), 0, ("pust/min", "breaths/min")),
    "glucose": _Named(("blodsukker", "blood glucose"), 1, ("mmol/l", "mmol/L")),
    "fev1": _Named(("FEV1", "FEV1"), 2, ("l", "L")),
    "pef": _Named(("PEF", "peak flow"), 0, ("l/min", "L/min")),
}
_ZONES: Final = {
    Zone.GREEN: ("grønn", "green"),
    Zone.YELLOW: ("gul", "yellow"),
    Zone.RED: ("rød", "red"),
    Zone.NO_DATA: ("blå: ingen data", "blue: no data"),
    Zone.NOT_MONITORED: ("ikke overvåket", "not monitored"),
}
_LIMIT: Final = {Zone.YELLOW: ("den gule grensen", "the yellow limit"), Zone.RED: ("den røde grensen", "the red limit")}
_ISSUES: Final = {
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
_WHY_NOT: Final = {
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
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "quality": ("{Vital}: {issue}.", "{Vital}: {issue}."),
    "nothing_to_judge": (
        "Ingenting i registreringen kan vurderes etter planen.",
        "Nothing in the registration can be judged by the plan.",
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
    "deviations_together": (
        "Flere slags målinger avviker samtidig fra det som er vanlig for pasienten.",
        "Several kinds of readings are away from what is usual for the patient at the same time.",
    ),
    "slow_rise": (
        "{Vital} har steget over tid: {value} er {change} over det som er vanlig for pasienten.",
        "{Vital} has been rising for some time: {value} is {change} above what is usual for the patient.",
    ),
    "slow_fall": (
        "{Vital} har falt over tid: {value} er {change} under det som er vanlig for pasienten.",
        "{Vital} has been falling for some time: {value} is {change} below what is usual for the patient.",
    ),
    "shift_high": (
        "{Vital} har i gjennomsnitt ligget høyt den siste tiden: {value} er {change} over det som er vanlig.",
        "{Vital} has on average been high lately: {value} is {change} above what is usual for the patient.",
    ),
    "shift_low": (
        "{Vital} har i gjennomsnitt ligget lavt den siste tiden: {value} er {change} under det som er vanlig.",
        "{Vital} has on average been low lately: {value} is {change} below what is usual for the patient.",
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
RULES_TOLD: Final = frozenset(_SENTENCES)


def headline(zone: Zone, language: Language) -> str:
    """The zone in one or a few words."""
    word = _ZONES[zone][_PLACE[language]]
    return word[0].upper() + word[1:]


def explain(reasons: Iterable[Reason], language: Language) -> tuple[str, ...]:
    """One sentence a reason, the worst first; equal ones once."""
    ordered = sorted(reasons, key=lambda reason: -SEVERITY[reason.zone])
    return tuple(dict.fromkeys(sentence(reason, language) for reason in ordered))


def sentence(reason: Reason, language: Language) -> str:
    """One reason in words. A rule that is not known is named as it is."""
    place = _PLACE[language]
    found = _SENTENCES.get(reason.rule)
    if found is None:
        return ("Regel: ", "Rule: ")[place] + reason.rule.replace("_", " ") + "."
    return found[place].format_map(_Words(reason, language))


class _Words(dict[str, str]):
    """What a sentence asks for, worked out when it asks."""

    def __init__(self, reason: Reason, language: Language) -> None:
        super().__init__()
        self._reason = reason
        self._language = language
        self._place = _PLACE[language]
        known = BY_CODE.get(reason.code or "")
        self._vital = None if known is None else _VITALS[known.name]

    def __missing__(self, name: str) -> str:
        found: str = getattr(self, f"_{name.lower()}_word")()
        return found[:1].upper() + found[1:] if name[0].isupper() else found

    def _vital_word(self) -> str:
        if self._vital is None:
            return ("måling", "reading")[self._place]
        return self._vital.names[self._place]

    def _value_word(self) -> str:
        return self._with_unit(self._reason.value)

    def _limit_word(self) -> str:
        return self._with_unit(self._reason.limit)

    def _center_word(self) -> str:
        deviation = self._reason.deviation
        return self._with_unit(None if deviation is None else deviation.center)

    def _change_word(self) -> str:
        change = self._reason.change
        shown = self._with_unit(None if change is None else abs(change), finer=True)
        if not shown.endswith("%"):
            return shown
        points = ("prosentpoeng", "percentage points")[self._place]
        return f"{shown.rstrip('%').rstrip(_NBSP)}{_NBSP}{points}"

    def _days_word(self) -> str:
        return str(0 if self._reason.deviation is None else self._reason.deviation.days)

    def _score_word(self) -> str:
        score = 0.0 if self._reason.deviation is None else self._reason.deviation.score
        return ("+" if score > 0 else "") + number(score, 1, self._language)

    def _edge_word(self) -> str:
        return _LIMIT.get(self._reason.zone, ("grensen", "the limit"))[self._place]

    def _window_word(self) -> str:
        hours = self._reason.hours or 0
        if hours % _HOURS_OF_A_DAY or not hours:
            return (
                f"{hours}{_NBSP}"
                + (("time" if hours == 1 else "timer"), ("hour" if hours == 1 else "hours"))[self._place]
            )
        days = hours // _HOURS_OF_A_DAY
        return f"{days}{_NBSP}" + (("døgn", "døgn"), ("day", "days"))[self._place][days != 1]

    def _count_word(self) -> str:
        return str(self._reason.count or 0)

    def _of_word(self) -> str:
        return str(self._reason.of or 0)

    def _total_word(self) -> str:
        return number(self._reason.value or 0.0, 0, self._language)

    def _question_word(self) -> str:
        return (self._reason.question or "").replace("_", " ")

    def _zone_word(self) -> str:
        word = _ZONES[self._reason.zone][self._place]
        return {"gul": "gult", "rød": "rødt", "grønn": "grønt"}.get(word, word)

    def _issue_word(self) -> str:
        issue = _ISSUES.get(self._reason.detail or "", ("målingen kan ikke brukes", "the reading cannot be used"))
        return issue[self._place]

    def _why_word(self) -> str:
        why, _, field = (self._reason.detail or "").partition(":")
        said = _WHY_NOT.get(why, ("grunnen er ukjent", "the reason is unknown"))[self._place]
        return f"{said} ({field.replace('_', ' ')})" if field else said

    def _with_unit(self, value: float | None, *, finer: bool = False) -> str:
        if value is None:
            return ("ukjent", "unknown")[self._place]
        if self._vital is None:
            return number(value, 1, self._language)
        digits = self._vital.digits
        shown = number(value, max(digits, 1) if finer else digits, self._language)
        unit = self._vital.units[self._place]
        return f"{shown}{unit}" if unit == "%" and self._language == "en" else f"{shown}{_NBSP}{unit}"


def number(value: float, digits: int, language: Language) -> str:
    """`value` with at most so many digits behind the decimal sign, which is the language's own."""
    shown = f"{value:.{digits}f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    shown = "0" if shown == "-0" else shown.replace("-", _MINUS)
    return shown.replace(".", ",") if language == "nb" else shown


def why_not_green(zone: Zone, reasons: Iterable[Reason], language: Language) -> str:
    """What stands in the way of green, in one line: yellow and red, blue, or not monitored."""
    head = f"{headline(zone, language)}."
    if zone is Zone.GREEN:
        return head
    told = explain([reason for reason in reasons if reason.zone is not Zone.GREEN], language)
    if zone is Zone.NOT_MONITORED and told:
        return " ".join(told)  # each begins with the headline's words
    return " ".join((head, *told))
