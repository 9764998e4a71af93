"""A patient directory that fails: pages by pseudonym stand, the access log tells what happened, and so does the log."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from agents import databases
from agents.board import identifying
from agents.directory.directory import Directory
from agents.directory.identity import Identity
from agents.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agents.board.fields import Entered
    from tests.agents.board.conftest import Shown
    from tests.agents.conftest import Eventually

AT = "/patients/p-1/identity"
SECRET = "Utterly Unique"  # noqa: S105 - a name of nobody


@pytest.fixture
async def directory(shown: Shown, tmp_path: Path) -> AsyncIterator[Directory]:
    opened = Directory(
        databases.opened(f"sqlite:///{tmp_path / 'directory.sqlite'}"), Keys({1: b"k" * 32}), shown.desk.now
    )
    await opened.open()
    await opened.put("p-1", Identity(name=SECRET))
    shown.desk.directory = opened
    yield opened
    await opened.close()


class Ailing:
    """A directory that fails in some of what it is asked."""

    def __init__(self, whole: Directory, *fails: str) -> None:
        self._whole = whole
        self._fails = fails

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        async def failing(*_: Any) -> Any:  # noqa: ANN401 - whatever it is asked
            raise OSError(f"no connection while asked for p-1, {SECRET}")

        return failing if name in self._fails else getattr(self._whole, name)


def outcomes(shown: Shown, action: str) -> list[str]:
    return [entry.outcome for entry in shown.access.entries if entry.action == action]


async def based_on(shown: Shown) -> str:
    found: str = re.findall(r'name="based_on" value="([^"]+)"', (await shown.get(AT))[1])[0]
    return found


async def test_the_access_log_says_of_an_entry_that_was_not_kept_that_it_is_not_confirmed(
    shown: Shown, directory: Directory
) -> None:
    began = await based_on(shown)
    shown.desk.directory = Ailing(directory, "put")  # type: ignore[assignment] # it stands for one
    code, html, _ = await shown.post(AT, name="Another Name", based_on=began)
    assert (code, "Not confirmed: the patient directory does not answer." in html) == (503, True)
    assert outcomes(shown, "edit_identity") == ["begun", "unconfirmed"]
    shown.desk.directory = directory
    assert (await shown.post(AT, name="Another Name", based_on=began))[0] == 303
    assert outcomes(shown, "edit_identity")[2:] == ["begun", "done"]
    assert await directory.of("p-1") == Identity(name="Another Name")


async def test_an_entry_that_is_refused_before_it_is_tried_is_no_change(shown: Shown, directory: Directory) -> None:
    began = await based_on(shown)
    await directory.put("p-1", Identity(name="Theirs"))
    assert (await shown.post(AT, name="Mine", based_on=began))[0] == 409
    assert (await shown.post(AT, name="", based_on=began))[0] == 422
    assert outcomes(shown, "edit_identity") == []
    assert await directory.of("p-1") == Identity(name="Theirs")


async def test_of_two_who_write_at_the_same_time_none_undoes_the_other_unseen(
    shown: Shown, directory: Directory, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, read = await based_on(shown), identifying._identity
    came: list[Identity | None] = []
    goes_on = asyncio.Event()

    class Slow:
        async def of(self, pseudonym: str) -> Identity | None:
            found = await directory.of(pseudonym)
            await goes_on.wait()
            return found

        async def put(self, patient: str, identity: Identity) -> None:
            await directory.put(patient, identity)

    def reading(entered: Entered) -> Identity | None:
        came.append(read(entered))
        return came[-1]

    shown.desk.directory = Slow()  # type: ignore[assignment] # what the form asks of it
    monkeypatch.setattr(identifying, "_identity", reading)
    posts = [
        asyncio.create_task(shown.post(AT, who, name=name, based_on=began))
        for who, name in (("nurse-1", "One"), ("coordinator-1", "Two"))
    ]
    await eventually(lambda: len(came) == 2)
    goes_on.set()
    assert sorted([(await one)[0] for one in posts]) == [303, 409]
    assert await directory.of("p-1") == came[0]


@pytest.mark.parametrize(
    ("ask", "code", "said"),
    [
        ("/patients/p-1", 200, "Names cannot be shown now."),
        ("/", 200, "p-1"),
        (AT, 503, "Names cannot be shown now"),
    ],
)
async def test_a_directory_that_fails_is_told_to_the_log_by_its_kind_and_to_the_reader_in_words(
    shown: Shown, directory: Directory, ask: str, code: int, said: str
) -> None:
    shown.desk.directory = Ailing(directory, "of", "many")  # type: ignore[assignment] # it stands for one
    with capture_logs() as logged:
        answered, html, _ = await shown.get(ask)
    assert (answered, said in html) == (code, True)
    assert logged == [{"event": "directory_failed", "error": "OSError", "log_level": "warning"}]


async def test_a_search_in_a_directory_that_fails_is_not_done_and_names_nobody(
    shown: Shown, directory: Directory
) -> None:
    shown.desk.directory = Ailing(directory, "search")  # type: ignore[assignment] # it stands for one
    with capture_logs() as logged:
        code, html, _ = await shown.post("/search", words=SECRET)
    assert (code, "Names cannot be shown now." in html) == (503, True)
    assert logged == [{"event": "directory_failed", "error": "OSError", "log_level": "warning"}]


async def test_that_a_patient_is_erased_is_said_and_is_no_failure(shown: Shown, directory: Directory) -> None:
    await directory.erase("p-1")
    with capture_logs() as logged:
        assert "Erased from the patient directory" in (await shown.get("/patients/p-1"))[1]
        assert (await shown.get(AT))[0] == 410
    assert logged == []
