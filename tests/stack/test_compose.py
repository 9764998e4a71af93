"""`infra/compose.yaml` as Docker would read it: it is valid, loses nothing, and gives nobody more than they need."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from agents.processes import NAMES
from agents.settings import NOT_OURS, PREFIX, Settings, variable
from infra.local import builds

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra" / "compose.yaml"
SECRETS = ROOT / "infra" / "secrets" / "README.md"
# Where each server keeps what must outlive its container.
KEPT = {
    "kafka": "/var/lib/kafka/data",
    "influxdb": "/var/lib/influxdb2",
    "board": "/var/lib/sonevakt",
    "prometheus": "/prometheus",
    "alertmanager": "/alertmanager",
    "grafana": "/var/lib/grafana",
}
ONCE = {"topics", "store"}  # set up what others need, and end
# Who is not the user of its image: Grafana reads its token as the processes do, whose file that is.
USERS = {"grafana": "10001:0"}
STEPS_DOWN = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}  # what an image that begins as root needs for it
WRITE_THEIR_OWN = {"kafka", "influxdb", "grafana"}  # configuration, logs or plugins beside their data


def read(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(builds.compose()), "--no-interpolation", "--no-path-resolution", "--format", "json", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    done = read(FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def services(model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = model["services"]
    return found


def test_a_word_that_compose_does_not_know_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(FILE.read_text().replace("stop_grace_period: 30s", "stop_grace_perio: 30s", 1))
    assert "stop_grace_perio" in read(wrong).stderr


def test_every_process_is_there_and_runs_the_image_of_this_version(services: dict[str, dict[str, Any]]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    ours = {name: one for name, one in services.items() if one["image"].startswith("sonevakt")}
    assert {one["image"] for one in ours.values()} == {f"sonevakt:{version}"}
    assert set(ours) >= set(NAMES)
    for name in NAMES:
        assert ours[name]["command"] == ["run", name]
    assert [name for name, one in services.items() if not re.search(r":v?\d+(\.\d+)+$", one["image"])] == []


def test_every_setting_is_one_and_can_have_its_value(services: dict[str, dict[str, Any]]) -> None:
    known = {variable(field) for field in Settings.__struct_fields__}
    for name, one in services.items():
        given = {key for key in one.get("environment", {}) if key.startswith(PREFIX) and not key.startswith(NOT_OURS)}
        assert given - known == set(), name


def test_every_network_volume_and_secret_is_declared_and_used(
    model: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    networks = {network for one in services.values() for network in one.get("networks", {})}
    volumes = {
        volume["source"] for one in services.values() for volume in one.get("volumes", []) if volume["type"] == "volume"
    }
    secrets = {secret["source"] for one in services.values() for secret in one.get("secrets", [])}
    assert (networks, volumes, secrets) == (set(model["networks"]), set(model["volumes"]), set(model["secrets"]))


def test_what_must_survive_a_container_stands_in_a_volume(services: dict[str, dict[str, Any]]) -> None:
    for name, place in KEPT.items():
        mounted = {one["target"]: one["type"] for one in services[name]["volumes"]}
        assert mounted.get(place) == "volume", name


def test_what_the_board_keeps_lies_in_its_volume(services: dict[str, dict[str, Any]]) -> None:
    given = services["board"]["environment"]
    for field in ("users_file", "sessions_file", "access_folder"):
        assert given[variable(field)].startswith(f"{KEPT['board']}/")
    assert given[variable("directory")].startswith(f"sqlite:///{KEPT['board']}/")


def test_a_bound_file_that_is_missing_is_an_error_and_no_folder_of_its_name(
    services: dict[str, dict[str, Any]],
) -> None:
    bound = [one for service in services.values() for one in service.get("volumes", []) if one["type"] == "bind"]
    assert bound
    for one in bound:
        assert one["bind"] == {"create_host_path": False}, one["source"]
        assert one["read_only"] is True, one["source"]


def test_every_secret_is_a_file_that_the_readme_of_the_folder_tells_of(
    model: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    told = SECRETS.read_text()
    files = [one["file"] for one in model["secrets"].values()]
    files += [
        one["source"]
        for service in services.values()
        for one in service.get("volumes", [])
        if "secrets/" in one["source"]
    ]
    for file in files:
        name = file.partition("secrets/")[2]
        assert f"`{name}`" in told or f"`{name}/" in told, name


def test_no_secret_stands_in_a_variable(services: dict[str, dict[str, Any]]) -> None:
    telling = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|CREDENTIAL")
    for name, one in services.items():
        for key, value in one.get("environment", {}).items():
            path = key.endswith(("_FILE", "__FILE", "_FOLDER"))
            assert not telling.search(key) or path, f"{name}: {key}"
            if path and telling.search(key):
                assert value.startswith("/"), f"{name}: {key}"


def test_every_file_that_a_setting_names_is_mounted(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        places = [volume["target"] for volume in one.get("volumes", [])]
        places += [f"/run/secrets/{Path(secret['target']).name}" for secret in one.get("secrets", [])]
        for key, value in one.get("environment", {}).items():
            if key.endswith("_FILE"):
                assert any(value == place or value.startswith(f"{place}/") for place in places), f"{name}: {key}"


def test_everything_comes_back_is_watched_and_is_bounded(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        once = name in ONCE
        assert one["restart"] == ("no" if once else "unless-stopped"), name
        check = one.get("healthcheck", {})
        assert check.get("disable", False) is once, name
        assert once or check["test"][0] == "CMD", name
        assert one["mem_limit"], name
        assert one["pids_limit"], name
        assert one["logging"]["options"].keys() >= {"max-size", "max-file"}, name
        assert "cpus" not in one, name  # a page must not wait for its turn


def test_a_canary_whose_network_went_with_paging_ends_itself_and_any_other_does_not(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services["canary"]["network_mode"] == "service:paging"
    asked, ended = [], []
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: asked.append((url, timeout)))
    monkeypatch.setattr(os, "kill", lambda pid, number: ended.append((pid, number)))
    code = services["canary"]["healthcheck"]["test"][-1]
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    exec(code, {})  # noqa: S102 - as the container would
    assert (ended, asked) == ([], [("http://127.0.0.1:9101/readyz", 3)])
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    exec(code, {})  # noqa: S102 - the same
    assert ended == [(1, signal.SIGTERM)]


def test_the_limits_of_memory_come_to_what_the_guide_says(services: dict[str, dict[str, Any]]) -> None:
    told = re.search(r"limits in `infra/compose.yaml` come to (\d+) GiB", (ROOT / "docs" / "operations.md").read_text())
    limits = {name: re.fullmatch(r"(\d+)g", one["mem_limit"]) for name, one in services.items() if name not in ONCE}
    assert told
    assert sum(int(limit[1]) for limit in limits.values() if limit) == int(told[1])
    assert all(limits.values())


def test_nobody_has_a_right_that_they_do_not_need(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert one["cap_drop"] == ["ALL"], name
        assert set(one.get("cap_add", [])) == (STEPS_DOWN if name == "influxdb" else set()), name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one.get("read_only", False) is (name not in WRITE_THEIR_OWN), name
        assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(one), name
        assert one.get("user") == USERS.get(name), name
        assert one.get("network_mode", "service:paging") == "service:paging", name
        assert not any("docker.sock" in volume["source"] for volume in one.get("volumes", [])), name


def test_every_port_is_bound_to_loopback(services: dict[str, dict[str, Any]]) -> None:
    ports = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert set(ports) == {"gateway", "board", "grafana"}
    assert {port["host_ip"] for published in ports.values() for port in published} == {"127.0.0.1"}


def test_networks_that_hold_patients_data_have_no_way_out(model: dict[str, Any]) -> None:
    assert {name for name, one in model["networks"].items() if not one.get("internal", False)} == {"outside"}


def test_who_can_call_anybody_reaches_no_more_than_is_needed(services: dict[str, dict[str, Any]]) -> None:
    beside = {name: set(one["networks"]) for name, one in services.items() if "networks" in one}
    assert {name for name in beside if "outside" in beside[name]} == {
        *("alertmanager", "board", "gateway", "grafana", "paging")
    }
    for name in ("alertmanager", "grafana"):  # no code of ours, and open to the outside
        assert not beside[name] & beside["kafka"], name
    assert not beside["alertmanager"] & beside["influxdb"]


def test_whoever_is_told_of_a_host_can_reach_it(services: dict[str, dict[str, Any]]) -> None:
    def networks(name: str) -> set[str]:
        one = services[name]
        shared = one.get("network_mode", "").removeprefix("service:")
        return networks(shared) if shared else set(one["networks"])

    host = re.compile(rf"(?:^|[/@,\"' ])({'|'.join(services)}):\d+")
    told = {name: json.dumps(one.get("environment", {})) for name, one in services.items()}
    told["prometheus"] += (ROOT / "infra" / "prometheus" / "prometheus.yml").read_text()
    told["grafana"] += (ROOT / "infra" / "grafana" / "datasources" / "datasources.yml").read_text()
    known = {name: set(host.findall(text)) - {name} for name, text in told.items()}
    assert known["prometheus"] >= {"triage", "alertmanager", "influxdb"}
    assert known["grafana"] == {"influxdb", "prometheus"}
    for name, others in known.items():
        for other in others:
            assert networks(name) & networks(other), f"{name} cannot reach {other}"
