"""How each server is built: from public packages, by version."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from infra.local import cache
from infra.local.tools import ToolsError, apt_update, need, run

HERE: Final = Path(__file__).parent
KAFKA: Final = "4.1.1"
INFLUXDB: Final = "2.9.1"
LEAST_GO: Final = (1, 25)
_GO_VERSION: Final = re.compile(r"go(\d+)\.(\d+)")


def kafka() -> Path:
    """A folder with Kafka's jars."""

    def build(folder: Path) -> None:
        need("java", "mvn")
        shutil.copy(HERE / "kafka" / "pom.xml", folder)
        run(
            [
                "mvn",
                "-q",
                "-B",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={folder / 'libs'}",
            ],
            folder=folder,
        )

    return cache.built(f"kafka-{KAFKA}", build) / "libs"


def influxd() -> Path:
    """InfluxDB's server; about eight minutes on two cores the first time."""

    def build(folder: Path) -> None:
        need("go", "cargo", "gcc", "pkg-config")
        _check_go()
        own = {"GOCACHE": str(folder / "gocache")}  # flux's library and the Go code that links it live or die together
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / "influxd" / name, folder)
        tools = folder / "bin"
        tools.mkdir()
        run(["go", "build", "-o", str(tools / "pkg-config"), "github.com/influxdata/pkg-config"], folder=folder, env=own)
        # Flux warns under newer Rust than it was written for, and takes a warning for an error.
        caplints = tools / "caplints"
        caplints.write_text('#!/bin/sh\nexec "$@" --cap-lints warn\n')
        caplints.chmod(0o755)
        run(
            [
                "go",
                "build",
                "-trimpath",
                "-tags",
                "sqlite_foreign_keys,sqlite_json",
                "-ldflags",
                f"-s -w -X main.version=v{INFLUXDB}",
                "-o",
                str(tools / "influxd"),
                "github.com/influxdata/influxdb/v2/cmd/influxd",
            ],
            folder=folder,
            env={
                **own,
                "GOTOOLCHAIN": "local",
                "CGO_ENABLED": "1",
                "RUSTUP_TOOLCHAIN": "stable",
                "PKG_CONFIG": str(tools / "pkg-config"),
                "RUSTC_WORKSPACE_WRAPPER": str(caplints),
            },
        )
        shutil.rmtree(folder / "gocache")

    return cache.built(f"influxd-{INFLUXDB}", build) / "bin" / "influxd"


def prometheus() -> Path:
    """A folder with prometheus, promtool, prometheus-alertmanager and amtool, out of Debian's packages."""

    def build(folder: Path) -> None:
        need("dpkg-deb")
        with tempfile.TemporaryDirectory() as scratch:
            for package in ("prometheus", "prometheus-alertmanager"):
                try:
                    run(["apt-get", "download", package], folder=Path(scratch))
                except ToolsError:
                    apt_update()
                    run(["apt-get", "download", package], folder=Path(scratch))
            for archive in Path(scratch).glob("*.deb"):
                run(["dpkg-deb", "-x", str(archive), str(folder)])

    return cache.built("prometheus-debian", build) / "usr" / "bin"


ALL: Final = {"kafka": kafka, "influxdb": influxd, "prometheus": prometheus}


def _check_go() -> None:
    said = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    found = _GO_VERSION.search(said)
    if found is None or (int(found[1]), int(found[2])) < LEAST_GO:
        raise ToolsError("go is too old to build InfluxDB: install 1.25 or newer")
