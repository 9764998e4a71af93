"""The platform's rules, their tests and their runbooks, as they are committed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "dashboards" / "alerts"
RULES = sorted(FOLDER.glob("*.rules.yml"))
TESTS = sorted(FOLDER.glob("*.test.yml"))
ALERTMANAGER = ROOT / "infra" / "alertmanager" / "alertmanager.yml"


class Alert(NamedTuple):
    """One alert as Prometheus reads it."""

    name: str
    expr: str
    severity: str
    annotations: dict[str, str]


@cache
def read(path: Path) -> Any:  # noqa: ANN401 - what YAML holds
    """The content of a file."""
    return yaml.safe_load(path.read_text("utf-8"))


def rules() -> list[dict[str, Any]]:
    """Every rule of every file."""
    return [rule for path in RULES for group in read(path)["groups"] for rule in group["rules"]]


def alerts() -> list[Alert]:
    """Every alert."""
    return [
        Alert(rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"])
        for rule in rules()
        if "alert" in rule
    ]


NAMES = [alert.name for alert in alerts()]
