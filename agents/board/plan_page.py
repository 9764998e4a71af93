"""Trying and signing a plan: from the newest version or the pathway's starter values; only doctors sign."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types
from msgspec import structs

from agents.board.acting import event_id
from agents.board.answering import demand, patient_of, seen, show
from agents.board.around import person_of
from agents.board.form_page import NotDoneError, sent
from agents.board.forms import form_id
from agents.board.plan_form import as_entered, read, sheet
from agents.board.plan_newer import NONE, newer, reference
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.delivery import UnconfirmedError
from dashboards.board.views import Compared
from pipeline.backtest.what_if import what_if
from pipeline.pathways import starter_plan
from pipeline.triage.vitals import VITALS
from schemas.care import Enrolled, News2Scale, Plan, PlanSigned
from schemas.people import Right
from schemas.types import Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from agents.board.acting import Acting
    from agents.board.desk import Desk
    from agents.board.fields import Entered
    from dashboards.board.views import Newer
    from schemas.assessments import PatientStatus

DAYS: Final = 90  # of the patient's own log on which a plan is tried [d]
_LINES: Final = ("yellow", "red", "no_data", "changes", "pages")
UNSURE_S: Final = 60.0  # aiokafka gives up a message 40 s after it was handed over (request_timeout_ms) [s]


class PlanPage:
    """The form of a plan.

    Two who sign at the same time take turns, and the second is shown what the first signed. Where several boards run,
    each knows of a plan that another board took once it has read it, usually within a second.
    """

    def __init__(self, desk: Desk, acting: Acting) -> None:
        self._desk = desk
        self._acting = acting
        self._unsure: dict[str, tuple[UUID, float]] = {}  # patient -> a plan that may be written yet, and until when

    async def page(self, request: web.Request) -> web.Response:
        """Answer /patients/{patient}/plan."""
        status = await patient_of(self._desk, request, Right.TRY_PLAN)
        await seen(self._desk, request, status, Right.TRY_PLAN)
        voice = self._desk.voice(lang_of(request))
        start = self._start(status, request)
        values = as_entered(start, voice) if start else {}
        values["valid_from_at"] = self._desk.local()
        values["based_on"] = reference(self._newest(status))
        values["form_id"] = form_id()
        return self._shown(request, status, values)

    async def post(self, request: web.Request) -> web.Response:
        """Answer POST /patients/{patient}/plan: try it, or sign it."""
        desk = self._desk
        status = await patient_of(desk, request, Right.TRY_PLAN)
        entered = await sent(desk, request)
        await seen(desk, request, status, Right.TRY_PLAN)
        signs = entered.raw("do") == "sign"
        if signs:
            await demand(desk, request, Right.SIGN_PLAN, status.service, status.patient)
        plan = self._read(request, status, entered)
        told = entered.all()
        if plan is None:
            error = NotDoneError()
            return self._shown(request, status, told, entered.faults, error=error)
        if not signs:
            return await self._tried(request, status, plan, told)
        try:
            async with self._acting.turn(status.patient):
                await self._sign(request, status, entered)
        except NotDoneError as error:
            return self._shown(request, status, told, error=error)
        await self._acting.decided(status)
        raise web.HTTPSeeOther(f"/patients/{status.patient}?done=plan")

    def _read(self, request: web.Request, status: PatientStatus, entered: Entered) -> Plan | None:
        """The plan that was entered, as the next version; None where something is wrong, which `entered` then says."""
        at, newest = entered.instant("valid_from_at"), self._newest(status)
        version = newest.plan.version + 1 if newest else 1
        if at is None or entered.form_id() is None:
            return None
        return read(entered, version=version, valid_from_at=at, based_on=self._start(status, request))

    async def _sign(self, request: web.Request, status: PatientStatus, entered: Entered) -> None:
        """Sign what was entered, where nobody has signed another plan since its form was opened.

        Raises
        ------
        NotDoneError
            It is not signed.
        """
        desk, person = self._desk, person_of(request)
        plan, form = self._read(request, status, entered), entered.form_id()
        if plan is None or form is None:
            raise NotDoneError
        id_ = event_id(person, status.patient, "plan", form)
        held = desk.model.patient(status.patient).course
        before = next((one.plan for one in held.plans() if one.event_id == id_), None)
        if before is not None and structs.replace(plan, version=before.version) == before:
            return  # the form was sent before
        if not desk.up_to_date():
            raise NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "form.plan_not_read")
        if entered.raw("based_on") != reference(held.newest_plan()):
            raise NotDoneError(HTTPStatus.CONFLICT, "form.plan_newer")
        if self._may_come(status.patient, id_):
            raise NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "form.plan_unsure")
        signed = PlanSigned(
            event_id=id_,
            patient=status.patient,
            at=desk.now(),
            recorded_at=desk.now(),
            recorded_by=person.ref,
            plan=plan,
            signed_by=person.ref,
        )
        try:
            await self._acting.write(request, signed, id_, "sign_plan", status.service)
        except UnconfirmedError:
            self._unsure[status.patient] = id_, monotonic() + UNSURE_S
            raise NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "form.not_confirmed") from None
        self._unsure.pop(status.patient, None)

    def _may_come(self, patient: str, id_: UUID) -> bool:
        """Whether another plan of the patient's may come to the broker yet, though it has not confirmed it."""
        self._unsure = {who: held for who, held in self._unsure.items() if held[1] > monotonic()}
        return patient in self._unsure and self._unsure[patient][0] != id_

    async def _tried(
        self, request: web.Request, status: PatientStatus, plan: Plan, told: dict[str, str]
    ) -> web.Response:
        """The patient's last weeks under the plan in force and under this one."""
        try:
            compared = await self._compare(status, plan)
        except (KafkaError, OSError, TimeoutError):
            error = NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "tried.late")
            return self._shown(request, status, told, error=error)
        return self._shown(request, status, told, tried=True, compared=compared)

    async def _compare(self, status: PatientStatus, plan: Plan) -> Compared | None:
        if self._desk.log is None:
            raise TimeoutError("no broker to read from")
        since = self._desk.now() - timedelta(days=DAYS)
        own = await self._desk.log.read(status.patient, since)
        care = self._desk.model.patient(status.patient).course.events()
        if not own or not any(isinstance(one, Enrolled) for one in care):
            return None
        # On a thread: a quarter of a year takes some tenths of a second, in which no board would hear of a red.
        found = await asyncio.to_thread(what_if, [*care, *own], plan, days=DAYS, patient=status.patient)
        if not found.patients:
            return None
        one = found.patients[0]
        lines = tuple((f"tried.{name}", getattr(one.old, name), getattr(one.new, name)) for name in _LINES)
        return Compared(found.days, one.weeks, lines, one.added, one.gone)

    def _newest(self, status: PatientStatus) -> PlanSigned | None:
        return self._desk.model.patient(status.patient).course.newest_plan()

    def _start(self, status: PatientStatus, request: web.Request) -> Plan | None:
        """The plan that a form starts from now; None: the patient's pathway is not known here."""
        signed = self._newest(status)
        return signed.plan if signed is not None else self._starter(status, request)

    def _starter(self, status: PatientStatus, request: web.Request) -> Plan | None:
        pathway = self._desk.pathways.get(status.pathway or "")
        if pathway is None:
            return None
        return starter_plan(pathway, version=1, valid_from_at=self._desk.now(), language=lang_of(request))

    def _newer(
        self, request: web.Request, status: PatientStatus, values: Mapping[str, str], questions: Mapping[str, str]
    ) -> Newer | None:
        """What was signed since a form was opened, beside what was entered in it."""
        signed, began = self._newest(status), values.get("based_on", "")
        if signed is None or began == reference(signed):
            return None
        plans = self._desk.model.patient(status.patient).course.plans()
        base = next((one.plan for one in plans if str(one.event_id) == began), None)
        if began == NONE and (starter := self._starter(status, request)):
            base = structs.replace(starter, version=0)
        return newer(signed, base, values, self._desk.voice(lang_of(request)), questions)

    def _shown(  # noqa: PLR0913 - the form, with what became of it
        self,
        request: web.Request,
        status: PatientStatus,
        values: dict[str, str],
        faults: Mapping[str, str] = MappingProxyType({}),
        *,
        error: NotDoneError | None = None,
        tried: bool = False,
        compared: Compared | None = None,
    ) -> web.Response:
        desk, newest = self._desk, self._newest(status)
        voice = desk.voice(lang_of(request))
        pathway = desk.pathways.get(status.pathway or "")
        questions: dict[str, str] = {}
        if pathway is not None and pathway.questionnaire is not None:
            questions = {one.link_id: getattr(one.text, voice.lang) for one in pathway.questionnaire.questions}
        found = self._newer(request, status, values, questions)
        if found is not None:  # it is on the page now: what is signed next is signed in sight of it
            values = {**values, "based_on": reference(newest), "form_id": form_id()}
        more: dict[str, Any] = {
            "sheet": sheet(values, faults, voice, {one.name: one.now for one in found.lines} if found else {}),
            "vitals": [(vital.codes[0], voice.vital(vital.name)) for vital in VITALS],
            "questions": list(questions.items()),
            "scales": [scale.value for scale in News2Scale],
            "weekdays": [day.value for day in Weekday],
        }
        return show(
            desk,
            request,
            "plan.html",
            status=error.status if error else HTTPStatus.OK,
            viewer=viewer_of(request, status.service, of_patient=True),
            patient=status,
            values=values,
            faults=faults,
            trouble=voice(error.trouble) if error and error.trouble else "",
            newest=newest.plan.version if newest else 0,
            newer=found,
            beside={one.name: one.now for one in found.lines if one.now != one.own} if found else {},
            tried=tried,
            compared=compared,
            **more,
        )
