"""How far the store is behind, worked out by Prometheus itself: no figure is better than one that says well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from dashboards.grafana.behind import BEHIND
from infra.local import builds
from tests.stack.test_alerts import said

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack
EVERY_S: Final = 10
LAG: Final = "sonevakt_consumer_lag_seconds"
MEASURED: Final = "sonevakt_lag_measured_timestamp_seconds"
FRESH: Final = "0+10x60"  # measured at each scrape


def worker(role: str, lag: str, measured: str = FRESH, instance: str = "") -> list[dict[str, str]]:
    """What one worker shows at each scrape, in promtool's notation."""
    at = f'instance="{instance or role}:9100", job="sonevakt", role="{role}"'
    return [
        {"series": f'{LAG}{{{at}, group="demo-{role}", topic="demo-{role}-reads"}}', "values": lag},
        {"series": f'{LAG}{{{at}, group="demo-{role}", topic="demo-quiet"}}', "values": lag.replace("45", "0")},
        {"series": f"{MEASURED}{{{at}}}", "values": measured},
    ]


WELL: Final = worker("triage", "0x60"), worker("storing", "0x60")
PAGING: Final = worker("paging", "900x60")  # its backlog does not make the store old


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ([*WELL, PAGING], 0),
        ([worker("triage", "0x60"), worker("storing", "45x60")], 45),
        ([worker("triage", "45x60"), worker("storing", "0x60")], 45),
        ([worker("triage", "0x60")], None),
        ([worker("triage", "0x60"), worker("storing", "0x29 stale")], None),
        ([worker("triage", "45x29 stale"), worker("storing", "0x60")], None),
        ([], None),
        ([worker("triage", "0x60"), worker("storing", "0x60", "0+10x10 100x49")], 200),  # cut off from 100 s on
        ([worker("triage", "45x60", "0+10x10 100x49"), worker("storing", "0x60")], 245),
        ([worker("triage", "0x60"), worker("storing", "45x60", "0+10x28 280x31")], 45),  # 20 s are usual
        ([worker("triage", "0x60"), worker("storing", "0x60", "0x60")], None),  # it never asked
        ([*WELL, worker("storing", "45x60", instance="storing-2")], 45),  # the worst of several workers
    ],
    ids=[
        "nothing waits",
        "storing is behind",
        "triage is behind",
        "storing was never there",
        "storing is down",
        "triage is down",
        "nobody is there",
        "storing is cut off",
        "triage is cut off while something waits",
        "a moment's age does not count",
        "the broker never told it",
        "two workers of a group",
    ],
)
def test_there_is_a_figure_only_of_both_groups_and_it_is_as_old_as_it_was_measured(
    tmp_path: Path, shown: list[list[dict[str, str]]], wanted: float | None
) -> None:
    samples = [] if wanted is None else [{"labels": "{}", "value": wanted}]
    asked = {"expr": BEHIND, "eval_time": "300s", "exp_samples": samples}
    story = {
        "interval": f"{EVERY_S}s",
        "input_series": [one for series in shown for one in series],
        "promql_expr_test": [asked],
    }
    file = tmp_path / "behind.test.yml"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": f"{EVERY_S}s", "tests": [story]}))
    said(builds.prometheus() / "promtool", "test", "rules", file)
