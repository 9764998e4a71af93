"""How the board answers: pages with their policy, compressed where it pays, refusals written down."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from aiohttp import hdrs, web

from agents.board.around import person_of
from agents.board.viewing import lang_of, viewer_of
from dashboards.board.pages import CONTENT_SECURITY_POLICY, render
from schemas.people import Right
from schemas.types import Pseudonym

if TYPE_CHECKING:
    from agents.board.desk import Desk
    from schemas.assessments import PatientStatus

DONE: Final = "done"
REFUSED: Final = "refused"
_COMPRESSED: Final = 4_000  # from so many bytes on
_GZIP: Final = 31  # zlib's window for a gzip header
_Answer = TypeVar("_Answer", web.HTTPForbidden, web.HTTPNotFound, web.HTTPGone, web.HTTPServiceUnavailable)


def page(request: web.Request, html: str, *, status: int = 200) -> web.Response:
    """Return a page."""
    response = web.Response(text=html, content_type="text/html", charset="utf-8", status=status)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    asked = request.query.get("lang")
    if asked is not None and asked == lang_of(request):
        response.set_cookie("lang", asked, max_age=31_536_000, httponly=True, samesite="Lax", path="/")
    return response


async def compressed(request: web.Request, response: web.Response) -> web.Response:
    """Return a response in gzip where the browser takes it. A form's token on it is masked anew each time."""
    body = response.body
    accepted = request.headers.get(hdrs.ACCEPT_ENCODING, "")
    if isinstance(body, bytes) and len(body) >= _COMPRESSED and "gzip" in accepted:
        response.body = await asyncio.to_thread(_gzip, body)
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    return response


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(4, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


def show(desk: Desk, request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:  # noqa: ANN401 - what the template shows
    """Return a page made from a template."""
    values.setdefault("viewer", viewer_of(request))
    now, voice = desk.now(), desk.voice(lang_of(request))
    html = render(
        template,
        voice,
        **{
            "here": "",
            "now": now,
            "banners": desk.banners(person_of(request), now, voice),
            "other_language": other_language(request, voice.other),
            **values,
        },
    )
    return page(request, html, status=status)


def other_language(request: web.Request, other: str) -> str:
    """Return the query of this page in the other language."""
    return urlencode([*((key, value) for key, value in request.query.items() if key != "lang"), ("lang", other)])


async def demand(
    desk: Desk, request: web.Request, right: Right, service: str | None, patient: str | None = None
) -> None:
    """Come back where the person has a right; else write the refusal down and answer with it.

    Raises
    ------
    aiohttp.web.HTTPForbidden
        They have not.
    """
    person = person_of(request)
    if person.may(right, service):
        return
    await desk.access.add(person.ref, right.value, patient, service, REFUSED)
    raise forbidden(desk, request, "refused")


async def may_list(desk: Desk, request: web.Request) -> None:
    """Come back where the person may see the list of some service; raises HTTPForbidden, and writes it down."""
    person = person_of(request)
    if not any(person.may(Right.SEE_LIST, service) for service in (None, *person.services)):
        await demand(desk, request, Right.SEE_LIST, None)


def instead(desk: Desk, request: web.Request, kind: type[_Answer], said: str) -> _Answer:
    """Return an answer to be raised: a page that says, by the key of its words, why there is no other."""
    shown = show(desk, request, "message.html", said=said)
    return kind(text=shown.text, content_type="text/html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def forbidden(desk: Desk, request: web.Request, said: str) -> web.HTTPForbidden:
    """Return the refusal as a page."""
    return instead(desk, request, web.HTTPForbidden, said)


async def patient_of(desk: Desk, request: web.Request, right: Right = Right.SEE_PATIENT) -> PatientStatus:
    """Return where the patient of the address stands, where the person may see them and has `right`.

    Another service's patient is not told apart from none at all; who asked stands in the access log.

    Raises
    ------
    aiohttp.web.HTTPNotFound
        There is no such patient, or not for this person.
    aiohttp.web.HTTPForbidden
        They may see the patient, and not do this.
    """
    person = person_of(request)
    asked = request.match_info["patient"]
    status = desk.model.status(asked)
    if status is None or not person.may(Right.SEE_PATIENT, status.service):
        known = asked if pseudonymous(asked) else None
        await desk.access.add(person.ref, Right.SEE_PATIENT.value, known, status.service if status else None, REFUSED)
        raise instead(desk, request, web.HTTPNotFound, "missing")
    await demand(desk, request, right, status.service, status.patient)
    return status


async def seen(desk: Desk, request: web.Request, status: PatientStatus, right: Right = Right.SEE_PATIENT) -> None:
    """Write down that a page about a patient is shown, before it is."""
    await desk.access.add(person_of(request).ref, right.value, status.patient, status.service, DONE)


def pseudonymous(text: str) -> bool:
    """Whether a text may be a pseudonym."""
    try:
        msgspec.convert(text, Pseudonym)
    except msgspec.ValidationError:
        return False
    return True
