"""A form with a page of its own: shown, sent, done, or shown anew with what was entered and what is wrong with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from aiohttp import web
from msgspec import structs

from agents.board.answering import forbidden, show
from agents.board.around import csrf_of
from agents.board.fields import Entered
from agents.board.forms import form_id
from agents.board.viewing import lang_of, viewer_of
from agents.gateway.delivery import UnconfirmedError
from agents.people.origin import same_token
from dashboards.board.views import Form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.board.desk import Desk
    from dashboards.board.pages import Voice
    from dashboards.board.views import Field, Viewer

About = TypeVar("About")


class NotDoneError(Exception):
    """A form was not done, and its page is shown anew.

    Parameters
    ----------
    status
        The answer's.
    trouble
        Key of the words that say why, where no field does.
    """

    def __init__(self, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY, trouble: str = "") -> None:
        super().__init__(trouble)
        self.status = status
        self.trouble = trouble


class Asked(NamedTuple):
    """What a form asks for: its fields as they stand before anybody enters anything, and what it carries unseen."""

    fields: Iterable[Field]
    hidden: tuple[tuple[str, str], ...] = ()


async def sent(desk: Desk, request: web.Request) -> Entered:
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
    return Entered(values, desk.voice(lang_of(request)), desk.tz)


def form_of(  # noqa: PLR0913 - what a form is made of
    voice: Voice,
    slug: str,
    action: str,
    asked: Asked,
    entered: Entered | None = None,
    *,
    title: str = "",
    submit: str = "",
    trouble: str = "",
    **more: Any,  # noqa: ANN401 - what else a form shows
) -> Form:
    """Return a form as it is shown, with what was entered and what is wrong with it.

    Parameters
    ----------
    title, submit, trouble
        Keys of words; without a title it is the slug's, and without `submit` the title's.
    """
    title = title or f"form.{slug}"
    return Form(
        slug=slug,
        title=voice(title),
        action=action,
        fields=_filled(asked.fields, entered),
        form_id=(entered.raw("form_id") if entered else "") or form_id(),
        submit=voice(submit or title),
        hidden=tuple((name, entered.raw(name) if entered else value) for name, value in asked.hidden),
        trouble=voice(trouble) if trouble else "",
        **more,
    )


def _filled(fields: Iterable[Field], entered: Entered | None) -> tuple[Field, ...]:
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


class FormPage(ABC, Generic[About]):
    """One form, about something: who may have it, what it asks for, and what is done with it.

    Attributes
    ----------
    slug
        Its name, `form.<slug>` its title's.
    title, submit
        Keys of other words for the title and the button.
    here
        Which of the frame's pages it is.
    """

    slug: ClassVar[str]
    title: ClassVar[str] = ""
    submit: ClassVar[str] = ""
    here: ClassVar[str] = ""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @abstractmethod
    async def about(self, request: web.Request) -> About:
        """Return what the form is about, where the person may have it; else raises an HTTP answer."""

    @abstractmethod
    async def asked(self, request: web.Request, about: About, entered: Entered | None) -> Asked:
        """Return what the form asks for; `entered` is None where it is opened."""

    @abstractmethod
    async def act(self, request: web.Request, about: About, entered: Entered) -> str:
        """Do what was entered, and return where that leads.

        Raises
        ------
        NotDoneError
            It was not done.
        agents.gateway.delivery.UnconfirmedError
            The broker has not confirmed it.
        """

    def frame(self, request: web.Request, about: About) -> tuple[Viewer, str]:
        """Return who looks at the page, and the pseudonym of the patient whom it is about; empty: it is about none."""
        del about
        return viewer_of(request), ""

    async def page(self, request: web.Request) -> web.Response:
        """Answer the form's address."""
        return await self._shown(request, await self.about(request), None)

    async def post(self, request: web.Request) -> web.Response:
        """Answer the form that is sent."""
        about = await self.about(request)
        entered = await sent(self._desk, request)
        try:
            where = await self.act(request, about, entered)
        except UnconfirmedError:
            told = NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "form.not_confirmed")
            return await self._shown(request, about, entered, told)
        except NotDoneError as error:
            return await self._shown(request, about, entered, error)
        raise web.HTTPSeeOther(where)

    async def _shown(
        self, request: web.Request, about: About, entered: Entered | None, error: NotDoneError | None = None
    ) -> web.Response:
        viewer, patient = self.frame(request, about)
        form = form_of(
            self._desk.voice(lang_of(request)),
            self.slug,
            request.path,
            await self.asked(request, about, entered),
            entered,
            title=self.title,
            submit=self.submit,
            trouble=error.trouble if error else "",
        )
        return show(
            self._desk,
            request,
            "form.html",
            status=error.status if error else HTTPStatus.OK,
            viewer=viewer,
            form=form,
            patient=patient,
            here=self.here,
        )
