"""Prometheus and Alertmanager themselves read the platform's alerts: rules, their stories, routes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local import builds
from tests.dashboards.alerts.rules import ALERTMANAGER, FOLDER, RULES, TESTS, alerts
from tests.stack import shortened
from tests.stack.alarmed.alarms import receivers_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack


def said(*command: str | Path) -> str:
    """What a tool that we built says; it must find nothing wrong."""
    found = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_finds_nothing_wrong_with_the_rules_nor_with_the_shortened_ones(path: Path, tmp_path: Path) -> None:
    said(builds.prometheus() / "promtool", "check", "rules", "--lint-fatal", path)
    short = tmp_path / path.name
    short.write_text(shortened.rules(path.read_text("utf-8")))
    said(builds.prometheus() / "promtool", "check", "rules", "--lint-fatal", short)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_alert_comes_and_goes_as_its_story_tells(path: Path) -> None:
    said(builds.prometheus() / "promtool", "test", "rules", path)


def test_amtool_finds_nothing_wrong_with_the_routes() -> None:
    said(builds.alertmanager() / "amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_every_alert_is_led_to_whoever_hears_of_its_severity(alert: tuple[str, str, str, dict[str, str]]) -> None:
    name, _, severity, _ = alert
    amtool, file = builds.alertmanager() / "amtool", f"--config.file={ALERTMANAGER}"
    labels = (f"alertname={name}", f"severity={severity}", "instance=a:9100", "service=lungs")
    assert said(amtool, "config", "routes", "test", file, *labels) == ",".join(receivers_of(name))
