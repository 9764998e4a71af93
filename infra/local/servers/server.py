"""What all servers do: made ready once, started, stopped, started again, removed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from infra.local.process import Process


@dataclass(kw_only=True)
class Server(ABC):
    """A server on loopback, with data in a temporary folder.

    In a `with` block it runs from its beginning, and leaves nothing behind. Without one, call `start` and `close`.
    Start it from a thread that lives as long as it shall: see infra/local/tether.py.
    """

    _folder: TemporaryDirectory[str] | None = field(default=None, init=False, repr=False)
    _process: Process | None = field(default=None, init=False, repr=False)

    @abstractmethod
    def _prepare(self, folder: Path) -> Process:
        """Choose ports and write what the server needs into `folder`, before it is first started."""

    @property
    def pid(self) -> int | None:
        """Of the running process; None where there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start, or start again on the same port and data, and wait until it answers; raises ServerError."""
        if self._process is None:
            self._folder = TemporaryDirectory(prefix="sonevakt-server-")
            try:
                self._process = self._prepare(Path(self._folder.name))
            except BaseException:
                self.close()
                raise
        self._process.start()

    def stop(self) -> None:
        """Stop as an operator would; port and data stay."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Stop as a power cut would; port and data stay."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Stop, and remove the data."""
        try:
            self.stop()
        finally:
            self._process = None
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
