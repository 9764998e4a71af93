"""A patient's page over HTTP, and what staff do there."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from msgspec import structs

from agents.board.acting import Acting, event_id
from agents.board.answering import DONE, forbidden, patient_of, seen, show
from agents.board.around import csrf_of, person_of
from agents.board.fields import Entered
from agents.board.forms import ACTS, About, Common, form_id
from agents.board.happened import decisions, happening, plan_versions
from agents.board.history import history
from agents.board.rows import edges, row_of
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.delivery import UnconfirmedError
from agents.people.origin import same_token
from dashboards.board import listing
from dashboards.board.views import Form, Identity
from pipeline.triage.explain import explain
from schemas.people import Right
from schemas.submissions import Submission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from agents.board.around import Confirming
    from agents.board.desk import Desk
    from dashboards.board.pages import Voice
    from dashboards.board.views import Field
    from schemas.assessments import PatientStatus
    from schemas.care import CareEvent

PERIODS: Final = (14, 30, 90, 365)  # days of charts that may be asked for
USUAL: Final = 30
DECIDED_S: Final = 1.0  # how long the page that follows a form waits for triage [s]
_SHOWN: Final = 60  # decisions, and events
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503


def services(desk: Desk) -> tuple[tuple[str, str], ...]:
    """Return every service that is configured or has patients, by name."""
    known = set(desk.services) | {status.service for status in desk.model.all_statuses() if status.service}
    voice = desk.voice("nb")
    return tuple(sorted(((slug, voice.named("service_name", slug)) for slug in known), key=lambda one: one[1]))


def filled(fields: list[Field], entered: Entered | None) -> tuple[Field, ...]:
    """Return a form's fields with what was entered and what is wrong with it."""
    if entered is None:
        return tuple(fields)
    return tuple(
        structs.replace(
            field,
            value=entered.raw(field.name),
            fault=entered.faults.get(field.name, ""),
            chosen=tuple(one.value for one in field.choices if entered.raw(f"{field.name}.{one.value}")),
        )
        for field in fields
    )


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
        desk = self._desk
        slug = request.match_info["act"]
        act = ACTS.get(slug)
        if act is None:
            raise web.HTTPNotFound
        status = await patient_of(desk, request, act.right)
        values = await posted(desk, request)
        person, about = person_of(request), self.about(status)
        entered = Entered(values, desk.voice(lang_of(request)), desk.tz)
        form = entered.form_id()
        id_ = None if form is None else event_id(person, status.patient, slug, form)
        event = None if id_ is None else act.make(entered, about, Common(id_, status.patient, desk.now(), person.ref))
        if id_ is None or event is None:
            return await self._shown(request, status, slug, entered, code=_UNPROCESSABLE)
        try:
            await self.done(desk.care, event, id_, request, status, slug)
        except UnconfirmedError:
            return await self._shown(request, status, slug, entered, code=_UNAVAILABLE, trouble="form.not_confirmed")
        raise web.HTTPSeeOther(f"/patients/{status.patient}?done={slug}")

    async def done(  # noqa: PLR0913, PLR0917 - who does what about whom
        self,
        delivery: Confirming | None,
        event: CareEvent | Submission,
        id_: UUID,
        request: web.Request,
        status: PatientStatus,
        slug: str,
    ) -> None:
        """Write it down in the access log and hand it to the broker; raises UnconfirmedError."""
        await self._desk.access.add(
            person_of(request).ref, slug.replace("-", "_"), status.patient, status.service, DONE
        )
        await self._acting.do(delivery, event, id_)
        if not isinstance(event, Submission):
            self._desk.model.heard(event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DECIDED_S):
                while self._desk.model.status(status.patient) is status:  # noqa: ASYNC110 - the page that follows shows what triage makes of it
                    await asyncio.sleep(0.02)

    def about(self, status: PatientStatus) -> About:
        """Return what forms need to know of a patient."""
        desk = self._desk
        return About(status, desk.model.patient(status.patient), desk.now(), desk.tz, services(desk))

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
                Form(
                    slug=name,
                    title=voice(f"form.{name}"),
                    action=f"/patients/{status.patient}/{name}",
                    fields=filled(act.fields(about, voice), entered if failed else None),
                    form_id=(entered.raw("form_id") if failed and entered else "") or form_id(),
                    submit=voice(f"form.{name}"),
                    hidden=hidden,
                    open=failed,
                    first=name == "acknowledge",
                    trouble=voice(trouble) if failed and trouble else "",
                )
            )
        return forms

    async def _identity(self, request: web.Request, status: PatientStatus, voice: Voice) -> Identity | None:
        """Who the patient is, for those who may see it; written down."""
        desk, person = self._desk, person_of(request)
        if status.service is None or not person.may(Right.SEE_IDENTITY, status.service):
            return None
        try:
            found = await desk.directory.of(status.patient)
        except Exception:  # noqa: BLE001 - erased, or the directory ails: the page by pseudonym must stand
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


async def posted(desk: Desk, request: web.Request) -> Mapping[str, Any]:
    """Return what a form of this board holds.

    Raises
    ------
    aiohttp.web.HTTPForbidden
        It does not carry the token of the person's session.
    """
    values = await request.post()
    given = values.get("csrf", "")
    if not isinstance(given, str) or not same_token(given, csrf_of(request)):
        raise forbidden(desk, request, "csrf")
    return values
