"""What dashboards share with the rest of the code: limits, zones, rules, vital signs, metrics."""

from __future__ import annotations

import json
import re
from math import prod
from pathlib import Path
from typing import Final

import pytest
import yaml

from agents import metrics
from agents.settings import Settings
from agents.storing.points import RANK
from dashboards.board.listing import ATTENTION
from dashboards.board.words import LANGUAGES
from dashboards.grafana import limits, words, zones
from dashboards.grafana.written import FOLDER
from pipeline.triage.explain import RULES_TOLD
from pipeline.triage.vitals import VITALS
from schemas import promises
from tests.grafana.questions import of_annotations, of_panels, of_variable, panels, variables

ROOT: Final = Path(__file__).parents[3]
_READ: Final = [
    rule
    for path in sorted((ROOT / "dashboards" / "alerts").glob("*.rules.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
RECORDED: Final = {rule["record"]: rule["expr"] for rule in _READ if "record" in rule}
RULES: Final = {rule["alert"]: rule["expr"] for rule in _READ if "alert" in rule}
ASKED: Final = [
    question
    for path in sorted(FOLDER.rglob("*.json"))
    for dashboard in [json.loads(path.read_text())]
    for question in [
        *of_panels(dashboard),
        *of_annotations(dashboard),
        *(of_variable(dashboard, variable) for variable in variables(dashboard)),
    ]
]


@pytest.mark.parametrize("limit", limits.ALERT_LIMITS, ids=lambda limit: limit.alert)
def test_a_limit_that_is_an_alerts_stands_in_its_expression(limit: limits.AlertLimit) -> None:
    expr = RULES[limit.alert]
    whole = " ".join([expr, *(text for name, text in RECORDED.items() if name in expr)])
    told = re.findall(r"(?<![\w.\[])\d+(?:\.\d+)?(?: \* \d+)*(?![\w.\]])", whole)
    assert limit.value in {prod(float(factor) for factor in one.split(" * ")) for one in told}


def test_every_alert_that_a_threshold_names_is_there() -> None:
    named = set()
    for path in sorted(FOLDER.rglob("*.json")):
        for panel in panels(json.loads(path.read_text())):
            named |= set(re.findall(r"alert (\w+), dashboards/alerts", panel["description"]))
    assert named
    assert named <= RULES.keys()


def test_the_limits_of_settings_are_their_defaults() -> None:
    defaults = Settings()
    assert defaults.canary_within_seconds == limits.CANARY_WITHIN_S
    assert defaults.canary_seconds == limits.CANARY_EVERY_S


def test_a_histogram_has_a_boundary_at_each_promise() -> None:
    """Or a quantile near it would be interpolated across it."""
    buckets = {metric.name: metric.buckets for metric in metrics.DECLARED}
    assert promises.ASSESSED_P99_S in buckets["received_to_assessed"]
    assert promises.PAGED_P99_S in buckets["received_to_paged"]
    assert {promises.STATE_WANTED_BYTES, promises.STATE_MOST_BYTES} <= set(buckets["state_bytes"])
    later = [step.value for step in limits.ladder().steps]
    assert set(later) <= set(buckets["paged_to_acknowledged"])


def test_zones_have_the_boards_colours_and_ranks_and_words() -> None:
    css = (ROOT / "dashboards" / "board" / "board.css").read_text()
    for zone in ATTENTION:
        told = re.search(rf"\.zone\.{zone.value} {{([^}}]*)}}", css)
        assert told is not None
        assert zones.COLOURS[zone] in told[1], zone
        assert zones.RANKS[zone] == RANK[zone]
    for lang in LANGUAGES:
        (mapping,) = zones.mappings(lang)
        assert list(mapping["options"]) == [zone.value for zone in ATTENTION]
        assert all(told["text"] for told in mapping["options"].values())


def test_every_rule_that_can_be_told_has_words() -> None:
    assert {f"rule.{rule}" for rule in RULES_TOLD} <= words.keys()


def test_vital_signs_have_their_units() -> None:
    assert {vital.name: vital.unit for vital in VITALS} == words.VITALS


def test_every_metric_is_in_a_panel_or_an_alert_or_says_why_not() -> None:
    shown = " ".join(
        [*(question.text for question in ASKED if question.source == "prometheus"), *RULES.values(), *RECORDED.values()]
    )
    for metric in metrics.DECLARED:
        seen = re.search(rf"\b{metric.series}(_bucket|_sum|_count)?\b", shown) is not None
        assert seen or metric.unseen, f"{metric.series} is in no panel and no alert, and does not say why"
        assert not (seen and metric.unseen), f"{metric.series} is seen, and says why not"


def test_every_series_that_is_asked_for_is_declared() -> None:
    """Beside those of Prometheus itself and of the client library."""
    declared = {metric.series for metric in metrics.DECLARED}
    for question in ASKED:
        if question.source == "prometheus":
            for name in re.findall(r"\bsonevakt_\w+", question.text):
                assert name in declared or re.sub(r"_(bucket|sum|count)$", "", name) in declared, question.name


def test_no_series_has_a_patients_label() -> None:
    labels = {label for metric in metrics.DECLARED for label in metric.labels}
    assert not labels & {"patient", "device", "submission", "message", "name"}
    for question in ASKED:
        if question.source == "prometheus":
            assert "patient=" not in question.text
