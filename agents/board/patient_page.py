"""A patient's page over HTTP, and what staff do there."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web
from msgspec import structs

from agents.board.acting import event_id
from agents.board.answering import DONE, patient_of, seen, show
from agents.board.around import person_of
from agents.board.form_page import Asked, form_of, sent
from agents.board.forms import ACTS, About, Common
from agents.board.happened import decisions, happening, plan_versions
from agents.board.history import history
from agents.board.named import UnavailableError, asking
from agents.board.rows import edges, row_of
from agents.board.viewing import lang_of, viewer_of
from agents.directory.identity import ErasedError
from agents.gateway.delivery import UnconfirmedError
from dashboards.board import listing
from dashboards.board.views import Identity
from pipeline.triage.explain import explain
from schemas.care import Transferred
from schemas.people import Right

if TYPE_CHECKING:
    from agents.board.acting import Acting
    from agents.board.desk import Desk
    from agents.board.fields import Entered
    from dashboards.board.pages import Voice
    from dashboards.board.views import Form
    from schemas.assessments import PatientStatus
    from schemas.care import CareEvent
    from schemas.people import Person

PERIODS: Final = (14, 30, 90, 365)  # days of charts that may be asked for
USUAL: Final = 30
_SHOWN: Final = 60  # decisions, and events


class PatientPage:
    """The page, and the forms on it."""

    def __init__(self, desk: Desk, acting: Acting) -> None:
        self._desk = desk
        self._acting = acting

    async def page(self, request: web.Request) -> web.Response:
        """Answer /patients/{patient}."""
        return await self._shown(request, await patient_of(self._desk, request))

    async def act(self, request: web.Request) -> web.Response:
        """Answer POST /patients/{patient}/{act}: do it, and lead back to the page."""
        desk, person = self._desk, person_of(request)
        slug, patient = request.match_info["act"], request.match_info["patient"]
        act = ACTS.get(slug)
        if act is None:
            raise web.HTTPNotFound
        entered = await sent(desk, request)
        form = entered.form_id()
        id_ = None if form is None else event_id(person, patient, slug, form)
        if handed_over := self._handed_over(person, patient, id_):
            raise web.HTTPSeeOther(_after(person, slug, handed_over))
        status = await patient_of(desk, request, act.right)
        about = self.about(status)
        event = None if id_ is None else act.make(entered, about, Common(id_, patient, desk.now(), person.ref))
        if event is None:
            return await self._shown(request, status, slug, entered, code=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            await self._acting.write(request, event, event.event_id, slug.replace("-", "_"), status.service)
        except UnconfirmedError:
            code, trouble = HTTPStatus.SERVICE_UNAVAILABLE, "form.not_confirmed"
            return await self._shown(request, status, slug, entered, code=code, trouble=trouble)
        await self._acting.decided(status)
        raise web.HTTPSeeOther(_after(person, slug, event))

    async def transferred(self, request: web.Request) -> web.Response:
        """Answer /transferred/{patient}/{event}: to whoever handed a patient over, that they did, and nothing else."""
        asked = request.match_info
        event = self._handed_over(person_of(request), asked["patient"], asked["event"])
        if event is None:
            status = await patient_of(self._desk, request)
            raise web.HTTPSeeOther(f"/patients/{status.patient}")
        return show(self._desk, request, "transferred.html", event=event)

    def _handed_over(self, person: Person, patient: str, id_: object) -> Transferred | None:
        """Somebody's own hand-over of a patient by its id; they may see the patient no more."""
        for event in self._desk.model.patient(patient).course.events():
            if isinstance(event, Transferred) and event.recorded_by == person.ref and str(event.event_id) == str(id_):
                return event
        return None

    def about(self, status: PatientStatus) -> About:
        """Return what forms need to know of a patient."""
        desk = self._desk
        return About(status, desk.model.patient(status.patient), desk.now(), desk.tz, desk.known_services())

    async def _shown(  # noqa: PLR0913 - the page, and a form on it that was not done
        self,
        request: web.Request,
        status: PatientStatus,
        slug: str = "",
        entered: Entered | None = None,
        *,
        code: int = 200,
        trouble: str = "",
    ) -> web.Response:
        desk, now = self._desk, self._desk.now()
        await seen(desk, request, status)
        voice, viewer = desk.voice(lang_of(request)), viewer_of(request, status.service, of_patient=True)
        one = desk.model.patient(status.patient)
        asked = request.query.get("days", "")
        days = int(asked) if asked in map(str, PERIODS) else USUAL
        begins = now - timedelta(days=days)
        judged = one.judgements.newest()
        found = await history(desk.store, status.patient, judged, begins, now)
        plans = one.course.plans()
        forms = self._forms(request, status, voice, slug, entered, trouble)
        return show(
            desk,
            request,
            "patient.html",
            status=code,
            viewer=viewer,
            row=row_of(status, one),
            patient=status,
            identity=await self._identity(request, status, voice),
            reasons=explain(status.reasons, voice.lang),
            waits=listing.unacknowledged(status),
            overdue=listing.overdue(status, now),
            late=listing.unanswered(status, now),
            days=days,
            periods=PERIODS,
            begins=begins,
            series=[structs.replace(each, edges=edges(plans, each.vital)) for each in found.series],
            missing=found.missing,
            decisions=decisions(
                [each for each in judged if each.at >= begins],
                [change for change in one.alarms.changes() if change.at >= begins],
                voice,
                desk.pathways.get(status.pathway or ""),
            )[:_SHOWN],
            events=[happening(event, voice, now) for event in reversed(one.course.events()[-_SHOWN:])],
            plans=plan_versions(plans, status.plan_version),
            lent=one.course.lent(status.service),
            forms=forms,
            failed=next((form for form in forms if form.slug == slug), None) if entered else None,
            done=request.query.get("done", "") in ({*ACTS, "plan", "registration", "enrol", "identity"}),
        )

    def _forms(  # noqa: PLR0913, PLR0917 - every form, and the one that was not done
        self,
        request: web.Request,
        status: PatientStatus,
        voice: Voice,
        slug: str,
        entered: Entered | None,
        trouble: str,
    ) -> list[Form]:
        about, person = self.about(status), person_of(request)
        forms = []
        for name, act in ACTS.items():
            failed = name == slug and entered is not None
            if not person.may(act.right, status.service) or not (act.offered(about) or failed):
                continue
            episode = status.episode
            hidden: tuple[tuple[str, str], ...] = ()
            if name == "acknowledge" and episode is not None:
                hidden = (("zone_change_id", str(episode.zone_change_id)),)
            forms.append(
                form_of(
                    voice,
                    name,
                    f"/patients/{status.patient}/{name}",
                    Asked(act.fields(about, voice), hidden),
                    entered if failed else None,
                    submit=act.submit,
                    trouble=trouble if failed else "",
                    open=failed,
                    first=name == "acknowledge",
                )
            )
        return forms

    async def _identity(self, request: web.Request, status: PatientStatus, voice: Voice) -> Identity | None:
        """Who the patient is, for those who may see it; written down."""
        desk, person = self._desk, person_of(request)
        if status.service is None or not person.may(Right.SEE_IDENTITY, status.service):
            return None
        try:
            with asking():
                found = await desk.directory.of(status.patient)
        except ErasedError:
            return Identity(name=voice("erased.title"))
        except UnavailableError:  # the page by pseudonym must stand
            return Identity(name=voice("identity.unavailable"))
        if found is None:
            return None
        await desk.access.add(person.ref, Right.SEE_IDENTITY.value, status.patient, status.service, DONE)
        relative = " ".join(filter(None, (found.relative_name, found.relative_telephone)))
        parts = (
            ("identity.born", str(found.year_of_birth or "")),
            ("identity.telephone", found.telephone),
            ("identity.relative", relative),
            ("identity.gp", found.gp),
            ("identity.note", found.note),
        )
        return Identity(name=found.name, parts=tuple((key, said) for key, said in parts if said))


def _after(person: Person, slug: str, event: CareEvent) -> str:
    """Where a form leads that is done: to the patient, where the person may still see them."""
    if isinstance(event, Transferred) and not person.may(Right.SEE_PATIENT, event.service):
        return f"/transferred/{event.patient}/{event.event_id}"
    return f"/patients/{event.patient}?done={slug}"
