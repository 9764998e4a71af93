"""Who looks at a board: what they may see, and the same for everybody with the same services, rights and language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents.board.around import csrf_of, person_of, rights, rights_somewhere
from agents.people.origin import masked
from dashboards.board.views import Viewer
from dashboards.board.words import LANGUAGES, Lang
from schemas.people import Person, Right

if TYPE_CHECKING:
    from aiohttp import web

    from schemas.assessments import PatientStatus

DEFAULT_LANG: Final[Lang] = "nb"


class Audience(NamedTuple):
    """Everybody to whom the same list is shown."""

    lang: Lang
    person: Person  # any one of them, without what is theirs alone
    names: bool

    def sees(self, status: PatientStatus) -> bool:
        """Whether a patient stands on their list; one without a service stands on everybody's, or nobody would look."""
        return self.person.may(Right.SEE_LIST, status.service)

    def sees_name(self, status: PatientStatus) -> bool:
        """Whether the patient's name stands beside the pseudonym."""
        return self.names and status.service is not None and self.person.may(Right.SEE_IDENTITY, status.service)


def audience_of(request: web.Request) -> Audience:
    """Return to whom the list is shown that a request asks for; no name stands on a wall."""
    person = person_of(request)
    shared = Person(ref="audience", name="audience", roles=person.roles, services=person.services)
    return Audience(lang_of(request), shared, "wall" not in request.query)


def lang_of(request: web.Request) -> Lang:
    """Return the language asked for in the address, else the one chosen before, else the browser's, else bokmål."""
    for asked in (request.query.get("lang"), request.cookies.get("lang")):
        for lang in LANGUAGES:
            if asked == lang:
                return lang
    wanted = request.headers.get("Accept-Language", "").lower()
    return "en" if wanted.startswith("en") else DEFAULT_LANG


def viewer_of(request: web.Request, service: str | None = None, *, of_patient: bool = False) -> Viewer:
    """Return who looks, with their rights for a patient's service, or for any where it is about none."""
    person = person_of(request)
    may = rights(person, service) if of_patient else rights_somewhere(person)
    return Viewer(ref=person.ref, name=person.name, may=may, csrf=masked(csrf_of(request)))
