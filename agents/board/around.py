"""What stands around the board and is made elsewhere: who is signed in, names, the access log, the platform's state.

The board asks for no more than this of them; its tests stand others in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import web

from schemas.people import RIGHTS, Person, Right

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from agents.directory.identity import Identity as Entry
    from agents.gateway.intake import Accepted

# Set by whoever signs people in: who it is, and the token that each form carries back.
PERSON: Final = web.RequestKey("person", Person)
CSRF: Final = web.RequestKey("csrf", str)


class Identity(Protocol):
    """Who a patient is."""

    @property
    def name(self) -> str:
        """Their name."""
        ...

    @property
    def year_of_birth(self) -> int | None:
        """When they were born."""
        ...

    @property
    def telephone(self) -> str:
        """Where they are reached."""
        ...

    @property
    def relative_name(self) -> str:
        """Whom to call when they do not answer."""
        ...

    @property
    def relative_telephone(self) -> str:
        """Where that is."""
        ...

    @property
    def gp(self) -> str:
        """Their general practitioner."""
        ...

    @property
    def note(self) -> str:
        """What else staff must know to reach them."""
        ...


class Directory(Protocol):
    """The one place that knows who a patient is."""

    async def of(self, pseudonym: str) -> Identity | None:
        """Return who a patient is; None: nobody has entered it, or it was erased."""
        ...

    async def many(self, pseudonyms: Collection[str]) -> Mapping[str, Identity]:
        """Return who of several patients is known."""
        ...

    async def search(self, words: str, among: Iterable[str]) -> Iterable[str]:
        """Return those of some patients whose entry holds every word."""
        ...

    async def put(self, patient: str, identity: Entry) -> None:
        """Keep who a patient is, in place of what was there; raises where it is not kept."""
        ...


class AccessLog(Protocol):
    """Who saw or changed which patient, when: append-only."""

    async def add(self, person_ref: str, action: str, patient: str | None, service: str | None, outcome: str) -> None:
        """Write one entry; raises where it cannot be written, and then nothing is shown or done."""
        ...


class Confirming(Protocol):
    """The way of messages to a topic (`agents.gateway.delivery.Delivery`)."""

    async def confirm(self, messages: Iterable[Accepted], vendor: str) -> None:
        """Return when the broker has them; raises UnconfirmedError."""
        ...


class Trouble(Protocol):
    """Something of the platform does not work."""

    @property
    def kind(self) -> str:
        """What, out of a closed set."""
        ...

    @property
    def since(self) -> datetime | None:
        """Since when."""
        ...

    @property
    def service(self) -> str | None:
        """Of which service, where it is not all of them."""
        ...


class Platform(Protocol):
    """What of the platform does not work now."""

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What is wrong now, the gravest first."""
        ...


class NoDirectory:
    """Where no patient directory is configured: nobody's name is known."""

    async def of(self, pseudonym: str) -> Identity | None:
        """Return None."""
        del pseudonym
        return None

    async def many(self, pseudonyms: Collection[str]) -> Mapping[str, Identity]:
        """Return nothing."""
        del pseudonyms
        return {}

    async def search(self, words: str, among: Iterable[str]) -> Iterable[str]:
        """Return nobody."""
        del words, among
        return ()

    async def put(self, patient: str, identity: Entry) -> None:
        """Raise LookupError: nothing is kept."""
        del patient, identity
        raise LookupError("no patient directory is configured")


class AllWell:
    """Where nobody watches the platform: nothing is told of it beyond what the board itself sees."""

    @property
    def troubles(self) -> Sequence[Trouble]:
        """Nothing."""
        return ()


def person_of(request: web.Request) -> Person:
    """Return who is signed in; without a sign-in nothing is shown.

    Raises
    ------
    aiohttp.web.HTTPUnauthorized
        Nobody is.
    """
    person = request.get(PERSON, request.get("person"))
    if not isinstance(person, Person):
        raise web.HTTPUnauthorized(text="Sign in first.")
    return person


def csrf_of(request: web.Request) -> str:
    """Return the token of the person's session; empty where there is none, and then no form is taken."""
    return str(request.get(CSRF, request.get("csrf", "")))


def rights(person: Person, service: str | None) -> frozenset[str]:
    """Return what somebody may do for a service's patients, as the templates ask for it."""
    return frozenset(right.value for right in Right if person.may(right, service))


def rights_somewhere(person: Person) -> frozenset[str]:
    """Return what somebody may do for some service of theirs."""
    return frozenset(right.value for role in person.roles for right in RIGHTS[role])
