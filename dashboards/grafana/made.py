"""A whole dashboard out of its tiles: ids, places, variables, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dashboards.grafana.panels import Tile
from dashboards.grafana.sdk import Builder, JSONEncoder, dashboard, model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.grafana.sdk import text

WIDTH: Final = 24
SCHEMA: Final = 41  # the form of dashboard that Grafana 12 writes


class Row(NamedTuple):
    """A heading over the tiles that follow it."""

    title: str


class Made(NamedTuple):
    """A dashboard, and what is known of its panels beside their JSON.

    Attributes
    ----------
    path
        Of its file, within `json/`.
    """

    path: str
    dashboard: model.Dashboard
    tiles: tuple[Tile, ...]

    def json(self) -> str:
        """Return the file."""
        return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(self.dashboard) + "\n"


class About(NamedTuple):
    """What a dashboard is.

    Attributes
    ----------
    time
        The range that it opens with.
    refresh
        How often it asks anew, in Grafana's words.
    """

    path: str
    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    time: tuple[str, str]
    refresh: str
    variables: Sequence[Builder[model.VariableModel]] = ()
    links: Sequence[model.DashboardLink] = ()
    annotations: Sequence[model.AnnotationQuery] = ()


def make(about: About, parts: Sequence[Tile | Row | text.Panel]) -> Made:
    """Put the parts one after the other, in lines of 24 columns; ids go by their order."""
    built = dashboard.Dashboard(about.title).uid(about.uid).description(about.description).tags(list(about.tags))
    built = built.time(*about.time).refresh(about.refresh).timezone("browser").week_start("monday").readonly()
    built = built.tooltip(model.DashboardCursorSync.CROSSHAIR).variables(list(about.variables))
    whole = built.build()
    whole.links = list(about.links)
    whole.schema_version = SCHEMA
    whole.annotations = model.AnnotationContainer(list_val=list(about.annotations))
    whole.panels = list(_placed(parts))
    return Made(about.path, whole, tuple(part for part in parts if isinstance(part, Tile)))


def _placed(parts: Sequence[Tile | Row | text.Panel]) -> Sequence[model.Panel | model.RowPanel]:
    found: list[model.Panel | model.RowPanel] = []
    x = y = tallest = 0
    for number, part in enumerate(parts, start=1):
        if isinstance(part, Row):
            y, x, tallest = y + tallest, 0, 0
            row = model.RowPanel(title=part.title, id_val=number, collapsed=False)
            row.grid_pos = model.GridPos(h=1, w=WIDTH, x=0, y=y)
            found.append(row)
            y += 1
            continue
        panel = (part.panel if isinstance(part, Tile) else part).build()
        panel.id_val = number
        width, height = (panel.grid_pos.w, panel.grid_pos.h) if panel.grid_pos else (WIDTH, 8)
        if x + width > WIDTH:
            y, x, tallest = y + tallest, 0, 0
        panel.grid_pos = model.GridPos(h=height, w=width, x=x, y=y)
        x, tallest = x + width, max(tallest, height)
        found.append(panel)
    return found
