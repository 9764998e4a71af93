"""An export from its beginning to its end."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agents.exporting import tables
from agents.exporting.folder import new_folder
from agents.exporting.keys import ExportKeys
from agents.exporting.tables import Manifest
from agents.frames.catalogue import FRAMES, VERSION
from agents.settings import SettingsError
from pipeline.triage import RULES
from schemas.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from agents.frames.reading import Frames


class Wanted(NamedTuple):
    """What is to be exported.

    Attributes
    ----------
    frames
        Their names.
    services
        Empty: of all.
    pseudonyms, everything
        As in the manifest.
    """

    from_at: datetime
    to_at: datetime
    frames: tuple[str, ...]
    services: tuple[str, ...]
    form: str
    pseudonyms: bool
    everything: bool


async def check_services(frames: Frames, services: tuple[str, ...]) -> None:
    """Raise SettingsError for a service that never was responsible for anybody."""
    known = await frames.services()
    for service in services:
        if service not in known:
            raise SettingsError(
                f"no service {service} ever had a patient; there are {', '.join(sorted(known)) or 'none'}"
            )


async def export(frames: Frames, wanted: Wanted, place: Path, made_at: datetime) -> Manifest:
    """Write all of it as the folder `place`, or nothing.

    Raises
    ------
    SettingsError
        `place` is taken.
    ReadError
        The store does not answer.
    """
    keys = None if wanted.pseudonyms else ExportKeys()
    manifest = Manifest(
        made_at=made_at,
        from_at=wanted.from_at,
        to_at=wanted.to_at,
        services=wanted.services,
        pseudonyms=wanted.pseudonyms,
        everything=wanted.everything,
        format=wanted.form,
        frames_version=VERSION,
        schema_version=SCHEMA_VERSION,
        rules_version=RULES.version,
        sonevakt_version=version("sonevakt"),
    )
    with new_folder(place) as folder:
        files = [
            await tables.write_table(
                folder, name, wanted.form, FRAMES[name].columns, _parts(frames, name, wanted, keys)
            )
            for name in wanted.frames
        ]
        files += tables.write_words(folder, wanted.frames)
        manifest = msgspec.structs.replace(manifest, files=tuple(files))
        tables.write_manifest(folder, manifest)
    return manifest


async def _parts(frames: Frames, name: str, wanted: Wanted, keys: ExportKeys | None) -> AsyncIterator[pd.DataFrame]:
    parts = frames.parts(name, wanted.from_at, wanted.to_at, services=wanted.services, everything=wanted.everything)
    async for part in parts:
        yield part if keys is None else keys.replaced(part, FRAMES[name].columns)
