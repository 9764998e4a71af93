"""Everything that a dashboard's JSON asks: of each variable, each panel and each annotation.

A panel that is repeated by a variable is there once for each of its values, side by side, as Grafana lays them out.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.grafana.interpolation import Chosen

WIDTH: Final = 24
PIXELS: Final = 1400  # as wide as a dashboard is drawn
MIXED: Final = "-- Mixed --"


@dataclass(frozen=True)
class Question:
    """One query of a panel, an annotation or a variable.

    Attributes
    ----------
    of
        The dashboard's uid.
    where
        `panel`, `annotation` or `variable`.
    title
        Of the panel; of the others their name.
    panel
        The panel's id; 0 where there is none.
    source
        Type of the data source: `prometheus` or `influxdb`.
    text
        As it stands in the JSON.
    target
        All that the JSON says of it.
    chosen
        Values of variables that hold here alone, as for a panel that is repeated.
    """

    of: str
    where: str
    title: str
    panel: int
    source: str
    text: str
    target: dict[str, Any]
    most_points: int = 1000
    least_step: str | None = None
    chosen: tuple[tuple[str, Chosen], ...] = ()

    @property
    def name(self) -> str:
        """For a report."""
        ref = self.target.get("refId", "")
        return f"{self.of}: {self.where} {self.title} [{ref}]"


def variables(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the variables in the order in which they are asked for."""
    return list(dashboard["templating"]["list"])


def of_variable(dashboard: Mapping[str, Any], variable: Mapping[str, Any]) -> Question:
    """Return what a variable asks for its values."""
    query = variable["query"]
    target = query if isinstance(query, dict) else {"query": query}
    source = variable["datasource"]["type"]
    most = target.get("maxDataPoints", 1000)
    return Question(dashboard["uid"], "variable", variable["name"], 0, source, target["query"], dict(target), most)


def of_panels(dashboard: Mapping[str, Any]) -> Iterator[Question]:
    """Return every query of every panel of a dashboard whose repeated panels are laid out."""
    for panel in panels(dashboard):
        for target in panel.get("targets") or []:
            source = target["datasource"]["type"]
            yield Question(
                of=dashboard["uid"],
                where="panel",
                title=panel["title"],
                panel=panel["id"],
                source=source,
                text=target["expr"] if source == "prometheus" else target["query"],
                target=target,
                most_points=panel.get("maxDataPoints") or max(100, PIXELS * panel["gridPos"]["w"] // WIDTH),
                least_step=panel.get("interval"),
                chosen=tuple(panel.get("scopedVars", {}).items()),
            )


def of_annotations(dashboard: Mapping[str, Any]) -> Iterator[Question]:
    """Return the query of every annotation that asks a data source."""
    for annotation in dashboard["annotations"]["list"]:
        target = annotation["target"]
        source = annotation["datasource"]["type"]
        yield Question(dashboard["uid"], "annotation", annotation["name"], 0, source, target["query"], dict(target))


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every panel, those of folded rows too, without the rows themselves."""
    found = []
    for panel in dashboard["panels"]:
        found += panel.get("panels") or [] if panel["type"] == "row" else [panel]
    return found


def laid_out(dashboard: Mapping[str, Any], chosen: Mapping[str, Chosen]) -> dict[str, Any]:
    """Return the dashboard with each repeated panel as often as its variable has values, and what is below moved down.

    The copies' ids are new; each has its value under `scopedVars`.
    """
    from tests.grafana.interpolation import Chosen as Value  # noqa: PLC0415 - a type elsewhere

    whole = copy.deepcopy(dict(dashboard))
    found: list[dict[str, Any]] = []
    lower = 0
    highest = max((panel["id"] for panel in panels(dashboard)), default=0)
    for panel in whole["panels"]:
        panel["gridPos"]["y"] += lower
        repeat = panel.pop("repeat", None)
        if repeat is None:
            found.append(panel)
            continue
        held = chosen[repeat]
        values = held.value if isinstance(held.value, tuple) else (held.value,)
        texts = held.text.split(" + ") if held.text else list(values)
        most = int(panel.get("maxPerRow") or 4)
        width, height, top = WIDTH // most, panel["gridPos"]["h"], panel["gridPos"]["y"]
        for place, (value, text) in enumerate(zip(values, texts, strict=True)):
            one = copy.deepcopy(panel)
            one["gridPos"] = {"x": place % most * width, "y": top + place // most * height, "w": width, "h": height}
            one["scopedVars"] = {repeat: Value(value, text)}
            one["title"] = one["title"].replace(f"${{{repeat}:text}}", text)
            if place:
                highest += 1
                one["id"] = highest
            found.append(one)
        lower += (max(0, len(values) - 1) // most) * height
    whole["panels"] = found
    return whole
