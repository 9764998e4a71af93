"""The Flux library: named functions over the store, one a file, and how a call of one becomes a query.

Values travel as parameters beside the text (`call`), never in it. In Grafana, which only has text, `panel` puts
expressions of Grafana's own in their place: docs/flux.md has the safe forms.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    Value = str | float | datetime | Sequence[str]

_IMPORT: Final = re.compile(r'^import "[a-z0-9/_-]+"$', re.MULTILINE)
_COMMENT: Final = re.compile(r"//.*$", re.MULTILINE)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD: Final = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b")
_ARGUMENT: Final = re.compile(r"[a-z][A-Za-z]*")


class Query(NamedTuple):
    """Flux text without a single value in it, and the values beside it."""

    text: str
    params: dict[str, Value]


def names() -> tuple[str, ...]:
    """Every function of the library."""
    return tuple(sorted(_sources()))


def source(name: str) -> str:
    """The file of a function, with its head; raises KeyError for a name that the library has not."""
    return _sources()[name]


def text(*wanted: str) -> str:
    """The functions named and all that they call, each before its caller, with their imports first and no comments.

    Raises KeyError for a name that the library has not.
    """
    ordered: dict[str, str] = {}
    for name in wanted:
        _put(name, ordered)
    imports = sorted({line for name in ordered for line in _IMPORT.findall(source(name))})
    bodies = [_IMPORT.sub("", _COMMENT.sub("", body)).strip() for body in ordered.values()]
    return "\n\n".join(["\n".join(imports), *bodies] if imports else bodies) + "\n"


def call(name: str, **arguments: Value) -> Query:
    """A call of a function; its values are parameters `p_<argument>` of the query."""
    given = _given({argument: f"p_{argument}" for argument in arguments})
    return Query(f"{text(name)}\n{name}({given})\n", {f"p_{argument}": value for argument, value in arguments.items()})


def panel(name: str, **arguments: str) -> str:
    """A call of a function whose arguments are Flux expressions, as a Grafana panel holds it: written by us alone."""
    return f"{text(name)}\n{name}({_given(arguments)})\n"


def literal(text: str) -> str:
    """`text` as a Flux string, where it cannot travel beside the query: in a task alone.

    Raises
    ------
    ValueError
        It holds a control character or what would begin an expression within a Flux string.
    """
    if "${" in text or not text.isprintable():
        raise ValueError("a text of a task holds no control character and no ${")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _given(arguments: Mapping[str, str]) -> str:
    for argument in arguments:
        if not _ARGUMENT.fullmatch(argument):
            raise ValueError(f"{argument} is no argument of a function")
    return ", ".join(f"{argument}: {expression}" for argument, expression in arguments.items())


def _put(name: str, ordered: dict[str, str]) -> None:
    if name in ordered:
        return
    body = source(name)
    words = set(_WORD.findall(_STRING.sub("", _COMMENT.sub("", body))))
    for needed in sorted((words & _sources().keys()) - {name}):
        _put(needed, ordered)
    ordered[name] = body


@cache
def _sources() -> dict[str, str]:
    return {
        found.name.removesuffix(".flux"): found.read_text(encoding="utf-8")
        for found in files(__package__).iterdir()
        if found.name.endswith(".flux")
    }
