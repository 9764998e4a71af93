"""The drawing of dashboards without Grafana: what it is made of is pinned, and it draws every kind of panel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from dashboards.grafana.written import FOLDER
from tests.grafana.questions import panels

PREVIEW: Final = Path(__file__).parents[3] / "infra" / "preview"
PACKAGE: Final[dict[str, Any]] = json.loads((PREVIEW / "package.json").read_text())
LOCK: Final[dict[str, Any]] = json.loads((PREVIEW / "package-lock.json").read_text())


def test_every_package_is_pinned_by_version_and_hash_and_none_by_an_address() -> None:
    locked = LOCK["packages"]
    asked = PACKAGE["dependencies"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked
    for place, package in locked.items():
        assert "resolved" not in package, place
        assert place == "" or "integrity" in package, place


def test_every_kind_of_panel_can_be_drawn() -> None:
    (known,) = re.findall(r"export const KINDS = \{ (.+) \};", (PREVIEW / "src" / "kinds.jsx").read_text())
    dashboards = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.json")]
    assert {panel["type"] for dashboard in dashboards for panel in panels(dashboard)} <= set(known.split(", "))
