"""What is exported: frames of the store, part by part, and what stands beside them to be understood by."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from agents.exporting.formats import FORMATS
from agents.frames.catalogue import FRAMES
from agents.keys import write_private
from pipeline.triage.vitals import VITALS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from agents.frames.columns import Column

MANIFEST: Final = "manifest.json"
DICTIONARY: Final = "dictionary.csv"
VITAL_SIGNS: Final = "vital-signs.csv"


class File(Struct, frozen=True, kw_only=True):
    """One file of an export."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What an export holds.

    Attributes
    ----------
    frames_version
        Of what the columns mean (`agents/frames/catalogue.py`).
    schema_version, rules_version
        Of the messages and of the rules that the exporting version has; each row of `assessments` names its own rules.
    services
        Empty: of all.
    pseudonyms
        Whether patients stand under their pseudonyms and rows under their own ids; else under keys of this export.
    everything
        Whether also what was withdrawn, replaced, taken back or a test is among the rows, and canaries.
    """

    made_at: datetime
    from_at: datetime
    to_at: datetime
    services: tuple[str, ...]
    pseudonyms: bool
    everything: bool
    format: str
    frames_version: int
    schema_version: int
    rules_version: str
    sonevakt_version: str
    files: tuple[File, ...] = ()


async def write_table(
    folder: Path, name: str, form: str, columns: Sequence[Column], parts: AsyncIterator[pd.DataFrame]
) -> File:
    """Write one table as a file of `folder`, part by part, and return what it came to.

    Aggregated tables come through here too, once `pipeline/outcomes` has withheld what would tell of few people.
    """
    path = folder / f"{name}.{form}"
    file = FORMATS[form](path, columns)
    rows = 0
    try:
        async for part in parts:
            file.add(part)
            rows += len(part)
    finally:
        file.close()
    return _told(path, rows)


def write_words(folder: Path, frames: Iterable[str]) -> list[File]:
    """Write what the columns of `frames` hold, and the codes and units of vital signs."""
    heads = ["frame", "column", "kind", "unit", "words", "private", "meaning"]
    columns = [
        [name, one.name, one.kind.value, one.unit or "", " ".join(one.codes), str(one.private).lower(), one.meaning]
        for name in frames
        for one in FRAMES[name].columns
    ]
    vitals = [[one.name, " ".join(one.codes), one.unit] for one in VITALS]
    return [
        _listed(folder / DICTIONARY, heads, columns),
        _listed(folder / VITAL_SIGNS, ["vital", "loinc", "unit"], vitals),
    ]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, last."""
    write_private(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def _listed(path: Path, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> File:
    text = io.StringIO()
    csv.writer(text).writerows([heads, *rows])
    write_private(path, text.getvalue().encode())
    return _told(path, len(rows))


def _told(path: Path, rows: int) -> File:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=digest)
