"""Taking a new patient in: pathway, service, municipality, phase, and a pseudonym that is nobody's number."""

from __future__ import annotations

from secrets import choice
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.board.acting import event_id
from agents.board.answering import REFUSED, demand, patient_of, show
from agents.board.around import person_of
from agents.board.form_page import Asked, FormPage, NotDoneError
from agents.board.viewing import lang_of
from dashboards.board.views import Choice, Field
from schemas.care import Enrolled
from schemas.people import Right
from schemas.types import Phase

if TYPE_CHECKING:
    from uuid import UUID

    from agents.board.acting import Acting
    from agents.board.desk import Desk
    from agents.board.fields import Entered
    from dashboards.board.pages import Voice

PHASES: Final = (Phase.REFERRAL, Phase.START_UP, Phase.FOLLOW_UP)
TIME_ZONE: Final = "Europe/Oslo"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"  # without those that are mistaken for digits
_DIGITS: Final = "23456789"
_ACTION: Final = "enrol"


def pseudonym() -> str:
    """Return a new pseudonym: easy to read aloud, and made of nothing that is the patient's."""
    drawn = "".join(choice(_LETTERS + _DIGITS) for _ in range(8))
    return f"p-{drawn[:4]}-{drawn[4:]}"


class EnrolPage(FormPage[None]):
    """The form of an enrolment, /enrol."""

    slug = "enrol"
    here = "enrol"

    def __init__(self, desk: Desk, acting: Acting) -> None:
        super().__init__(desk)
        self._acting = acting

    async def about(self, request: web.Request) -> None:
        """Come back where the person may take somebody into some service."""
        person = person_of(request)
        if not any(person.may(Right.MANAGE_COURSE, service) for service in person.services):
            await demand(self._desk, request, Right.MANAGE_COURSE, "")

    async def asked(self, request: web.Request, about: None, entered: Entered | None) -> Asked:
        """Return what an enrolment says; a pseudonym is proposed."""
        del about, entered
        return Asked(self._fields(request, self._desk.voice(lang_of(request))), (("proposed", pseudonym()),))

    async def act(self, request: web.Request, about: None, entered: Entered) -> str:
        """Enrol a new patient."""
        del about
        desk, person = self._desk, person_of(request)
        form = entered.form_id()
        event = None if form is None else self._event(request, entered, form)
        if event is None:
            raise NotDoneError
        where = f"/enrolled/{event.patient}"
        if not person.may(Right.MANAGE_COURSE, event.service):
            await desk.access.add(person.ref, _ACTION, event.patient, event.service, REFUSED)
            entered.fault("service", "choice")
            raise NotDoneError
        async with self._acting.turn(event.patient):
            held = desk.model.patient(event.patient).course.events()
            if any(one.event_id == event.event_id for one in held):
                return where  # the form was sent before
            if held or desk.model.statuses.of(event.patient) is not None:
                # To enrol another service's patient would be to take them away from it.
                await desk.access.add(person.ref, _ACTION, event.patient, event.service, REFUSED)
                entered.fault("pseudonym", "taken")
                raise NotDoneError
            await self._acting.write(request, event, event.event_id, _ACTION, event.service)
        return where

    async def enrolled(self, request: web.Request) -> web.Response:
        """Answer /enrolled/{patient}: to the patient's page as soon as triage has heard of them.

        Whom the person may not see, is like nobody; whom they themselves enrolled is waited for.
        """
        await self.about(request)
        desk, person = self._desk, person_of(request)
        patient = request.match_info["patient"]
        enrolled = desk.model.patient(patient).course.enrolled()
        if desk.model.status(patient) is None and enrolled is not None and enrolled.recorded_by == person.ref:
            return show(desk, request, "enrolled.html", patient=patient)
        await patient_of(desk, request)
        raise web.HTTPSeeOther(f"/patients/{patient}?done=enrol")

    def _event(self, request: web.Request, entered: Entered, form: UUID) -> Enrolled | None:
        desk, person = self._desk, person_of(request)
        pathway = entered.choice("pathway", desk.pathways)
        service = entered.choice("service", [slug for slug, _ in desk.known_services()])
        municipality, phase = entered.slug("municipality"), entered.choice("phase", PHASES)
        zone = entered.time_zone("time_zone")
        # Made from the form, so that the form sent twice enrols one patient and not two.
        given = entered.pseudonym("pseudonym") or entered.pseudonym("proposed") or pseudonym()
        if entered.faults or not pathway or not service or not municipality or not phase or not zone:
            return None
        return Enrolled(
            event_id=event_id(person, given, _ACTION, form),
            patient=given,
            at=desk.now(),
            recorded_at=desk.now(),
            recorded_by=person.ref,
            pathway=pathway,
            service=service,
            municipality=municipality,
            phase=Phase(phase),
            time_zone=zone,
        )

    def _fields(self, request: web.Request, voice: Voice) -> list[Field]:
        desk, person = self._desk, person_of(request)
        own = tuple(Choice(*one) for one in desk.known_services() if person.may(Right.MANAGE_COURSE, one[0]))
        pathways = tuple(Choice(slug, voice.named("pathway", slug)) for slug in desk.pathways)
        phases = tuple(Choice(phase.value, voice(f"phase.{phase.value}")) for phase in PHASES)
        return [
            Field(name="pathway", label=voice("field.pathway"), kind="choice", choices=pathways),
            Field(name="service", label=voice("field.service"), kind="choice", choices=own),
            Field(name="municipality", label=voice("field.municipality"), kind="text", most=64),
            Field(name="phase", label=voice("field.phase"), kind="radio", choices=phases, value=Phase.START_UP.value),
            Field(name="time_zone", label=voice("field.time_zone"), kind="text", value=TIME_ZONE, most=64),
            Field(
                name="pseudonym",
                label=voice("field.pseudonym"),
                kind="text",
                required=False,
                hint=voice("field.pseudonym_hint"),
                most=64,
            ),
        ]
