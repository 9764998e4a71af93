"""Nothing of who a patient is, and no secret, comes into logs, metrics, Kafka's messages or the access log."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents import logs, settings, wallclock
from agents.directory.identity import ErasedError, Identity
from agents.keys import add
from agents.metrics import Metrics
from agents.people import demo
from agents.people.opening import opened, opened_directory
from agents.people.origin import unmasked
from tests.agents.people.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.agents.people.conftest import Board

ONE = Identity(
    name="Patient Utterly-Unique",
    year_of_birth=1941,
    telephone="+47 987 65 432",
    relative_name="Relative Utterly-Unique",
    relative_telephone="+47 987 65 433",
    gp="Practice Utterly-Unique",
    note="A note utterly unique.",
)
PATIENT = "p-utterly-unique"
TIME = re.compile(r'"timestamp": "[^"]*"')  # its digits are any four, some day those of a year


def series(metrics: Metrics) -> str:
    """Return all that metrics tell but for the numbers themselves, of which none is a patient's."""
    return "\n".join(line.rpartition(" ")[0] for line in generate_latest(metrics.registry).decode().splitlines())


async def test_logs_and_metrics_hold_nothing_of_a_patient_whatever_is_done_with_the_directory(tmp_path: Path) -> None:
    stream = io.StringIO()
    logs.configure("board", level="debug", strict=True, stream=stream)
    for name in ("aiosqlite", "sqlalchemy.engine", "sqlalchemy.pool"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    metrics = Metrics(CollectorRegistry())
    logins = demo.people(tmp_path, ("north",), wallclock.now())
    placed = demo.settings_in(tmp_path, settings.Settings())
    async with opened(placed, metrics) as people:
        directory, access = people.directory, people.access
        await directory.put(PATIENT, ONE)
        await directory.put(PATIENT, msgspec.structs.replace(ONE, gp="Practice Two Utterly-Unique"))
        with pytest.raises(msgspec.ValidationError):
            await directory.put(PATIENT, msgspec.structs.replace(ONE, name="Utterly-Unique" * 20))
        await directory.many([PATIENT])
        await directory.search("Utterly-Unique", [PATIENT])
        await access.add("nurse", "see_identity", PATIENT, "north")
        await access.add("nurse", "edit_identity", PATIENT, "north")
        add(tmp_path / "other.key")
        with pytest.raises(settings.SettingsError) as wrong_key:
            async with opened_directory(
                msgspec.structs.replace(placed, directory_key_file=str(tmp_path / "other.key"))
            ):
                raise AssertionError
        await directory.rewrap()
        await directory.erase(PATIENT)
        with pytest.raises(ErasedError) as erased:
            await directory.of(PATIENT)
    for name in ("aiosqlite", "sqlalchemy.engine", "sqlalchemy.pool"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    log = b"".join(path.read_bytes() for path in (tmp_path / "access").glob("access-*.jsonl")).decode()
    log = re.sub(r'"(at|prev|seal)":"[^"]*"', "", log)  # the same of an entry's time and hashes
    written = "\n".join([TIME.sub("", stream.getvalue()), series(metrics), str(erased.value), str(wrong_key.value)])
    assert stream.getvalue() != ""
    for value in msgspec.structs.asdict(ONE).values():
        assert str(value) not in written
        assert str(value) not in log
    assert "tterly" not in written.replace(PATIENT, "")
    assert PATIENT not in written
    assert log.count(PATIENT) == 2
    for login in logins:
        assert login.password not in written + log + (tmp_path / "users.json").read_text()


async def test_signing_in_leaves_no_password_reference_or_session_in_logs_and_metrics(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    stream = io.StringIO()
    logs.configure("board", level="debug", strict=True, stream=stream)
    board = await open_board()
    nurse = await board.nurse()
    await board.browser().sign_in("nurse-1", "wrong-password-utterly-unique")
    await board.browser().sign_in("reference-utterly-unique", PASSWORD)
    await nurse.get("/patients/p-north")
    await nurse.get("/patients/p-south")
    await nurse.get("/nowhere/p-utterly-unique")
    csrf = await nurse.csrf()
    await nurse.post("/logout", {"csrf": csrf})
    written = stream.getvalue() + series(board.metrics)
    for secret in (
        PASSWORD,
        "unique",
        csrf,
        unmasked(csrf).decode(),
        "nurse-1",
        "p-north",
        "p-south",
        *nurse.cookies.values(),
    ):
        assert secret not in written
