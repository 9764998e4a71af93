"""One frame as one file, written part by part: Parquet, or CSV for whoever has nothing else."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from agents.frames.columns import Kind
from agents.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from agents.frames.columns import Column

_FORMULA: Final = r"^(?=[=+\-@\t\r])"  # what a spreadsheet would work out [1]
_INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%f"


class FrameFile(Protocol):
    """A file that is being written."""

    def add(self, rows: pd.DataFrame) -> None:
        """Write further rows."""

    def close(self) -> None:
        """Finish it: all of it is on the disk when this returns."""


class CsvFile:
    """UTF-8, comma, a line of names first; instants by RFC 3339 in UTC, yes and no as `true` and `false`.

    What is missing is empty. A text that a spreadsheet would take for a formula begins with an apostrophe [1].

    [1] OWASP, "CSV Injection".
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._file = _private(path)
        self._file.write((",".join(column.name for column in columns) + "\r\n").encode())

    def add(self, rows: pd.DataFrame) -> None:
        """See FrameFile."""
        told = rows.assign(**{column.name: _as_text(rows[column.name], column.kind) for column in self._columns})
        self._file.write(told.to_csv(index=False, header=False, lineterminator="\r\n").encode())

    def close(self) -> None:
        """See FrameFile."""
        _finish(self._file)


class ParquetFile:
    """Parquet, a row group for each part; names and codes as dictionaries, meanings and units at the columns."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        from agents.frames.typed import whole  # noqa: PLC0415 - pandas, which `sonevakt --help` does not need

        self._arrow, parquet = _arrow()
        kinds = [self._arrow.field(one.name, _type(self._arrow, one.kind), metadata=_said(one)) for one in columns]
        # With pandas's own account of its columns, so that whoever reads them by pandas has the frame as it was.
        account = self._arrow.Schema.from_pandas(whole([], columns), preserve_index=False).metadata
        self._schema = self._arrow.schema(kinds, metadata=account)
        self._file = _private(path)
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")

    def add(self, rows: pd.DataFrame) -> None:
        """See FrameFile."""
        self._writer.write_table(self._arrow.Table.from_pandas(rows, schema=self._schema, preserve_index=False))

    def close(self) -> None:
        """See FrameFile."""
        self._writer.close()
        _finish(self._file)


FORMATS: Final[Mapping[str, Callable[[Path, Sequence[Column]], FrameFile]]] = {"parquet": ParquetFile, "csv": CsvFile}


def available(name: str) -> None:
    """Raise SettingsError where a format needs what is not installed."""
    if name == "parquet":
        _arrow()


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise SettingsError("Parquet needs pyarrow: pip install 'sonevakt[parquet]', or --format csv") from None


def _type(arrow: Any, kind: Kind) -> Any:  # noqa: ANN401 - pyarrow ships no types
    return {
        Kind.INSTANT: arrow.timestamp("ms", tz="UTC"),
        Kind.CODE: arrow.dictionary(arrow.int32(), arrow.string()),
        Kind.NAME: arrow.dictionary(arrow.int32(), arrow.string()),
        Kind.ID: arrow.string(),
        Kind.NUMBER: arrow.float64(),
        Kind.COUNT: arrow.int64(),
        Kind.FLAG: arrow.bool_(),
    }[kind]


def _said(column: Column) -> dict[str, str]:
    return {"meaning": column.meaning} | ({"unit": column.unit} if column.unit else {})


def _as_text(held: pd.Series, kind: Kind) -> pd.Series:
    match kind:
        case Kind.INSTANT:
            to_ms: pd.Series = held.dt.strftime(_INSTANT).str.slice(stop=-3) + "Z"
            return to_ms
        case Kind.FLAG:
            return held.map({True: "true", False: "false"})
        case Kind.CODE | Kind.NAME | Kind.ID:
            texts: pd.Series = held.astype("str").str.replace(_FORMULA, "'", regex=True)
            return texts
        case _:
            return held


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
