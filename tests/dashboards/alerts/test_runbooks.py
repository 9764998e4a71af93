"""A runbook for each alert, in four parts, and nothing in it that is not there: no command, service, series or file."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING

import click
import pytest

from agents.commands import main
from agents.metrics import describe
from agents.settings import Settings, variable
from tests.dashboards.alerts.rules import FOLDER, NAMES, ROOT, alerts, read, rules
from tests.dashboards.alerts.test_rules import OF_THE_CLIENT, recorded_in, series

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOKS = FOLDER / "runbooks"
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
CODE = re.compile(r"```(\w*)\n(.*?)```|`([^`\n]+)`", re.DOTALL)
COMPOSE = "docker compose -f infra/compose.yaml "


def text(name: str) -> str:
    return (BOOKS / f"{name}.md").read_text("utf-8")


def commands(told: str) -> Iterator[str]:
    """Each line of code that is no PromQL."""
    for language, block, inline in CODE.findall(told):
        if language != "promql":
            yield from (line for line in (block or inline).splitlines() if line)


def queries(told: str) -> list[str]:
    """Each PromQL query."""
    return [line for language, block, _ in CODE.findall(told) if language == "promql" for line in block.splitlines()]


def parsed(line: str) -> click.Context:
    """What a `sonevakt` command line means; raises click's UsageError for one that the command would refuse."""
    words = shlex.split(line)[1:]
    command: click.Command = main
    while isinstance(command, click.Group):
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    return command.make_context(command.name, words)


def test_there_is_a_runbook_for_each_alert_and_none_besides() -> None:
    assert sorted(path.stem for path in BOOKS.iterdir()) == sorted(NAMES)
    for alert in alerts():
        assert ROOT / alert.annotations["runbook"] == BOOKS / f"{alert.name}.md"


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_has_its_four_parts_and_a_command_or_query_to_look_with(name: str) -> None:
    head, *parts = re.split(r"^## (\w+)$", text(name), flags=re.MULTILINE)
    assert head.strip() == f"# {name}"
    assert parts[::2] == PARTS
    assert all(len(part.strip()) > 4 for part in parts[1::2])
    assert CODE.search(parts[5])


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_ours_in_a_runbook_would_be_taken_as_it_stands(name: str) -> None:
    for line in commands(text(name)):
        if line.startswith("sonevakt "):
            parsed(line)


def test_a_command_that_does_not_exist_would_be_found() -> None:
    for line in ("sonevakt page test", "sonevakt page test --service a --loud", "sonevakt run everything"):
        with pytest.raises(click.UsageError):
            parsed(line)
    with pytest.raises(AssertionError):
        parsed("sonevakt dead-letters bury 1")


@pytest.mark.parametrize("name", NAMES)
def test_every_target_and_service_that_a_runbook_names_is_there(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    services = set(read(ROOT / "infra" / "compose.yaml")["services"])
    for line in commands(text(name)):
        if line.startswith("make "):
            assert line.split()[1] in targets
        if line.startswith(COMPOSE):
            verb, *words = line.removeprefix(COMPOSE).split()
            assert verb in {"ps", "logs", "up", "restart", "exec", "run"}
            words = [
                word for place, word in enumerate(words) if not word.startswith("-") and words[place - 1] != "--since"
            ]
            assert set(words[:1] if verb in {"exec", "run"} else words) <= services, line
            if verb == "run":  # what follows the service is a command of ours
                parsed(f"sonevakt {line.partition(f' {words[0]} ')[2]}")


@cache
def files_of_secrets() -> frozenset[str]:
    """Every file of a secret that compose gives to a service, as `secrets/NAME`."""
    compose = (ROOT / "infra" / "compose.yaml").read_text("utf-8")
    return frozenset(re.findall(r"(?:file|source): (?:\./)?(secrets/\S+)", compose))


@cache
def words_of_ours() -> frozenset[str]:
    """Every word in the source and in compose."""
    files = [*(ROOT / "agents").rglob("*.py"), *(ROOT / "schemas").rglob("*.py"), ROOT / "infra" / "compose.yaml"]
    return frozenset(word for path in files for word in re.findall(r"\w+", path.read_text("utf-8")))


@pytest.mark.parametrize("name", NAMES)
def test_every_series_in_a_runbook_s_queries_is_there(name: str) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    shown = {row["series"] for row in describe()} | OF_THE_CLIENT | {"process_cpu_seconds_total"}
    for query in queries(text(name)):
        assert series(query) <= shown, query
        assert recorded_in(query) <= recorded, query


@pytest.mark.parametrize("name", NAMES)
def test_every_other_name_in_a_runbook_is_there(name: str) -> None:
    settings = {variable(field) for field in Settings.__struct_fields__}
    series_of_ours = {row["series"] for row in describe()}
    secrets = files_of_secrets()
    named = [inline for _, _, inline in CODE.findall(text(name)) if inline]
    for one in named:
        if one.startswith("SONEVAKT_"):
            assert one in settings
        elif one.startswith("sonevakt_"):
            assert one in series_of_ours
        elif one.startswith("infra/secrets/") and one != "infra/secrets/README.md":
            assert one.removeprefix("infra/") in secrets, one
        elif re.fullmatch(r"(infra|docs)/\S+", one):
            assert (ROOT / one).exists(), one
        elif re.fullmatch(r"([A-Z][a-z]+){2,}", one):
            assert one in NAMES or one.endswith("Error"), one
        elif re.fullmatch(r"[a-z]+(_[a-z]+)+", one):
            assert one in words_of_ours(), one


def test_a_secret_that_nobody_gives_to_a_service_would_be_found() -> None:
    assert {"secrets/platform_critical", "secrets/directory.key", "secrets/paging/link.key"} <= files_of_secrets()
    assert "secrets/influxdb_token" not in files_of_secrets()


def test_every_command_that_an_alert_itself_tells_of_exists() -> None:
    told = " ".join(value for alert in alerts() for value in alert.annotations.values())
    named = [line.split()[1:3] for line in re.findall(r"`(sonevakt [^`]+)`", told)]
    assert named
    for command, *word in named:
        found = main.commands[command]
        assert not isinstance(found, click.Group) or word[0] in found.commands
