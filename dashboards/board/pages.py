"""The board's pages, from values to HTML: Jinja2 with autoescape, no inline script or style, nothing fetched elsewhere.

Colour never says anything alone: each zone has a shape and a word. Whatever comes from outside is escaped.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards.board import charts, times
from dashboards.board.words import LANGUAGES, known, vital_word, word, zone_word
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from dashboards.board.views import Series
    from dashboards.board.words import Lang

SYMBOLS: Final = {
    Zone.RED: "▲",
    Zone.YELLOW: "◆",
    Zone.NO_DATA: "○",
    Zone.NOT_MONITORED: "✕",
    Zone.GREEN: "●",
}
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ASSETS: Final = {name: (resources.files(__package__) / name).read_bytes() for name in ("board.css", "board.js")}


class Voice:
    """Everything that a template says in one language: words, times in one time zone, numbers, charts."""

    def __init__(self, lang: Lang, tz: tzinfo = times.OSLO, names: Mapping[str, str] | None = None) -> None:
        self.lang: Lang = lang
        self.tz = tz
        self._names = names or {}  # of configured things, as `pathway.copd`
        self.other: Lang = next(one for one in LANGUAGES if one != lang)

    def __call__(self, key: str, **filled_in: object) -> str:
        """Return the text of a key."""
        said = word(key, self.lang)
        return said.format(**filled_in) if filled_in else said

    def named(self, kind: str, code: str | None) -> str:
        """Return a code of a closed set in words where there are any, and else as it is."""
        if code is None:
            return ""
        key = f"{kind}.{code}"
        return self._names.get(key) or (word(key, self.lang) if known(key) else code)

    def zone(self, zone: Zone) -> str:
        """Return a zone's name."""
        return zone_word(zone, self.lang)

    def vital(self, name: str) -> str:
        """Return a vital sign's name."""
        return vital_word(name, self.lang)

    def when(self, at: datetime, now: datetime) -> Markup:
        """Return an instant as a `time` element."""
        return Markup('<time datetime="{}">{}</time>').format(times.iso(at), self._unbroken(at, now))

    def wait(self, at: datetime, now: datetime) -> Markup:
        """Return an instant as a `time` element beside which the script says how long ago it is."""
        return Markup('<time datetime="{}" data-ago>{}</time>').format(times.iso(at), self._unbroken(at, now))

    def _unbroken(self, at: datetime, now: datetime) -> str:
        return times.when_word(at, now, self.lang, self.tz).replace(" ", "\N{NO-BREAK SPACE}")

    def day(self, day: Any, now: datetime) -> str:  # noqa: ANN401 - a date of a template
        """Return a day."""
        return times.date_word(day, now.astimezone(self.tz).date(), self.lang).replace(" ", "\N{NO-BREAK SPACE}")

    def number(self, value: float, digits: int = 1) -> str:
        """Return a number."""
        return times.number_word(value, digits, self.lang)

    def value(self, vital: str, value: float) -> str:
        """Return a measured value without its unit."""
        return times.value_word(vital, value, self.lang)

    def unit(self, code: str) -> str:
        """Return a unit as it is read."""
        return word(f"unit.{code}", self.lang) if known(f"unit.{code}") else code

    def measured(self, vital: str, value: float, unit: str) -> str:
        """Return a measured value with its unit."""
        return times.with_unit(vital, value, unit, self.lang)

    def field_of_plan(self, name: str) -> str:
        """Return what a field of a plan's form is called: `limits.8480-6.red_low` is its vital's and its own name."""
        first, *rest = name.split(".")
        codes = [self._names[f"code.{part}"] for part in rest if f"code.{part}" in self._names]
        places = [f" {int(part) + 1}" for part in rest if part.isdecimal()]
        fields = [part for part in rest if f"code.{part}" not in self._names and not part.isdecimal()]
        if first == "self_care":
            said = [self("plan.self_care"), *(self(f"zone.{zone}") for zone in fields)]
        elif fields[:1] == ["weekdays"]:
            said = [self("plan.weekdays"), *(self(f"weekday.{day}") for day in fields[1:])]
        elif codes or first == "cadence":
            said = [*codes, *(self(f"plan.{field}") for field in fields or [first])]
        else:
            said = [f"{self(f'plan.{first}')}{''.join(places)}", *(self(f"plan.{field}") for field in fields)]
        return ", ".join(said)

    def small(self, series: Series) -> Markup:
        """Return a chart for the list."""
        return charts.small(series, self.lang)

    def large(self, series: Series, begins: datetime, ends: datetime) -> Markup:
        """Return a chart for the patient's page."""
        return charts.large(series, begins, ends, self.lang, self.tz)

    def described(self, series: Series) -> str:
        """Return a chart in words."""
        return charts.described(series, self.lang)


def render(template: str, voice: Voice, **values: Any) -> str:  # noqa: ANN401 - what the template shows
    """Return a template filled in; a value that it misses raises, so that nothing is left out silently."""
    return _environment().get_template(template).render(t=voice, lang=voice.lang, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboards.board"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(Zone=Zone, symbols=SYMBOLS, iso=times.iso)
    return environment
