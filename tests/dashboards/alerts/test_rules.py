"""The platform's alerts speak of series that exist, no patient is in them, and each is tested to come and to go."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from agents.metrics import DECLARED, describe
from tests.dashboards.alerts.rules import ALERTMANAGER, FOLDER, NAMES, RULES, TESTS, alerts, read, rules

PARTS = {"_bucket", "_count", "_sum"}  # of a histogram, as series of their own
OF_THE_CLIENT = {"process_resident_memory_bytes"}
ALWAYS = "Watchdog"
_MINUTE = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0}


def recorded_in(expr: str) -> set[str]:
    """The recorded series that an expression asks for."""
    return set(re.findall(r"\b(?:sonevakt|service):[\w:]+", expr))


def series(expr: str) -> set[str]:
    """The series of ours that an expression asks for, histograms by their own name."""
    whole = {row["series"] for row in describe()}
    found = set(re.findall(r"\b(?<![:\w])(?:sonevakt|process)_[a-z_]+", expr))
    return {name if name in whole else re.sub("|".join(PARTS) + "$", "", name) for name in found}


def test_every_series_that_a_rule_asks_for_is_shown_by_a_process_or_recorded() -> None:
    shown = {row["series"] for row in describe()} | OF_THE_CLIENT
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for rule in rules():
        assert series(rule["expr"]) <= shown
        assert recorded_in(rule["expr"]) <= recorded


def test_every_recorded_series_is_asked_for_by_an_alert() -> None:
    asked = " ".join(alert.expr for alert in alerts())
    assert [rule["record"] for rule in rules() if "record" in rule and rule["record"] not in asked] == []


def test_every_bound_of_a_histogram_that_a_rule_names_is_one_of_its_boundaries() -> None:
    bounds = {metric.series: {*(f"{float(bound)}" for bound in metric.buckets), "+Inf"} for metric in DECLARED}
    named = [
        (name, bound)
        for rule in rules()
        for name, bound in re.findall(r'(\w+)_bucket\{[^}]*le="([^"]+)"', rule["expr"])
    ]
    assert named
    assert [one for one in named if one[1] not in bounds[one[0]]] == []


def test_a_gauge_that_every_process_shows_is_not_taken_for_one_that_tells_of_something() -> None:
    """One without labels is 0 in each process that it is not about: an age of it must leave those out."""
    plain = {m.series for m in DECLARED if not m.labels and m.series.endswith("_timestamp_seconds")}
    for alert in alerts():
        for name in plain & series(alert.expr):
            assert re.search(rf"max\({name}|{name} > 0|changes\({name}", alert.expr), alert.name


def test_no_alert_has_the_name_of_another() -> None:
    assert sorted(NAMES) == sorted(set(NAMES))


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for alert in alerts():
        assert alert.severity in {"critical", "warning"} or (alert.name, alert.severity) == (ALWAYS, "none")
        assert set(alert.annotations) == {"summary", "description", "runbook"}
        assert all(alert.annotations.values())


def firing(name: str) -> list[list[tuple[float, bool]]]:
    """Of each of the tests' groups: when it is looked whether the alert fires, and whether it does."""
    asked = f'ALERTS{{alertname="{name}", alertstate="firing"}}'
    return [
        sorted(
            (minutes(one["eval_time"]), bool(one["exp_samples"]))
            for one in group["promql_expr_test"]
            if one["expr"] == asked
        )
        for path in TESTS
        for group in read(path)["tests"]
    ]


def minutes(duration: str) -> float:
    """How long `1h30m` is [min]."""
    return sum(float(number) * _MINUTE[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


@pytest.mark.parametrize("name", [name for name in NAMES if name != ALWAYS])
def test_every_alert_is_tested_to_be_quiet_to_fire_and_to_recover_in_one_story(name: str) -> None:
    stories = [[fires for _, fires in story] for story in firing(name)]
    assert any((False, True) in pairwise(story) and (True, False) in pairwise(story) for story in stories)


def test_the_watchdog_is_tested_to_fire_whatever_happens() -> None:
    looked = [fires for story in firing(ALWAYS) for _, fires in story]
    assert len(looked) >= 3
    assert all(looked)


def test_every_file_of_rules_has_its_tests_and_stands_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    for path in RULES:
        tests = read(FOLDER / path.name.replace(".rules.", ".test."))
        assert tests["rule_files"] == [path.name]
        assert f"| `{path.name}` |" in text


def test_alertmanager_names_only_alerts_and_receivers_that_exist() -> None:
    config = read(ALERTMANAGER)
    inhibitions = config["inhibit_rules"]
    matchers = [one for rule in inhibitions for one in (*rule["source_matchers"], *rule["target_matchers"])]
    matchers += [one for route in config["route"]["routes"] for one in route["matchers"]]
    named = {name for one in matchers for name in re.findall(r'alertname[!=~]+"([^"]+)"', one)}
    assert {name for pattern in named for name in pattern.split("|")} <= set(NAMES)
    receivers = {receiver["name"] for receiver in config["receivers"]}
    assert {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])} == receivers


def test_prometheus_knows_every_process_by_a_role_that_alertmanager_may_name() -> None:
    from agents.processes import NAMES as PROCESSES  # noqa: PLC0415 - slow to import, and nobody else here needs it

    assert sorted(roles()) == sorted(PROCESSES)
    asked = set(re.findall(r'role="(\w+)"', ALERTMANAGER.read_text("utf-8")))
    assert asked <= set(roles())


def roles() -> list[str]:
    """The role of each process that Prometheus asks."""
    jobs = read(FOLDER.parents[1] / "infra/prometheus/prometheus.yml")["scrape_configs"]
    (ours,) = (job for job in jobs if job["job_name"] == "sonevakt")
    return [target["labels"]["role"] for target in ours["static_configs"]]


@pytest.mark.parametrize("role", roles())
def test_memory_is_told_of_before_compose_ends_the_process_for_it(role: str) -> None:
    limit = read(FOLDER.parents[1] / "infra/compose.yaml")["services"][role]["mem_limit"]
    expr = next(alert.expr for alert in alerts() if alert.name == "MemoryHigh")
    how = "=" if role == "triage" else "!="
    (told,) = re.findall(rf'role{how}"triage"}} > (\d+)', expr)
    assert limit.endswith("g")
    assert 0.5 < int(told) / (int(limit[:-1]) * 2**30) < 0.9
