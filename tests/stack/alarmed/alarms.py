"""What Alertmanager tells: the webhooks behind its receivers, and waiting for an alert to come or to go."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from tests.dashboards.alerts.rules import ROOT, alerts

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S: Final = 180.0
HEARD_S: Final = 20.0  # what fires is told again every 10 s: what was not told again is over, or held back
RECEIVER_OF: Final = {"critical": "platform-critical", "warning": "platform-warning", "none": "dead-man"}
TOLD_TO_BOTH: Final = {
    "NotificationsDropped",
    "NotificationsFail",
    "RulesFail",
}  # who is told of the others may not hear
SEVERITY: Final = {alert.name: alert.severity for alert in alerts()}
Labels = frozenset[tuple[str, str]]


def receivers_of(name: str) -> tuple[str, ...]:
    """Return who is told of an alert, in the order of the routes."""
    return (*(("platform-warning",) if name in TOLD_TO_BOTH else ()), RECEIVER_OF[SEVERITY[name]])


class Alarms:
    """Hears of alerts by one webhook for each of Alertmanager's receivers.

    Attributes
    ----------
    caused
        Names of the alerts that were waited for, after their fault, and heard.
    resolved
        Names of those that were heard to be over.
    faults
        What was told otherwise than it should be: by another receiver, or in words that did not come out.
    refuses
        Alertmanager's receivers that take nothing.
    """

    def __init__(self, logs: Callable[[], str]) -> None:
        self.caused: set[str] = set()
        self.resolved: set[str] = set()
        self.faults: list[str] = []
        self.refuses: set[str] = set()
        self._logs = logs
        self._firing: defaultdict[str, dict[Labels, float]] = defaultdict(dict)  # when it was last told

    def application(self) -> web.Application:
        """Return the webhooks, at the receivers' names."""
        app = web.Application()
        app.router.add_post("/{receiver}", self._hear)
        return app

    async def _hear(self, request: web.Request) -> web.Response:
        if request.match_info["receiver"] in self.refuses:
            return web.Response(status=403)
        for alert in (await request.json())["alerts"]:
            self._take(request.match_info["receiver"], alert)
        return web.Response()

    def _take(self, receiver: str, alert: dict[str, Any]) -> None:
        name, labels = alert["labels"]["alertname"], frozenset(alert["labels"].items())
        if alert["status"] == "resolved":
            if self._firing[name].pop(labels, None) is not None:
                self.resolved.add(name)
            return
        self._firing[name][labels] = monotonic()
        said = alert["annotations"]
        if receiver not in receivers_of(name):
            self.faults.append(f"{name} came by {receiver}")
        if not said["summary"] or "<no value>" in str(said) or "error expanding" in str(said):
            self.faults.append(f"{name} says {said['summary']!r}")
        if not (ROOT / said["runbook"]).exists():
            self.faults.append(f"{name} has no runbook {said['runbook']}")

    def firing(self, name: str, **labels: str) -> bool:
        """Whether an alert is told to fire, with these labels among its own."""
        since = monotonic() - HEARD_S
        return any(at > since and labels.items() <= dict(held).items() for held, at in self._firing[name].items())

    def all_firing(self) -> set[str]:
        """The names of all alerts that are told to fire."""
        return {name for name in SEVERITY if self.firing(name)}

    async def not_yet(self, *names: str) -> None:
        """Wait until none of these fires any more, before their fault is caused."""
        await self._until(lambda: not self.all_firing() & set(names), f"not yet: {', '.join(names)}")

    async def fires(self, name: str, **labels: str) -> None:
        """Wait until an alert is heard to fire; how long that took is printed."""
        await self._until(lambda: self.firing(name, **labels), f"{name} {labels or ''} fires")
        self.caused.add(name)

    async def ends(self, name: str, **labels: str) -> None:
        """Wait until an alert that fired fires no more."""
        await self._until(lambda: not self.firing(name, **labels), f"{name} {labels or ''} is over")

    async def calm(self) -> None:
        """Wait until nothing fires but the Watchdog, which always does."""
        await self._until(lambda: self.all_firing() == {"Watchdog"}, "nothing else fires")

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        began = monotonic()
        while not holds():
            if monotonic() - began > PATIENCE_S:
                raise AssertionError(
                    f"not within {PATIENCE_S:g} s: {what}; firing: {self.all_firing()}\n{self._logs()}"
                )
            await asyncio.sleep(0.05)
        if monotonic() - began > 1:
            print(f"{what}: {monotonic() - began:.1f} s", flush=True)  # noqa: T201 - measured, for whoever looks by -s
