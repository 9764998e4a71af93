"""Prometheus and Alertmanager themselves read the platform's alerts: rules, their stories, routes."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agents import wallclock
from infra.local import builds
from infra.local.servers import Alertmanager
from tests.dashboards.alerts.rules import ALERTMANAGER, FOLDER, RULES, TESTS, alerts, read
from tests.dashboards.alerts.test_inhibition import CASES, labels
from tests.stack import shortened
from tests.stack.alarmed.alarms import RECEIVER_OF, receivers_of

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


def asked(url: str, alerts: list[dict[str, Any]] | None = None) -> Any:  # noqa: ANN401 - what JSON holds
    """What Alertmanager has, or takes where there is something to post."""
    body = None if alerts is None else json.dumps(alerts).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
        return json.loads(answer.read() or b"null")


@pytest.mark.timeout(300)
def test_alertmanager_itself_holds_back_what_the_table_says() -> None:
    """The last pair of each round is one that is held back: once it is, the round's own is decided too."""
    nowhere = dict.fromkeys(RECEIVER_OF.values(), "http://127.0.0.1:9/")
    with Alertmanager(config=shortened.routes(read(ALERTMANAGER), nowhere)) as server:
        url = f"{server.url}/api/v2/alerts"
        for number, (source, target, held) in enumerate(CASES):
            last = f"instance=last-{number} of=access_log"
            pairs = [labels(one) for one in (source, target, f"DiskFull {last}", f"DiskLow {last}")]
            asked(url, [{"labels": one} for one in pairs])

            def held_back(wanted: dict[str, str]) -> bool:
                return any(one["labels"] == wanted and one["status"]["inhibitedBy"] for one in asked(url))

            while not held_back(pairs[3]):
                pass
            assert held_back(pairs[1]) is held, (source, target)
            over = (wallclock.now() - timedelta(seconds=1)).isoformat()
            begun = (wallclock.now() - timedelta(hours=1)).isoformat()
            asked(url, [{"labels": one, "startsAt": begun, "endsAt": over} for one in pairs])
