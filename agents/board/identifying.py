"""Writing down who a patient is: into the patient directory and nowhere else."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

import structlog
from aiohttp import web

from agents.board.answering import DONE, REFUSED, forbidden, patient_of, show
from agents.board.around import person_of
from agents.board.fields import Entered
from agents.board.forms import form_id
from agents.board.patient_page import filled, posted
from agents.board.viewing import lang_of, viewer_of
from agents.directory.identity import BORN, MOST, Identity
from dashboards.board.views import Field, Form
from schemas.people import Right

if TYPE_CHECKING:
    from agents.board.around import Identity as Known
    from agents.board.desk import Desk
    from dashboards.board.pages import Voice
    from schemas.assessments import PatientStatus

_NATIONAL_NUMBER: Final = re.compile(r"(?<!\d)\d{6}[ -]?\d{5}(?!\d)")
_NAMED: Final = ("name", "relative_name", "gp", "note")
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503
_log = structlog.get_logger()


class IdentityPage:
    """The form of a patient's entry in the directory."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        """Answer /patients/{patient}/identity: the entry as it stands, which is written down as seen."""
        desk = self._desk
        status = await self._patient(request)
        try:
            known = await desk.directory.of(status.patient)
        except Exception as error:  # noqa: BLE001 - erased, or it ails: a form that starts empty would write over it
            _log.warning("directory_failed", error=type(error).__name__)
            return show(desk, request, "message.html", status=_UNAVAILABLE, said="no_directory")
        if known is not None:
            await desk.access.add(
                person_of(request).ref, Right.SEE_IDENTITY.value, status.patient, status.service, DONE
            )
        return self._shown(request, status, known, None)

    async def post(self, request: web.Request) -> web.Response:
        """Answer POST /patients/{patient}/identity: keep the entry, in place of what was there."""
        desk = self._desk
        status = await self._patient(request)
        entered = Entered(await posted(desk, request), desk.voice(lang_of(request)), desk.tz)
        identity = _identity(entered)
        if identity is None:
            return self._shown(request, status, None, entered, code=_UNPROCESSABLE)
        if entered.raw("based_on") != await self._digest(status):
            return self._shown(request, status, None, entered, code=_CONFLICT, trouble="identity.newer")
        await desk.access.add(person_of(request).ref, Right.EDIT_IDENTITY.value, status.patient, status.service, DONE)
        try:
            await desk.directory.put(status.patient, identity)
        except Exception as error:  # noqa: BLE001 - the same: nothing was kept, and what was entered stands in the form
            _log.warning("directory_failed", error=type(error).__name__)
            return self._shown(request, status, None, entered, code=_UNAVAILABLE, trouble="identity.not_kept")
        raise web.HTTPSeeOther(f"/patients/{status.patient}?done=identity")

    async def _patient(self, request: web.Request) -> PatientStatus:
        """The patient, whose entry is open to those who may edit it in the patient's own service; see `patient_of`."""
        status = await patient_of(self._desk, request, Right.EDIT_IDENTITY)
        if status.service is None:  # nobody's service: as on every page, no name is shown
            person = person_of(request)
            await self._desk.access.add(person.ref, Right.EDIT_IDENTITY.value, status.patient, None, REFUSED)
            raise forbidden(self._desk, request, "refused")
        return status

    async def _digest(self, status: PatientStatus) -> str:
        """Of the entry as it stands now; none where it cannot be read, which then differs from any that was shown."""
        try:
            return digest(await self._desk.directory.of(status.patient))
        except Exception as error:  # noqa: BLE001 - the same
            _log.warning("directory_failed", error=type(error).__name__)
            return "unknown"

    def _shown(  # noqa: PLR0913 - the form, and what is wrong with it
        self,
        request: web.Request,
        status: PatientStatus,
        known: Known | None,
        entered: Entered | None,
        *,
        code: int = 200,
        trouble: str = "",
    ) -> web.Response:
        voice = self._desk.voice(lang_of(request))
        form = Form(
            slug="identity",
            title=voice("form.identity"),
            action=f"/patients/{status.patient}/identity",
            fields=filled(_fields(voice, known), entered),
            form_id=(entered.raw("form_id") if entered else "") or form_id(),
            submit=voice("form.identity_keep"),
            hidden=(("based_on", entered.raw("based_on") if entered else digest(known)),),
            trouble=voice(trouble) if trouble else "",
        )
        return show(
            self._desk, request, "form.html", status=code, viewer=viewer_of(request), form=form, patient=status.patient
        )


def digest(known: Known | None) -> str:
    """Return what tells one entry from another: two who edit at the same time must not undo each other unseen."""
    told = [str(getattr(known, name, None) or "") for name in ("year_of_birth", *MOST)]
    return sha256("\n".join(told).encode()).hexdigest()


def _fields(voice: Voice, known: Known | None) -> list[Field]:
    def text(name: str) -> Field:
        value = str(getattr(known, name, "") or "")
        label = voice(f"field.identity_{name}")
        kind: Literal["text", "note"] = "note" if name == "note" else "text"
        return Field(name=name, label=label, kind=kind, value=value, required=name == "name", most=MOST[name])

    born = str(getattr(known, "year_of_birth", None) or "")
    year = Field(
        name="year_of_birth", label=voice("field.identity_born"), kind="text", value=born, required=False, most=4
    )
    first, *rest = (text(name) for name in MOST)
    return [first, year, *rest]


def _identity(entered: Entered) -> Identity | None:
    """What was entered; None where something is wrong with it, which `entered` then says."""
    said = {name: entered.text(name, most=most, required=name == "name") or "" for name, most in MOST.items()}
    for name in _NAMED:
        if _NATIONAL_NUMBER.search(said[name]):
            entered.fault(name, "national_number")
    born = entered.raw("year_of_birth")
    if born and not (born.isdecimal() and BORN[0] <= int(born) <= BORN[1]):
        entered.fault("year_of_birth", "whole", least=BORN[0], most=BORN[1])
    if entered.faults:
        return None
    return Identity(year_of_birth=int(born) if born else None, **said)
