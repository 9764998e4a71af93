"""Panels for nurses and analysts: in the words of one language, with numbers in the form of the reader's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dashboards.grafana import library, links, variables, zones
from dashboards.grafana.bounds import GOOD, WARN
from dashboards.grafana.made import About
from dashboards.grafana.panels import HIDDEN, Asked, Field
from dashboards.grafana.units import COUNT, NUMBER, WAITING, WHEN
from dashboards.grafana.words import begun
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.grafana.bounds import Bounds, NoBounds
    from dashboards.grafana.panels import Query, Size
    from dashboards.grafana.sdk import Builder, model
    from dashboards.grafana.units import Unit
    from dashboards.grafana.words import Words

HALF: Final[Size] = (12, 9)
WHOLE: Final[Size] = (24, 9)
_GROUND: Final = {"type": "color-background", "mode": "basic"}
_DASH: Final = "-"  # in a cell that holds nothing
# Grafana 12.3 knows the one, 12.2 the other.
_WRAPPED: Final[dict[str, Any]] = {"custom__wrapText": True, "custom__cellOptions": {"type": "auto", "wrapText": True}}


class Clinical(NamedTuple):
    """The panels of a dashboard in a language; `name` is that of the dashboard."""

    name: str
    words: Words

    def about(
        self,
        time: tuple[str, str],
        refresh: str,
        *further: Builder[model.VariableModel],
        annotations: Sequence[model.AnnotationQuery] = (),
    ) -> About:
        """Return what the dashboard is, with service and municipality to choose and `further` variables.

        Where it names patients, the last of those is `variables.board()`, which links to the board need.
        """
        lang = self.words.lang
        return About(
            path=f"clinical/{self.name}.{lang}.json",
            uid=links.uid(self.name, lang),
            title=f"Sonevakt: {self.words.of(f'{self.name}.title')}",
            description=self.words.of(f"{self.name}.says"),
            tags=("sonevakt", "clinical", lang),
            time=time,
            refresh=refresh,
            variables=(variables.service(self.words), variables.municipality(self.words), *further),
            links=links.between(self.name, self.words),
            annotations=annotations,
        )

    def asked(  # noqa: PLR0913 - what a panel is made of
        self,
        panel: str,
        unit: Unit,
        bounds: Bounds | NoBounds,
        *queries: Query,
        size: Size = HALF,
        fields: Sequence[Field] = (),
        ordered: bool = False,
        most_points: int | None = None,
        least_step: str | None = None,
        none: str = "none",
        repeat: str | None = None,
    ) -> Asked:
        """Return what a panel is made of; its words are those of the dashboard's name and its own, and of `none`."""
        return Asked(
            panel,
            self.words.said(f"{self.name}.{panel}"),
            unit,
            bounds,
            queries,
            size,
            fields,
            ordered,
            most_points=most_points,
            least_step=least_step,
            no_value=self.words.of(none),
            repeat=repeat,
        )

    def field(self, name: str, word: str, unit: Unit | None = None, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column or series called by `word`."""
        told: dict[str, Any] = {"displayName": begun(self.words.of(word))}
        if unit is not None:
            told["unit"] = unit.code
        if unit is not None and unit.decimals is not None:
            told["decimals"] = unit.decimals
        return Field(name, told | {key.replace("__", "."): value for key, value in options.items()})

    def patient(self) -> Field:
        """Return the column of pseudonyms, from which links lead on."""
        lang = self.words.lang
        found = [
            links.data_link(self.words.of("link.patient"), links.to_patient(lang, "patient")),
            links.data_link(self.words.of("link.board"), links.to_board("patient"), elsewhere=True),
        ]
        return self.field("patient", "col.patient", links=found, custom__width=140)

    def when(self, name: str, word: str, none: str = "") -> Field:
        """Return a column of times; `none` stands where there is none."""
        return self.field(name, word, WHEN, noValue=self.words.of(none) if none else _DASH, custom__width=165)

    def waited(self, name: str, word: str, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column of how long something took."""
        return self.field(name, word, WAITING, noValue=_DASH, **{"custom__width": 135, **options})

    def counted(self, name: str, word: str) -> Field:
        """Return a column of whole numbers."""
        return self.field(name, word, COUNT, noValue=_DASH, custom__width=120)

    def percent(self, word: str, name: str = "percent") -> Field:
        """Return a column of shares in per cent; what is not quite all of them is not shown as 100."""
        return self.field(name, word, NUMBER, noValue=_DASH, custom__width=130)

    def zone(self, name: str = "zone") -> Field:
        """Return the column of zones, each in its colour and by its word."""
        found = zones.mappings(self.words.lang)
        return self.field(name, "col.zone", mappings=found, custom__cellOptions=_GROUND, custom__width=120)

    def rule(self) -> Field:
        """Return the column of rules in words."""
        return self._worded("rule", "field.why", self.words.rules())

    def why(self) -> tuple[library.Words, Field]:
        """Return the step that puts the words of rule and vital sign into `library.WHY`'s column, and the column.

        A row is as high as its text needs; Grafana measures what is in the cell, and not what a mapping shows there.
        """
        rules = {code: begun(text) for code, text in self.words.rules().items()}
        told = library.Words("why", rules, self.words.vitals(), parted=True)
        return told, self.field("why", "field.why", **_WRAPPED)

    def vital(self, name: str = "vital") -> Field:
        """Return the column of vital signs in words."""
        return self._worded(name, "field.vital", self.words.vitals() | {"none": _DASH}, custom__width=110)

    def mapped(self, name: str, word: str, prefix: str, *codes: str, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column of codes, each shown by its word `prefix.code`."""
        return self._worded(name, word, {code: self.words.of(f"{prefix}.{code}") for code in codes}, **options)

    def _worded(self, name: str, word: str, words: Mapping[str, str], **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        told = {code: {"text": begun(text), "index": place} for place, (code, text) in enumerate(words.items())}
        return self.field(name, word, mappings=[{"type": "value", "options": told}], **options)

    def taken(self) -> Field:
        """Return the column that says whether somebody has taken an alert over, as `library.TAKEN` tells it."""
        return self.mapped("taken", "field.taken", "taken", "nobody", "somebody", "nothing", custom__width=135)

    def deadline(self) -> Field:
        """Return the column that says whether a deadline has passed, as `library.DEADLINE` tells it."""
        return self.mapped("deadline", "field.deadline", "deadline", "passed", "runs", "none", custom__width=100)

    def phase(self) -> Field:
        """Return the column of phases in words."""
        codes = ("none", *(phase.value for phase in Phase))
        return self.mapped("phase", "part.phase", "phase", *dict.fromkeys(codes), custom__width=110)

    def page_times(self) -> list[Field]:
        """Return the columns of pages and how long they took."""
        counted = [self.counted(name, f"field.{name}") for name in ("pages", "delivered", "acknowledged")]
        colored = {"custom__cellOptions": {"type": "color-text"}}
        timed = [self.waited(name, f"field.{name}", **colored) for name in ("p50_s", "p95_s", "longest_s")]
        return [self.service(), *counted, *timed]

    def adherence(self) -> list[Field]:
        """Return the parts of what was awaited."""
        colors = {"in_time": GOOD, "late": WARN, "missed": "semi-dark-blue"}
        return [
            self.field(name, f"adherence.{name}", color={"mode": "fixed", "fixedColor": color})
            for name, color in colors.items()
        ]

    def hidden(self, name: str) -> Field:
        """Return a column that is not shown."""
        return Field(name, HIDDEN)

    def service(self, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return the column of services."""
        return self.field("service", "variable.service", **options)

    def municipality(self, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return the column of municipalities."""
        return self.field("municipality", "variable.municipality", **options)
