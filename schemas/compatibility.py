"""What breaks a reader or a writer when a message changes.

An integer beyond 2^53 means different things to different readers of JSON, so to bound one there takes nothing away.
Readers ignore fields that they do not know, so a new optional field is harmless. A value that a strict reader does not
know stops it, so a new value of an enumeration is as breaking as a lost one: both need a new `schema_version`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from schemas.types import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")  # raising one is tighter
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")  # lowering one is tighter
_ANYHOW: Final = (("minimum", -MOST), ("maximum", MOST))  # bounds of every integer


class Break(NamedTuple):
    """Where, and what would no longer be understood."""

    path: str
    problem: str


def breaking(old: dict[str, Any], new: dict[str, Any]) -> list[Break]:
    """Everything in `new` that breaks who was written for `old`; both are JSON Schema documents with `$defs`."""
    return list(_compare(_Side(old, old), _Side(new, new), "$", frozenset()))


class _Side(NamedTuple):
    schema: dict[str, Any]
    document: dict[str, Any]

    def resolved(self) -> _Side:
        side = self
        while reference := side.schema.get("$ref"):
            side = _Side(self.document["$defs"][str(reference).rsplit("/", 1)[1]], self.document)
        return side

    def inner(self, schema: dict[str, Any]) -> _Side:
        return _Side(schema, self.document)


def _compare(old: _Side, new: _Side, path: str, seen: frozenset[str]) -> Iterator[Break]:
    reference = old.schema.get("$ref")
    if reference in seen:
        return
    if reference is not None:
        seen |= {reference}
    old, new = old.resolved(), new.resolved()
    before, after = old.schema, new.schema
    if "anyOf" in before or "anyOf" in after:
        yield from _compare_unions(old, new, path, seen)
        return
    if before.get("type") != after.get("type") and not _widened(before.get("type"), after.get("type")):
        yield Break(path, f"type {before.get('type')} became {after.get('type')}")
        return
    yield from _compare_values(before, after, path)
    yield from _compare_bounds(before, after, path)
    yield from _compare_fields(old, new, path, seen)
    for word in ("items", "additionalProperties"):
        if isinstance(before.get(word), dict) and isinstance(after.get(word), dict):
            yield from _compare(old.inner(before[word]), new.inner(after[word]), f"{path}[]", seen)


def _widened(before: object, after: object) -> bool:
    return before == "integer" and after == "number"


def _compare_values(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Break]:
    old, new = set(before.get("enum", ())), set(after.get("enum", ()))
    if "enum" in before and "enum" not in after and "const" not in after:
        return
    yield from (Break(path, f"value {value!r} is gone") for value in sorted(map(str, old - new)))
    yield from (Break(path, f"value {value!r} is new") for value in sorted(map(str, new - old)))
    if before.get("format") != after.get("format"):
        yield Break(path, f"format {before.get('format')} became {after.get('format')}")


def _compare_bounds(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Break]:
    new = {word for word in (*_LOWER, *_UPPER) if word in after and (word, after[word]) not in _ANYHOW}
    for word in _LOWER:
        if word in new and (word not in before or after[word] > before[word]):
            yield Break(path, f"{word} is tighter")
    for word in _UPPER:
        if word in new and (word not in before or after[word] < before[word]):
            yield Break(path, f"{word} is tighter")
    if "pattern" in after and after["pattern"] != before.get("pattern"):
        yield Break(path, "pattern changed")


def _compare_fields(old: _Side, new: _Side, path: str, seen: frozenset[str]) -> Iterator[Break]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    for name in before:
        if name not in after:
            yield Break(f"{path}.{name}", "is gone")
        else:
            yield from _compare(old.inner(before[name]), new.inner(after[name]), f"{path}.{name}", seen)
    for name in sorted(set(new.schema.get("required", ())) - set(old.schema.get("required", ()))):
        yield Break(f"{path}.{name}", "is newly required")


def _compare_unions(old: _Side, new: _Side, path: str, seen: frozenset[str]) -> Iterator[Break]:
    members = {_name(new.inner(member)): new.inner(member) for member in new.schema.get("anyOf", [new.schema])}
    known = {_name(old.inner(member)): old.inner(member) for member in old.schema.get("anyOf", [old.schema])}
    for name, member in known.items():
        if name not in members:
            yield Break(path, f"{name} is gone")
        else:
            yield from _compare(member, members[name], path, seen)
    yield from (Break(path, f"{name} is new") for name in sorted(set(members) - set(known)))


def _name(side: _Side) -> str:
    """What tells a member of a union apart: its tag, else its name, else its type."""
    reference = str(side.schema.get("$ref", "")).rsplit("/", 1)[-1]
    tag = side.resolved().schema.get("properties", {}).get("type", {}).get("enum")
    return str(tag[0]) if tag else reference or str(side.schema.get("type"))
