"""`sonevakt doctor` and the one sentence that a mistake in use ends with."""

from __future__ import annotations

import os
import socket
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from agents.commands.main import main
from agents.keys import add
from agents.paging.receiver import service_paged_at
from pipeline.triage.state import STATE_VERSION
from schemas.services import CANARY
from schemas.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)


def doctor(**settings: str) -> Result:
    return CliRunner().invoke(
        main, ["doctor"], env={f"SONEVAKT_{name.upper()}": value for name, value in settings.items()}
    )


def test_the_defaults_are_well_and_nothing_is_left_behind(tmp_path: Path) -> None:
    found = doctor()
    assert (found.exit_code, list(tmp_path.iterdir())) == (0, [])
    assert found.output.startswith(f"messages of version {SCHEMA_VERSION}, states of version {STATE_VERSION}\n")
    assert "SONEVAKT_PARTITIONS=12" in found.output
    assert "FAIL" not in found.output


def test_a_store_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite").write_bytes(b"no database at all" * 100)
    assert "FAIL store: " in doctor(store="sqlite:///bad.sqlite").output


def test_files_of_services_and_tokens_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_bytes(msgspec.json.encode({"vendor": [sha256(b"token").hexdigest()]}))
    well = doctor(gateway_tokens_file="tokens.json")
    ill = doctor(gateway_tokens_file="nowhere.json", services_file="nowhere.json")
    assert "ok   gateway tokens\n" in well.output
    assert ill.exit_code == 1
    assert "FAIL gateway tokens: nowhere.json: cannot be read" in ill.output
    assert "FAIL services: " in ill.output


def test_the_council_s_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "well.json").write_text("{}")
    (tmp_path / "ill.json").write_text('{"indicators": {"i": {"measure": "luck"}}}')
    assert "ok   council\n" in doctor(council_file="well.json").output
    ill = doctor(council_file="ill.json")
    assert (ill.exit_code, "FAIL council: ill.json: indicators" in ill.output) == (1, True)
    assert "ok   council (none: the council's report knows no targets and no benefits)" in doctor().output


def test_services_are_looked_at_with_their_keys_and_so_are_links(tmp_path: Path) -> None:
    service = service_paged_at("Lungs", "https://vakt.example/pages", "vakt.secret")
    service = msgspec.structs.replace(service, contacts={**service.contacts, CANARY: service.contacts["nurse"]})
    (tmp_path / "services.json").write_bytes(msgspec.json.encode({"lungs": service}))
    (tmp_path / "link.key").write_text("k" * 44)
    without_key = doctor(services_file="services.json", board_url="https://board.example")
    (tmp_path / "vakt.secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    well = doctor(services_file="services.json", board_url="https://board.example", link_key_file="link.key")
    none = doctor()
    assert "FAIL services: lungs.contacts.nurse.ways.webhook.secret_file: cannot be read" in without_key.output
    assert "ok   links (none: pages hold no link to acknowledge by)" in without_key.output
    unled = doctor(link_key_file="link.key")
    assert "FAIL links: SONEVAKT_BOARD_URL must be set, as SONEVAKT_LINK_KEY_FILE is" in unled.output
    assert (well.exit_code, "ok   services\n" in well.output, "ok   links\n" in well.output) == (0, True, True)
    assert "ok   services (none: nobody is paged)" in none.output
    assert "ok   links (none: pages hold no link to acknowledge by)" in none.output
    assert "whsec_" not in well.output


def test_without_an_outside_address_it_says_so_and_with_a_bad_one_that_it_is_bad(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("https://outside.example/beat/secret-text")
    (tmp_path / "bad").write_text("http://outside.example/beat/secret-text")
    assert "ok   heartbeat (none: nobody outside notices when all of this is gone)\n" in doctor().output
    assert "ok   heartbeat\n" in doctor(heartbeat_url_file="good").output
    ill = doctor(heartbeat_url_file="bad")
    assert "FAIL heartbeat: SONEVAKT_HEARTBEAT_URL_FILE: the file must hold one https address" in ill.output
    assert "secret-text" not in ill.output


def test_a_service_whose_canary_is_not_paged_is_named(tmp_path: Path) -> None:
    service = service_paged_at("Joint centre", "https://vakt.example/pages", "vakt.secret")
    (tmp_path / "services.json").write_bytes(msgspec.json.encode({"joint-centre": service}))
    found = doctor(services_file="services.json")
    assert "FAIL canaries: services file: joint-centre needs a contact `canary`" in found.output


def test_files_about_people_are_looked_at_and_must_be_for_their_owner_alone(tmp_path: Path) -> None:
    add(tmp_path / "keys")
    for file in ("keys", "none"):
        told = doctor(directory_key_file=file, access_key_file=file).output
        assert (f"{'ok  ' if file == 'keys' else 'FAIL'} access keys" in told) is True
        assert (f"{'ok  ' if file == 'keys' else 'FAIL'} directory keys" in told) is True
    (tmp_path / "keys").chmod(0o640)
    told = doctor(access_key_file="keys", users_file="nowhere.json", oidc_claims_file="nowhere.json").output
    assert "FAIL access keys: keys can be read or written by others: chmod 600" in told
    assert "FAIL users: nowhere.json: cannot be read" in told
    assert "FAIL claims: nowhere.json: cannot be read" in told


def test_a_directory_that_does_not_open_is_told(tmp_path: Path) -> None:
    add(tmp_path / "keys")
    well = doctor(directory_key_file="keys", directory="sqlite:///directory.sqlite")
    assert "ok   patient directory (SQLite: its file is made at the first start)" in well.output
    assert not (tmp_path / "directory.sqlite").exists()
    (tmp_path / "directory.sqlite").write_bytes(b"no database at all" * 100)
    ill = doctor(directory_key_file="keys", directory="sqlite:///directory.sqlite")
    assert "FAIL patient directory: SONEVAKT_DIRECTORY: the database does not answer as it must" in ill.output


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.parametrize(
    "store", ["influxdb", "sqlite:///data/x.sqlite"], ids=["a store that is away", "a broker that is away"]
)
def test_what_is_away_is_named_and_not_waited_for_for_ever(tmp_path: Path, store: str) -> None:
    (tmp_path / "token").write_text("secret-text")
    address = f"127.0.0.1:{free_port()}"
    found = (
        doctor(store=f"influxdb://{address}", influxdb_token_file="token")  # noqa: S106 - a file's name
        if store == "influxdb"
        else doctor(store=store, broker=f"kafka://{address}")
    )
    assert found.exit_code == 1
    assert "does not answer" in found.output
    assert "secret-text" not in found.output


COMMANDS = [
    (["demo", "--once"], {"SONEVAKT_PARTITONS": "3"}, 2, "SONEVAKT_PARTITONS is no setting"),
    (["demo", "--once"], {"SONEVAKT_STORE": "influxdb://127.0.0.1:1"}, 2, "SONEVAKT_INFLUXDB_TOKEN_FILE must be set"),
    (["run", "triage"], {}, 2, "SONEVAKT_BROKER is embedded"),
    (
        ["run", "board"],
        {"SONEVAKT_BROKER": "kafka://127.0.0.1:1"},
        2,
        "SONEVAKT_USERS_FILE or SONEVAKT_OIDC_ISSUER must be set",
    ),
    (
        ["run", "board"],
        {"SONEVAKT_BROKER": "kafka://127.0.0.1:1", "SONEVAKT_USERS_FILE": "x", "SONEVAKT_HTTP_HOST": "10.0.0.1"},
        2,
        "SONEVAKT_BOARD_URL must be set to the board's https:// address",
    ),
    (
        ["run", "board"],
        {"SONEVAKT_BROKER": "kafka://127.0.0.1:1", "SONEVAKT_USERS_FILE": "nowhere.json"},
        2,
        "nowhere.json: cannot be read",
    ),
    (
        ["run", "board"],
        {"SONEVAKT_BROKER": "kafka://127.0.0.1:1", "SONEVAKT_OIDC_ISSUER": "https://id.example"},
        2,
        "SONEVAKT_ACCESS_KEY_FILE must be set",
    ),
    (["run", "gateway"], {"SONEVAKT_BROKER": "kafka://127.0.0.1:1"}, 2, "SONEVAKT_GATEWAY_TOKENS_FILE must be set"),
    (["run", "paging"], {"SONEVAKT_BROKER": "kafka://127.0.0.1:1"}, 2, "SONEVAKT_SERVICES_FILE must be set"),
    (["topics", "apply"], {"SONEVAKT_BROKER": "kafka://127.0.0.1:1"}, 1, "the broker does not answer"),
    (["replay", "."], {}, 2, ""),
]


@pytest.mark.parametrize(("arguments", "environment", "code", "said"), COMMANDS)
def test_a_mistake_in_use_is_one_sentence(
    arguments: list[str], environment: dict[str, str], code: int, said: str
) -> None:
    found = CliRunner().invoke(main, arguments, env=environment)
    assert found.exit_code == code
    assert found.stderr.startswith(f"sonevakt: {said}")
    assert found.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        found = CliRunner().invoke(
            main, ["demo", "--once", "--patients", "5", "--days", "15"], env={"SONEVAKT_HTTP_PORT": str(port)}
        )
    assert found.exit_code == 1
    assert found.stderr.startswith("sonevakt: ")
    assert "address already in use" in found.stderr
    assert found.stderr.count("\n") == 1
