"""Room where files are kept."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

from agents import disks
from agents.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def shown(metrics: Metrics, which: str, of: str) -> float:
    value = metrics.registry.get_sample_value(f"sonevakt_disk_{which}_bytes", {"of": of})
    assert value is not None
    return value


def test_room_is_shown_of_files_also_of_those_that_are_not_made_yet(tmp_path: Path) -> None:
    metrics = Metrics(CollectorRegistry())
    disks.show({"store": tmp_path, "sessions": tmp_path / "not" / "yet" / "sessions.sqlite"}, metrics)
    whole = shutil.disk_usage(tmp_path).total
    for of in ("store", "sessions"):
        assert shown(metrics, "size", of) == whole
        assert 0 < shown(metrics, "free", of) <= whole


def test_a_disk_that_does_not_answer_leaves_the_other_metrics_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics(CollectorRegistry())
    disks.show({"store": tmp_path}, metrics)

    def failing(_: object) -> object:
        raise PermissionError

    monkeypatch.setattr(shutil, "disk_usage", failing)
    assert math.isnan(shown(metrics, "free", "store"))
    assert b"sonevakt_build_info" in generate_latest(metrics.registry)
