"""JSON that somebody wrote by hand: which of its fields stand twice, and which are not known.

A field that is not known is refused there, unlike in a message: a limit with its name misspelt would be no limit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.pathways.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator


class NotJSONError(ValueError):
    """Bytes that cannot be read as JSON at all."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.fault = Fault("", problem)


def plain(raw: bytes) -> tuple[object, list[Fault]]:
    """The file as plain values, and the fields that stand twice in one object; raises NotJSONError."""
    found: list[Fault] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [key for key, _ in pairs]
        found.extend(
            Fault(key, "must stand once in its object") for key in dict.fromkeys(names) if names.count(key) > 1
        )
        return dict(pairs)

    try:
        return json.loads(raw.decode(), object_pairs_hook=once), found
    except UnicodeDecodeError:
        problem = "must be UTF-8"
    except json.JSONDecodeError as error:
        problem = f"must be JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    except RecursionError:
        problem = "must be less deep"
    except ValueError:  # what Python says of an endless integer
        problem = "must hold no number of thousands of digits"
    raise NotJSONError(problem)


def unknown(tree: Any, message: object, path: str = "") -> Iterator[Fault]:  # noqa: ANN401 - plain values of any kind
    """Fields in `tree` that `message`, which was read from it, has no place for."""
    if isinstance(message, tuple):
        for index, (inner, part) in enumerate(zip(tree, message, strict=True)):
            yield from unknown(inner, part, f"{path}[{index}]")
    elif isinstance(message, msgspec.Struct):
        known = message.__struct_encode_fields__
        for key, inner in tree.items():
            field = f"{path}.{key}" if path else key
            if key in known:
                yield from unknown(inner, getattr(message, key), field)
            else:
                yield Fault(field, f"is not known; known here: {', '.join(known)}")
