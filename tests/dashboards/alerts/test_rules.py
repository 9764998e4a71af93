"""The platform's alerts speak of series that exist, and no patient is in them."""

from __future__ import annotations

import re
from pathlib import Path

from agents.metrics import describe

FOLDER = Path(__file__).parents[3] / "dashboards" / "alerts"
RULES = (FOLDER / "core.rules.yml").read_text("utf-8")
TESTS = (FOLDER / "core.test.yml").read_text("utf-8")


def test_every_series_that_an_alert_asks_for_is_shown_by_a_process() -> None:
    shown = {row["series"] for row in describe()}
    assert set(re.findall(r"sonevakt_[a-z_]+", RULES)) <= shown


def test_every_alert_is_tested_to_fire() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", RULES))
    assert alerts == set(re.findall(r'alertname="(\w+)"', TESTS))


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in RULES.split("- alert: ")[1:]:
        assert re.search(r"labels: \{severity: (critical|warning)\}", rule)
        assert "summary: " in rule
        assert "description: " in rule
