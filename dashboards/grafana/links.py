"""Ways from one dashboard to the next, and to the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.board.words import LANGUAGES
from dashboards.grafana.sdk import model

if TYPE_CHECKING:
    from dashboards.board.words import Lang
    from dashboards.grafana.words import Words

CLINICAL: Final = ("centre", "patient", "outcomes", "equipment", "operations")
CORE: Final = "sonevakt-core"
_CHOSEN: Final = "${service:queryparam}&${municipality:queryparam}"
_TIME: Final = "${__url_time_range}"


def uid(name: str, lang: Lang) -> str:
    """Return the uid of a dashboard in a language: its address."""
    return f"sonevakt-{name}-{lang}"


def to_patient(lang: Lang, field: str) -> str:
    """Return the address of the patient in `field` of a table's row, with the same choice of services."""
    return f"/d/{uid('patient', lang)}?var-patient=${{__data.fields.{field}}}&{_CHOSEN}"


def to_board(field: str) -> str:
    """Return the address of the board's page of the patient in `field` of a table's row."""
    return f"${{board}}/patients/${{__data.fields.{field}}}"


def between(name: str, words: Words) -> list[Link]:
    """Return the links above a clinical dashboard: to the others, and to itself in the other language."""
    other: Lang = LANGUAGES[1 - LANGUAGES.index(words.lang)]
    found = [
        _link(words.of(f"{one}.title"), f"/d/{uid(one, words.lang)}?{_CHOSEN}")
        for one in CLINICAL
        if one not in {name, "patient"}
    ]
    chosen = f"{_CHOSEN}&${{patient:queryparam}}" if name == "patient" else _CHOSEN
    return [*found, _link(words.of("other_language"), f"/d/{uid(name, other)}?{chosen}")]


class Link(model.DashboardLink):
    """A link that stands above the dashboard; the library would put each into a menu."""

    def to_json(self) -> dict[str, object]:
        """Return what stands among a dashboard's links."""
        return {name: value for name, value in super().to_json().items() if name != "placement"}


def _link(title: str, url: str) -> Link:
    return Link(
        title=title,
        type_val=model.DashboardLinkType.LINK,
        icon="dashboard",
        url=url,
        include_vars=False,  # it would give a patient to dashboards that have none
        keep_time=True,
    )


def data_link(title: str, url: str, *, elsewhere: bool = False) -> dict[str, object]:
    """Return a link of a field, as it stands among the field's options."""
    return {"title": title, "url": url, "targetBlank": elsewhere}


def from_core() -> list[Link]:
    """Return the links above the operators' dashboard."""
    return [_link("Follow-up centre", f"/d/{uid('centre', 'en')}")]
