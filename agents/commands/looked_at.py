"""Where each metric is looked at: the panels of the committed dashboards, and the alerts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.metrics import DECLARED, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.metrics import Metric

DASHBOARDS: Final = Path(__file__).parents[2] / "dashboards"
_RULE: Final = re.compile(r"^\s*- (?=alert:|record:)", re.MULTILINE)


def table() -> str:
    """Return the part of docs/reference/metrics.md that tells it."""
    panels, alerts = list(_panels()), _alerts()
    lines = [
        "",
        "## Where each is looked at",
        "",
        "Made from the dashboards in `dashboards/grafana/json` and the rules in `dashboards/alerts`.",
        "",
        "| series | panels | alerts |",
        "|---|---|---|",
    ]
    for metric in DECLARED:
        named = _named(metric)
        seen = [title for title, text in panels if named.search(text)]
        raised = [alert for alert, text in alerts.items() if named.search(text)]
        told = "; ".join(seen) or metric.unseen
        lines.append(f"| `{metric.series}` | {told} | {', '.join(raised)} |")
    return "\n".join(lines) + "\n"


def _named(metric: Metric) -> re.Pattern[str]:
    parts = "(_bucket|_sum|_count)?" if metric.kind is Kind.HISTOGRAM else ""
    return re.compile(rf"\b{metric.series}{parts}\b")


def _panels() -> Iterator[tuple[str, str]]:
    """Each panel and variable, in English: what it is called, and what it asks of Prometheus."""
    for path in sorted((DASHBOARDS / "grafana" / "json").rglob("*.json")):
        name, _, lang = path.stem.partition(".")
        if lang == "nb":
            continue
        dashboard: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        for panel in dashboard["panels"]:
            asked = " ".join(target.get("expr", "") for target in panel.get("targets") or [])
            yield f"{name}: {panel['title']}", asked
        for variable in dashboard["templating"]["list"]:
            if variable["datasource"]["type"] == "prometheus":
                yield f"{name}: variable `{variable['name']}`", variable["definition"]


def _alerts() -> dict[str, str]:
    """Each alert, and its expression with those of the recorded series that it names."""
    recorded: dict[str, str] = {}
    raised: dict[str, str] = {}
    for path in sorted((DASHBOARDS / "alerts").glob("*.rules.yml")):
        for rule in _RULE.split(path.read_text(encoding="utf-8"))[1:]:
            kind, _, rest = rule.partition(": ")
            name, _, body = rest.partition("\n")
            expr = body.partition("labels:")[0].partition("annotations:")[0]
            (raised if kind == "alert" else recorded)[name.strip()] = expr
    return {
        alert: expr + " ".join(text for name, text in recorded.items() if name in expr)
        for alert, expr in raised.items()
    }
