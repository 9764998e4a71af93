"""What a reader chooses above a dashboard: service, municipality, patient; and where the board is.

Values go into Flux in quotes (`[${service:doublequote}]`) and into PromQL as a regular expression
(`${service:regex}`); all of them is each of them. Every value is a slug or a pseudonym of `schemas/types.py`, which
hold no character that means anything in either, or in an address; no other value can be typed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana.library import CHOSEN, NOW, PATIENT, table
from dashboards.grafana.sdk import dashboard, model
from dashboards.grafana.sources import INFLUXDB, PROMETHEUS
from dashboards.grafana.words import VITALS

if TYPE_CHECKING:
    from dashboards.grafana.words import Words

_MOST: Final = 1000  # Grafana takes ten times as many of a Flux variable's values
_MOST_PATIENTS: Final = 20_000  # one that the answer is too short for would be taken out of sight
_EVERY: Final = model.VariableOption(selected=True, text=["All"], value=["$__all"])


def service(words: Words) -> dashboard.QueryVariable:
    """Return the choice of services that have patients."""
    return _several(_flux("service", words, _of_standings("service")))


def municipality(words: Words) -> dashboard.QueryVariable:
    """Return the choice of municipalities that have patients of the chosen services."""
    return _several(_flux("municipality", words, _of_standings("municipality", services=CHOSEN["services"])))


def patient(words: Words) -> dashboard.QueryVariable:
    """Return the choice of one patient, of everybody in the store, asked for when the dashboard is opened alone.

    Grafana puts the first in place of one that is not in the list, while somebody reads: whoever is shown stays in it,
    also where service or follow-up ends.
    """
    query = table(
        "standings",
        'keep(columns: ["patient"])',
        'sort(columns: ["patient"])',
        at="now()",
        services='["*"]',
        municipalities='["*"]',
    )
    shown = _flux("patient", words, query.build().query, most=_MOST_PATIENTS)
    return shown.refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)


def vital(words: Words) -> dashboard.QueryVariable:
    """Return the vital signs that the patient has readings of, which a chart each is made for.

    An answer is `name|title`, which Grafana takes apart.
    """
    titles = ", ".join(f'{{key: "{name}", value: "{words.vital(name)}"}}' for name in VITALS)
    query = f"""import "dict"

titles = dict.fromList(pairs: [{titles}])

from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "reading" and r._field == "withdrawn" and r.patient == {PATIENT["patient"]})
    |> group(columns: ["vital"])
    |> first()
    |> group()
    |> map(fn: (r) => ({{named: r.vital + "|" + dict.get(dict: titles, key: r.vital, default: "")}}))
    |> filter(fn: (r) => r.named !~ /[|]$/)
"""
    hidden = _flux("vital", words, query).hide(model.VariableHide.HIDE_VARIABLE)
    return _several(hidden.regex("/(?<value>[^|]+)[|](?<text>.+)/"))


def _of_standings(column: str, **arguments: str) -> str:
    """A query for what stands in a column of the patients' standings, each once."""
    then = (
        'filter(fn: (r) => r.followed and r.{0} != "none")',
        'keep(columns: ["{0}"])',
        'unique(column: "{0}")',
        'sort(columns: ["{0}"])',
    )
    return table("standings", *(step.format(column) for step in then), **NOW, **arguments).build().query


def process() -> dashboard.QueryVariable:
    """Return the choice of processes."""
    shown = dashboard.QueryVariable("process").label("Process")
    return _several(_promql(shown, "label_values(sonevakt_event_loop_lag_seconds, process)"))


def board() -> dashboard.QueryVariable:
    """Return where the board is, as its process tells; it is not shown."""
    hidden = dashboard.QueryVariable("board").hide(model.VariableHide.HIDE_VARIABLE)
    return _promql(hidden, "label_values(sonevakt_board_info, url)")


def _flux(name: str, words: Words, query: str, most: int = _MOST) -> dashboard.QueryVariable:
    asked = {"query": query, "refId": "InfluxVariableQueryEditor-VariableQuery", "maxDataPoints": most}
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
