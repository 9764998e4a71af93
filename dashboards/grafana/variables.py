"""What a reader chooses above a dashboard: service, municipality, patient; and where the board is.

Values go into Flux in quotes (`[${service:doublequote}]`) and into PromQL as a regular expression
(`${service:regex}`); all of them is each of them. Every value is a slug or a pseudonym of `schemas/types.py`, which
hold no character that means anything in either, or in an address; no other value can be typed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana.sdk import dashboard, model
from dashboards.grafana.sources import INFLUXDB, PROMETHEUS

if TYPE_CHECKING:
    from dashboards.grafana.words import Words

_MOST: Final = 1000  # Grafana takes ten times as many of a Flux variable's values
_EVERY: Final = model.VariableOption(selected=True, text=["All"], value=["$__all"])


def service(words: Words) -> dashboard.QueryVariable:
    """Return the choice of services that have patients."""
    return _several(_flux("service", words, "services"))


def process() -> dashboard.QueryVariable:
    """Return the choice of processes."""
    shown = dashboard.QueryVariable("process").label("Process")
    return _several(_promql(shown, "label_values(sonevakt_event_loop_lag_seconds, process)"))


def board() -> dashboard.QueryVariable:
    """Return where the board is, as its process tells; it is not shown."""
    hidden = dashboard.QueryVariable("board").hide(model.VariableHide.HIDE_VARIABLE)
    return _promql(hidden, "label_values(sonevakt_board_info, url)")


def _flux(name: str, words: Words, query: str) -> dashboard.QueryVariable:
    asked = {"query": query, "refId": "InfluxVariableQueryEditor-VariableQuery", "maxDataPoints": _MOST}
    shown = dashboard.QueryVariable(name).label(words.of(f"variable.{name}")).datasource(INFLUXDB)
    return _chosen(shown.query(asked).definition(name))


def _promql(variable: dashboard.QueryVariable, query: str) -> dashboard.QueryVariable:
    asked: dict[str, object] = {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery", "qryType": 1}
    return _chosen(variable.datasource(PROMETHEUS).query(asked).definition(query))


def _chosen(variable: dashboard.QueryVariable) -> dashboard.QueryVariable:
    variable = variable.sort(model.VariableSort.ALPHABETICAL_ASC).allow_custom_value(allow_custom_value=False)
    return variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)


def _several(variable: dashboard.QueryVariable) -> dashboard.QueryVariable:
    return variable.multi(multi=True).include_all(include_all=True).current(_EVERY)
