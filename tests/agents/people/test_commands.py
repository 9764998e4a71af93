"""`sonevakt users`, `keys`, `audit`, `export`, `erase` and `directory`, as an operator calls them."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from agents.access import files
from agents.access.files import Draft
from agents.broker.embedded import EmbeddedBroker
from agents.commands.main import main
from agents.directory.identity import Identity
from agents.keys import load
from agents.people.opening import opened_directory
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.settings import read
from pipeline.triage import step
from schemas.assessments import Assessment
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS
from tests.agents.access.test_log import NOW
from tests.histories import PATIENT, SPO2_LIMITS, at, enrolled, signed, spo2, submitted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

PASSWORD = "four words nobody says"  # noqa: S105 - made up
ONE = Identity(name="Patient One", telephone="+47 000 00 001")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own, with keys."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SONEVAKT_USERS_FILE", "users.json")
    monkeypatch.setenv("SONEVAKT_DIRECTORY_KEY_FILE", "keys/directory")
    monkeypatch.setenv("SONEVAKT_ACCESS_KEY_FILE", "keys/access")
    for name in ("directory", "access"):
        assert run("keys", "new", f"keys/{name}").output == "version 1\n"
    return tmp_path


def run(*arguments: str, given: str = "", **settings: str) -> Result:
    env = {f"SONEVAKT_{name.upper()}": value for name, value in settings.items()}
    return CliRunner().invoke(main, list(arguments), input=given, env=env)


def add(ref: str = "nurse-1", password: str = PASSWORD) -> Result:
    return run(
        "users", "add", ref, "--name", "Nurse One", "--role", "nurse", "--service", "north", given=f"{password}\n"
    )


def put(patient: str, identity: Identity) -> None:
    async def work() -> None:
        async with opened_directory(read(os.environ)) as directory:
            await directory.put(patient, identity)

    asyncio.run(work())


def test_a_user_is_added_listed_changed_disabled_and_enabled() -> None:
    assert (add().exit_code, add("nurse-2").output) == (0, "added nurse-2\n")
    assert run("users", "list").output.splitlines() == [
        "nurse-1  active  nurse  north",
        "nurse-2  active  nurse  north",
    ]
    assert run("users", "password", "nurse-1", given="another four words together\n").output == "changed nurse-1\n"
    assert run("users", "disable", "nurse-2").output == "disabled nurse-2\n"
    (one, two) = json.loads(run("users", "list", "--json").output)
    assert (one["ref"], one.get("disabled"), two["disabled"]) == ("nurse-1", None, True)
    assert "password" not in one
    assert run("users", "enable", "nurse-2").exit_code == 0
    assert "disabled" not in run("users", "list").output


def test_a_password_is_no_argument_and_is_never_shown(environment: Path) -> None:
    added = add()
    assert PASSWORD not in added.output + added.stderr + (environment / "users.json").read_text()
    assert (environment / "users.json").stat().st_mode & 0o777 == 0o600
    assert run("users", "add", "nurse-3", "--password", PASSWORD).exit_code == 2


WRONG = [
    (["users", "add", "01017012345", "--name", "N", "--role", "nurse"], PASSWORD, "a reference takes"),
    (["users", "add", "nurse-1", "--name", "N", "--role", "nurse"], PASSWORD, "nurse-1 is a user already"),
    (["users", "add", "nurse-2", "--name", "N", "--role", "nurse"], "short", "a password has at least 12"),
    (["users", "add", "nurse-2", "--name", "N", "--role", "nurse"], "", "a password has at least 12"),
    (["users", "add", "nurse-2", "--name", "N", "--role", "nurse", "--service", "A B"], PASSWORD, "--name takes"),
    (["users", "password", "nurse-9"], PASSWORD, "there is no user of that reference"),
    (["users", "disable", "nurse-9"], "", "there is no user of that reference"),
    (["users", "sign-out", "nurse-1"], "", "SONEVAKT_SESSIONS_FILE is not there"),
    (["audit", "verify"], "", "SONEVAKT_ACCESS_FOLDER is no folder"),
    (["export", "patient", "a b", "--to", "x", "--by", "op-1"], "", "a pseudonym takes"),
    (["export", "patient", "p-1", "--to", "x", "--by", "A Name"], "", "--by takes a reference"),
    (["export", "patient", "p-1", "--to", "users.json", "--by", "op-1"], "", "users.json is there already"),
    (["export", "patient", "p-1", "--to", "x", "--by", "op-1"], "", "SONEVAKT_BROKER is embedded"),
    (["erase", "patient", "p-1", "--by", "op-1", "--why", " ", "--yes"], "", "--why takes"),
]


@pytest.mark.parametrize(("arguments", "given", "told"), WRONG)
def test_a_mistake_is_one_sentence(arguments: list[str], given: str, told: str) -> None:
    add()
    found = run(*arguments, given=given)
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith(f"sonevakt: {told}")


@pytest.mark.parametrize("missing", ["USERS_FILE", "ACCESS_KEY_FILE", "DIRECTORY_KEY_FILE"])
def test_a_file_that_is_not_named_is_named_in_the_sentence(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(f"SONEVAKT_{missing}")
    commands = {
        "USERS_FILE": ["users", "list"],
        "ACCESS_KEY_FILE": ["audit", "verify"],
        "DIRECTORY_KEY_FILE": ["directory", "rewrap"],
    }
    found = run(*commands[missing])
    assert (found.exit_code, found.stderr.startswith(f"sonevakt: SONEVAKT_{missing} must be set")) == (2, True)


def log(environment: Path, *patients: str) -> None:
    keys = load("access_key_file", "keys/access")
    folder = environment / "data" / "access"
    folder.mkdir(parents=True, exist_ok=True)
    files.append(folder, [Draft(NOW, "nurse-1", "see_patient", one, "north", "done") for one in patients], keys)


def test_the_log_is_verified_and_tells_who_looked(environment: Path) -> None:
    log(environment, "p-1", "p-2", "p-1")
    found = run("audit", "verify")
    assert (found.exit_code, found.output.splitlines()) == (
        0,
        [
            "entries intact: 3",
            f"first: 1, {NOW.isoformat()}",
            f"last: 3, {NOW.isoformat()}",
            "the log is intact",
        ],
    )
    assert (
        run("audit", "who", "--patient", "p-1").output == f"{NOW.isoformat()}  nurse-1  see_patient  done  north\n" * 2
    )


def test_a_log_that_was_changed_is_told_with_its_place(environment: Path) -> None:
    log(environment, "p-1", "p-2", "p-1")
    (path,) = files.months(environment / "data" / "access")
    path.write_bytes(path.read_bytes().replace(b"p-2", b"p-3"))
    (environment / "copy").mkdir()
    for one in (environment / "data" / "access").glob("*"):
        (environment / "copy" / one.name).write_bytes(one.read_bytes())
    found = run("audit", "verify", "--folder", "copy")
    assert (found.exit_code, found.output.splitlines()[0]) == (1, "entries intact: 1")
    assert found.output.splitlines()[-1] == f"BROKEN at {path.name}, line 2: is not as it was sealed"
    assert run("audit", "who", "--patient", "p-3").exit_code == 1


def test_erasing_says_what_stays_and_is_recorded() -> None:
    put("p-1", ONE)
    asked = run("erase", "patient", "p-1", "--by", "op-1", "--why", "The patient asked.", given="n\n")
    assert asked.exit_code == 1
    found = run("erase", "patient", "p-1", "--by", "op-1", "--why", "The patient asked.", "--yes")
    assert (found.exit_code, found.output.splitlines()[0]) == (0, "erased p-1")
    assert "stays under the pseudonym" in found.output
    assert "90 days" in found.output
    again = run("erase", "patient", "p-1", "--by", "op-1", "--why", "Once more.", "--yes")
    assert again.output.startswith("p-1 had no entry; none can be made any more")
    looked = run("audit", "who", "--patient", "p-1").output.splitlines()
    assert [line.split("  ")[1:] for line in looked] == [
        ["op-1", "erase", "begun", "-", "The patient asked."],
        ["op-1", "erase", "done", "-", "The patient asked."],
        ["op-1", "erase", "begun", "-", "Once more."],
        ["op-1", "erase", "done", "-", "Once more."],
    ]


def test_the_directorys_key_is_exchanged() -> None:
    put("p-1", ONE)
    assert run("keys", "new", "keys/directory").output == "version 2\n"
    assert run("directory", "rewrap").output == "closed anew: 1\n"
    assert run("directory", "rewrap").output == "closed anew: 0\n"


EVENTS = [
    (CARE, enrolled()),
    (CARE, signed(0, SPO2_LIMITS)),
    (SUBMISSIONS, submitted("well", 10, spo2(95, 10))),
    (SUBMISSIONS, submitted("ill", 34, spo2(84, 34))),
]


@pytest.fixture
def broker() -> Iterator[dict[str, str]]:
    """A broker with a patient's history, and the settings that lead to it."""
    with EmbeddedBroker(partitions=3, prefix="t-") as running:
        feed = Feed(running.bootstrap, prefix="t-", partitions=3, group="")

        async def fill() -> None:
            state, assessed = None, []
            for _, message in EVENTS:
                state, outputs = step(state, message)
                assessed += [(ASSESSMENTS, one) for one in outputs if isinstance(one, Assessment)]
            async with feed.producing() as producer:
                await feed.send_all(producer, [Event(at(0), topic, one) for topic, one in [*EVENTS, *assessed]])  # type: ignore[arg-type] # assessments are messages too

        asyncio.run(fill())
        yield {"broker": f"kafka://{running.bootstrap}", "topic_prefix": "t-", "partitions": "3"}


def test_a_patients_own_extract_holds_everything_about_them_and_who_looked(
    environment: Path, broker: dict[str, str]
) -> None:
    put(PATIENT, ONE)
    put("p-other", Identity(name="Patient Other"))
    log(environment, PATIENT, "p-other")
    found = run("export", "patient", PATIENT, "--to", "extract.json", "--by", "op-1", **broker)
    assert (found.exit_code, found.output) == (0, "care: 2, submissions: 2, assessments: 2, who_looked: 2\n"), (
        found.stderr
    )
    text = (environment / "extract.json").read_text()
    extract = json.loads(text)
    assert (environment / "extract.json").stat().st_mode & 0o777 == 0o600
    assert extract["patient"] == PATIENT
    assert extract["directory"] == {"name": "Patient One", "telephone": "+47 000 00 001"}
    assert [event["message"]["type"] for event in extract["care"]] == ["enrolled", "plan_signed"]
    assert [one["message"]["zone"] for one in extract["assessments"]] == ["green", "red"]
    assert [(one["person"], one["action"]) for one in extract["who_looked"]] == [
        ("nurse-1", "see_patient"),
        ("op-1", "export"),
    ]
    assert "p-other" not in text
    assert run("export", "patient", PATIENT, "--to", "extract.json", "--by", "op-1", **broker).exit_code == 2


def test_the_extract_of_an_erased_patient_says_so(environment: Path, broker: dict[str, str]) -> None:
    put(PATIENT, ONE)
    run("erase", "patient", PATIENT, "--by", "op-1", "--why", "The patient asked.", "--yes")
    found = run("export", "patient", PATIENT, "--to", "extract.json", "--by", "op-1", **broker)
    extract = json.loads((environment / "extract.json").read_text())
    assert (found.exit_code, extract["directory"]) == (0, None)
    assert extract["erased_from_directory_at"] is not None
    assert len(extract["submissions"]) == 2
