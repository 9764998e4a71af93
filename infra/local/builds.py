"""How each server is built: from public packages, by version, into the cache."""

from __future__ import annotations

import platform
import shutil
import tempfile
from pathlib import Path
from typing import Final

from infra.local import cache, tools

HERE: Final = Path(__file__).parent
KAFKA: Final = "4.1.1"  # as in kafka/pom.xml
INFLUXDB: Final = "2.9.1"  # as in influxd/go.mod
ALERTMANAGER: Final = "0.28.1"  # as in alertmanager/go.mod
COMPOSE: Final = "2.16.2"  # as in compose/go.mod
LEAST_JAVA: Final = (17,)
LEAST_GO: Final = (1, 25, 10)  # as in the go.mod files
_COPY_JARS: Final = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
_INFLUXD: Final = [
    *("go", "build", "-trimpath", "-tags", "sqlite_foreign_keys,sqlite_json"),
    *("-ldflags", f"-s -w -X main.version=v{INFLUXDB}"),
    *("-o", "bin/influxd", "github.com/influxdata/influxdb/v2/cmd/influxd"),
]


def kafka() -> Path:
    """Return a folder with Kafka's jars; under a minute the first time."""

    def build(folder: Path) -> None:
        tools.need("java", "mvn")
        tools.need_version(["java", "-version"], LEAST_JAVA)
        shutil.copy(HERE / "kafka" / "pom.xml", folder)
        tools.run([*_COPY_JARS, f"-DoutputDirectory={folder / 'libs'}"], folder=folder)

    return cache.built(f"kafka-{KAFKA}", build) / "libs"


def influxd() -> Path:
    """Return InfluxDB's server; seven minutes on two idle cores the first time."""

    def build(folder: Path) -> None:
        tools.need("go", "cargo", "gcc", "pkg-config")
        binaries = _go_module("influxd", folder)
        # Flux warns under newer Rust than it was written for, and takes a warning for an error.
        caplints = binaries / "caplints"
        caplints.write_text('#!/bin/sh\nexec "$@" --cap-lints warn\n')
        caplints.chmod(0o755)
        # Flux's library stands in Go's cache, and Go remembers having linked to it: in a cache of the build's own an
        # interrupted copy of it, or one that was cleaned away, harms no later build.
        env = {"GOCACHE": str(folder / "gocache"), "GOTOOLCHAIN": "local", "CGO_ENABLED": "1"}
        tools.run(["go", "build", "-o", "bin/pkg-config", "github.com/influxdata/pkg-config"], folder=folder, env=env)
        env["PKG_CONFIG"] = str(binaries / "pkg-config")
        env["RUSTUP_TOOLCHAIN"] = "stable"
        env["RUSTC_WORKSPACE_WRAPPER"] = str(caplints)
        tools.run(_INFLUXD, folder=folder, env=env)
        shutil.rmtree(folder / "gocache")

    return cache.built(f"influxd-{INFLUXDB}", build) / "bin" / "influxd"


def alertmanager() -> Path:
    """Return a folder with alertmanager and amtool; about two minutes the first time.

    Debian's look for their templates in /usr/share, so those run where they are installed alone.
    """

    def build(folder: Path) -> None:
        tools.need("go")
        binaries = _go_module("alertmanager", folder)
        package = "github.com/prometheus/alertmanager/cmd"
        flags = f"-s -w -X github.com/prometheus/common/version.Version={ALERTMANAGER}"
        build = ["go", "build", "-trimpath", "-ldflags", flags, "-o", f"{binaries}/"]
        env = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        tools.run([*build, f"{package}/alertmanager", f"{package}/amtool"], folder=folder, env=env)

    return cache.built(f"alertmanager-{ALERTMANAGER}", build) / "bin"


def compose() -> Path:
    """Return what reads a compose file as `docker compose` does, without Docker; half a minute the first time."""

    def build(folder: Path) -> None:
        tools.need("go")
        binaries = _go_module("compose", folder)
        build = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", f"{binaries / 'compose'}"]
        env = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        tools.run([*build, "github.com/compose-spec/compose-go/v2/cmd"], folder=folder, env=env)

    return cache.built(f"compose-{COMPOSE}", build) / "bin" / "compose"


def prometheus() -> Path:
    """Return a folder with prometheus and promtool, out of Debian's package and of its version."""
    return _debian_package("prometheus") / "usr" / "bin"


def node_exporter() -> Path:
    """Return what shows Prometheus the machine's disks, out of Debian's package and of its version."""
    return _debian_package("prometheus-node-exporter") / "usr" / "bin" / "prometheus-node-exporter"


def caddy() -> Path:
    """Return the proxy of docs/operations.md, out of Debian's package and of its version."""
    return _debian_package("caddy") / "usr" / "bin" / "caddy"


BUILDS: Final = {
    "kafka": kafka,
    "influxdb": influxd,
    "prometheus": prometheus,
    "alertmanager": alertmanager,
    "node_exporter": node_exporter,
    "compose": compose,
    "caddy": caddy,
}


def _go_module(name: str, folder: Path) -> Path:
    """Put the committed module `name` into `folder`; returns where its binaries go."""
    tools.need_version(["go", "version"], LEAST_GO)
    for part in ("go.mod", "go.sum"):
        shutil.copy(HERE / name / part, folder)
    binaries = folder / "bin"
    binaries.mkdir()
    return binaries


def _debian_package(name: str) -> Path:
    """Return a folder with the files of Debian's package `name`; it is not installed, so no service is started."""

    def build(folder: Path) -> None:
        if not shutil.which("apt-get"):
            raise tools.ToolsError(f"the local {name} comes out of Debian's packages: this system has no apt-get")
        tools.need("dpkg-deb")
        with tempfile.TemporaryDirectory(prefix="sonevakt-deb-") as scratch:
            download = ["apt-get", "download", name]
            try:
                tools.run(download, folder=Path(scratch))
            except tools.ToolsError:  # no package lists, or old ones
                tools.apt_update()
                tools.run(download, folder=Path(scratch))
            for archive in Path(scratch).glob("*.deb"):
                tools.run(["dpkg-deb", "-x", str(archive), str(folder)])

    return cache.built(f"{name}-{_debian()}", build)


def _debian() -> str:
    """Return the name and release of the system, as in debian-12."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "unknown"
    return f"{release.get('ID', 'linux')}-{release.get('VERSION_ID', 'rolling')}"
