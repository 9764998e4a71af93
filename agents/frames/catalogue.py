"""Every frame that analysts get, as data: its columns, its order, and what a period means for it.

What is written here is what leaves: `docs/reference/frames.md` and the dictionary beside an export are made from it.
A column that changes its meaning, its kind or its unit is a new `VERSION`; a new column is not.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from agents.frames.columns import Column, code, count, flag, identifier, instant, named, number
from agents.storing.care_points import KINDS
from schemas.assessments import BaselineStatus, EpisodeState, Quality, QualityIssue
from schemas.paging import FailureReason, Outcome, PageAction, Priority
from schemas.submissions import EntryMode, OnBehalf
from schemas.types import Phase, Zone

VERSION: Final = 1


class Frame(Struct, frozen=True, kw_only=True):
    """One kind of frame.

    Attributes
    ----------
    name
        By which it is asked for, and the name of its file in an export.
    meaning
        What one row tells.
    period
        Which rows a period has.
    leaves_out
        What is not among the rows unless everything is asked for, beside canaries.
    measurement
        Of the points in the store that it is made of.
    tags
        Columns that are tags of those points, so that no field need be asked for.
    made
        Columns that no point has: they follow from other points.
    order
        Columns by which rows are ordered.
    """

    name: str
    meaning: str
    period: str
    leaves_out: str
    measurement: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    tags: tuple[str, ...] = ("patient",)
    made: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the points that it is made of."""
        given = {"time", *self.tags, *self.made}
        return tuple(column.source for column in self.columns if column.name not in given)


_ZONES: Final = (Zone.GREEN, Zone.YELLOW, Zone.RED, Zone.NO_DATA, Zone.NOT_MONITORED)
_NOTHING: Final = "nothing"
_WITHIN: Final = "rows whose `time` lies in it"
_OVERLAPS: Final = "stretches of which any part lies in it, told whole"

_PATIENT: Final = named("patient", "Pseudonym.", private=True)
_SERVICE: Final = named("service", "Who was responsible at that time, by all that is known now; missing: nobody.")
_MUNICIPALITY: Final = named("municipality", "Where the patient lives, by the enrolment.")
_PATHWAY: Final = named("pathway", "What the patient is followed for, by the enrolment.")
_PLAN_VERSION: Final = count("plan_version", "Version of the patient's plan.", known_from=1)
_SUBMISSION: Final = identifier("submission_id", "The registration.")
_REVISION: Final = count("revision", "Events of the patient's history that the decision had seen; a higher one holds.")

ENROLMENTS: Final = Frame(
    name="enrolments",
    meaning="A patient's time in a service, from an enrolment to its end or to the next enrolment.",
    period=_OVERLAPS,
    leaves_out=_NOTHING,
    measurement="care_event",
    columns=(
        _PATIENT,
        instant("start", "Enrolled."),
        instant("stop", "Ended, or enrolled anew; missing: goes on."),
        named("service", "Responsible at first."),
        _MUNICIPALITY,
        _PATHWAY,
        code("phase", "The phase at first.", Phase),
    ),
    order=("start", "patient"),
)
RESPONSIBILITIES: Final = Frame(
    name="responsibilities",
    meaning="A stretch of time in which one service was responsible for a patient.",
    period=_OVERLAPS,
    leaves_out=_NOTHING,
    measurement="care_event",
    columns=(
        _PATIENT,
        instant("start", "Enrolled there, or handed over."),
        instant("stop", "Ended, or handed over; missing: goes on."),
        named("service", "Who was responsible."),
        named("before", "Who handed over; missing: an enrolment began it."),
        _MUNICIPALITY,
        _PATHWAY,
    ),
    order=("start", "patient"),
)
PHASES: Final = Frame(
    name="phases",
    meaning="A stretch of time in which neither a patient's phase nor service, municipality or pathway changed.",
    period=_OVERLAPS,
    leaves_out="changes of phase that the pathway does not have: they are not followed",
    measurement="care_event",
    columns=(
        _PATIENT,
        instant("start", "From when it was so."),
        instant("stop", "Until when; missing: goes on."),
        code("phase", "Registrations are due and judged in `start_up`, `follow_up` and `evaluation` alone.", Phase),
        named("service", "Who was responsible."),
        _MUNICIPALITY,
        _PATHWAY,
    ),
    order=("start", "patient"),
)
CARE_EVENTS: Final = Frame(
    name="care_events",
    meaning="What staff decided and did about a patient, and what happened to them.",
    period=_WITHIN,
    leaves_out="an event that was written down twice; a kind that this version does not know",
    measurement="care_event",
    columns=(
        instant("time", "From when it holds, or when it happened."),
        _PATIENT,
        code("kind", "What it is.", KINDS.values()),
        identifier("event_id", "The event."),
        instant("recorded", "When it was written down."),
        named("responsible", "Who was responsible at that time, by all that is known now; missing: nobody."),
        named("service", "Of `enrolled` and `transferred`: who is responsible from then on."),
        _MUNICIPALITY,
        _PATHWAY,
        code("phase", "Of `enrolled` and `phase_changed`: the phase from then on, as it was said.", Phase),
        named("device", "Of equipment: the device's own reference.", private=True),
        named("equipment", "Of `equipment_handed_out`: what kind of device."),
        named("contact", "Of `emergency_contact`: where; of `contact_made`: how."),
        flag("acute", "Of `admitted`."),
        flag("reached", "Of `contact_made`: somebody was spoken to."),
        count("services", "Of `joint_consultation`: how many met."),
        identifier("zone_change_id", "Of `acknowledged`: the change that was taken over."),
        named("reason_code", "Of `acknowledged`: what staff found the alert to be."),
        count("plan_version", "Of `plan_signed`.", known_from=1),
        instant("valid_from", "Of `plan_signed`: from when the plan holds."),
        instant("ends", "Of `paused`: until when."),
    ),
    order=("time", "patient", "kind", "event_id"),
    tags=("patient", "kind", "device"),
    made=("responsible",),
)
_EVERY: Final = ("event_id", "recorded")
# What each kind of care event says. InfluxDB opens every field that is asked for in every series, there or not, and a
# patient has a series for each kind: all fields of all kinds at once cost its server gigabytes.
SAID: Final = {
    "enrolled": (*_EVERY, "service", "municipality", "pathway", "phase"),
    "phase_changed": (*_EVERY, "phase"),
    "transferred": (*_EVERY, "service"),
    "plan_signed": (*_EVERY, "plan_version", "valid_from"),
    "paused": (*_EVERY, "ends"),
    "equipment_handed_out": (*_EVERY, "equipment"),
    "equipment_returned": _EVERY,
    "admitted": (*_EVERY, "acute"),
    "discharged": _EVERY,
    "emergency_contact": (*_EVERY, "contact"),
    "joint_consultation": (*_EVERY, "services"),
    "contact_made": (*_EVERY, "contact", "reached"),
    "acknowledged": (*_EVERY, "zone_change_id", "reason_code"),
}
ASSESSMENTS: Final = Frame(
    name="assessments",
    meaning="The zone of one registration, by its latest revision.",
    period="rows whose `at` lies in it",
    leaves_out="registrations that were entered in error",
    measurement="assessment",
    columns=(
        instant("time", "When it was first said to be; the store knows it by this."),
        instant("at", "When it was: the latest measurement, else when it was received."),
        _PATIENT,
        _SERVICE,
        code("zone", "Where it stands.", _ZONES),
        count("reasons", "How many rules gave a reason."),
        named("first_rule", "The first of the rules that gave the zone."),
        _PLAN_VERSION,
        named("rules_version", "Version of the rules."),
        code("on_behalf", "How staff came to enter it; missing: the patient did.", OnBehalf),
        _SUBMISSION,
        _REVISION,
        flag("entered_in_error", "It was withdrawn."),
    ),
    order=("at", "patient", "submission_id"),
    made=("service",),
)
READINGS: Final = Frame(
    name="readings",
    meaning="One measured value.",
    period=_WITHIN,
    leaves_out="readings that were withdrawn or replaced",
    measurement="reading",
    columns=(
        instant("time", "When it was measured."),
        _PATIENT,
        _SERVICE,
        named("vital", "The vital sign, or the LOINC code that was sent where it is none that is followed."),
        named("device", "The device's own reference.", private=True),
        number("value", "In `unit`."),
        named("unit", "UCUM."),
        code("quality", "Only `valid` and `implausible` are judged, and only `valid` tells of the usual.", Quality),
        code("issue", "Why it is not simply valid, or what was amended.", QualityIssue),
        number("sent_value", "As it was sent, in `sent_unit`."),
        named("sent_unit", "UCUM, or what was sent in its place."),
        count("attempt", "2 and up: measured again in the same session."),
        code("entry_mode", "How the value came into the app.", EntryMode),
        number("oxygen_l_min", "Supplemental oxygen; 0: room air; missing: nobody said.", "L/min", known_from=0),
        code("baseline_status", "How well the patient's own normal was known.", BaselineStatus),
        number("score", "How far from it, as an equivalent normal z; missing: not scored.", "1"),
        number("center", "Its center, in `unit`."),
        number("spread", "Its spread, in `unit`."),
        _SUBMISSION,
        _REVISION,
        flag("withdrawn", "It was withdrawn or replaced."),
    ),
    order=("time", "patient", "vital", "device", "attempt", "submission_id", "withdrawn", "value"),
    tags=("patient", "vital", "device"),
    made=("service",),
)
ANSWERS: Final = Frame(
    name="answers",
    meaning="One answer to one question; of free text only that it was given.",
    period="rows whose `at` lies in it",
    leaves_out="answers that a correction left out, and those of registrations entered in error",
    measurement="answer",
    columns=(
        instant("time", "When the registration was first said to be."),
        instant("at", "When the registration was."),
        _PATIENT,
        _SERVICE,
        named("questionnaire", "Which questionnaire."),
        count("questionnaire_version", "Its version."),
        named("question", "Which question of it."),
        code("kind", "What the answer is.", ("number", "yes_no", "text")),
        number("value", "The number; 1 for yes and 0 for no; missing: a text, which is not stored."),
        _SUBMISSION,
        _REVISION,
        flag("superseded", "A correction left it out, or the registration was withdrawn."),
    ),
    order=("at", "patient", "submission_id", "questionnaire", "question"),
    tags=("patient", "questionnaire", "question"),
    made=("service", "at", "superseded"),
)
ZONE_CHANGES: Final = Frame(
    name="zone_changes",
    meaning="A patient came from one zone into another.",
    period=_WITHIN,
    leaves_out="changes that were taken back",
    measurement="zone_change",
    columns=(
        instant("time", "When."),
        _PATIENT,
        _SERVICE,
        code("from_zone", "From.", _ZONES),
        code("to_zone", "Into. From red to red: red again, after what was learnt of late.", _ZONES),
        named("rule", "The first of the rules that gave the zone."),
        named("vital", "The vital sign that it is about."),
        named("alert_reasons", "Of an alert: each rule and vital sign that raised it, as `rule:vital`, with commas."),
        identifier("zone_change_id", "The change."),
        flag("retracted", "It was taken back."),
    ),
    order=("time", "patient", "zone_change_id"),
    tags=("patient", "from_zone", "to_zone"),
    made=("service",),
)
STATUSES: Final = Frame(
    name="statuses",
    meaning="Where a patient stood, as it was told at that time; the newest is what is known now.",
    period=_WITHIN,
    leaves_out=_NOTHING,
    measurement="status",
    columns=(
        instant("time", "When it was told."),
        _PATIENT,
        named("service", "Who was responsible, as it was known then."),
        _MUNICIPALITY,
        _PATHWAY,
        code("phase", "The phase.", Phase),
        code("zone", "The zone.", _ZONES),
        instant("since", "Since when in that zone."),
        named("rule", "The first of the rules that gave the zone."),
        named("vital", "The vital sign that it is about."),
        _PLAN_VERSION,
        instant("due", "When the next registration is due."),
        instant("last_submission", "The newest registration."),
        code("episode", "How far the open episode has come; missing: there is none.", EpisodeState),
        flag("acknowledged", "Somebody has taken the episode over."),
        instant("opened", "When the episode began."),
        instant("worsened", "When it last became worse."),
        instant("respond_by", "By when staff look."),
        instant("trial_ends", "By when staff decide what follows the start-up trial."),
        count("open_pages", "Pages that were asked for and not delivered yet."),
        _REVISION,
    ),
    order=("time", "patient", "revision"),
)
PAGES: Final = Frame(
    name="pages",
    meaning="Somebody was to be told; asked for again, it is the same row.",
    period=_WITHIN,
    leaves_out="tests, and pages for a change of zone that was taken back",
    measurement="page",
    columns=(
        instant("time", "When the patient came into the zone, or of a later step when it was asked for."),
        _PATIENT,
        _SERVICE,
        code("zone", "Into which zone.", _ZONES),
        code("action", "What was told.", PageAction),
        code("priority", "IEC 60601-1-8.", Priority),
        count("step", "Of the service's ladder; 0 is the first."),
        named("to", "Whose duty it was."),
        named("by", "By which of that person's ways; missing: the usual one."),
        count("ask", "How often it was asked for."),
        identifier("page_id", "The page."),
        identifier("episode_id", "The episode that it is about."),
        identifier("zone_change_id", "The change of zone that asked for it."),
        flag("retracted", "That change was taken back: the page was asked for in error."),
        flag("test", "Nobody was ill: the way was tried."),
    ),
    order=("time", "patient", "page_id"),
    tags=("patient", "zone"),
    made=("service", "retracted"),
)
RECEIPTS: Final = Frame(
    name="receipts",
    meaning="What became of one ask of a page.",
    period=_WITHIN,
    leaves_out=_NOTHING,
    measurement="page_receipt",
    columns=(
        instant("time", "When it was told or failed."),
        _PATIENT,
        _SERVICE,
        identifier("page_id", "The page."),
        count("ask", "Which ask of it."),
        code("outcome", "What became of it.", Outcome),
        count("attempts", "How often its receiver was tried."),
        code("reason", "Why it failed.", FailureReason),
    ),
    order=("time", "patient", "page_id", "ask"),
    made=("service",),
)
PLAN_LIMITS: Final = Frame(
    name="plan_limits",
    meaning="The limits that a plan set for a vital sign, for as long as that plan was in force.",
    period=_OVERLAPS,
    leaves_out="plans that never came into force, and vital signs that a plan sets no limit for",
    measurement="plan_limit",
    columns=(
        _PATIENT,
        named("vital", "The vital sign."),
        instant("start", "From when the plan was in force."),
        instant("stop", "Until when; missing: it still is."),
        number("red_low", "At it or below is red, in `unit`.", known_from=0),
        number("yellow_low", "At it or below is yellow, in `unit`.", known_from=0),
        number("yellow_high", "At it or above is yellow, in `unit`.", known_from=0),
        number("red_high", "At it or above is red, in `unit`.", known_from=0),
        number("red_below", "So far below the patient's own normal is red, in `unit`.", known_from=0),
        number("yellow_below", "So far below it is yellow, in `unit`.", known_from=0),
        number("yellow_above", "So far above it is yellow, in `unit`.", known_from=0),
        number("red_above", "So far above it is red, in `unit`.", known_from=0),
        named("unit", "UCUM."),
        _PLAN_VERSION,
        instant("recorded", "When the plan was written down."),
    ),
    order=("start", "patient", "vital"),
    tags=("patient", "vital"),
    made=("start", "stop"),
)

FRAMES: Final = {
    frame.name: frame
    for frame in (
        ENROLMENTS,
        RESPONSIBILITIES,
        PHASES,
        CARE_EVENTS,
        ASSESSMENTS,
        READINGS,
        ANSWERS,
        ZONE_CHANGES,
        STATUSES,
        PAGES,
        RECEIPTS,
        PLAN_LIMITS,
    )
}
