"""Prometheus itself reads the platform's alerts, and raises each for what it is for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.local import builds

pytestmark = pytest.mark.stack
FOLDER = Path(__file__).parents[2] / "dashboards" / "alerts"


@pytest.mark.parametrize("arguments", [("check", "rules", "core.rules.yml"), ("test", "rules", "core.test.yml")])
def test_promtool_finds_nothing_wrong_with_the_alerts(arguments: tuple[str, ...]) -> None:
    found = subprocess.run(  # noqa: S603 - a tool that we built
        [builds.prometheus() / "promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
