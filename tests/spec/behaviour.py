"""docs/behaviour.md out of the tables of this package: what the tests hold the rules to, for clinicians to read.

python -m tests.spec.behaviour
"""

from __future__ import annotations

from importlib import import_module
from inspect import getdoc, getsourcelines
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

PAGE: Final = Path(__file__).parents[2] / "docs" / "behaviour.md"
CHAPTERS: Final = {
    "test_limits": "Limits and quality",
    "test_signals": "What a registration is worth",
    "test_baseline_status": "How well the own normal is known",
    "test_own_normal": "Against the own normal",
    "test_zones": "Zones",
    "test_episodes": "Episodes",
    "test_ladder": "Who is asked to look at a red",
    "test_rosters": "Who is on duty",
    "test_phases": "Phases in the service",
    "test_cadence": "When a registration is due",
    "test_news2": "NEWS2",
    "test_explain": "In words",
    "test_rights": "Who may do what",
}


def page() -> str:
    """The whole page."""
    lines = [
        "# Behaviour",
        "",
        "Made from the tables in `tests/spec` by `make docs`, so every row here is tested.",
        "A zone is followed by the rules that gave it; green needs that something could be judged.",
    ]
    for name, title in CHAPTERS.items():
        module = import_module(f"tests.spec.{name}")
        lines += ["", f"## {title}", "", *(getdoc(module) or "").splitlines()]
        if hasattr(module, "edges"):
            lines += ["", *_diagram(module.edges())]
        tests = _tests(module)
        for test in filter(_rows, tests):
            lines += _section(test)
        lines += _examples([test for test in tests if not _rows(test)])
    return "\n".join(lines) + "\n"


def _tests(module: ModuleType) -> list[FunctionType]:
    own = [
        found
        for name, found in vars(module).items()
        if name.startswith("test_") and isinstance(found, FunctionType) and found.__module__ == module.__name__
    ]
    return sorted(own, key=lambda found: getsourcelines(found)[1])


def _rows(test: FunctionType) -> list[Any]:
    """Its tables."""
    return [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]


def _examples(tests: list[FunctionType]) -> Iterator[str]:
    """What is held by an example, and not by a table: each test's name, and what it says of itself."""
    if tests:
        yield from ("", "**Each of these is held by examples of its own**", "")
        for test in tests:
            more = " ".join((getdoc(test) or "").split())
            yield f"- {_words(test)}." + (f" {more}" if more else "")


def _section(test: FunctionType) -> Iterator[str]:
    yield ""
    yield f"**{_words(test)}**"
    if told := getdoc(test):
        yield from ("", *told.splitlines())
    for mark in _rows(test):
        names, rows = mark.args[0], list(mark.args[1])
        columns = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        shown = [[_cell(value) for value in (row if len(columns) > 1 else (row,))] for row in rows]
        yield ""
        yield _row(column.replace("_", " ") for column in columns)
        yield _row("---" for _ in columns)
        yield from map(_row, shown)


def _words(test: FunctionType) -> str:
    words = test.__name__.removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]


def _diagram(edges: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Every way from one state to another, and on what: a state diagram."""
    ways: dict[tuple[str, str], list[str]] = {}
    for one, other, on in edges:
        said = ways.setdefault((one, other), [])
        if on not in said:
            said.append(on)
    yield "```mermaid"
    yield "stateDiagram-v2"
    for (one, other), said in sorted(ways.items()):
        if one != other:
            yield f"    {one} --> {other}: {', '.join(said)}"
    yield "```"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    values = getattr(value, "values", None)
    if isinstance(values, tuple):  # pytest.param
        return ", ".join(map(_cell, values))
    if isinstance(value, msgspec.Struct):
        known = {name: getattr(value, name) for name in value.__struct_fields__}
        defaults = {field.name: field.default for field in msgspec.structs.fields(type(value))}
        told = [f"{name} {_cell(one)}" for name, one in known.items() if one != defaults[name]]
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value)) or "-"
    if value is None or value == "":
        return "-"
    return str(value).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
