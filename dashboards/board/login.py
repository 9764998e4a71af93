"""The pages before and beside the board: signing in, and being told no. They run no script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from dashboards.board.words import Lang
    from schemas.people import Person

_LANG: Final[dict[Lang, int]] = {"nb": 0, "en": 1}
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "sign_in": ("Logg inn", "Sign in"),
    "ref": ("Ansattreferanse", "Staff reference"),
    "password": ("Passord", "Password"),
    "provider": ("Logg inn med virksomhetens innlogging", "Sign in with your organisation's account"),
    "or": ("eller", "or"),
    "home": ("Til forsiden", "To the first page"),
    "refused_title": ("Ingen tilgang", "No access"),
    "disclaimer": (
        "Beslutningsstøtte for helsepersonell. Ikke sertifisert som medisinsk utstyr.",
        "Decision support for health personnel. Not a certified medical device.",
    ),
    # problems of signing in
    "wrong": ("Feil referanse eller passord.", "Wrong reference or password."),
    "wait": (
        "For mange forsøk. Vent litt, og prøv igjen.",
        "Too many attempts. Wait a little, and try again.",
    ),
    "again": ("Siden var for gammel. Prøv igjen.", "The page was too old. Try again."),
    "provider_failed": (
        "Innloggingen hos virksomheten lyktes ikke. Prøv igjen, eller kontakt drift.",
        "Signing in with your organisation did not succeed. Try again, or call operations.",
    ),
    "unreachable": (
        "Virksomhetens innlogging svarer ikke. Kontakt drift, og følg rutinen for bortfall.",
        "Your organisation's sign-in does not answer. Call operations and follow the fallback plan.",
    ),
    "no_role": (
        "Du har ingen rolle i Sonevakt. Be den som styrer tilganger om en.",
        "You have no role in Sonevakt. Ask whoever manages access for one.",
    ),
    "disabled": ("Brukeren er stengt.", "The user is disabled."),
    # refusals
    "bad_request": ("Adressen er ikke gyldig.", "The address is not valid."),
    "not_signed_in": ("Du er ikke logget inn.", "You are not signed in."),
    "refused": (
        "Du har ikke tilgang til dette. Forsøket er loggført.",
        "You have no access to this. The attempt is recorded.",
    ),
    "wrong_address": ("Tavlen nås ikke på denne adressen.", "The board is not reached at this address."),
    "not_recorded": (
        "Tavlen kan ikke vise noe, for oppslag kan ikke loggføres nå. Kontakt drift, og følg rutinen for bortfall.",
        "The board can show nothing, for access cannot be recorded now. Call operations and follow the fallback plan.",
    ),
}
_PROBLEMS: Final = {"provider": "provider_failed"}
_TEMPLATES: Final = Environment(
    loader=PackageLoader("dashboards.board"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
)


def sign_in(lang: Lang, *, csrf: str, by_password: bool, by_provider: str | None, problem: str = "") -> str:
    """Return the page for signing in.

    Parameters
    ----------
    csrf
        The token of its form.
    by_password, by_provider
        The ways in: whether by a password, and the address of the way to the identity provider.
    problem
        Why the last attempt did not succeed, as a code; empty: there was none.
    """
    return _TEMPLATES.get_template("login.html").render(
        lang=lang,
        words=_words(lang),
        person=None,
        csrf=csrf,
        by_password=by_password,
        by_provider=by_provider,
        problem=_words(lang).get(_PROBLEMS.get(problem, problem)),
    )


def refused(lang: Lang, reason: str, *, person: Person | None, csrf: str) -> str:
    """Return the page that says no, and why."""
    return _TEMPLATES.get_template("refused.html").render(
        lang=lang, words=_words(lang), person=person, csrf=csrf, reason=_words(lang)[reason]
    )


def _words(lang: Lang) -> dict[str, str]:
    return {name: both[_LANG[lang]] for name, both in _WORDS.items()}
