"""`sonevakt dead-letters` as an operator uses it, on an embedded broker."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from agents.commands import main
from agents.commands.dead_letters import group
from agents.dead_letters import acting as acting_module
from agents.partitioner import partition_for
from schemas.codec import Codec
from schemas.dead_letters import DeadLetterAct, DeadLetterAction
from tests.agents.dead_letters.conftest import AT_MS, PARTITIONS, PREFIX

if TYPE_CHECKING:
    from click.testing import Result

    from tests.agents.dead_letters.conftest import Installation

ACTS = Codec[DeadLetterAct](DeadLetterAct)
README = Path(__file__).parents[3] / "README.md"
SECRET = b'{"patient": "sim-0001", "spo2": 61}'
NOBODY = "kafka://127.0.0.1:1"
BY = ("--by", "operator-1")
WHY = ("--why", "Sent by a test of the vendor.")


async def told(installation: Installation, *arguments: str, stdin: str | None = None) -> Result:
    """Outcome of the command, which has an event loop of its own."""
    env = {"SONEVAKT_BROKER": f"kafka://{installation.bootstrap}", "SONEVAKT_TOPIC_PREFIX": PREFIX}
    return await asyncio.to_thread(CliRunner().invoke, main, ["dead-letters", *arguments], env=env, input=stdin)


async def acts(installation: Installation) -> list[tuple[bytes, DeadLetterAction, str, str | None]]:
    """Every act that is written down, with its key."""
    found = [(record.key, ACTS.decode(record.value)) for record in await installation.on("dead-letter-acts")]
    assert all(key == f"{act.topic}/{act.partition}/{act.offset}".encode() for key, act in found)
    return [(key, act.action, act.by, act.why) for key, act in found]


async def listed(installation: Installation, *options: str) -> list[dict[str, Any]]:
    done = await told(installation, "list", "--json", *options)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


async def ids(installation: Installation, *options: str) -> list[str]:
    return [one["id"] for one in await listed(installation, *options)]


async def test_a_list_names_what_is_open_and_nothing_of_what_it_holds(installation: Installation) -> None:
    assert (await told(installation, "list")).stdout == "there is none\n"
    told_by = {"field": "readings[0]", "process": "triage"}
    await installation.bury(SECRET, number=8, at_ms=AT_MS + 60_000, reason="invalid", also=told_by)
    await installation.bury(SECRET, number=7)
    assert await listed(installation) == [
        {
            "id": "submissions/2/7",
            "when": "2026-03-01T08:00:00+00:00",
            "process": None,
            "reason": "not_json",
            "field": None,
            "state": "open",
        },
        {
            "id": "submissions/2/8",
            "when": "2026-03-01T08:01:00+00:00",
            "process": "triage",
            "reason": "invalid",
            "field": "readings[0]",
            "state": "open",
        },
    ]
    done = await told(installation, "list")
    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["id", "when", "process", "reason", "field", "state"],
        ["submissions/2/7", "2026-03-01T08:00:00+00:00", "-", "not_json", "-", "open"],
        ["submissions/2/8", "2026-03-01T08:01:00+00:00", "triage", "invalid", "readings[0]", "open"],
    ]


async def test_of_a_message_that_several_could_not_work_with_a_list_names_them_all(installation: Installation) -> None:
    for at_ms, process in ((AT_MS + 2, "triage"), (AT_MS + 1, "storing"), (AT_MS + 3, "storing")):
        await installation.bury(topic="receipts", at_ms=at_ms, also={"process": process})
    await installation.bury(topic="receipts", at_ms=AT_MS)  # by a version before
    assert [one["process"] for one in await listed(installation)] == ["storing,triage"]
    lines = (await told(installation, "show", "receipts/2/7")).stdout.splitlines()
    assert "written 2026-03-01T08:00:00+00:00 by storing and triage" in lines


async def test_a_list_is_narrowed_by_reason_topic_time_state_and_number(installation: Installation) -> None:
    await installation.bury(number=1)
    await installation.bury(number=2, reason="invalid", at_ms=AT_MS + 60_000)
    await installation.bury(number=3, topic="care", at_ms=AT_MS + 120_000)
    assert (await told(installation, "discard", "submissions/2/1", "--yes", *BY, *WHY)).exit_code == 0
    assert await ids(installation) == ["submissions/2/2", "care/2/3"]
    assert await ids(installation, "--all") == ["submissions/2/1", "submissions/2/2", "care/2/3"]
    assert await ids(installation, "--all", "--reason", "not_json") == ["submissions/2/1", "care/2/3"]
    assert await ids(installation, "--topic", "care") == ["care/2/3"]
    assert await ids(installation, "--since", "2026-03-01T09:02:00+01:00") == ["care/2/3"]
    done = await told(installation, "list", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "1 more: --limit\n"
    assert [one["state"] for one in await listed(installation, "--all")] == ["discarded", "open", "open"]


async def test_one_letter_is_shown_whole_to_who_asks_for_it(installation: Installation) -> None:
    await installation.bury(SECRET, also={"field": "readings[0]", "process": "triage"})
    await installation.bury(b"\x1b[2J{", number=9, key=None, also={"reason": None})
    done = await told(installation, "show", "submissions/2/7")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "submissions/2/7: open"
    assert {"reason: not_json", "field: readings[0]", "topic: t-submissions", "key: sim-0001"} <= set(lines)
    assert {"written 2026-03-01T08:00:00+00:00 by triage", "process: triage"} <= set(lines)
    assert json.loads(done.stdout.split("\n\n")[1]) == json.loads(SECRET)
    done = await told(installation, "show", "submissions/2/9")
    assert "reason: -\n" in done.stdout
    assert "written 2026-03-01T08:00:00+00:00 by a process that is not named\n" in done.stdout
    assert done.stdout.endswith("key: -\nbytes: 5\n\n\\x1b[2J{\n")

    assert (await told(installation, "discard", "submissions/2/7", "--yes", *BY, *WHY)).exit_code == 0
    first, second, *_ = (await told(installation, "show", "submissions/2/7")).stdout.splitlines()
    assert first == "submissions/2/7: discarded"
    assert second.startswith("  discarded at ")
    assert second.endswith(f" by operator-1: {WHY[1]}")


async def test_a_retry_sends_the_same_bytes_and_key_to_where_they_came_from_and_then_says_so(
    installation: Installation,
) -> None:
    assert partition_for(b"sim-0001", PARTITIONS) != 2
    await installation.bury(SECRET, also={"field": "readings[0]"})
    await installation.bury(b"", number=8, key=None, topic="care", origin=1)
    done = await told(installation, "retry", "submissions/2/7", "care/1/8", "--yes", *BY)
    assert done.exit_code == 0, done.output
    assert {"retried submissions/2/7", "retried care/1/8"} <= set(done.stdout.splitlines())
    (sent,) = await installation.on("submissions")
    assert (sent.partition, sent.key, sent.value, sent.headers) == (2, b"sim-0001", SECRET, ())
    (sent,) = await installation.on("care")
    assert (sent.partition, sent.key, sent.value, sent.headers) == (1, None, b"", ())
    assert sorted(await acts(installation)) == [
        (b"care/1/8", DeadLetterAction.RETRIED, "operator-1", None),
        (b"submissions/2/7", DeadLetterAction.RETRIED, "operator-1", None),
    ]
    assert await ids(installation) == []


async def test_a_retry_twice_is_told_and_sends_nothing(installation: Installation) -> None:
    await installation.bury()
    assert (await told(installation, "retry", "submissions/2/7", "--yes", *BY)).exit_code == 0
    done = await told(installation, "retry", "submissions/2/7", "--yes", "--by", "operator-2")
    assert done.exit_code == 1
    assert done.stderr.startswith("submissions/2/7: was retried already, at ")
    assert done.stderr.endswith(" by operator-1\n")
    assert len(await installation.on("submissions")) == 1
    assert len(await acts(installation)) == 1


async def test_what_still_cannot_be_worked_with_is_open_again_by_an_id_of_its_own(installation: Installation) -> None:
    await installation.bury(number=7)
    assert (await told(installation, "retry", "submissions/2/7", "--yes", *BY)).exit_code == 0
    (sent,) = await installation.on("submissions")
    await installation.bury(number=sent.offset)
    assert await ids(installation) == [f"submissions/2/{sent.offset}"]
    assert len(await ids(installation, "--all")) == 2


@pytest.mark.parametrize(("answer", "code", "sent"), [("n\n", 1, 0), ("", 1, 0), ("y\n", 0, 2)])
async def test_it_asks_before_it_sends(installation: Installation, answer: str, code: int, sent: int) -> None:
    await installation.bury(number=1)
    await installation.bury(number=2)
    done = await told(installation, "retry", "--topic", "submissions", *BY, stdin=answer)
    assert done.exit_code == code
    assert "submissions/2/1" in done.stdout
    assert "send again 2? [y/N]" in done.stdout
    assert "comes back as a dead letter" in done.stdout
    assert len(await installation.on("submissions")) == sent
    assert len(await acts(installation)) == sent


@pytest.mark.parametrize("command", [("retry", *BY), ("discard", *BY, *WHY)])
async def test_a_dry_run_shows_what_would_be_done_and_does_nothing(
    installation: Installation, command: tuple[str, ...]
) -> None:
    await installation.bury(SECRET, number=1)
    await installation.bury(SECRET, number=2, reason="future")
    done = await told(installation, *command, "--all-open", "--dry-run", "--yes")
    assert done.exit_code == 0
    assert {"submissions/2/1", "submissions/2/2"} <= set(done.stdout.split())
    assert ": 2; nothing was done" in done.stdout
    assert ("its own time has come" in done.stdout) == (command[0] == "retry")
    assert "sim-0001" not in done.output
    assert await installation.on("submissions") == []
    assert await acts(installation) == []


async def test_a_group_is_chosen_by_reason_and_topic(installation: Installation) -> None:
    for number, reason, topic in ((1, "invalid", "care"), (2, "invalid", "submissions"), (3, "not_json", "care")):
        await installation.bury(number=number, reason=reason, topic=topic)
    done = await told(installation, "retry", "--reason", "invalid", "--topic", "care", "--yes", *BY)
    assert done.exit_code == 0
    assert "retried care/2/1\n" in done.stdout
    assert await ids(installation) == ["care/2/3", "submissions/2/2"]
    assert (await told(installation, "discard", "--topic", "care", "--yes", *BY, *WHY)).exit_code == 0
    assert await ids(installation) == ["submissions/2/2"]
    done = await told(installation, "retry", "--reason", "invalid", "--topic", "care", "--yes", *BY)
    assert (done.exit_code, done.stdout) == (0, "there is none\n")
    assert (await told(installation, "retry", "--all-open", "--yes", *BY)).exit_code == 0
    assert await ids(installation) == []


async def test_of_a_group_what_cannot_be_sent_is_named_and_the_rest_is_sent(installation: Installation) -> None:
    await installation.bury(number=1, topic="weather")  # no topic of ours
    await installation.bury(number=2)
    await installation.bury(number=3, origin=PARTITIONS)
    done = await told(installation, "retry", "--all-open", "--yes", *BY)
    assert done.exit_code == 1
    assert sorted(line.split(": ", 1)[1] for line in done.stderr.splitlines()) == sorted(
        [acting_module.NO_ORIGIN, acting_module.NO_PARTITION]
    )
    assert "retried submissions/2/2\n" in done.stdout
    assert len(await installation.on("submissions")) == 1
    left = await ids(installation)
    assert len(left) == 2
    assert (await told(installation, "discard", *left, "--yes", *BY, *WHY)).exit_code == 0
    assert await ids(installation) == []


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("assessments", "assessment_id"),
        ("zone-changes", "zone_change_id"),
        ("patient-status", "patient"),
        ("pages", "page_id"),
    ],
)
async def test_what_a_newer_message_has_replaced_is_not_sent_again(
    installation: Installation, topic: str, name: str
) -> None:
    old, new, other = (f'{{"{name}":"{which}","revision":{n}}}'.encode() for which, n in (("a", 1), ("a", 2), ("b", 1)))
    first = await installation.write(topic, old)
    second = await installation.write(topic, other)
    await installation.write(topic, other)  # a copy, as of an earlier retry, is not newer
    await installation.write(topic, new)
    await installation.bury(old, topic=topic, origin=0, number=first, reason="refused_by_store")
    await installation.bury(other, topic=topic, origin=0, number=second, reason="refused_by_store")
    done = await told(installation, "retry", "--all-open", "--yes", *BY)
    assert done.exit_code == 1
    assert done.stderr == f"{topic}/0/{first}: {acting_module.REPLACED}\n"
    assert ("a page is posted again" in done.stdout) == (topic == "pages")
    assert [record.value for record in await installation.on(topic)][4:] == [other]
    assert await ids(installation) == [f"{topic}/0/{first}"]


async def test_what_is_discarded_is_so_once_and_may_be_sent_again_after_all(installation: Installation) -> None:
    await installation.bury(number=7)
    await installation.bury(number=8)
    done = await told(installation, "discard", "submissions/2/7", "--yes", *BY, *WHY)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "discarded submissions/2/7")
    assert await installation.on("submissions") == []
    done = await told(installation, "discard", "submissions/2/7", "submissions/2/8", "--yes", *BY, *WHY)
    assert done.exit_code == 1
    assert done.stderr.startswith("submissions/2/7: was discarded already, at ")
    assert done.stdout.endswith("discarded submissions/2/8\n")
    expected = [(f"submissions/2/{n}".encode(), DeadLetterAction.DISCARDED, "operator-1", WHY[1]) for n in (7, 8)]
    assert sorted(await acts(installation)) == expected
    assert (await told(installation, "retry", "submissions/2/7", "--yes", *BY)).exit_code == 0
    assert [one["state"] for one in await listed(installation, "--all")] == ["retried", "discarded"]
    done = await told(installation, "discard", "submissions/2/7", "--yes", *BY, *WHY)
    assert done.exit_code == 1
    assert "was retried already" in done.stderr


async def test_nobody_discards_without_being_asked(installation: Installation) -> None:
    await installation.bury()
    done = await told(installation, "discard", "submissions/2/7", *BY, *WHY, stdin="n\n")
    assert done.exit_code == 1
    assert await ids(installation) == ["submissions/2/7"]


@pytest.mark.parametrize("command", [("show",), ("retry", "--yes", *BY), ("discard", "--yes", *BY, *WHY)])
async def test_an_id_that_is_not_there_is_told_and_nothing_is_done(
    installation: Installation, command: tuple[str, ...]
) -> None:
    await installation.bury(number=7)
    known = () if command[0] == "show" else ("submissions/2/7",)
    done = await told(installation, *command, *known, "submissions/2/70")
    assert done.exit_code == 2
    assert done.stderr == (
        "sonevakt: there is no dead letter submissions/2/70: it never was, or its time on the topic ran out\n"
    )
    assert await installation.on("submissions") == []
    assert await acts(installation) == []


@pytest.mark.parametrize(("errors", "sent"), [([29], 0), ([0, 29], 1)])  # not authorized: to send, to write it down
async def test_what_the_broker_does_not_confirm_is_not_done(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, errors: list[int], sent: int
) -> None:
    monkeypatch.setattr(acting_module, "REQUEST_TIMEOUT_MS", 1_000)
    await installation.bury()
    produce = 0
    installation.broker.push_request_errors(produce, errors)
    done = await told(installation, "retry", "submissions/2/7", "--yes", *BY)
    assert done.exit_code == 1
    assert done.stderr.startswith("sonevakt: the broker did not confirm it")
    assert "retried" not in done.stdout
    assert len(await installation.on("submissions")) == sent
    assert await acts(installation) == []
    assert await ids(installation) == ["submissions/2/7"]
    assert (await told(installation, "retry", "submissions/2/7", "--yes", *BY)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--since", "yesterday"), "--since takes a time with an offset"),
        (("show", "submissions"), "an id is topic/partition/offset"),
        (("retry", *BY), "choose by ids, or by --reason and --topic, or take --all-open"),
        (("retry", "submissions/2/7", "--all-open", *BY), "choose by ids"),
        (("retry", "--reason", "invalid", "--all-open", *BY), "choose by ids"),
        (("retry", "submissions/2/7", "--by", "Somebody Else"), "--by takes a reference"),
        (("retry", "weather/2/7", *BY), "an id is topic/partition/offset"),
        (("discard", "submissions/2/7", *BY, "--why", " "), "--why takes 1 to 500 characters"),
        (("discard", "submissions/2/7", *BY, "--why", "a" * 501), "--why takes 1 to 500 characters"),
        (("discard", *BY, *WHY), "choose by ids"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["dead-letters", *arguments], env={"SONEVAKT_BROKER": NOBODY})
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("sonevakt: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry", "submissions/2/7"),  # by whom?
        ("discard", "submissions/2/7", *BY),  # why?
        ("discard", "submissions/2/7", *WHY),
        ("list", "--reason", "bad luck"),
        ("list", "--limit", "0"),
        ("show",),
    ],
)
def test_what_is_left_out_or_unknown_is_wrong_use(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["dead-letters", *arguments], env={"SONEVAKT_BROKER": NOBODY})
    assert done.exit_code == 2


def test_what_readme_shows_is_how_it_is_used() -> None:
    shown = [line for line in README.read_text("utf-8").splitlines() if line.startswith("sonevakt dead-letters ")]
    assert {shlex.split(line)[2] for line in shown} == set(group.commands)
    for line in shown:
        done = CliRunner().invoke(main, shlex.split(line)[1:], env={"SONEVAKT_BROKER": NOBODY})
        assert (done.exit_code, "the broker does not answer" in done.stderr) == (1, True), done.output


def test_a_broker_that_does_not_answer_is_one_sentence() -> None:
    done = CliRunner().invoke(main, ["dead-letters", "list"], env={"SONEVAKT_BROKER": NOBODY})
    assert done.exit_code == 1
    assert done.stderr == "sonevakt: the broker does not answer: is it up, and is SONEVAKT_BROKER right?\n"
