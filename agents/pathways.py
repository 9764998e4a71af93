"""The pathways that are installed, and those that a service keeps in a folder of its own."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

import pipeline.pathways
from pipeline.pathways import Fault, PathwayError, read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from schemas.pathways import Pathway

_ENDING: Final = ".json"


def load(folder: Path | None = None) -> dict[str, Pathway]:
    """Slug -> pathway, in the order of slugs; one in `folder` stands in place of the installed one of its slug.

    Raises PathwayError for the first file that is not valid, OSError where one cannot be read.
    """
    packaged = resources.files(pipeline.pathways).iterdir()
    found = _read((entry.name, entry.read_bytes()) for entry in packaged if entry.name.endswith(_ENDING))
    if folder is not None:
        found |= _read((path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.suffix == _ENDING)
    return dict(sorted(found.items()))


def _read(files: Iterable[tuple[str, bytes]]) -> dict[str, Pathway]:
    found: dict[str, Pathway] = {}
    for name, raw in files:
        pathway = read(raw, name)
        if pathway.pathway in found:
            raise PathwayError(name, (Fault("pathway", "must be the slug of this file alone in its folder"),))
        found[pathway.pathway] = pathway
    return found
