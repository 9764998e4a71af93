"""A report as files: each whole or not at all, and none put over another."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from dashboards.report import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from dashboards.report.views import Document
    from dashboards.report.voice import Lang

_QUARTER_MONTHS: Final = 3
_YEAR_MONTHS: Final = 12


def name_of(start: datetime, stop: datetime, services: Sequence[str]) -> str:
    """What a report is called: 2026-Q1, 2026, or from and to; and whom it is about."""
    first, after = start.date(), stop.date()
    months = _YEAR_MONTHS * (after.year - first.year) + after.month - first.month
    whole = first.day == after.day == 1
    if whole and months == _QUARTER_MONTHS and first.month % _QUARTER_MONTHS == 1:
        when = f"{first.year}-Q{first.month // _QUARTER_MONTHS + 1}"
    elif whole and months == _YEAR_MONTHS and first.month == 1:
        when = str(first.year)
    else:
        when = f"{first.isoformat()}-{(after - timedelta(days=1)).isoformat()}"
    return "-".join((when, *sorted(services)))


def there(place: Path, *, pdf: bool) -> bool:
    """Whether all of a report is there."""
    return all(path.exists() for path in _paths(place, pdf=pdf))


def written(document: Document, place: Path, lang: Lang, names: Mapping[str, str], *, pdf: bool) -> Iterator[Path]:
    """Write the page, and the PDF where it is wanted, and yield each path; what is there already stays."""
    place.parent.mkdir(parents=True, exist_ok=True)
    text = page.html(document, lang, names)
    html, *printed = _paths(place, pdf=pdf)
    yield from _written(html, text.encode())
    for path in printed:
        if not path.exists():
            yield from _written(path, page.pdf(text))


def _paths(place: Path, *, pdf: bool) -> list[Path]:
    forms = ("html", "pdf") if pdf else ("html",)
    return [place.with_name(f"{place.name}.{form}") for form in forms]


def _written(path: Path, content: bytes) -> Iterator[Path]:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(beside, path)
            yield path
    finally:
        beside.unlink(missing_ok=True)
