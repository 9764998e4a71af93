"""Which alert holds back which (`infra/alertmanager/alertmanager.yml`): what must be told never is held back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.dashboards.alerts.rules import ALERTMANAGER, NAMES, alerts, read

if TYPE_CHECKING:
    from collections.abc import Mapping

SEVERITY = {alert.name: alert.severity for alert in alerts()}
CASES: list[tuple[str, str, bool]] = [  # source, target, whether the target is held back while the source fires
    # A process that is down is told once, and nothing of another process is held back for it.
    ("ProcessDown instance=storing:9100 role=storing", "CommitsStalled instance=storing:9100", True),
    ("ProcessDown instance=storing:9100 role=storing", "CommitsStalled instance=triage:9100", False),
    ("ProcessDown instance=storing:9100 role=storing", "ProcessDown instance=storing:9100 role=storing", False),
    ("ProcessDown instance=storing:9100 role=storing", "MessagesWait group=storing topic=assessments", False),
    ("ProcessDown instance=triage:9100 role=triage", "CanaryLate service=lungs", False),
    ("ProcessDown instance=clock:9100 role=clock", "ClockNeverStarted", True),
    ("ProcessDown instance=clock:9100 role=clock", "DeadLettersUnread", True),
    ("ProcessDown instance=triage:9100 role=triage", "ClockNeverStarted", False),
    # One of two clocks is down: that the other has stopped is told all the same.
    ("ProcessDown instance=clock-2:9100 role=clock", "ClockStopped", False),
    ("ProcessDown instance=paging:9101 role=canary", "HeartbeatNotSent", True),
    ("ProcessDown instance=paging:9101 role=canary", "CanaryLate service=lungs", False),
    ("ProcessDown instance=reconcile:9100 role=reconcile", "NotReconciled", True),
    ("ProcessDown instance=reconcile:9100 role=reconcile", "Unaccounted step=stored", False),
    ("ProcessKeepsEnding instance=board:9100", "ProcessRestarted instance=board:9100", True),
    ("ProcessKeepsEnding instance=board:9100", "ProcessRestarted instance=triage:9100", False),
    ("BrokerDown", "ProcessKeepsEnding instance=triage:9100", True),
    # Without a broker nothing moves; that a red may reach nobody is told all the same.
    ("BrokerDown", "MessagesWait group=triage topic=submissions", True),
    ("BrokerDown", "ClockStopped", True),
    ("BrokerDown", "CanaryLate service=lungs", False),
    ("BrokerDown", "RedUnacknowledged service=lungs", False),
    ("BrokerDown", "PagesUndeliverable service=lungs", False),
    ("BrokerDown", "DiskFull instance=board:9100 of=access_log", False),
    ("BrokerDown", "ProcessDown instance=triage:9100 role=triage", False),
    # A store that is away is a warning, and a warning wakes nobody: it holds back nothing that does.
    ("StoreAway process=storing", "NotReconciled", True),
    ("StoreAway process=storing", "StoringLate", True),
    ("StoreAway process=storing", "MessagesWait group=storing topic=assessments", False),
    ("StoreAway process=storing", "MessagesWait group=north.storing topic=assessments", False),
    ("StoreAway process=storing", "Unaccounted step=stored", False),
    ("CanaryLate service=lungs", "HeartbeatNotSent", True),
    ("CanaryLate service=lungs", "CanaryNeverStarted", False),
    ("AssessmentsLate", "AssessmentsOftenLate", True),
    ("AssessmentsOftenLate", "AssessmentsLate", False),
    ("AssessmentsOftenLate", "AssessmentsLateForDays", True),
    ("AssessmentsLateForDays", "AssessmentsOftenLate", False),
    ("PagesOftenLate", "PagesLateForDays", True),
    ("AssessmentsOftenLate", "PagesLateForDays", False),
    ("AssessmentsLate", "PagesOftenLate", False),
    # Many dead letters of one process hide no single one of paging, which is a red that nobody is told of.
    ("DeadLetters process=triage", "DeadLetter process=triage reason=invalid", True),
    ("DeadLetters process=triage", "DeadLetter process=paging reason=invalid", False),
    ("DeadLetters process=triage", "DeadLetter process=storing reason=invalid", False),
    ("DeadLettersGrow", "DeadLetter process=triage reason=invalid", True),
    ("DeadLettersGrow", "DeadLetter process=paging reason=invalid", False),
    ("DiskFull instance=board:9100 of=access_log", "DiskLow instance=board:9100 of=access_log", True),
    ("DiskFull instance=board:9100 of=access_log", "DiskLow instance=board:9100 of=directory", False),
    ("CertificateEndsNow of=board_url", "CertificateEnds of=board_url", True),
    ("CertificateEndsNow of=board_url", "CertificateEnds of=gateway_url", False),
]


def labels(told: str) -> dict[str, str]:
    """`Name label=value ...` as the labels of an alert."""
    name, *others = told.split()
    return {"alertname": name, "severity": SEVERITY[name], **dict(one.split("=", 1) for one in others)}


def matches(matcher: str, alert: Mapping[str, str]) -> bool:
    """Whether one matcher of Alertmanager's holds: a label that is not there is empty, a pattern is the whole value."""
    found = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher)
    assert found, matcher
    name, how, wanted = found.groups()
    value = alert.get(name, "")
    holds = bool(re.fullmatch(wanted, value)) if how.endswith("~") else value == wanted
    return holds is not how.startswith("!")


def held_back(target: Mapping[str, str], source: Mapping[str, str]) -> bool:
    """Whether an alert is inhibited while another fires (https://prometheus.io/docs/alerting/latest/configuration/)."""
    return any(
        all(matches(one, source) for one in rule["source_matchers"])
        and all(matches(one, target) for one in rule["target_matchers"])
        and all(source.get(name, "") == target.get(name, "") for name in rule.get("equal", []))
        for rule in read(ALERTMANAGER)["inhibit_rules"]
    )


@pytest.mark.parametrize(("source", "target", "held"), CASES)
def test_who_is_held_back_for_whom(source: str, target: str, *, held: bool) -> None:
    assert held_back(labels(target), labels(source)) is held


def test_no_warning_holds_back_what_cannot_wait() -> None:
    """A warning is told in working hours: what is critical would be told by nothing until then."""
    for source in (name for name in NAMES if SEVERITY[name] == "warning"):
        for target in (name for name in NAMES if SEVERITY[name] == "critical"):
            for group in ("triage", "storing"):
                shared = f"instance=a:9100 of=board_url process=storing role=storing group={group}"
                assert not held_back(labels(f"{target} {shared}"), labels(f"{source} {shared}")), (source, target)


def test_nothing_holds_back_that_a_red_may_reach_nobody() -> None:
    never = {"CanaryLate", "PageLate", "PageWithoutReceiver", "PagesNotDelivered", "PagesUndeliverable"} | {
        "NotificationsDropped",
        "NotificationsFail",
        "RulesFail",
    }
    for target in (never | {"RedUnacknowledged", "Watchdog"}) & set(NAMES):
        for source in NAMES:
            told = labels(f"{source} instance=a:9100 process=paging role=paging")
            assert not held_back(labels(f"{target} service=lungs"), told), (source, target)
