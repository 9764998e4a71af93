"""Writing down who a patient is: into the patient directory and nowhere else."""

from __future__ import annotations

import re
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from aiohttp import web

from agents.board.answering import DONE, REFUSED, forbidden, instead, patient_of
from agents.board.around import person_of
from agents.board.form_page import Asked, FormPage, NotDoneError
from agents.board.named import UnavailableError, asking
from agents.board.viewing import lang_of, viewer_of
from agents.directory.identity import BORN, MOST, ErasedError, Identity
from dashboards.board.views import Field
from schemas.assessments import PatientStatus
from schemas.people import Right

if TYPE_CHECKING:
    from agents.board.acting import Acting
    from agents.board.around import Identity as Known
    from agents.board.desk import Desk
    from agents.board.fields import Entered
    from dashboards.board.pages import Voice
    from dashboards.board.views import Viewer

_NATIONAL_NUMBER: Final = re.compile(r"(?<!\d)\d{6}[ -]?\d{5}(?!\d)")
_NAMED: Final = ("name", "relative_name", "gp", "note")


class IdentityPage(FormPage[PatientStatus]):
    """The form of a patient's entry in the directory, /patients/{patient}/identity."""

    slug = "identity"
    submit = "form.identity_keep"

    def __init__(self, desk: Desk, acting: Acting) -> None:
        super().__init__(desk)
        self._acting = acting

    async def about(self, request: web.Request) -> PatientStatus:
        """Return the patient, whose entry is open to those who may edit it in the patient's own service."""
        status = await patient_of(self._desk, request, Right.EDIT_IDENTITY)
        if status.service is None:  # nobody's service: as on every page, no name is shown
            person = person_of(request)
            await self._desk.access.add(person.ref, Right.EDIT_IDENTITY.value, status.patient, None, REFUSED)
            raise forbidden(self._desk, request, "refused")
        return status

    def frame(self, request: web.Request, about: PatientStatus) -> tuple[Viewer, str]:
        """Return who looks, and the patient."""
        return viewer_of(request), about.patient

    async def asked(self, request: web.Request, about: PatientStatus, entered: Entered | None) -> Asked:
        """Return the entry as it stands, which is written down as seen; a form that is sent holds what it needs."""
        voice = self._desk.voice(lang_of(request))
        if entered is not None:
            return Asked(_fields(voice, None), (("based_on", ""),))
        try:
            with asking():
                known = await self._desk.directory.of(about.patient)
        except ErasedError:
            raise instead(self._desk, request, web.HTTPGone, "erased") from None
        except UnavailableError:  # a form that starts empty would write over what is there
            raise instead(self._desk, request, web.HTTPServiceUnavailable, "no_directory") from None
        if known is not None:
            access, ref = self._desk.access, person_of(request).ref
            await access.add(ref, Right.SEE_IDENTITY.value, about.patient, about.service, DONE)
        return Asked(_fields(voice, known), (("based_on", digest(known)),))

    async def act(self, request: web.Request, about: PatientStatus, entered: Entered) -> str:
        """Keep the entry, in place of what was there when the form was opened."""
        identity = _identity(entered)
        if identity is None:
            raise NotDoneError
        try:
            async with self._acting.turn(about.patient):
                await self._keep(request, about, identity, entered.raw("based_on"))
        except ErasedError:
            raise NotDoneError(HTTPStatus.GONE, "erased.text") from None
        except UnavailableError:
            raise NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "identity.not_kept") from None
        return f"/patients/{about.patient}?done=identity"

    async def _keep(self, request: web.Request, about: PatientStatus, identity: Identity, based_on: str) -> None:
        directory, patient = self._desk.directory, about.patient
        with asking():
            known = await directory.of(patient)
        if based_on != digest(known):
            raise NotDoneError(HTTPStatus.CONFLICT, "identity.newer")
        async with self._acting.recorded(request, Right.EDIT_IDENTITY.value, patient, about.service):
            with asking():
                await directory.put(patient, identity)


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
