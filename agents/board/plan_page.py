"""Trying and signing a plan: from the newest version or the pathway's starter values; only doctors sign."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents.board.acting import event_id
from agents.board.answering import demand, patient_of, seen, show
from agents.board.around import person_of
from agents.board.fields import Entered
from agents.board.forms import LOCAL, form_id
from agents.board.patient_page import posted
from agents.board.plan_form import as_entered, read, sheet
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.delivery import UnconfirmedError
from dashboards.board.views import Compared
from pipeline.backtest.what_if import what_if
from pipeline.pathways import starter_plan
from pipeline.triage.vitals import VITALS
from schemas.care import Enrolled, News2Scale, Plan, PlanSigned
from schemas.people import Right

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.board.desk import Desk
    from agents.board.own_log import OwnLog
    from agents.board.patient_page import PatientPage
    from schemas.assessments import PatientStatus

DAYS: Final = 90  # of the patient's own log on which a plan is tried [d]
_LINES: Final = ("yellow", "red", "no_data", "changes", "pages")
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503
_CONFLICT: Final = 409


class PlanPage:
    """The form of a plan."""

    def __init__(self, desk: Desk, patients: PatientPage, log: OwnLog | None) -> None:
        self._desk = desk
        self._patients = patients
        self._log = log

    async def page(self, request: web.Request) -> web.Response:
        """Answer /patients/{patient}/plan."""
        status = await patient_of(self._desk, request, Right.TRY_PLAN)
        await seen(self._desk, request, status, Right.TRY_PLAN)
        voice = self._desk.voice(lang_of(request))
        start = self._start(status, request)
        values = as_entered(start, voice) if start else {}
        values["valid_from_at"] = self._patients.about(status).local
        values["based_on"] = str(self._newest(status))
        values["form_id"] = form_id()
        return self._shown(request, status, values, {})

    async def post(self, request: web.Request) -> web.Response:
        """Answer POST /patients/{patient}/plan: try it, or sign it."""
        desk = self._desk
        status = await patient_of(desk, request, Right.TRY_PLAN)
        values = await posted(desk, request)
        await seen(desk, request, status, Right.TRY_PLAN)
        signs = values.get("do") == "sign"
        if signs:
            await demand(desk, request, Right.SIGN_PLAN, status.service, status.patient)
        entered = Entered(values, desk.voice(lang_of(request)), desk.tz)
        told = {name: entered.raw(name) for name in values}
        at, form = entered.instant("valid_from_at"), entered.form_id()
        newest = self._newest(status)
        plan = (
            None
            if at is None or form is None
            else read(entered, version=newest + 1, valid_from_at=at, based_on=self._start(status, request))
        )
        if plan is None or form is None:
            return self._shown(request, status, told, entered.faults, code=_UNPROCESSABLE)
        if not signs:
            return await self._tried(request, status, plan, told)
        id_ = event_id(person_of(request), status.patient, "plan", form)
        held = desk.model.patient(status.patient).course
        if str(newest) != entered.raw("based_on") and not any(one.event_id == id_ for one in held.events()):
            return self._shown(request, status, told, {}, code=_CONFLICT, trouble="form.plan_newer")
        signed = PlanSigned(
            event_id=id_,
            patient=status.patient,
            at=desk.now(),
            recorded_at=desk.now(),
            recorded_by=person_of(request).ref,
            plan=plan,
            signed_by=person_of(request).ref,
        )
        try:
            await self._patients.done(desk.care, signed, id_, request, status, "sign_plan")
        except UnconfirmedError:
            return self._shown(request, status, told, {}, code=_UNAVAILABLE, trouble="form.not_confirmed")
        raise web.HTTPSeeOther(f"/patients/{status.patient}?done=plan")

    async def _tried(
        self, request: web.Request, status: PatientStatus, plan: Plan, told: Mapping[str, str]
    ) -> web.Response:
        """The patient's last weeks under the plan in force and under this one."""
        try:
            compared = await self._compare(status, plan)
        except (KafkaError, OSError, TimeoutError):
            return self._shown(request, status, dict(told), {}, code=_UNAVAILABLE, trouble="tried.late")
        return self._shown(request, status, dict(told), {}, tried=True, compared=compared)

    async def _compare(self, status: PatientStatus, plan: Plan) -> Compared | None:
        if self._log is None:
            raise TimeoutError("no broker to read from")
        since = self._desk.now() - timedelta(days=DAYS)
        sent = await self._log.read(status.patient, since)
        care = self._desk.model.patient(status.patient).course.events()
        if not sent or not any(isinstance(one, Enrolled) for one in care):
            return None
        # On a thread: a quarter of a year takes some tenths of a second, in which no board would hear of a red.
        found = await asyncio.to_thread(what_if, [*care, *sent], plan, days=DAYS, patient=status.patient)
        if not found.patients:
            return None
        one = found.patients[0]
        lines = tuple((f"tried.{name}", getattr(one.old, name), getattr(one.new, name)) for name in _LINES)
        return Compared(found.days, one.weeks, lines, one.added, one.gone)

    def _newest(self, status: PatientStatus) -> int:
        signed = self._desk.model.patient(status.patient).course.newest_plan()
        return signed.plan.version if signed else 0

    def _start(self, status: PatientStatus, request: web.Request) -> Plan | None:
        """The plan that the form starts from; None: the patient's pathway is not known here."""
        signed = self._desk.model.patient(status.patient).course.newest_plan()
        if signed is not None:
            return signed.plan
        pathway = self._desk.pathways.get(status.pathway or "")
        if pathway is None:
            return None
        return starter_plan(pathway, version=1, valid_from_at=self._desk.now(), language=lang_of(request))

    def _shown(  # noqa: PLR0913 - the form, with what became of it
        self,
        request: web.Request,
        status: PatientStatus,
        values: dict[str, str],
        faults: dict[str, str],
        *,
        code: int = 200,
        trouble: str = "",
        tried: bool = False,
        compared: Compared | None = None,
    ) -> web.Response:
        desk = self._desk
        voice = desk.voice(lang_of(request))
        pathway = desk.pathways.get(status.pathway or "")
        questions: list[tuple[str, str]] = []
        if pathway is not None and pathway.questionnaire is not None:
            questions = [(one.link_id, getattr(one.text, voice.lang)) for one in pathway.questionnaire.questions]
        more: dict[str, Any] = {
            "sheet": sheet(values, faults, voice),
            "vitals": [(vital.codes[0], voice.vital(vital.name)) for vital in VITALS],
            "questions": questions,
            "scales": [scale.value for scale in News2Scale],
        }
        return show(
            desk,
            request,
            "plan.html",
            status=code,
            viewer=viewer_of(request, status.service, of_patient=True),
            patient=status,
            values=values,
            faults=faults,
            trouble=voice(trouble) if trouble else "",
            newest=self._newest(status),
            tried=tried,
            compared=compared,
            local=desk.now().astimezone(desk.tz).strftime(LOCAL),
            **more,
        )
