"""The rules that the test in the running product uses are the real ones with other times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.dashboards.alerts.rules import ALERTMANAGER, RULES, read
from tests.stack import shortened

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = re.compile(r"\d+(\.\d+)?[smhd]?")


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_only_numbers_are_changed(path: Path) -> None:
    text = path.read_text("utf-8")
    assert _NUMBER.sub("N", shortened.rules(text)) == _NUMBER.sub("N", text)


def test_what_is_shortened_and_how() -> None:
    text = """
      expr: |
        max_over_time(a[1d:1m]) - (b offset 2h) > 1800 # s
        and rate(sonevakt_received_to_assessed_seconds_bucket{le="0.3"}[5m]) > 14.4 * 0.01
        and c > 2147483648 # B
      for: 10m"""
    assert (
        shortened.rules(text)
        == """
      expr: |
        max_over_time(a[40s:3s]) - (b offset 40s) > 20 # s
        and rate(sonevakt_received_to_assessed_seconds_bucket{le="2.5"}[15s]) > 14.4 * 0.01
        and c > 268435456 # B
      for: 5s"""
    )


def test_the_routes_are_the_real_ones_with_other_addresses() -> None:
    config = read(ALERTMANAGER)
    short = shortened.routes(config, {one["name"]: f"http://127.0.0.1/{one['name']}" for one in config["receivers"]})
    assert short["inhibit_rules"] == config["inhibit_rules"]
    times = {"group_wait", "group_interval", "repeat_interval"}
    for real, other in zip(
        [config["route"], *config["route"]["routes"]], [short["route"], *short["route"]["routes"]], strict=True
    ):
        assert {name: value for name, value in other.items() if name not in {*times, "routes"}} == {
            name: value for name, value in real.items() if name not in {*times, "routes"}
        }
