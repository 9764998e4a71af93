"""docs/operations.md tells of nothing that is not there: commands, options, targets, settings, files, metrics."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import click
import msgspec
import pytest

from agents import settings
from agents.commands import main
from agents.processes import NAMES
from schemas.dead_letters import DeadLetterReason
from schemas.people import Role
from schemas.topics import TOPICS
from tests.docs.guide import INLINE, Block, blocks, commands, prose

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = blocks(PAGE)
SHELL = [block for block in BLOCKS if block.kind == "sh"]
COMPOSE = (ROOT / "infra" / "compose.yaml").read_text(encoding="utf-8")
RUN = COMPOSE.partition("\nservices:\n")[2].partition("\nnetworks:\n")[0]
SERVICES = set(re.findall(r"^  ([a-z]+):$", RUN, re.MULTILINE))
IMAGE = f"sonevakt:{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}"
SECRETS = (ROOT / "infra" / "secrets" / "README.md").read_text(encoding="utf-8")
# Of `docker compose`, as its own reference has them; those that take a service take it first.
ON_SERVICES = {"build", "exec", "logs", "ps", "restart", "run", "start", "stop", "up"}
WITH_VALUE = {"--user", "--volume"}
# What the page may call besides ours: of Docker, systemd, Debian's base system, util-linux and Python.
OTHERS = {
    *("assert", "chmod", "chown", "cp", "date", "docker", "find", "flock", "for", "grep", "install", "mkdir", "mv"),
    *("python3", "systemctl", "umask", "useradd", "/opt/sonevakt/bin/pip"),
}
FILE = re.compile(
    r"^(?:\.\./)?(?P<path>(?:agents|benchmarks|dashboards|docs|infra|requirements|schemas|tests)/[\w@./-]+)$"
)
MADE = {"infra/.env"}  # by whoever installs it


def shown(block: Block) -> str:
    return f"{block.heading}: {block.text.splitlines()[0][:40]}"


def inline() -> list[str]:
    """What the prose gives as code."""
    return [" ".join(found.split()) for found in INLINE.findall(prose(PAGE))]


def told() -> list[list[str]]:
    """Every command of the page: of its blocks, and of its prose where it begins with one that we know."""
    found = [words for block in SHELL for words in commands(block.text)]
    for code in inline():
        if code.split()[0] in {"sonevakt", "make", "docker", "systemctl"}:
            found += commands(code.replace("...", ""))
    return found


def resolved(words: list[str]) -> click.Command:
    """The command of ours that `words` call; raises click.UsageError where they call it wrongly."""
    command: click.Command = main
    path: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            raise click.UsageError(f"sonevakt {' '.join([*path, words[0]])} is no command")
        path.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    if isinstance(command, click.Group):  # told of as a whole, as `sonevakt users`
        return command
    try:
        command.make_context(" ".join(path), list(words))
    except click.MissingParameter:
        if words:  # in prose a command is often told of by its name alone
            raise
    except click.BadParameter as error:
        if not isinstance(error.param.type if error.param else None, click.Path):
            raise  # a path of the reader's machine is not here
    return command


def ours(words: list[str]) -> list[str] | None:
    """The arguments to `sonevakt` in a command, however it is called; None where it is another's."""
    if words[0] == "sonevakt":
        return words[1:]
    if words[:2] == ["docker", "run"] and IMAGE in words:
        return words[words.index(IMAGE) + 1 :]
    if words[:2] == ["docker", "compose"] and "run" in words:
        after = [word for word in words[words.index("run") + 1 :] if not word.startswith("-") or word == "--"]
        rest = words[words.index(after[0]) + 1 :] if after else []
        return rest if after and after[0] in SERVICES else None
    return None


def test_there_is_what_the_page_is_read_for() -> None:
    headings = {block.heading for block in BLOCKS}
    assert headings >= {"Install with Docker", "Kafka", "InfluxDB", "The board", "Restore", "TLS", "Upgrade"}
    assert len([words for words in told() if ours(words)]) > 25


@pytest.mark.parametrize("block", SHELL, ids=shown)
def test_a_shell_can_read_every_block(block: Block) -> None:
    command = ["bash", "-n"]
    done = subprocess.run(command, input=block.text, capture_output=True, text=True, check=False)  # noqa: S603 - reads it, runs nothing
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [words for words in told() if ours(words) is not None], ids=" ".join)
def test_every_command_of_ours_exists_with_its_options(words: list[str]) -> None:
    resolved(ours(words) or [])


@pytest.mark.parametrize(
    "wrong",
    ["sonevakt store rebild", "sonevakt users add --nmae x", "sonevakt run triag", "sonevakt users add nurse-1"],
)
def test_a_command_that_is_told_of_wrongly_is_found(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        resolved(wrong.split()[1:])


def test_nothing_else_is_called_but_what_every_such_machine_has() -> None:
    called = {words[0] for words in told() if ours(words) is None}
    assert called - OTHERS - {"make"} == set()


def test_compose_is_called_with_its_own_commands_and_our_services() -> None:
    calls = [words for words in told() if words[:2] == ["docker", "compose"]]
    assert len(calls) > 8
    for words in calls:
        assert words[2:4] == ["-f", "infra/compose.yaml"], words
        rest = [word for word in words[4:] if not word.startswith("-")]
        if not rest:
            continue
        assert rest[0] in ON_SERVICES, words
        named = rest[1:2] if rest[0] in {"exec", "run"} else rest[1:]
        assert {name for name in named if name not in {"SERVICE", "$name"}} - SERVICES == set(), words


def test_every_volume_and_network_of_docker_is_that_of_compose() -> None:
    name = re.search(r"^name: (\w+)$", COMPOSE, re.MULTILINE)
    assert name
    for found in re.findall(rf"\b{name[1]}_(\w+)", TEXT):
        metric = f"{name[1]}_{found}"
        assert re.search(rf"^  {found}:", COMPOSE, re.MULTILINE) or f"`{metric}`" in metrics(), metric


def metrics() -> str:
    return (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")


def test_every_target_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[1] for words in told() if words[0] == "make"}
    assert named
    assert named - targets == set()


def test_every_setting_is_one() -> None:
    known = {settings.variable(field) for field in settings.Settings.__struct_fields__}
    named = {name for name in re.findall(r"\bSONEVAKT_[A-Z_]+\b", TEXT) if name != "SONEVAKT_"}
    assert len(named) > 20
    assert named - known == set()


def test_the_settings_of_each_file_are_read_as_they_stand() -> None:
    files = [block.text for block in BLOCKS if block.kind == "ini" and "SONEVAKT_" in block.text]
    assert len(files) == 2
    for text in files:
        read = settings.read(dict(line.split("=", 1) for line in text.splitlines()))
        assert msgspec.structs.asdict(read)["board_url"] == "https://board.example"


def test_what_kafka_needs_is_what_compose_gives_it() -> None:
    lines = [block.text for block in BLOCKS if block.kind == "ini" and "SONEVAKT_" not in block.text]
    assert len(lines) == 1
    for line in lines[0].splitlines():
        name, _, value = line.partition("=")
        assert f'KAFKA_{name.upper().replace(".", "_")}: "{value}"' in COMPOSE, name


def test_every_file_of_ours_is_there() -> None:
    words = [word for block in SHELL for one in commands(block.text) for word in one]
    paths = {found["path"] for word in [*words, *inline()] if (found := FILE.match(word.strip('"').rstrip(".,")))}
    assert len(paths) > 10
    for path in paths - MADE:
        secret = path.removeprefix("infra/secrets/")
        if secret != path:
            assert re.search(rf"^\| `{re.escape(secret)}[`/]", SECRETS, re.MULTILINE), path
        else:
            assert (ROOT / path).exists(), path


def test_every_metric_is_one() -> None:
    named = set(re.findall(r"`(sonevakt_[a-z_]+)`", TEXT)) - {"sonevakt_outside"}
    assert named
    assert {name for name in named if f"`{name}`" not in metrics()} == set()


def test_what_must_be_backed_up_names_every_topic() -> None:
    table = TEXT.partition("## What must be backed up")[2].partition("\n## ")[0]
    topics = {topic.name for topic in TOPICS} | {"triage-state-changelog", "__consumer_offsets"}
    rows = re.findall(r"^\| topics? (.+?) \|", table, re.MULTILINE)
    named = Counter(name for row in rows for name in re.findall(r"`([\w-]+)`", row))
    assert named == Counter(topics)


def test_every_process_role_and_reason_is_one() -> None:
    table = TEXT.partition("## What runs")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(NAMES)
    roles = re.search(r"Roles are (.+?); what", TEXT.replace("\n", " "))
    assert roles
    assert re.findall(r"`(\w+)`", roles[1]) == [role.value for role in Role]
    reasons = {words[words.index("--reason") + 1] for words in told() if "--reason" in words}
    assert reasons
    assert reasons <= {reason.value for reason in DeadLetterReason}


def test_there_are_ten_checks_on_the_first_grafana() -> None:
    section = TEXT.partition("## The first real Grafana")[2]
    assert re.findall(r"^(\d+)\. \*\*", section, re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_an_upgrade_exchanges_every_process() -> None:
    upgrade = [block.text for block in SHELL if block.heading == "Upgrade"]
    one_by_one = re.search(r"for name in (.+?); do", upgrade[0])
    assert one_by_one
    assert sorted(one_by_one[1].split()) == sorted(NAMES)
    stop = next(words for words in commands(upgrade[1]) if "stop" in words)
    assert sorted(stop[stop.index("stop") + 1 :]) == sorted(NAMES)


def test_the_unit_of_systemd_runs_each_process_with_the_files_that_the_page_tells_of() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # names of settings are told apart by case
    unit.read(ROOT / "infra" / "systemd" / "sonevakt@.service")
    service = unit["Service"]
    assert shlex.split(service["ExecStart"]) == ["/opt/sonevakt/bin/sonevakt", "run", "%i"]
    assert "python3 -m venv /opt/sonevakt\n" in TEXT
    assert "EnvironmentFile=/etc/sonevakt/sonevakt.env\n" in (ROOT / "infra/systemd/sonevakt@.service").read_text()
    assert "`/etc/sonevakt/sonevakt.env`" in TEXT
    assert (service["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    started = {word.removeprefix("sonevakt@") for words in told() for word in words if word.startswith("sonevakt@")}
    assert started == set(NAMES)
