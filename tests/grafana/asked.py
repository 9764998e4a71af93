"""All dashboards asked of the running product, once for everybody and once for the service that is known."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from agents import wallclock
from dashboards.grafana.written import FOLDER
from tests.grafana import questions
from tests.grafana.asking import Answer, Servers
from tests.grafana.interpolation import Chosen, Period, milliseconds
from tests.grafana.known import KNOWN, SERVICE, SILENT
from tests.grafana.scenario import silent, stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.grafana.scenario import Scene

WITHIN_S: Final = 180.0  # until no panel is empty
PAUSE_S: Final = 3.0
_SINCE: Final = re.compile(r"now-(?P<length>\d+[smhdwMy])")
_LONG_MS: Final = {"y": 366 * 86_400_000, "M": 31 * 86_400_000}


@dataclass
class Asked:
    """One dashboard, as a reader with these choices sees it.

    Attributes
    ----------
    dashboard
        Its JSON, with repeated panels laid out.
    values
        What each variable could be.
    answers
        To every query of its panels and annotations.
    """

    dashboard: dict[str, Any]
    chosen: dict[str, Chosen]
    period: Period
    values: dict[str, list[str]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    @property
    def empty(self) -> list[str]:
        """What came back without a row."""
        variables = [f"{self.dashboard['uid']}: variable {name}" for name, found in self.values.items() if not found]
        return variables + [answer.question.name for answer in self.answers if not answer.rows]

    def of(self, title: str, ref_id: str = "A") -> Answer:
        """Return the answer to a panel's query."""
        found = [
            answer
            for answer in self.answers
            if answer.question.title == title and answer.question.target.get("refId") == ref_id
        ]
        (one,) = found
        return one

    def results(self) -> dict[str, Any]:
        """Return what a drawing of the dashboard needs: its range, the frames of each panel, those of annotations."""
        frames: dict[int, list[Any]] = {}
        marks: dict[str, list[Any]] = {}
        for answer in self.answers:
            if answer.question.where == "panel":
                frames.setdefault(answer.question.panel, []).extend(answer.frames)
            else:
                marks[answer.question.title] = answer.frames
        span = {"from": _ms(self.period.start), "to": _ms(self.period.stop)}
        return {"range": span, "panels": frames, "annotations": marks}


async def everything(scene: Scene) -> list[Asked]:
    """Ask all dashboards of everybody, each until nothing of it is empty, or for so long."""
    await stored(scene)
    every = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.rglob("*.json"))]
    found: list[Asked] = []
    until = asyncio.get_running_loop().time() + WITHIN_S
    async with _servers(scene) as servers:
        for dashboard in every:
            while (asked := await _ask(servers, dashboard, {}, scene)).empty:
                if asyncio.get_running_loop().time() > until:
                    break
                await asyncio.sleep(PAUSE_S)
            found.append(asked)
    return found


async def known(scene: Scene) -> list[Asked]:
    """Ask the English dashboards once more, of the known service and one of its patients alone."""
    return await _only(scene, {"service": (SERVICE,), "patient": (KNOWN[0].name,)})


async def quiet(scene: Scene) -> list[Asked]:
    """Ask them of a service that has nobody and of a patient who says nothing: that is no error."""
    return await _only(scene, {"service": ("nobody",), "municipality": ("nobody",), "patient": (SILENT,)})


async def unstored(scene: Scene) -> list[Asked]:
    """Ask them once nothing is stored any more, and Prometheus knows it."""
    await scene.product.stop("storing")
    await silent(scene, "storing")
    return await _only(scene, {})


async def _only(scene: Scene, only: Mapping[str, tuple[str, ...]]) -> list[Asked]:
    async with _servers(scene) as servers:
        return [
            await _ask(servers, json.loads(path.read_text(encoding="utf-8")), only, scene)
            for path in sorted(FOLDER.rglob("*.en.json"))
        ]


@asynccontextmanager
async def _servers(scene: Scene) -> AsyncIterator[Servers]:
    influxdb = scene.product.influxdb
    token = scene.product.token("grafana").read_text(encoding="utf-8").strip()
    told = {"url": influxdb.url, "org": influxdb.org, "bucket": influxdb.bucket, "token": token}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http:
        yield Servers(http, scene.product.prometheus.url, told)


async def _ask(servers: Servers, dashboard: dict[str, Any], only: Mapping[str, tuple[str, ...]], scene: Scene) -> Asked:
    now = wallclock.now()
    start = now - length(dashboard["time"]["from"])
    if _of_the_platform(dashboard):
        start = max(start, scene.began_at)  # nothing was scraped before: in an hour's picture it would be a hairline
    period = Period(start, now)
    asked = Asked(dashboard, {}, period)
    for variable in questions.variables(dashboard):
        name = variable["name"]
        values = await servers.values(questions.of_variable(dashboard, variable), asked.chosen, period)
        asked.values[name] = values
        asked.chosen[name] = choice(variable, values, only, scene.course)
    asked.dashboard = questions.laid_out(dashboard, asked.chosen)
    for question in [*questions.of_panels(asked.dashboard), *questions.of_annotations(asked.dashboard)]:
        asked.answers.append(await servers.ask(question, asked.chosen, period))
    return asked


def _of_the_platform(dashboard: Mapping[str, Any]) -> bool:
    """Whether it asks Prometheus alone."""
    return {question.source for question in questions.of_panels(dashboard)} == {"prometheus"}


def choice(variable: Mapping[str, Any], values: list[str], only: Mapping[str, tuple[str, ...]], patient: str) -> Chosen:
    """What the reader chooses: all, but for what is narrowed; of single patients `patient`."""
    name = variable["name"]
    pattern = variable.get("regex")
    if pattern:
        parted = re.compile(pattern.strip("/").replace("(?<", "(?P<"))
        pairs = [found for found in map(parted.fullmatch, values) if found]
        return Chosen(tuple(pair["value"] for pair in pairs), " + ".join(pair["text"] for pair in pairs))
    if variable.get("multi"):
        return Chosen(only.get(name, tuple(values)))
    if name == "patient":
        return Chosen(only.get(name, (patient,))[0])
    return Chosen(values[0] if values else "")


def length(text: str) -> timedelta:
    """How far back a time range begins, as `now-24h`."""
    length = _SINCE.fullmatch(text)["length"]  # type: ignore[index] # or raise
    known_ms = _LONG_MS.get(length[-1])
    return timedelta(milliseconds=int(length[:-1]) * known_ms if known_ms else milliseconds(length))


def _ms(at: Any) -> int:  # noqa: ANN401 - a datetime
    return int(at.timestamp() * 1000)


def write(folder: Path, every: list[Asked]) -> None:
    """Write each dashboard beside its results into a file of its own, for whoever draws them."""
    folder.mkdir(parents=True, exist_ok=True)
    for asked in every:
        whole = {"dashboard": _plain(asked), "results": asked.results()}
        (folder / f"{asked.dashboard['uid']}.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")


def _plain(asked: Asked) -> dict[str, Any]:
    """The dashboard with the values of its variables, as it stands in a browser."""
    whole = json.loads(json.dumps(asked.dashboard, default=vars))
    for variable in whole["templating"]["list"]:
        held = asked.chosen[variable["name"]]
        several = isinstance(held.value, tuple)
        every = several and variable.get("includeAll") and list(held.value) == asked.values[variable["name"]]
        text = "All" if every else held.text or held.value
        variable["current"] = {"value": list(held.value) if several else held.value, "text": text}
    return dict(whole)
