"""Questions asked of real servers, and their answers in the form in which Grafana's panels get them.

A frame is `{"schema": {"name", "fields": [{"name", "type", "labels", "config"}]}, "data": {"values"}}`, times in
milliseconds. How a Flux answer becomes frames is written after pkg/tsdb/influxdb/flux/builder.go: a table that has
a `_value` and a time is a series, named by `_field`, with its other text columns as labels; any other is a table.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from tests.grafana import interpolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import aiohttp

    from tests.grafana.interpolation import Chosen, Period
    from tests.grafana.questions import Question

Frame = dict[str, Any]
MOST_SERIES: Final = 1000  # of the InfluxDB data source, where it is not told another
OVER: Final = 10  # so many times its points a panel may get before Grafana cuts the answer off
_TYPES: Final = {
    "dateTime:RFC3339": "time",
    "dateTime:RFC3339Nano": "time",
    "double": "number",
    "long": "number",
    "unsignedLong": "number",
    "boolean": "boolean",
    "string": "string",
}
_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.+), *)?(?P<label>\w+)\)")


class AnswerError(Exception):
    """A server refused a query, or Grafana would cut the answer off."""


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took [s]."""

    question: Question
    text: str
    frames: list[Frame]
    took_s: float

    @property
    def rows(self) -> int:
        """Rows in which a field other than the time holds something; a series of NaN alone has none."""
        return sum(_filled(frame) for frame in self.frames)

    def column(self, name: str) -> list[Any]:
        """Return a field of a table's rows."""
        return [
            value
            for frame in self.frames
            for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True)
            if field["name"] == name
            for value in values
        ]

    def last(self) -> dict[str, Any]:
        """Return the last value of each series or number, by its name."""
        found = {}
        for frame in self.frames:
            for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True):
                if field["type"] == "number" and values:
                    found[field["config"].get("displayNameFromDS") or field["name"]] = values[-1]
        return found


def _filled(frame: Frame) -> int:
    fields = frame["schema"]["fields"]
    said = [
        values
        for field, values in zip(fields, frame["data"]["values"], strict=True)
        if field["type"] != "time" or len(fields) == 1
    ]
    return sum(any(value is not None for value in row) for row in zip(*said, strict=True))


class Servers:
    """Prometheus and InfluxDB, as Grafana's data sources know them."""

    def __init__(self, http: aiohttp.ClientSession, prometheus: str, influxdb: Mapping[str, str]) -> None:
        self._http = http
        self._prometheus = prometheus
        self._influxdb = influxdb  # url, org, bucket, token

    async def ask(self, question: Question, chosen: Mapping[str, Chosen], period: Period) -> Answer:
        """Ask, with what the reader chose and the time range; raises AnswerError."""
        chosen = {**chosen, **dict(question.chosen)}
        seen = interpolation.Period(period.start, period.stop, question.most_points, question.least_step)
        began = perf_counter()
        if question.source == "influxdb":
            text = interpolation.flux(question.text, chosen, seen, self._influxdb["bucket"], self._influxdb["org"])
            frames = await self._flux(question, text)
        else:
            text = interpolation.promql(question.text, chosen, seen)
            frames = await self._promql(question, text, seen)
        return Answer(question, text, frames, perf_counter() - began)

    async def values(self, question: Question, chosen: Mapping[str, Chosen], period: Period) -> list[str]:
        """Return what a variable may be: the first text field of the first frame, each value once."""
        if question.source == "influxdb":
            answer = await self.ask(question, chosen, period)
            if len(answer.frames) > 1:
                raise AnswerError(f"{question.name}: Grafana reads one table of a variable's, and there are more")
            fields = answer.frames[0]["schema"]["fields"] if answer.frames else []
            texts = [place for place, field in enumerate(fields) if field["type"] == "string"]
            return list(dict.fromkeys(answer.frames[0]["data"]["values"][texts[0]])) if texts else []
        asked = _LABEL_VALUES.fullmatch(question.text)
        assert asked is not None, question.text
        told = {"match[]": asked["series"]} if asked["series"] else {}
        found = await self._get(f"/api/v1/label/{asked['label']}/values", told)
        return list(found)

    async def _promql(self, question: Question, text: str, period: Period) -> list[Frame]:
        start, stop = period.start.timestamp(), period.stop.timestamp()
        if question.target.get("instant"):
            found = await self._get("/api/v1/query", {"query": text, "time": f"{stop:.3f}"})
        else:
            step = interpolation.step_s(period)
            told = {"query": text, "start": f"{start - start % step:.3f}", "end": f"{stop:.3f}", "step": f"{step:g}"}
            found = await self._get("/api/v1/query_range", told)
        kind, result = found["resultType"], found["result"]
        if kind == "scalar":
            result = [{"metric": {}, "value": result}]
        series = [(one["metric"], one.get("values") or [one["value"]]) for one in result]
        if question.target.get("format") == "table":
            return [_label_table(series)] if series else []
        return [_prometheus_frame(metric, points, question.target.get("legendFormat")) for metric, points in series]

    async def _get(self, path: str, told: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        async with (
            self._http.post(f"{self._prometheus}{path}", data=told)
            if "query" in told
            else self._http.get(f"{self._prometheus}{path}", params=told) as answer
        ):
            said = await answer.json()
        if said["status"] != "success":
            raise AnswerError(f"{told}: {said.get('error')}")
        return said["data"]

    async def _flux(self, question: Question, text: str) -> list[Frame]:
        dialect = {"header": True, "delimiter": ",", "annotations": ["datatype", "group", "default"]}
        async with self._http.post(
            f"{self._influxdb['url']}/api/v2/query",
            params={"org": self._influxdb["org"]},
            headers={"Authorization": f"Token {self._influxdb['token']}", "Accept": "application/csv"},
            json={"query": text, "dialect": dialect, "type": "flux"},
        ) as answer:
            said = await answer.text()
            if answer.status != 200:
                raise AnswerError(f"{question.name}: {said}\n{text}")
        frames = list(flux_frames(said))
        if len(frames) > MOST_SERIES:
            raise AnswerError(f"{question.name}: {len(frames)} series, and Grafana takes {MOST_SERIES}")
        longest = max((len(frame["data"]["values"][0]) for frame in frames if frame["data"]["values"]), default=0)
        if longest > OVER * question.most_points:
            raise AnswerError(f"{question.name}: {longest} rows for {question.most_points} points")
        return frames


def flux_frames(text: str) -> Iterator[Frame]:
    """Yield the frames of an annotated CSV answer, one a table; raises AnswerError where it holds an error."""
    for types, header, rows in _blocks(text):
        if header[:1] == ["error"]:
            raise AnswerError(rows[0][0])
        place = header.index("table")
        for _, lines in groupby(rows, key=lambda row: row[place]):
            yield _flux_frame(header, types, list(lines))


def _blocks(text: str) -> Iterator[tuple[list[str], list[str], list[list[str]]]]:
    """Types, names and rows of each part of an answer; before each part stand its annotations."""
    lines = [line for line in csv.reader(io.StringIO(text)) if any(line)]
    begins = [place for place, line in enumerate(lines) if line[0] == "#datatype"]
    for begin, end in pairwise([*begins, len(lines)]):
        header, *rows = (line[1:] for line in lines[begin:end] if not line[0].startswith("#"))
        yield lines[begin][1:], header, rows


def _flux_frame(header: list[str], types: list[str], lines: list[list[str]]) -> Frame:
    kinds = {name: _TYPES[kind] for name, kind in zip(header, types, strict=True)}
    columns = {
        name: [_parsed(kinds[name], row[place]) for row in lines]
        for place, name in enumerate(header)
        if name not in {"result", "table"}
    }
    times = [name for name in columns if kinds[name] == "time"]
    if "_value" in columns and times:
        time = "_time" if "_time" in times else times[0]
        labels = {
            name: values[0]
            for name, values in columns.items()
            if not name.startswith("_") and kinds[name] == "string" and values[0] is not None
        }
        field = str(columns["_field"][0]) if "_field" in columns else "_value"
        fields = [_field("Time", "time"), _field(field, kinds["_value"], labels)]
        return _frame(fields, [columns[time], columns["_value"]])
    return _frame([_field(name, kinds[name]) for name in columns], list(columns.values()))


def _parsed(kind: str, text: str) -> Any:  # noqa: ANN401 - what a cell holds
    if text == "" and kind != "string":
        return None
    if kind == "time":
        return datetime.fromisoformat(text).timestamp() * 1000
    if kind == "number":
        return _finite(float(text))
    return text == "true" if kind == "boolean" else text


def _prometheus_frame(metric: dict[str, str], points: list[Any], legend: str | None) -> Frame:
    labels = {name: value for name, value in metric.items() if name != "__name__"}
    shown = _LEGEND.sub(lambda match: metric.get(match[1], ""), legend) if legend else _spelled(metric, labels)
    values = [_finite(float(value)) for _, value in points]
    fields = [_field("Time", "time"), _field("Value", "number", labels, displayNameFromDS=shown or "Value")]
    return _frame(fields, [[float(at) * 1000 for at, _ in points], values])


def _spelled(metric: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """A series without a legend is called by its name and labels."""
    told = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return metric.get("__name__", "") + (f"{{{told}}}" if told else "")


def _label_table(series: list[tuple[dict[str, str], list[Any]]]) -> Frame:
    names = sorted({name for metric, _ in series for name in metric})
    fields = [_field("Time", "time"), *(_field(name, "string") for name in names), _field("Value", "number")]
    times = [float(points[-1][0]) * 1000 for _, points in series]
    values = [_finite(float(points[-1][1])) for _, points in series]
    return _frame(fields, [times, *([metric.get(name, "") for metric, _ in series] for name in names), values])


def _finite(value: float) -> float | None:
    """NaN is no value, as for a quantile of nothing; JSON has none either."""
    return value if math.isfinite(value) else None


def _field(name: str, kind: str, labels: Mapping[str, str] | None = None, **config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "type": kind, "labels": dict(labels or {}), "config": config}


def _frame(fields: list[dict[str, Any]], values: list[list[Any]]) -> Frame:
    return {"schema": {"fields": fields}, "data": {"values": values}}
