"""Finding NaN and Infinity, which some encoders write and JSON does not have: one refuses its own item alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from agents.gateway.faults import Fault, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE: Final = re.compile(r"[ \t\r\n]*")


class _NotANumber:
    """Stands where the text has NaN, Infinity or -Infinity."""

    def __init__(self, name: str) -> None:
        self.name = name


_READER: Final = json.JSONDecoder(parse_constant=_NotANumber)


def items_of(body: bytes) -> list[bytes]:
    """Return the elements of the array `body`, or the one object that it is, each as it stands there.

    Raises
    ------
    ValueError, RecursionError
        It is neither, even with NaN and Infinity let through.
    """
    text = body.decode()
    place = _after_space(text, 0)
    if not text.startswith("[", place):
        whole, end = _READER.raw_decode(text, place)
        if not isinstance(whole, dict) or _after_space(text, end) != len(text):
            raise ValueError("neither an object nor an array")
        return [text[place:end].encode()]
    found: list[bytes] = []
    place = _after_space(text, place + 1)
    while not text.startswith("]", place):
        if found:
            if not text.startswith(",", place):
                raise ValueError("no comma between elements")
            place = _after_space(text, place + 1)
        _, end = _READER.raw_decode(text, place)
        found.append(text[place:end].encode())
        place = _after_space(text, end)
    if _after_space(text, place + 1) != len(text):
        raise ValueError("more than an array")
    return found


def faults_of(item: bytes) -> Iterator[Fault]:
    """Yield the path of each NaN and Infinity in `item`, which `items_of` returned."""
    yield from _within(_READER.decode(item.decode()), "")


def _within(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401 - any JSON
    if isinstance(value, _NotANumber):
        yield Fault(path or "$", f"is {value.name}, which is no JSON number")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _within(inner, joined(path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _within(inner, f"{path}[{index}]")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
