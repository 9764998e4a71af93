"""The platform's rules and Alertmanager's configuration with all times shortened, and nothing else changed.

Nobody can wait for hours until each alert has fired. Shortened are, each in its own way: how long an expression must
hold (`for`), how often it is looked at (`interval`), the windows in brackets and behind `offset`, and numbers of
seconds and bytes that a rule marks by `# s` and `# B`. The bounds of the promises are longer, since a machine that runs
tests beside everything else keeps no promise of 0.3 s. Thresholds of shares and counts stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BOUNDS: Final = {'_assessed_seconds_bucket{le="0.3"}': '_assessed_seconds_bucket{le="2.5"}'} | {
    '_paged_seconds_bucket{le="1.0"}': '_paged_seconds_bucket{le="2.5"}'
}


def held(seconds: float) -> float:
    """Of a `for` or an `interval` [s]."""
    return min(max(seconds / 30, 2), 5)


def window(seconds: float) -> float:
    """Of a range or an offset [s]."""
    return min(max(seconds / 20, 15), 40)


def step(seconds: float) -> float:
    """Of a subquery [s]."""
    return max(seconds / 20, 2)


def threshold(seconds: float) -> float:
    """Of an age [s]. More than 10 for a minute: workers ask the broker for their lag every 5 s."""
    return min(max(seconds / 6, 1), 20)


def memory(size: float) -> float:
    """[B]. Not less than what a process takes that follows nobody."""
    return max(size / 8, 268_435_456)


def rules(text: str) -> str:
    """The rules of a file, shortened."""
    for bound, longer in _BOUNDS.items():
        text = text.replace(bound, longer)
    text = re.sub(r"(?<=for: )(\d+)([smhd])", _of(held), text)
    text = re.sub(r"(?<=interval: )(\d+)([smhd])", _of(held), text)
    text = re.sub(r"(?<=\[)(\d+)([smhd])(?=[\]:])", _of(window), text)
    text = re.sub(r"(?<=:)(\d+)([smhd])(?=\])", _of(step), text)
    text = re.sub(r"(?<=offset )(\d+)([smhd])", _of(window), text)
    text = re.sub(r"(\d+)(?= # s$)", lambda found: f"{threshold(float(found[1])):g}", text, flags=re.MULTILINE)
    return re.sub(r"(\d+)(?= # B$)", lambda found: f"{memory(float(found[1])):.0f}", text, flags=re.MULTILINE)


def _of(shorter: Callable[[float], float]) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{shorter(float(found[1]) * _UNITS[found[2]]):.0f}s"


def routes(config: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """Alertmanager's configuration with other addresses, by receiver, in which nobody is made to wait."""
    return {
        "route": _hurried(config["route"]),
        "inhibit_rules": config["inhibit_rules"],
        "receivers": [
            {
                "name": receiver["name"],
                "webhook_configs": [
                    {"url": addresses[receiver["name"]], "send_resolved": hook["send_resolved"]}
                    for hook in receiver["webhook_configs"]
                ],
            }
            for receiver in config["receivers"]
        ],
    }


def _hurried(route: Mapping[str, Any]) -> dict[str, Any]:
    times = {"group_wait": "2s", "group_interval": "2s", "repeat_interval": "10s"}
    return {
        **{name: times.get(name, value) for name, value in route.items() if name != "routes"},
        **({"routes": [_hurried(one) for one in route["routes"]]} if "routes" in route else {}),
    }
