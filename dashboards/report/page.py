"""A report as one page of HTML that needs nothing else, and as a PDF of the same page."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards.report import charts
from dashboards.report.views import Chart, Hidden, Measured, Note, Table
from dashboards.report.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.report.views import Cell, Document
    from dashboards.report.voice import Lang

# Whoever opens the file asks nothing of anybody: a reference that slipped in would not be followed.
CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE: Final = (resources.files(__package__) / "report.css").read_text(encoding="utf-8")


class OutsideError(ValueError):
    """The page refers to something outside itself, which none of ours does."""


def html(document: Document, lang: Lang, names: Mapping[str, str] | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    names
        As of `Voice`.
    """
    voice = Voice(lang, names)
    template = _templates().get_template("report.html")
    style = Markup(_STYLE)  # noqa: S704 - our own file
    return template.render(
        document=document, voice=voice, style=style, policy=CONTENT_SECURITY_POLICY, draw=charts.drawn
    )


def pdf(page: str) -> bytes:
    """Return the page as a tagged PDF (PDF/UA-1), as its print styles have it.

    Raises
    ------
    OutsideError
        It refers to something outside itself.
    """
    from weasyprint import HTML  # type: ignore[import-untyped] # noqa: PLC0415 - it ships no types; of the extra `report`

    made = HTML(string=page, url_fetcher=_refused).write_pdf(pdf_variant="pdf/ua-1")
    return bytes(made)


def _refused(url: str, *_: object, **__: object) -> dict[str, Any]:
    raise OutsideError(f"the page refers to {url[:40]}")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("dashboards.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["note"] = lambda part: isinstance(part, Note)
    made.tests["chart"] = lambda part: isinstance(part, Chart)
    made.tests["table"] = lambda part: isinstance(part, Table)
    made.tests["hidden"] = _is_hidden
    return made


def _is_hidden(cell: Cell) -> bool:
    if isinstance(cell, Measured):
        cell = cell.value
    return isinstance(cell, Hidden) or (isinstance(cell, tuple) and any(isinstance(end, Hidden) for end in cell))
