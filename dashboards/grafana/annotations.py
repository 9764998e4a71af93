"""What happened, as marks across every chart of a dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.sdk import model
from dashboards.grafana.sources import INFLUXDB

if TYPE_CHECKING:
    from dashboards.grafana.sources import Flux


class Annotation(model.AnnotationQuery):
    """An annotation whose switch stands above the dashboard; the library would put each into a menu."""

    def to_json(self) -> dict[str, object]:
        """Return what stands among a dashboard's annotations."""
        return {name: value for name, value in super().to_json().items() if name != "placement"}


def annotation(name: str, query: Flux, color: str) -> Annotation:
    """Return marks of a query whose answer has a time and columns `title`, `text` and `tags`."""
    return Annotation(name=name, datasource=INFLUXDB, enable=True, icon_color=color, target=query.build())
