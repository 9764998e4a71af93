"""What Grafana puts into a query before it is asked.

First the dashboard's variables (`$name`, `${name}`, `${name:format}`), in the browser; then, of a Flux query, the
macros of its backend. Written after Grafana's documentation of variables ("Variable syntax", "Global variables"), of
the Prometheus data source ("$__rate_interval") and its sources: pkg/tsdb/influxdb/flux/macros.go and
@grafana/data 12.3, datetime/rangeutil.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRAPE_S: Final = 10  # `timeInterval` of the Prometheus data source, infra/grafana
_VARIABLE: Final = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}")
_MACRO: Final = re.compile(r"([a-zA-Z]+)\.([a-zA-Z]+)")
_ROUNDED: Final = (  # up to this many milliseconds an interval becomes that many
    *((10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1500, 1000), (3500, 2000)),
    *((7500, 5000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000)),
    *((210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000)),
    *((2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000)),
    *((32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000)),
    *((1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000)),
)
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class UndefinedVariableError(Exception):
    """A query uses a variable that its dashboard does not define: Grafana would leave its name standing."""


@dataclass(frozen=True)
class Chosen:
    """The value of a variable: several, or one; `text` is what the reader sees of it."""

    value: str | tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class Period:
    """The dashboard's time range, and what of it a panel draws."""

    start: datetime
    stop: datetime
    most_points: int = 1000
    least_step: str | None = None

    @property
    def interval_ms(self) -> int:
        """`$__interval_ms`: the range over the points, rounded, but no less than is asked for."""
        raw = (self.stop - self.start).total_seconds() * 1000 / self.most_points
        rounded = next((to for below, to in _ROUNDED if raw < below), 31_536_000_000)
        return max(rounded, milliseconds(self.least_step) if self.least_step else 1)

    @property
    def range_s(self) -> int:
        """`$__range_s`."""
        return round((self.stop - self.start).total_seconds())


def milliseconds(text: str) -> int:
    """Return an interval in Grafana's words, as `30s` [ms]."""
    number, unit = re.fullmatch(r"(\d+)(ms|[smhdw])", text).groups()  # type: ignore[union-attr] # or raise
    return int(number) * _UNITS_MS[unit]


def replaced(text: str, chosen: Mapping[str, Chosen], default: str = "glob") -> str:
    """Put the variables in; `default` is the data source's own format, where a query names none."""

    def put(match: re.Match[str]) -> str:
        plain, named, form = match.groups()
        name = plain or named
        if name not in chosen:
            raise UndefinedVariableError(f"{match[0]} in {text[:200]!r}")
        return formatted(chosen[name], form or default)

    return _VARIABLE.sub(put, text)


def formatted(chosen: Chosen, form: str) -> str:
    """Return a value in one of Grafana's formats."""
    several = chosen.value if isinstance(chosen.value, tuple) else None
    values = several if several is not None else (str(chosen.value),)
    match form:
        case "regex":
            escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", one) for one in values]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        case "doublequote":
            return ",".join(json.dumps(one, ensure_ascii=False) for one in values)
        case "queryparam":
            raise ValueError("a query holds no part of an address")
        case "text":
            return chosen.text or " + ".join(values)
        case "raw":
            return ",".join(values)
        case "percentencode":
            return quote(",".join(values), safe="")
        case "glob":
            return values[0] if several is None or len(values) == 1 else "{" + ",".join(values) + "}"
    raise ValueError(f"no format of ours: {form}")


def promql(text: str, chosen: Mapping[str, Chosen], period: Period) -> str:
    """Return a PromQL query as the data source asks it."""
    scrape_ms = milliseconds(period.least_step) if period.least_step else SCRAPE_S * 1000
    interval_ms = max(period.interval_ms, scrape_ms)
    rate_ms = max(interval_ms + scrape_ms, 4 * scrape_ms)
    known = {
        "__interval": Chosen(f"{interval_ms}ms"),
        "__interval_ms": Chosen(str(interval_ms)),
        "__rate_interval": Chosen(f"{rate_ms}ms"),
        "__range": Chosen(f"{period.range_s}s"),
        "__range_s": Chosen(str(period.range_s)),
    }
    return replaced(text, {**chosen, **known}, "regex")


def step_s(period: Period) -> float:
    """Return the step of a PromQL range query [s]."""
    return max(period.interval_ms, milliseconds(period.least_step) if period.least_step else SCRAPE_S * 1000) / 1000


def flux(text: str, chosen: Mapping[str, Chosen], period: Period, bucket: str, organization: str) -> str:
    """Return a Flux query as the data source asks it: its macros are replaced wherever they stand."""
    found = replaced(text, chosen)
    quoted = {"bucket": f'"{bucket}"', "defaultBucket": f'"{bucket}"', "organization": f'"{organization}"'}
    known = {
        "timeRangeStart": rfc3339(period.start),
        "timeRangeStop": rfc3339(period.stop),
        "windowPeriod": go_duration(period.interval_ms),
        **quoted,
    }
    return _MACRO.sub(lambda match: known.get(match[2], match[0]), found)


def go_duration(length_ms: int) -> str:
    """Return a duration as Go writes it, which is how Flux is given it: `15m0s`."""
    if length_ms < _UNITS_MS["s"]:
        return f"{length_ms}ms"
    seconds, rest_ms = divmod(length_ms, _UNITS_MS["s"])
    hours, minutes = seconds // 3600, seconds // 60 % 60
    told = f"{seconds % 60}{f'.{rest_ms:03}'.rstrip('0') if rest_ms else ''}s"
    if hours or minutes:
        told = f"{minutes}m{told}"
    return f"{hours}h{told}" if hours else told


def rfc3339(at: datetime) -> str:
    """Return an instant as Flux takes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
