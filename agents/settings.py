"""How a process is deployed: read once from the environment, validated, and told without secrets.

Clinical rules are no settings: they stand in code with their sources. Secrets never stand in a variable, only in a
file that a variable names.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from schemas.topics import DEFAULT_PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "SONEVAKT_"
NOT_OURS: Final = ("SONEVAKT_STACK_", "SONEVAKT_CACHE", "SONEVAKT_TIHM")  # read by infra/local, not by a process
_FIELD: Final = re.compile(r" - at `\$\.(?P<field>\w+)`")


class SettingsError(ValueError):
    """A variable is wrong: its name and what it must be, never its value."""


def _said(meaning: str, form: str, **bounds: Any) -> Meta:  # noqa: ANN401 - the bounds are msgspec's own
    return Meta(description=meaning, extra={"form": form}, **bounds)


class Settings(Struct, frozen=True, kw_only=True):
    """A field `x_y` is the variable SONEVAKT_X_Y. None: not set."""

    broker: Annotated[
        str,
        _said(
            "Where Kafka is; `embedded` is the broker that `sonevakt demo` starts inside itself.",
            "kafka://host:port[,host:port] or embedded",
            pattern=r"^(embedded|kafka://[^\s,/@:]+:[0-9]{1,5}(,[^\s,/@:]+:[0-9]{1,5})*)$",
        ),
    ] = "embedded"
    store: Annotated[
        str,
        _said(
            "Where measurements and decisions are stored.",
            "influxdb://host:port or sqlite:///path",
            pattern=r"^(influxdb://[^\s,/@:]+:[0-9]{1,5}|sqlite:///.+)$",
        ),
    ] = "sqlite:///data/sonevakt.sqlite"
    influxdb_url: Annotated[
        str,
        _said(
            "InfluxDB's address where it is not plain http on the store's host and port.",
            "http(s)://host[:port][/path], without a user",
            pattern=r"^(https?://[^\s/@]+(/\S*)?)?$",
        ),
    ] = ""
    influxdb_org: Annotated[
        str, _said("InfluxDB organisation.", "1 to 100 characters", min_length=1, max_length=100)
    ] = "sonevakt"
    influxdb_bucket: Annotated[
        str,
        _said(
            "InfluxDB bucket; its rollups are in buckets of that name and `-daily`, `-weekly`.",
            "1 to 100 characters, not beginning with _ and without a quote, ${ or control characters",
            pattern=r"^(?!_)(?!.*\$\{)[^\x00-\x1f\x7f\"]{1,100}$",
        ),
    ] = "sonevakt"
    influxdb_token_file: Annotated[
        str | None,
        _said(
            "File that holds InfluxDB's token alone: the writer's for storing, the reader's for all others.",
            "a file's path",
        ),
    ] = None
    influxdb_operator_token_file: Annotated[
        str | None,
        _said("File that holds a token with all rights alone; `store apply` needs it, nobody else.", "a file's path"),
    ] = None
    influxdb_tokens_folder: Annotated[
        str | None,
        _said("Folder in which `store apply` writes each role's token: ROLE/influxdb.token.", "a path"),
    ] = None
    influxdb_retention_days: Annotated[
        int, _said("How long points are kept [d]; 0: for ever.", "0 to 36500", ge=0, le=36_500)
    ] = 0
    influxdb_daily_retention_days: Annotated[
        int, _said("How long rollups by day are kept [d]; 0: for ever.", "0 to 36500", ge=0, le=36_500)
    ] = 0
    influxdb_weekly_retention_days: Annotated[
        int, _said("How long rollups by week are kept [d]; 0: for ever.", "0 to 36500", ge=0, le=36_500)
    ] = 0
    influxdb_time_zone: Annotated[
        str,
        _said(
            "Time zone that makes the days of rollups.",
            "an IANA name",
            pattern=r"^[A-Za-z0-9_+/-]{1,64}$",
        ),
    ] = "Europe/Oslo"
    http_host: Annotated[
        str, _said("Address on which this process listens.", "an address of this machine", min_length=1)
    ] = "127.0.0.1"
    http_port: Annotated[
        int, _said("Port for /metrics, /livez, /readyz; 0: any free one.", "0 to 65535", ge=0, le=65_535)
    ] = 0
    gateway_port: Annotated[
        int, _said("Port on which the gateway takes submissions.", "0 to 65535", ge=0, le=65_535)
    ] = 8080
    instance: Annotated[
        str,
        _said(
            "Static membership: a name that this worker keeps over restarts, so that its partitions wait for it.",
            "letters, digits, . _ -, at most 64",
            pattern=r"^[A-Za-z0-9._-]{0,64}$",
        ),
    ] = ""
    services_file: Annotated[
        str | None,
        _said("File that says of each service who is told of an alert, when and how: docs/paging.md.", "a file's path"),
    ] = None
    council_file: Annotated[
        str | None,
        _said(
            "File that says which targets, nurses, questionnaires and benefits the council follows: docs/reports.md.",
            "a file's path",
        ),
    ] = None
    link_key_file: Annotated[
        str | None, _said("File that holds the key by which those links are signed.", "a file's path")
    ] = None
    gateway_tokens_file: Annotated[
        str | None, _said("File that says which apps may send submissions.", "a file's path")
    ] = None
    gateway_url: Annotated[
        str,
        _said(
            "Where the canary reaches the gateway: best as the vendors' apps do.",
            "http(s)://host[:port][/path], without a user",
            pattern=r"^(https?://[^\s/@]+(/\S*)?)?$",
        ),
    ] = ""
    canary_token_file: Annotated[
        str | None, _said("File that holds the canary's own gateway token alone.", "a file's path")
    ] = None
    canary_seconds: Annotated[
        float, _said("From one round of the canaries to the next [s].", "5 to 3600", ge=5, le=3600)
    ] = 300.0
    canary_within_seconds: Annotated[
        float, _said("By when a round of the canaries must be through [s].", "1 to 600", ge=1, le=600)
    ] = 60.0
    heartbeat_url_file: Annotated[
        str | None,
        _said(
            "File that holds the outside address alone that hears a heartbeat while every canary comes through.",
            "a file's path",
        ),
    ] = None
    board_port: Annotated[
        int, _said("Port on which the board shows its pages; 0: any free one.", "0 to 65535", ge=0, le=65_535)
    ] = 0
    board_url: Annotated[
        str,
        _said(
            "Where browsers and links in pages reach the board; empty: by http, on this machine alone.",
            "https://host[:port], or http:// with a loopback host",
            pattern=r"^(https://[^\s/@?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)?$",
        ),
    ] = ""
    board_proxy: Annotated[
        str,
        _said(
            "Address of the one proxy whose X-Forwarded-For says who is asking; empty: there is none.",
            "an IP address",
            pattern=r"^[0-9a-fA-F.:]{0,45}$",
        ),
    ] = ""
    users_file: Annotated[
        str | None, _said("File of the people who sign in with a password (`sonevakt users`).", "a file's path")
    ] = None
    oidc_issuer: Annotated[
        str,
        _said(
            "Identity provider (OpenID Connect) by which people sign in; empty: none.",
            "https://host[/path], or http:// with a loopback host",
            pattern=r"^(https://[^\s/@?#]+(/[^\s?#]*)?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/[^\s?#]*)?)?$",
        ),
    ] = ""
    oidc_client_id: Annotated[
        str, _said("The board's name at the identity provider.", "at most 200 characters", max_length=200)
    ] = ""
    oidc_client_secret_file: Annotated[
        str | None, _said("File that holds the board's secret at the identity provider alone.", "a file's path")
    ] = None
    oidc_claims_file: Annotated[
        str | None,
        _said(
            "File that says which claim holds reference, name, roles and services: docs/security.md.", "a file's path"
        ),
    ] = None
    sessions_file: Annotated[str, _said("File (SQLite) of who is signed in on the board.", "a file's path")] = (
        "data/sessions.sqlite"
    )
    session_idle_minutes: Annotated[
        int, _said("Without an act for so long, somebody is signed out [min].", "5 to 720", ge=5, le=720)
    ] = 30
    directory: Annotated[
        str,
        _said(
            "Where the patient directory is: who a patient is, encrypted.",
            "sqlite:///path or postgresql+asyncpg://user@host[:port]/database, without a password",
            pattern=r"^(sqlite:///.+|postgresql\+asyncpg://[^\s/@:]+@[^\s/@]+/[^\s/?]+)$",
        ),
    ] = "sqlite:///data/directory.sqlite"
    directory_password_file: Annotated[
        str | None, _said("File that holds the password of the directory's PostgreSQL alone.", "a file's path")
    ] = None
    directory_key_file: Annotated[
        str | None, _said("File of the keys that close the patient directory (`sonevakt keys new`).", "a file's path")
    ] = None
    access_folder: Annotated[str, _said("Folder of the access log: who saw or changed which patient.", "a path")] = (
        "data/access"
    )
    access_key_file: Annotated[
        str | None, _said("File of the keys that seal the access log (`sonevakt keys new`).", "a file's path")
    ] = None
    partitions: Annotated[
        int, _said("Partitions of every topic; never changed once patients are followed.", "1 to 1000", ge=1, le=1000)
    ] = DEFAULT_PARTITIONS
    topic_replication: Annotated[
        int, _said("Copies of every topic; 3 wherever patients are followed.", "1 to 9", ge=1, le=9)
    ] = 1
    topic_prefix: Annotated[
        str,
        _said(
            "Before every topic's name, where several installations share a broker.",
            "letters, digits, . _ -, at most 60",
            pattern=r"^[A-Za-z0-9._-]{0,60}$",
        ),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        _said("Least important log lines that are shown.", "debug, info, warning or error"),
    ] = "info"
    tick_seconds: Annotated[
        float, _said("How often the clock tells all patients that time passes [s].", "0.1 to 300", ge=0.1, le=300)
    ] = 5.0
    reconcile_seconds: Annotated[
        float, _said("How often the running reconciliation looks for what is missing [s].", "1 to 900", ge=1, le=900)
    ] = 300.0
    settle_seconds: Annotated[
        float,
        _said("How long a message may be on its way before reconciliation misses it [s].", "1 to 3600", ge=1, le=3600),
    ] = 300.0
    session_timeout_s: Annotated[
        float, _said("Silence after which a worker's partitions go to another [s].", "6 to 300", ge=6, le=300)
    ] = 10.0
    commit_interval_s: Annotated[
        float, _said("How often finished work is committed [s].", "0.1 to 30", ge=0.1, le=30)
    ] = 0.5
    dead_letter_ratio: Annotated[
        float, _said("Share of dead letters above which an alarm is raised.", "0 to 1", ge=0, le=1)
    ] = 0.05

    @property
    def bootstrap(self) -> str:
        """Kafka's host:port[,host:port]; raises SettingsError where none is configured."""
        if self.broker == "embedded":
            raise SettingsError(
                f"{PREFIX}BROKER is embedded, which lives inside `sonevakt demo` alone: set it to kafka://host:port"
            )
        return self.broker.removeprefix("kafka://")

    @property
    def sqlite_path(self) -> Path | None:
        """SQLite's file, None where the store is InfluxDB."""
        return Path(self.store.removeprefix("sqlite:///")) if self.store.startswith("sqlite:") else None

    @property
    def influxdb_address(self) -> str | None:
        """InfluxDB's URL, None where the store is SQLite."""
        if self.sqlite_path is not None:
            return None
        return self.influxdb_url.rstrip("/") or f"http://{urlsplit(self.store).netloc}"


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings that `environ` holds.

    Raises
    ------
    SettingsError
        A variable is unknown or wrong; one line that names it and says what it must be.
    """
    known = {variable(field): field for field in Settings.__struct_fields__}
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX) and not name.startswith(NOT_OURS)}
    for name in sorted(ours):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise SettingsError(f"{name} is no setting: did you mean {near[0]}?")
    try:
        settings = msgspec.convert({known[name]: value for name, value in ours.items()}, Settings, strict=False)
    except msgspec.ValidationError as error:
        at = _FIELD.search(str(error))
        if at is None:
            raise
        raise SettingsError(f"{variable(at['field'])} must be {_form(at['field'])}") from None
    tokens = (settings.influxdb_token_file, settings.influxdb_operator_token_file)
    if settings.influxdb_address is not None and tokens == (None, None):
        raise SettingsError(f"{PREFIX}INFLUXDB_TOKEN_FILE must be set where {PREFIX}STORE is InfluxDB: a file's path")
    return settings


def secret(field: str, path: str) -> str:
    """Return what the file named by the variable of `field` holds; raises SettingsError naming variable and problem."""
    try:
        held = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable(field)}: the file cannot be read ({type(error).__name__})") from None
    if not held:
        raise SettingsError(f"{variable(field)}: the file is empty")
    return held


def variable(field: str) -> str:
    """Return the environment variable of `field`."""
    return f"{PREFIX}{field.upper()}"


def describe(settings: Settings) -> list[tuple[str, str]]:
    """Return every variable with its value in force; no value is a secret, for secrets are in files."""
    values = msgspec.structs.asdict(settings)
    return [(variable(field), "" if value is None else str(value)) for field, value in values.items()]


def reference() -> str:
    """Return docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Made from `agents/settings.py`. Every process reads them once, from its environment; a wrong or unknown",
        f"`{PREFIX}` variable ends it with one line that names the variable. `sonevakt doctor` shows what is in force.",
        "",
        "| variable | default | form | meaning |",
        "|---|---|---|---|",
    ]
    for field in msgspec.structs.fields(Settings):
        default = "" if field.default is None else str(field.default)
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{variable(field.name)}` | {shown} | {_form(field.name)} | {_meta(field.name).description} |")
    return "\n".join(lines) + "\n"


def _meta(field: str) -> Meta:
    meta: Meta = _hints()[field].__metadata__[0]
    return meta


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


def _form(field: str) -> str:
    return str((_meta(field).extra or {})["form"])
