"""Settings: one line that names the variable when one is wrong, and never its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from agents import settings
from agents.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_set_is_the_embedded_profile() -> None:
    assert settings.read({"PATH": "/bin", "HOME": "/"}) == Settings()


def test_variables_are_read_with_their_types() -> None:
    read = settings.read(
        {
            "SONEVAKT_BROKER": "kafka://a:9092,b:9092",
            "SONEVAKT_STORE": "influxdb://influx:8086",
            "SONEVAKT_INFLUXDB_TOKEN_FILE": "/run/secrets/influx",
            "SONEVAKT_HTTP_PORT": "8080",
            "SONEVAKT_TICK_SECONDS": "2.5",
            "SONEVAKT_TOPIC_PREFIX": "north-",
        }
    )
    assert read.bootstrap == "a:9092,b:9092"
    assert read.influxdb_address == "http://influx:8086"
    assert read.sqlite_path is None
    assert (read.http_port, read.tick_seconds, read.topic_prefix) == (8080, 2.5, "north-")


def test_an_https_address_of_influxdb_stands_above_the_store_s_host() -> None:
    read = settings.read(
        {
            "SONEVAKT_STORE": "influxdb://influx:8086",
            "SONEVAKT_INFLUXDB_URL": "https://influx.example/db/",
            "SONEVAKT_INFLUXDB_TOKEN_FILE": "t",
        }
    )
    assert read.influxdb_address == "https://influx.example/db"


@pytest.mark.parametrize(("store", "path"), [("sqlite:///a/b.sqlite", "a/b.sqlite"), ("sqlite:////a/b", "/a/b")])
def test_a_sqlite_path_is_relative_with_three_slashes_and_absolute_with_four(store: str, path: str) -> None:
    read = settings.read({"SONEVAKT_STORE": store})
    assert str(read.sqlite_path) == path
    assert read.influxdb_address is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER", "localhost:9092"),
        ("BROKER", "kafka://user:hunter2@host:9092"),
        ("STORE", "postgres://x"),
        ("INFLUXDB_URL", "http://user:hunter2@influx:8086"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "http"),
        ("PARTITIONS", "0"),
        ("TOPIC_REPLICATION", "0"),
        ("TOPIC_PREFIX", "a b"),
        ("LOG_LEVEL", "chatty"),
        ("TICK_SECONDS", "0"),
        ("TICK_SECONDS", "nan"),
        ("SESSION_TIMEOUT_S", "1"),
        ("COMMIT_INTERVAL_S", "0"),
        ("DEAD_LETTER_RATIO", "1.5"),
        ("INSTANCE", "a/b"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_and_not_the_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.read({f"SONEVAKT_{name}": value})
    said = str(caught.value)
    assert said.startswith(f"SONEVAKT_{name} must be ")
    assert "\n" not in said
    assert "hunter2" not in said


def test_an_unknown_variable_names_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match=r"^SONEVAKT_BROKERS is no setting: did you mean SONEVAKT_BROKER\?$"):
        settings.read({"SONEVAKT_BROKERS": "kafka://a:1"})


def test_variables_of_the_local_stack_are_left_alone() -> None:
    assert settings.read({"SONEVAKT_STACK_KAFKA_PORT": "1", "SONEVAKT_CACHE": "cache"}) == Settings()


def test_influxdb_without_a_token_file_is_an_error() -> None:
    with pytest.raises(SettingsError, match="SONEVAKT_INFLUXDB_TOKEN_FILE must be set"):
        settings.read({"SONEVAKT_STORE": "influxdb://influx:8086"})


def test_an_embedded_broker_cannot_be_reached_by_another_process() -> None:
    with pytest.raises(SettingsError, match=r"SONEVAKT_BROKER is embedded.* set it to kafka://host:port"):
        _ = Settings().bootstrap


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    assert settings.secret("influxdb_token_file", str(tmp_path / "token")) == "hunter2"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\xff"])
def test_a_secret_that_cannot_be_read_names_the_variable_alone(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^SONEVAKT_INFLUXDB_TOKEN_FILE: the file ") as caught:
        settings.secret("influxdb_token_file", str(tmp_path / "token"))
    assert caught.value.__cause__ is None


def test_every_setting_is_described_and_documented() -> None:
    names = [settings.variable(field.name) for field in msgspec.structs.fields(Settings)]
    assert [name for name, _ in settings.describe(Settings())] == names
    for name in names:
        assert settings.reference().count(f"| `{name}` |") == 1
