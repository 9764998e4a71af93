"""Taking a new patient in: pathway, service, municipality, phase, and a pseudonym that is nobody's number."""

from __future__ import annotations

from secrets import choice
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.board.acting import Acting, event_id
from agents.board.answering import DONE, REFUSED, demand, show
from agents.board.around import person_of
from agents.board.fields import Entered
from agents.board.forms import form_id
from agents.board.patient_page import filled, posted, services
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.delivery import UnconfirmedError
from dashboards.board.views import Choice, Field, Form
from schemas.care import Enrolled
from schemas.people import Right
from schemas.types import Phase

if TYPE_CHECKING:
    from uuid import UUID

    from agents.board.desk import Desk
    from dashboards.board.pages import Voice

PHASES: Final = (Phase.REFERRAL, Phase.START_UP, Phase.FOLLOW_UP)
TIME_ZONE: Final = "Europe/Oslo"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"  # without those that are mistaken for digits
_DIGITS: Final = "23456789"
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503


def pseudonym() -> str:
    """Return a new pseudonym: easy to read aloud, and made of nothing that is the patient's."""
    drawn = "".join(choice(_LETTERS + _DIGITS) for _ in range(8))
    return f"p-{drawn[:4]}-{drawn[4:]}"


class EnrolPage:
    """The form of an enrolment."""

    def __init__(self, desk: Desk, acting: Acting) -> None:
        self._desk = desk
        self._acting = acting

    async def page(self, request: web.Request) -> web.Response:
        """Answer /enrol."""
        await self._demand(request)
        return self._shown(request, None)

    async def post(self, request: web.Request) -> web.Response:
        """Answer POST /enrol."""
        desk, person = self._desk, person_of(request)
        await self._demand(request)
        entered = Entered(await posted(desk, request), desk.voice(lang_of(request)), desk.tz)
        form = entered.form_id()
        event = None if form is None else self._event(request, entered, form)
        if form is None or event is None:
            return self._shown(request, entered, code=_UNPROCESSABLE)
        if not person.may(Right.MANAGE_COURSE, event.service):
            await desk.access.add(person.ref, "enrol", event.patient, event.service, REFUSED)
            entered.fault("service", "choice")
            return self._shown(request, entered, code=_UNPROCESSABLE)
        try:
            await desk.access.add(person.ref, "enrol", event.patient, event.service, DONE)
            await self._acting.do(desk.care, event, event.event_id)
        except UnconfirmedError:
            return self._shown(request, entered, code=_UNAVAILABLE, trouble="form.not_confirmed")
        raise web.HTTPSeeOther(f"/enrolled/{event.patient}")

    async def enrolled(self, request: web.Request) -> web.Response:
        """Answer /enrolled/{patient}: to the patient's page as soon as triage has heard of them."""
        await self._demand(request)
        patient = request.match_info["patient"]
        if self._desk.model.status(patient) is not None:
            raise web.HTTPSeeOther(f"/patients/{patient}?done=enrol")
        return show(self._desk, request, "enrolled.html", patient=patient)

    async def _demand(self, request: web.Request) -> None:
        """Come back where the person may take somebody into some service."""
        person = person_of(request)
        if not any(person.may(Right.MANAGE_COURSE, service) for service in person.services):
            await demand(self._desk, request, Right.MANAGE_COURSE, "")

    def _event(self, request: web.Request, entered: Entered, form: UUID) -> Enrolled | None:
        desk, person = self._desk, person_of(request)
        pathway = entered.choice("pathway", desk.pathways)
        service = entered.choice("service", [slug for slug, _ in services(desk)])
        municipality, phase = entered.slug("municipality"), entered.choice("phase", PHASES)
        zone = entered.time_zone("time_zone")
        given = entered.pseudonym("pseudonym")
        if given is not None and desk.model.status(given) is not None:
            entered.fault("pseudonym", "taken")
        if entered.faults or not pathway or not service or not municipality or not phase or not zone:
            return None
        # Made from the form, so that the form sent twice enrols one patient and not two.
        patient = given or entered.raw("proposed") or pseudonym()
        return Enrolled(
            event_id=event_id(person, patient, "enrol", form),
            patient=patient,
            at=desk.now(),
            recorded_at=desk.now(),
            recorded_by=person.ref,
            pathway=pathway,
            service=service,
            municipality=municipality,
            phase=Phase(phase),
            time_zone=zone,
        )

    def _shown(
        self, request: web.Request, entered: Entered | None, *, code: int = 200, trouble: str = ""
    ) -> web.Response:
        voice = self._desk.voice(lang_of(request))
        proposed = (entered.raw("proposed") if entered else "") or pseudonym()
        form = Form(
            slug="enrol",
            title=voice("form.enrol"),
            action="/enrol",
            fields=filled(self._fields(request, voice), entered),
            form_id=(entered.raw("form_id") if entered else "") or form_id(),
            submit=voice("form.enrol"),
            hidden=(("proposed", proposed),),
            trouble=voice(trouble) if trouble else "",
        )
        return show(
            self._desk,
            request,
            "form.html",
            status=code,
            viewer=viewer_of(request),
            form=form,
            patient="",
            here="enrol",
        )

    def _fields(self, request: web.Request, voice: Voice) -> list[Field]:
        desk, person = self._desk, person_of(request)
        own = tuple(Choice(*one) for one in services(desk) if person.may(Right.MANAGE_COURSE, one[0]))
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
