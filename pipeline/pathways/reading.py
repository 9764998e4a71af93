"""A pathway's file: read whole or refused, with every field that is wrong by name."""

from __future__ import annotations

import re
from typing import Final

from pipeline.pathways import by_hand
from pipeline.pathways.checks import faults
from pipeline.pathways.fault import Fault
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import DeadLetterReason
from schemas.pathways import Pathway

_CODEC: Final[Codec[Pathway]] = Codec(Pathway)
_SLUG: Final = "small letters, digits and -, at most 64"
_LOINC: Final = "a LOINC code such as 8480-6"
_FORMS: Final = {  # what a field must be, where the decoder tells it by a pattern or not at all
    "pathway": _SLUG,
    "slug": _SLUG,
    "equipment": _SLUG,
    "vitals": _LOINC,
    "code": _LOINC,
    "times": "a time of day as HH:MM",
    "zone": "yellow or red",
    "kind": "boolean, choice or number",
    "news2": "scale_1, or left out",
}
_EXPECTED: Final = re.compile(r"^Expected (?P<wanted>.+?)(?:, got (?P<got>.+))?$", re.DOTALL)
_PATTERN: Final = " matching regex "
_REQUIRED: Final = re.compile(r"^Object missing required field `(?P<name>.+)`$")
_LAST_NAME: Final = re.compile(r"([a-z0-9_]+)(?:\[[0-9]+\])?$")


class PathwayError(ValueError):
    """A file that is no valid pathway: each fault as `file: field: what it must be`."""

    def __init__(self, name: str, found: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for fault in found))
        self.name = name
        self.faults = found


def read(raw: bytes, name: str) -> Pathway:
    """The pathway in a file's bytes; raises PathwayError, which calls the file `name`."""
    try:
        tree, found = by_hand.plain(raw)
    except by_hand.NotJSONError as error:
        raise PathwayError(name, (error.fault,)) from None
    try:
        pathway = _CODEC.decode(raw)
    except UnreadableError as error:
        raise PathwayError(name, (*found, _told(error))) from None
    found += [*by_hand.unknown(tree, pathway), *faults(pathway)]
    if found:
        raise PathwayError(name, tuple(found))
    return pathway


def _told(error: UnreadableError) -> Fault:
    """The decoder's words as what the field must be."""
    field, problem = error.field or "", error.problem
    if error.reason is DeadLetterReason.NOT_JSON:
        return Fault(field, "must be strict JSON: no NaN, no Infinity, no half of a surrogate pair")
    missing = _REQUIRED.match(problem)
    if missing:
        return Fault(f"{field}.{missing['name']}".lstrip("."), "is required")
    expected = _EXPECTED.match(problem)
    if expected is None or _PATTERN in problem:
        last = _LAST_NAME.search(field)
        form = _FORMS.get(last[1]) if last else None
        return Fault(field, f"must be {form or f'readable: {problem.lower()}'}")
    wanted, got = expected["wanted"], expected["got"]
    return Fault(field, f"must be {wanted}, not {got}" if got else f"must be {wanted}")
