"""A patient whose state cannot be read is with nobody and says so; nothing of it is lost, and nobody else stops."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipeline.triage import lost, state
from pipeline.triage.state import decode, encode
from schemas.paging import Tick
from tests.agents.triage.test_fold import PATIENTS, Triage, reasons
from tests.histories import at, signed, spo2, submitted

ILL, *OTHERS = PATIENTS
KEY = ILL.encode()
Told = list[tuple[str, dict[str, Any]]]


def newer(raw: bytes) -> bytes:
    """The state as the next version would write it."""
    whole = msgspec.msgpack.decode(raw)
    return msgspec.msgpack.encode([state.STATE_VERSION + 1, *whole[1:], "a field that is not known yet"])


def packed_newer(raw: bytes) -> bytes:
    """The state with care events of a kind that is not known yet."""
    return encode(msgspec.structs.replace(decode(raw), care=msgspec.msgpack.encode([[{"type": "hugged"}], []])))


def newer_session(raw: bytes) -> bytes:
    """The state with a session of a shape that is not known yet, which nothing reads before something comes late."""
    known = decode(raw)
    content = msgspec.Raw(msgspec.msgpack.encode(["sent"]))
    sessions = tuple(msgspec.structs.replace(session, content=content) for session in known.sessions)
    return encode(msgspec.structs.replace(known, sessions=sessions))


BROKEN = [newer, packed_newer, lambda raw: raw[:-9], lambda _: b"\xff", lambda _: b""]
NAMES = ["newer", "newer care events", "cut", "no MessagePack", "empty"]


def statuses(told: Told, patient: str = ILL) -> list[tuple[str, str | None]]:
    """What the patient's statuses say: zone, and the detail of the first reason."""
    return [
        (message["zone"], message["reasons"][0].get("detail"))
        for topic, message in told
        if topic == "patient-status" and message["patient"] == patient
    ]


def shown(triage: Triage) -> float | None:
    return triage.metrics.registry.get_sample_value("sonevakt_unreadable_states")


async def restarted(states: dict[bytes, bytes]) -> Triage:
    """A worker that finds these states."""
    triage = Triage()
    triage.states = dict(states)
    await triage.fold.restored(triage.states.items())
    return triage


async def broken(how: Any) -> tuple[Triage, bytes]:  # noqa: ANN401 - what breaks bytes
    """A worker that finds one patient's state broken, and what it found."""
    before = Triage()
    before.follow_all()
    raw = how(before.states[KEY])
    return await restarted({**before.states, KEY: raw}), raw


def told_at(triage: Triage, hours: float, patient: str = ILL) -> Told:
    return triage.work(triage.record("submissions", submitted(f"s{hours}", hours, spo2(80, hours)), patient))


@pytest.mark.parametrize("how", BROKEN, ids=NAMES)
async def test_each_message_of_the_patient_is_a_dead_letter_and_the_others_are_judged(how: Any) -> None:  # noqa: ANN401 - what breaks bytes
    triage, raw = await broken(how)
    for hours in (9, 10):
        assert reasons(told_at(triage, hours)) == [b"unreadable_state"]
        assert triage.states[KEY] == lost.put_aside(raw)
    care = triage.record("care", signed(30, version=2), ILL)
    assert reasons(triage.work(care)) == [b"unreadable_state"]
    assert statuses(told_at(triage, 9, OTHERS[0]), OTHERS[0]) == [("red", None)]
    assert shown(triage) == 1


@pytest.mark.parametrize("how", BROKEN, ids=NAMES)
async def test_that_nobody_watches_the_patient_is_told_at_the_next_tick_and_only_once(how: Any) -> None:  # noqa: ANN401 - what breaks bytes
    triage, raw = await broken(how)
    assert shown(triage) == 1  # from the restart on
    assert statuses(triage.tick(9)) == [("not_monitored", "unreadable_state")]
    assert triage.metrics.registry.get_sample_value("sonevakt_patients", {"zone": "not_monitored"}) == 1
    assert statuses(triage.tick(9.1)) == []
    assert triage.states[KEY] == lost.put_aside(raw)
    again = await restarted(triage.states)
    assert statuses(again.tick(10.2)) == []
    assert shown(again) == 1


async def test_a_part_that_cannot_be_read_is_found_when_it_is_asked_for_and_then_believed_no_more() -> None:
    triage, _ = await broken(newer_session)
    assert statuses(told_at(triage, 9)) == [("red", None)]
    before = triage.states[KEY]
    late = triage.record("submissions", submitted("late", 7, spo2(95, 7), late=3), ILL)
    told = triage.work(late)
    assert (reasons(told), statuses(told)) == ([b"unreadable_state"], [("not_monitored", "unreadable_state")])
    assert triage.states[KEY] == lost.put_aside(before)
    assert reasons(told_at(triage, 11)) == [b"unreadable_state"]
    assert statuses((await restarted(triage.states)).tick(12)) == []


async def test_the_others_become_overdue_as_ever() -> None:
    triage, _ = await broken(newer)
    told = triage.tick(24 + 9 + 14)
    assert [statuses(told, patient)[-1][0] for patient in PATIENTS] == ["not_monitored"] + ["no_data"] * 4


async def test_a_version_that_can_read_it_says_so_at_the_next_tick_and_takes_what_was_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    triage, raw = await broken(newer)
    triage.tick(9)
    assert reasons(told_at(triage, 9)) == [b"unreadable_state"]
    monkeypatch.setattr(state, "STATE_VERSION", state.STATE_VERSION + 1)
    mended = await restarted(triage.states)
    assert shown(mended) == 0
    assert statuses(mended.tick(9.2)) == [("green", None)]
    assert decode(mended.states[KEY]) == decode(raw)
    assert statuses(mended.tick(9.3)) == []
    assert statuses(told_at(mended, 9))[-1] == ("red", None)


async def test_a_patient_who_was_lost_is_watched_again_from_the_first_message_that_a_mended_version_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    triage, _ = await broken(newer)
    told_at(triage, 9)
    monkeypatch.setattr(state, "STATE_VERSION", state.STATE_VERSION + 1)
    mended = await restarted(triage.states)
    told = told_at(mended, 9)
    assert (reasons(told), statuses(told)) == ([], [("red", None)])
    assert not lost.is_aside(mended.states[KEY])


async def test_a_repeated_message_is_enough_to_be_told_of_again(monkeypatch: pytest.MonkeyPatch) -> None:
    triage, _ = await broken(newer)
    told_at(triage, 9)
    monkeypatch.setattr(state, "STATE_VERSION", state.STATE_VERSION + 1)
    mended = await restarted(triage.states)
    repeated = mended.record("submissions", submitted("first", 8, spo2(95, 8)), ILL)
    assert statuses(mended.work(repeated)) == [("green", None)]


async def test_a_defect_that_meets_one_state_at_the_restart_leaves_the_others_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Triage()
    before.follow_all()

    def failing(raw: bytes) -> Any:  # noqa: ANN401 - as lost.read
        if raw == before.states[KEY]:
            raise ArithmeticError
        return decode(raw)

    with monkeypatch.context() as patched:
        patched.setattr(lost, "read", failing)
        after = await restarted(before.states)
    assert shown(after) == 1
    assert sum(map(len, after.fold.watchlist._at.values())) == len(PATIENTS)


def test_a_batch_that_is_worked_again_tells_of_it_again() -> None:
    triage = Triage()
    triage.follow_all()
    triage.states[KEY] = newer(triage.states[KEY])
    tick = triage.record("ticks", Tick(at=at(9)))
    message = triage.record("submissions", submitted("s", 9, spo2(80, 9)), ILL)
    outputs = [triage.fold([message, tick], triage.states) for _ in range(2)]
    assert [len(folded.outputs) for folded in outputs] == [2, 2]
    assert outputs[0].states == outputs[1].states
