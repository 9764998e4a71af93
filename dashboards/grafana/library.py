"""Panels' queries out of the Flux library (docs/flux.md), with what the reader chose above the dashboard.

A series is given to Grafana as a field of its own name: Grafana makes a series of whatever has a time and a `_value`,
and names it by `_field`.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from dashboards import flux
from dashboards.grafana.sources import Flux

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHOSEN: Final = {"services": "[${service:doublequote}]", "municipalities": "[${municipality:doublequote}]"}
PERIOD: Final = {"start": "v.timeRangeStart", "stop": "v.timeRangeStop"}
WEEKS: Final = {**PERIOD, "weeks": "true"}  # read from the weekly rollup
NOW: Final = {"at": "v.timeRangeStop"}
PATIENT: Final = {"patient": "${patient:doublequote}"}
PERCENT: Final = "map(fn: (r) => ({r with percent: 100.0 * r.share}))"
WHY: Final = 'map(fn: (r) => ({r with why: r.rule + ":" + r.vital}))'  # the form that parted words take
TAKEN: Final = (  # of `detailed` or `worklist`
    'map(fn: (r) => ({r with taken: if r.unacknowledged then "nobody" '
    'else if r.zone == "red" or r.zone == "yellow" then "somebody" else "nothing"}))'
)
DEADLINE: Final = (  # of `worklist`
    'map(fn: (r) => ({r with deadline: if r.late then "passed" '
    'else if exists r.respond_by and (r.unacknowledged or r.zone == "no_data") then "runs" else "none"}))'
)


def table(function: str, *then: str | Words | Headed, needs: Sequence[str] = (), **arguments: str) -> Flux:
    """Return the rows of `function`, and of what `then` makes of them, as one table.

    Parameters
    ----------
    needs
        Further functions of the library that `then` calls.
    """
    return Flux(_text((function, *needs), then, arguments))


def series(function: str, *then: str | Words, ref_id: str = "A", **arguments: str) -> Flux:
    """Return the series of `function`, each named by its column `series`."""
    return Flux(_text((function,), (*then, 'rename(columns: {series: "_field"})'), arguments), ref_id)


def side_by_side(function: str, *then: str, **arguments: str) -> Flux:
    """Return the series of `function` as one table with a column for each, so that they have an order."""
    beside = 'pivot(rowKey: ["_time"], columnKey: ["series"], valueColumn: "_value")'
    return table(function, "group()", beside, 'sort(columns: ["_time"])', *then, **arguments)


def adherence(function: str, **arguments: str) -> Flux:
    """Return what became of each awaited registration by the series of `function`: the parts make the whole."""
    parts = "({_time: r._time, in_time: r.done - r.late, late: r.late, missed: r.awaited - r.done})"
    return side_by_side(function, f"map(fn: (r) => {parts})", **arguments)


def composed(functions: Sequence[str], body: str, *, needs: Sequence[str] = ()) -> Flux:
    """Return a query of our own that calls `functions` of the library; `needs` are packages of Flux."""
    imports = [f'import "{name}"' for name in needs]
    return Flux(_whole([*imports, *flux.text(*functions).split("\n")], (), body))


def how_many(function: str, name: str, **arguments: str) -> Flux:
    """Return how many rows `function` has at `at`, as one column `name`: also 0, but nothing where the store is empty.

    A map that takes nothing from its rows would have none: it is worked out by columns.
    """
    body = f"""union(
    tables: [
        {_called(function, arguments)} |> map(fn: (r) => ({{service: r.service, {name}: 1.0}})),
        array.from(rows: [{{service: "", {name}: 0.0}}]),
    ],
)
    |> group()
    |> sum(column: "{name}")
    |> filter(fn: (r) => known)"""
    known = f"known = {_called('anybody', {'at': arguments['at']})}\n\n"
    return composed((function, "anybody"), known + body, needs=("array",))


class Headed(NamedTuple):
    """A step that puts a word before what stands in `column`, of those `words` by what stands in `by`."""

    column: str
    by: str
    words: Mapping[str, str]

    @property
    def imports(self) -> tuple[str, ...]:
        """What of Flux it needs."""
        return ("dict",)

    @property
    def defined(self) -> str:
        """What it defines before the query."""
        return f"{self.column}Heads = {_dict({code: f'{word} ' for code, word in self.words.items()})}"

    @property
    def step(self) -> str:
        """The step itself."""
        head = f'dict.get(dict: {self.column}Heads, key: r.{self.by}, default: "")'
        return f"map(fn: (r) => ({{r with {self.column}: {head} + r.{self.column}}}))"


class Words(NamedTuple):
    """A step that puts words in place of the codes in a column; what has no word stays as it is.

    Attributes
    ----------
    parted
        The column holds several, by commas, each a code and, after a colon, one of `further`.
    """

    column: str
    words: Mapping[str, str]
    further: Mapping[str, str] = MappingProxyType({})
    parted: bool = False

    @property
    def imports(self) -> tuple[str, ...]:
        """What of Flux it needs."""
        return ("array", "dict", "strings") if self.parted else ("dict",)

    @property
    def defined(self) -> str:
        """What it defines before the query."""
        found = [f"{self.column}Words = {_dict(self.words)}"]
        if self.parted:
            found += [f"{self.column}Further = {_dict(self.further)}", _PARTS.format(column=self.column)]
        return "\n".join(found)

    @property
    def step(self) -> str:
        """The step itself."""
        column = self.column
        found = f"{column}Parts(text: r.{column})" if self.parted else _got(f"{column}Words", f"r.{column}")
        return f"map(fn: (r) => ({{r with {column}: {found}}}))"


_PARTS: Final = """{column}Part = (part) => {{
    codes = strings.split(v: part + ":", t: ":")
    word = dict.get(dict: {column}Words, key: codes[0], default: codes[0])
    further = dict.get(dict: {column}Further, key: codes[1], default: codes[1])

    return if further == "" then word else word + " (" + further + ")"
}}
{column}Parts = (text) =>
    strings.joinStr(v: "; ", arr: array.map(arr: strings.split(v: text, t: ","), fn: (x) => {column}Part(part: x)))"""


def _got(name: str, key: str) -> str:
    return f"dict.get(dict: {name}, key: {key}, default: {key})"


def _dict(words: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{{key: {_quoted(code)}, value: {_quoted(word)}}}" for code, word in words.items())
    return f"dict.fromList(pairs: [{pairs}])"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _called(function: str, arguments: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}: {value}" for name, value in {"bucket": "v.defaultBucket", **arguments}.items())
    return f"{function}({given})"


def _text(functions: Sequence[str], then: Sequence[str | Words | Headed], arguments: Mapping[str, str]) -> str:
    steps = "".join(f"\n    |> {step if isinstance(step, str) else step.step}" for step in then)
    worded = [step for step in then if not isinstance(step, str)]
    return _whole(flux.text(*functions).split("\n"), worded, _called(functions[0], arguments) + steps)


def _whole(lines: Sequence[str], worded: Sequence[Words | Headed], body: str) -> str:
    """The library's functions, what steps define, and what is asked; imports stand first."""
    imports = {line for line in lines if line.startswith("import ")}
    imports |= {f'import "{name}"' for step in worded for name in step.imports}
    functions = "\n".join(line for line in lines if not line.startswith("import ")).strip()
    parts = ["\n".join(sorted(imports)), functions, *(step.defined for step in worded), body]
    return "\n\n".join(part for part in parts if part) + "\n"
