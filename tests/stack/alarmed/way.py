"""What stands between a client and a server, on loopback: passes everything on, until it is narrow or cut."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType


class Way:
    """A forwarder; an async context manager.

    Parameters
    ----------
    port
        Where it listens.
    to
        host:port of the server.
    certificate
        File of a certificate and its key: TLS ends here. None: there is none.

    Attributes
    ----------
    rate
        What each connection passes on each way, at the most [B/s]. None: all.
    """

    def __init__(self, port: int, to: str, certificate: Path | None = None) -> None:
        self._port = port
        self._host, _, to_port = to.rpartition(":")
        self._to_port = int(to_port)
        self.rate: float | None = None
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tls = None if certificate is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate is not None:
            self.show(certificate)

    def show(self, certificate: Path) -> None:
        """Show another certificate from now on."""
        assert self._tls is not None
        self._tls.load_cert_chain(certificate)

    def cut(self) -> None:
        """Close what is open, and whatever comes."""
        self._cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Pass everything on again."""
        self._cut = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", self._port, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closing(self._open, writer), suppress(OSError):
            if self._cut:
                return
            there, back = await asyncio.open_connection(self._host, self._to_port)
            with _closing(self._open, back):
                await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
                if self.rate is not None:
                    await asyncio.sleep(len(data) / self.rate)
        finally:
            writer.close()


@contextmanager
def _closing(known: set[asyncio.StreamWriter], writer: asyncio.StreamWriter) -> Iterator[None]:
    """A connection that is known while the block runs, and gone after it."""
    known.add(writer)
    try:
        yield
    finally:
        known.discard(writer)
        writer.transport.abort()
