"""InfluxDB 2, set up with one organisation, one bucket and a token that is new every time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from infra.local import builds
from infra.local.process import Process, free_port
from infra.local.servers.asking import HOST, answers, post
from infra.local.servers.server import Server

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "sonevakt"  # of user, organisation and bucket


@dataclass(kw_only=True)
class InfluxDB(Server):
    """A database.

    Attributes
    ----------
    url
        From the first start on.
    org, bucket
        What it is set up with.
    token
        May do everything; never shown. From the first start on, and still good after a restart.
    options
        Of influxd, beside ours.
    """

    url: str = field(default="", init=False)
    org: str = NAME
    bucket: str = NAME
    token: str = field(default="", init=False, repr=False)
    options: tuple[str, ...] = ()

    def start(self) -> None:
        """Start, and set it up the first time."""
        super().start()
        if not self.token:
            asked = {
                "username": NAME,
                "password": secrets.token_urlsafe(24),
                "org": self.org,
                "bucket": self.bucket,
                "token": secrets.token_urlsafe(32),
            }
            self.token = post(f"{self.url}/api/v2/setup", asked)["auth"]["token"]

    def close(self) -> None:
        """Stop, and remove the data; the token is of no use then."""
        super().close()
        self.token = ""

    def _prepare(self, folder: Path) -> Process:
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        command = [
            str(builds.influxd()),
            f"--http-bind-address={HOST}:{port}",
            f"--bolt-path={folder / 'influxd.bolt'}",
            f"--sqlite-path={folder / 'influxd.sqlite'}",
            f"--engine-path={folder / 'engine'}",
            "--reporting-disabled",
            "--ui-disabled",
            "--log-level=error",
            *self.options,
        ]
        return Process("InfluxDB", command, folder / "influxd.log", lambda: answers(f"{self.url}/health"))
