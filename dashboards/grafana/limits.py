"""The limits that panels share with promises, alerts and ladders, each with where it stands in the code.

An alert's limit is a number of its expression in `dashboards/alerts`; a test finds it there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dashboards.grafana.bounds import BAD, GOOD, WARN, Bounds, NoBounds, Step
from schemas import promises
from schemas.services import Ladder

_MINUTE_S: Final = 60.0


class AlertLimit(NamedTuple):
    """A number at which an alert is raised [the unit of what it looks at]."""

    alert: str
    value: float


ALERT_LIMITS: Final = (
    AlertLimit("MessagesWait", 60.0),
    AlertLimit("LagUnknown", 120.0),
    AlertLimit("DeadLetters", 0.05),
    AlertLimit("DeadLettersGrow", 10.0),
    AlertLimit("DeadLetterOld", 86_400.0),
    AlertLimit("DeadLettersUnread", 300.0),
    AlertLimit("CommitsStalled", 30.0),
    AlertLimit("LoopLate", 1.0),
    AlertLimit("NotReconciled", 1800.0),
    AlertLimit("HeartbeatNotSent", 660.0),
    AlertLimit("ClockStopped", 60.0),
    AlertLimit("RecoverySlow", 60.0),
    AlertLimit("StoringLate", 5.0),
    AlertLimit("MemoryHigh", 1_717_986_918.0),
    AlertLimit("DiskLow", 0.15),
    AlertLimit("DiskFull", 0.05),
    AlertLimit("CertificateEnds", 14 * 86_400.0),
    AlertLimit("CertificateEndsNow", 2 * 86_400.0),
)

_VALUES: Final = {limit.alert: limit.value for limit in ALERT_LIMITS}


def of_alert(alert: str) -> Bounds:
    """Return the threshold above which `alert` is raised; raises KeyError for one that has no limit here."""
    return Bounds((Step(_VALUES[alert], BAD),), f"alert {alert}, dashboards/alerts")


def below(warning: str, critical: str) -> Bounds:
    """Return the thresholds below which the two alerts are raised."""
    steps = (Step(_VALUES[critical], WARN), Step(_VALUES[warning], GOOD))
    return Bounds(steps, f"alert {warning} and alert {critical}, dashboards/alerts", base=BAD)


def any_at_all(alert: str) -> Bounds:
    """Return the threshold of an alert that is raised by the first."""
    return Bounds((Step(1.0, BAD),), f"alert {alert}, dashboards/alerts: one is too many")


def promised(value: float, name: str) -> Bounds:
    """Return the threshold at a promise; `name` is its constant."""
    return Bounds((Step(value),), f"{name}, schemas/promises.py")


def ladder(base: str = GOOD) -> Bounds:
    """Return the thresholds at which the next step of the default ladder is asked [s]."""
    later = [step.after_minutes * _MINUTE_S for step in Ladder().red if step.after_minutes]
    steps = tuple(Step(value, BAD if place else WARN) for place, value in enumerate(later))
    return Bounds(steps, "the steps of the default ladder, schemas/services.py", base=base)


def waits() -> Bounds:
    """Return the thresholds of a red that waits for somebody [s]: it is never well, and bad once the ladder goes on."""
    first = ladder().steps[0]
    return Bounds((Step(1.0, WARN), Step(first.value, BAD)), "the default ladder's next step, schemas/services.py")


ASSESSED: Final = promised(promises.ASSESSED_P99_S, "ASSESSED_P99_S")
PAGED: Final = promised(promises.PAGED_P99_S, "PAGED_P99_S")
STATE: Final = Bounds(
    (Step(promises.STATE_WANTED_BYTES, WARN), Step(promises.STATE_MOST_BYTES)),
    "STATE_WANTED_BYTES and STATE_MOST_BYTES, schemas/promises.py",
)
CANARY_WITHIN_S: Final = 60.0  # the default of the setting
CANARY_EVERY_S: Final = 300.0


def of_setting(name: str, value: float) -> Bounds:
    """Return the threshold at the default of a setting; a test holds the two together."""
    return Bounds((Step(value),), f"default of the setting {name}, agents/settings.py")


def none_delivered() -> NoBounds:
    """Return why asks of pages have no threshold of their own."""
    return NoBounds("a single ask may fail; that none is delivered, or one for a minute, has alerts and panels")
