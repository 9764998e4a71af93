"""Where panels ask, and how: Flux of InfluxDB, PromQL of Prometheus. The data sources are in infra/grafana.

Grafana puts what a dashboard's variables and its time range are into the text of a query. Of a Flux query it also
replaces every `x.timeRangeStart`, `x.timeRangeStop`, `x.windowPeriod`, `x.bucket`, `x.defaultBucket` and
`x.organization`, whatever `x` is, so no column is called so (pkg/tsdb/influxdb/flux/macros.go).
"""

from __future__ import annotations

from typing import Final

from dashboards.grafana.sdk import Builder, prometheus, prometheus_model, shared, variants

INFLUXDB: Final = shared.DataSourceRef(type_val="influxdb", uid="influxdb")
PROMETHEUS: Final = shared.DataSourceRef(type_val="prometheus", uid="prometheus")


class FluxQuery(variants.Dataquery):
    """A query of a data source of type influxdb whose language is Flux; the library has no type for it."""

    def __init__(self, query: str, ref_id: str) -> None:
        self.query = query
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        """Return what stands in a panel's `targets`."""
        return {"datasource": INFLUXDB, "query": self.query, "refId": self.ref_id}


class Flux(Builder[FluxQuery]):
    """Builds a `FluxQuery`."""

    def __init__(self, query: str, ref_id: str = "A") -> None:
        self._query = FluxQuery(query, ref_id)

    def build(self) -> FluxQuery:
        """Return the query."""
        return self._query


def promql(expr: str, legend: str = "", ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query over the dashboard's time range; `legend` names each series."""
    return _promql(expr, legend, ref_id).range()


def promql_now(expr: str, legend: str = "", ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query of what holds at the end of the dashboard's time range."""
    return _promql(expr, legend, ref_id).instant()


def promql_table(expr: str, ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query of what holds now, as a table with a column for each label."""
    return _promql(expr, "", ref_id).instant().format(prometheus_model.PromQueryFormat.TABLE)


def _promql(expr: str, legend: str, ref_id: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().datasource(PROMETHEUS).expr(expr).ref_id(ref_id)
    query = query.editor_mode(prometheus_model.QueryEditorMode.CODE)
    return query.legend_format(legend) if legend else query
