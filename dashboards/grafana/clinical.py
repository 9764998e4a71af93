"""Panels for nurses and analysts: in the words of one language, with numbers in the form of the reader's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dashboards.grafana import links, variables, zones
from dashboards.grafana.bounds import GOOD, WARN
from dashboards.grafana.made import About
from dashboards.grafana.panels import HIDDEN, Asked, Field
from dashboards.grafana.units import COUNT, WAITING
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.grafana.bounds import Bounds, NoBounds
    from dashboards.grafana.panels import Query, Size
    from dashboards.grafana.sdk import Builder, model
    from dashboards.grafana.units import Unit
    from dashboards.grafana.words import Words

HALF: Final[Size] = (12, 9)
WHOLE: Final[Size] = (24, 9)
_GROUND: Final = {"type": "color-background", "mode": "basic"}


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
        repeat: str | None = None,
    ) -> Asked:
        """Return what a panel is made of; its words are those of the dashboard's name and its own."""
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
            no_value=self.words.of("none"),
            repeat=repeat,
        )

    def field(self, name: str, word: str, unit: Unit | None = None, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column called by `word`."""
        told: dict[str, Any] = {"displayName": self.words.of(word)}
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
        return self.field("patient", "col.patient", links=found, custom__width=150)

    def zone(self, name: str = "zone") -> Field:
        """Return the column of zones, each in its colour and by its word."""
        found = zones.mappings(self.words.lang)
        return self.field(name, "col.zone", mappings=found, custom__cellOptions=_GROUND, custom__width=130)

    def rule(self) -> Field:
        """Return the column of rules in words."""
        told = {rule: {"text": text} for rule, text in self.words.rules().items()}
        return self.field("rule", "field.why", mappings=[{"type": "value", "options": told}])

    def vital(self, name: str = "vital") -> Field:
        """Return the column of vital signs in words."""
        told = {vital: {"text": text} for vital, text in self.words.vitals().items()}
        return self.field(name, "field.vital", mappings=[{"type": "value", "options": told}], custom__width=130)

    def mapped(self, name: str, word: str, prefix: str, *codes: str, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column of codes, each shown by its word `prefix.code`."""
        told = {code: {"text": self.words.of(f"{prefix}.{code}")} for code in codes}
        return self.field(name, word, mappings=[{"type": "value", "options": told}], **options)

    def yes_no(self, name: str, word: str, **options: Any) -> Field:  # noqa: ANN401 - Grafana's
        """Return a column of true and false, as a word or nothing where it is false."""
        told = {"true": {"text": self.words.of(f"{word}.true")}, "false": {"text": self.words.of(f"{word}.false")}}
        return self.field(name, word, mappings=[{"type": "value", "options": told}], **options)

    def phase(self) -> Field:
        """Return the column of phases in words."""
        return self.mapped("phase", "part.phase", "phase", "none", *(phase.value for phase in Phase))

    def page_times(self) -> list[Field]:
        """Return the columns of pages and how long they took."""
        counted = [self.field(name, f"field.{name}", COUNT) for name in ("pages", "delivered", "acknowledged")]
        colored = {"custom__cellOptions": {"type": "color-text"}}
        timed = [self.field(name, f"field.{name}", WAITING, **colored) for name in ("p50_s", "p95_s", "longest_s")]
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

    def service(self) -> Field:
        """Return the column of services."""
        return self.field("service", "variable.service")

    def municipality(self) -> Field:
        """Return the column of municipalities."""
        return self.field("municipality", "variable.municipality")
