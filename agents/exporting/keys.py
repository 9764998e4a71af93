"""Names that hold for one export alone: whoever has the files can join them, and cannot come back to a patient.

An id of this system is worked out from the pseudonym without any secret, so one that left as it is could be tried
against guessed pseudonyms. Every private column is replaced, by a key that nobody keeps.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from hashlib import sha256
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from agents.frames.columns import Column

_BYTES: Final = 10  # of a name: among a hundred million names two are alike by a chance of one in a hundred million


class ExportKeys:
    """Replaces what is private; the same is replaced by the same, in every frame of the export."""

    def __init__(self) -> None:
        self._key = token_bytes(32)

    def replaced(self, frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
        """Return `frame` with a key in place of each private value; what is missing stays missing."""
        told = {column.name: self._column(frame[column.name]) for column in columns if column.private}
        return frame.assign(**told)

    def _column(self, held: pd.Series) -> pd.Series:
        if str(held.dtype) == "category":
            return held.cat.rename_categories({one: self._name(str(one)) for one in held.cat.categories})
        names = {one: self._name(str(one)) for one in held.dropna().unique()}
        return held.map(names).astype("str").mask(held.isna())

    def _name(self, value: str) -> str:
        digest = hmac.digest(self._key, value.encode(), sha256)[:_BYTES]
        return b32encode(digest).decode().lower()
