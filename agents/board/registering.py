"""Entering a registration for a patient who cannot use the app, by telephone or at a visit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import structs

from agents.board.acting import event_id
from agents.board.answering import patient_of, seen
from agents.board.around import person_of
from agents.board.form_page import Asked, FormPage, NotDoneError
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.known import unknown_codes_and_units
from dashboards.board.views import Choice, Field
from pipeline.triage.vitals import BY_CODE, VITALS
from schemas.assessments import PatientStatus
from schemas.codec import Codec, UnreadableError, encode
from schemas.people import Right
from schemas.submissions import Answer, Context, EntryMode, OnBehalf, Reading, Submission, SubmissionEvent

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from aiohttp import web

    from agents.board.acting import Acting
    from agents.board.desk import Desk
    from agents.board.fields import Entered
    from dashboards.board.pages import Voice
    from dashboards.board.views import Viewer
    from pipeline.triage.vitals import Vital
    from schemas.care import Plan
    from schemas.pathways import Pathway, Question

_CODEC: Final = Codec[SubmissionEvent](SubmissionEvent)
_OLDEST: Final = timedelta(days=7)  # a value that somebody tells of on the telephone; our choice
_SPO2: Final = "2708-6"


def vitals_of(plan: Plan | None, pathway: Pathway | None) -> list[Vital]:
    """Return the vital signs that a patient's plan or pathway follows, all where neither says."""
    codes: set[str] = set(pathway.vitals) if pathway else set()
    if plan is not None:
        for limits in (plan.limits, plan.relative_limits, plan.change_limits, plan.sustained_limits):
            codes |= {limit.code for limit in limits}
    followed = [vital for vital in VITALS if codes & set(vital.codes)]
    return followed or list(VITALS)


class RegisteringPage(FormPage[PatientStatus]):
    """The form of a registration on behalf, /patients/{patient}/registration."""

    slug = "registration"
    submit = "form.send"

    def __init__(self, desk: Desk, acting: Acting) -> None:
        super().__init__(desk)
        self._acting = acting

    async def about(self, request: web.Request) -> PatientStatus:
        """Return the patient, of those whom the person may register for."""
        return await patient_of(self._desk, request, Right.REGISTER)

    def frame(self, request: web.Request, about: PatientStatus) -> tuple[Viewer, str]:
        """Return who looks, with what they may do for the patient, and the patient."""
        return viewer_of(request, about.service, of_patient=True), about.patient

    async def asked(self, request: web.Request, about: PatientStatus, entered: Entered | None) -> Asked:
        """Return a field for every vital sign and question that the patient's plan or pathway follows."""
        if entered is None:
            await seen(self._desk, request, about)
        return Asked(self._fields(about, self._desk.voice(lang_of(request))))

    async def act(self, request: web.Request, about: PatientStatus, entered: Entered) -> str:
        """Hand the registration to the broker, as the gateway would."""
        form = entered.form_id()
        if form is None:
            raise NotDoneError
        id_ = event_id(person_of(request), about.patient, "registration", form)
        session = self._session(request, about, entered, id_)
        if session is None:
            raise NotDoneError
        await self._acting.write(request, session, id_, "register", about.service)
        await self._acting.decided(about)
        return f"/patients/{about.patient}?done=registration"

    def _session(self, request: web.Request, status: PatientStatus, entered: Entered, id_: UUID) -> Submission | None:
        """What was entered, as a session; None where something is wrong with it, which `entered` then says."""
        now = self._desk.now()
        plan, pathway = self._followed(status)
        how = entered.choice("how", set(OnBehalf))
        at = entered.instant("measured_at", latest=now + timedelta(minutes=1), earliest=now - _OLDEST)
        oxygen = entered.number("oxygen", required=False)
        if oxygen is not None and not 0 <= oxygen <= 60:  # noqa: PLR2004 - as `schemas.submissions.Context`
            entered.fault("oxygen", "impossible")
        readings = [
            found
            for vital in vitals_of(plan, pathway)
            if (found := _reading(entered, vital, at or now, oxygen)) is not None
        ]
        answers = _answers(entered, pathway)
        if not readings and not answers and not entered.faults:
            entered.faults["how"] = self._desk.voice(lang_of(request))("form.no_values")
        if entered.faults or how is None or at is None:
            return None
        session = Submission(
            submission_id=id_,
            patient=status.patient,
            received_at=now,
            readings=tuple(readings),
            answers=tuple(answers),
            plan_version_seen=plan.version if plan else None,
            on_behalf=OnBehalf(how),
            entered_by=person_of(request).ref,
        )
        return session if self._sound(session, entered) else None

    def _sound(self, session: Submission, entered: Entered) -> bool:
        """Whether every reader of the topic will read it: what the gateway would refuse is refused here."""
        try:
            _CODEC.decode(encode(session))
        except UnreadableError as error:
            entered.faults["measured_at"] = str(error)
            return False
        for fault in unknown_codes_and_units(session):
            entered.faults["measured_at"] = f"{fault.field} {fault.problem}"
        return not entered.faults

    def _followed(self, status: PatientStatus) -> tuple[Plan | None, Pathway | None]:
        signed = self._desk.model.patient(status.patient).course.newest_plan()
        return (signed.plan if signed else None), self._desk.pathways.get(status.pathway or "")

    def _fields(self, status: PatientStatus, voice: Voice) -> list[Field]:
        plan, pathway = self._followed(status)
        vitals = vitals_of(plan, pathway)
        hows = tuple(Choice(how.value, voice(f"how.{how.value}")) for how in OnBehalf)
        fields = [
            Field(name="how", label=voice("field.how"), kind="radio", choices=hows),
            Field(
                name="measured_at",
                label=voice("field.measured_at"),
                kind="instant",
                value=self._desk.local(),
            ),
        ]
        for vital in vitals:
            name, unit = f"value.{vital.codes[0]}", voice.unit(vital.unit)
            label = voice.vital(vital.name)
            fields.append(
                Field(name=name, label=label[:1].upper() + label[1:], kind="number", unit=unit, required=False, most=12)
            )
            if vital.codes[0] == _SPO2:
                oxygen = voice("field.oxygen")
                fields.append(
                    Field(name="oxygen", label=oxygen, kind="number", unit=voice("unit.o2"), required=False, most=12)
                )
        fields += [_question(one, voice) for one in _questions(pathway)]
        return fields


def _reading(entered: Entered, vital: Vital, at: datetime, oxygen: float | None) -> Reading | None:
    name = f"value.{vital.codes[0]}"
    value = entered.number(name, required=False)
    if value is None:
        return None
    low, high = BY_CODE[vital.codes[0]].impossible
    if (low is not None and value < low) or (high is not None and value > high):
        entered.fault(name, "impossible")
        return None
    reading = Reading(code=vital.codes[0], value=value, unit=vital.unit, measured_at=at, entry_mode=EntryMode.MANUAL)
    if vital.codes[0] != _SPO2 or oxygen is None:
        return reading
    return structs.replace(reading, context=Context(oxygen_l_min=oxygen))


def _questions(pathway: Pathway | None) -> tuple[Question, ...]:
    return pathway.questionnaire.questions if pathway and pathway.questionnaire else ()


def _question(one: Question, voice: Voice) -> Field:
    said: str = getattr(one.text, voice.lang)
    name = f"answer.{one.link_id}"
    if one.kind == "number":
        hint = f"{one.least if one.least is not None else ''}-{one.most if one.most is not None else ''}"
        return Field(name=name, label=said, kind="number", required=False, hint=hint if hint != "-" else "", most=8)
    if one.kind == "boolean":
        choices: tuple[Choice, ...] = (Choice("true", voice("yes")), Choice("false", voice("no")))
    else:
        choices = tuple(Choice(option.value, getattr(option.text, voice.lang)) for option in one.options)
    return Field(name=name, label=said, kind="radio", choices=choices, required=False)


def _answers(entered: Entered, pathway: Pathway | None) -> list[Answer]:
    found = []
    for one in _questions(pathway):
        name = f"answer.{one.link_id}"
        value: int | bool | str | None
        if one.kind == "number":
            least, most = (
                one.least if one.least is not None else -1_000_000,
                one.most if one.most is not None else 1_000_000,
            )
            value = entered.whole(name, least, most, required=False)
        elif one.kind == "boolean":
            said = entered.choice(name, ("true", "false"), required=False)
            value = None if said is None else said == "true"
        else:
            value = entered.choice(name, [option.value for option in one.options], required=False)
        if value is not None and pathway is not None and pathway.questionnaire is not None:
            asked = pathway.questionnaire
            found.append(
                Answer(questionnaire=asked.slug, questionnaire_version=asked.version, link_id=one.link_id, value=value)
            )
    return found
