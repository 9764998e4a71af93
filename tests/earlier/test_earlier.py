"""Whatever an earlier version wrote is read, and means what it meant."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from pipeline.triage import lost, state, step, wakes_at
from pipeline.triage.state import STATE_VERSION, State, UnreadableStateError, decode, encode
from schemas import types
from schemas.codec import Codec
from schemas.codec import encode as to_json
from schemas.paging import Tick
from schemas.topics import TOPICS
from tests.earlier import shape, simulated, write

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = sorted(write.FOLDER.glob("messages/*/*/*.json"))
STATES = sorted(write.FOLDER.glob("states/*/*.msgpack"))
FIELDS = sorted(write.FOLDER.glob("states/*/fields.txt"), key=lambda path: int(path.parent.name))
CODECS: dict[str, Codec[Any]] = {topic.name: Codec(topic.message) for topic in TOPICS if topic.message is not None}


def shown(path: Path) -> str:
    return "-".join(path.relative_to(write.FOLDER).with_suffix("").parts)


def holds(now: Any, then: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether `now` says all that `then` said."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(name in now and holds(now[name], then[name]) for name in then)
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


# Kept for ever.


def test_no_file_was_changed_or_taken_away_and_each_is_in_the_manifest() -> None:
    assert write.digests() == write.kept()


def test_every_version_has_its_folder_or_tests_earlier_write_was_forgotten() -> None:
    versions = [[str(number + 1) for number in range(newest)] for newest in (types.SCHEMA_VERSION, STATE_VERSION)]
    folders = [sorted(path.name for path in (write.FOLDER / kind).iterdir()) for kind in ("messages", "states")]
    assert folders == versions


# Messages.


@pytest.mark.parametrize("path", MESSAGES, ids=shown)
def test_a_message_is_read_and_says_all_that_it_said(path: Path) -> None:
    raw = path.read_bytes()
    message = CODECS[path.parent.name].decode(raw)
    assert holds(json.loads(to_json(message)), json.loads(raw))


def test_there_is_one_message_of_every_kind() -> None:
    kept = {type(CODECS[path.parent.name].decode(path.read_bytes())) for path in MESSAGES}
    kinds = {
        kind for topic in TOPICS if topic.message is not None for kind in get_args(topic.message) or [topic.message]
    }
    assert kept == kinds


# States.


@pytest.mark.parametrize("path", STATES, ids=shown)
def test_a_state_is_read_and_says_all_that_it_said(path: Path) -> None:
    means = json.loads(path.with_suffix(".json").read_bytes())
    known = lost.read(lost.put_aside(path.read_bytes()))  # every part of it
    assert known.version == STATE_VERSION
    assert decode(encode(known)) == known
    assert holds({**simulated.meaning(known), "judges_80_percent": simulated.judged(known)}, means)


@pytest.mark.parametrize("path", STATES, ids=shown)
def test_a_state_is_gone_on_from_whatever_comes(path: Path) -> None:
    known = decode(path.read_bytes())
    wakes_at(known)
    late = msgspec.structs.replace(simulated.next_session(known, 94), received_at=simulated.at(1))
    after: State | None = known
    for event in (simulated.next_session(known, 95), late, Tick(at=simulated.at(24 * 400))):
        after, _ = step(after, event)
        assert after is not None
        assert decode(encode(after)) == after


@pytest.mark.parametrize("path", STATES, ids=shown)
def test_a_state_of_the_next_version_is_refused_and_never_half_read(path: Path) -> None:
    whole = msgspec.msgpack.decode(path.read_bytes())
    for version in (STATE_VERSION + 1, STATE_VERSION + 100, 0, -1):
        with pytest.raises(UnreadableStateError):
            decode(msgspec.msgpack.encode([version, *whole[1:], "a field of later days"]))


def test_an_older_state_is_written_back_as_of_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = STATES[0].read_bytes()
    monkeypatch.setattr(state, "STATE_VERSION", STATE_VERSION + 1)
    assert msgspec.msgpack.decode(encode(decode(raw)))[0] == STATE_VERSION + 1


# How states may change.


def test_what_a_state_holds_changed_without_a_new_state_version() -> None:
    """An older worker would read such a state, and write it back without what is new."""
    assert shape.text() == (write.FOLDER / "states" / str(STATE_VERSION) / "fields.txt").read_text("utf-8")


def test_a_new_field_stands_last_where_their_order_tells_fields_apart() -> None:
    versions = [dict(line.split(" ", 1) for line in path.read_text("utf-8").splitlines()) for path in FIELDS]
    for before, after in pairwise(versions):
        for name, fields in before.items():
            if fields.startswith("["):
                assert after[name].startswith(fields[:-1])


IN_ORDER = {name: kind for name, kind in shape.kinds().items() if shape.in_order(kind)}


@pytest.mark.parametrize("name", IN_ORDER)
def test_fields_that_an_older_version_did_not_write_have_their_defaults(name: str) -> None:
    kind = IN_ORDER[name]
    fields = msgspec.structs.fields(kind)
    needed = [field for field in fields if field.required]
    assert fields[: len(needed)] == tuple(needed)
    values = [SOME[field.name] for field in needed]
    raw = msgspec.msgpack.encode(values)
    assert msgspec.msgpack.decode(raw, type=kind) == kind(*values)


SOME: dict[str, Any] = {
    "after_ms": 1,
    "answers": (),
    "asked_ms": 1,
    "at_ms": 1,
    "before_ms": 1,
    "change": b"c",
    "code": 1,
    "content": msgspec.Raw(b"\x90"),
    "corrected": 0,
    "day": 1,
    "episode_ms": 1,
    "declares": False,
    "id": b"i",
    "link": 1,
    "moved_ms": 0,
    "opened_ms": 1,
    "patient": simulated.PATIENT,
    "questionnaire": 1,
    "recorded_ms": 1,
    "request": msgspec.Raw(b"\x90"),
    "rows": (),
    "sent": None,
    "service": "s",
    "to": "nurse",
    "unit": 1,
    "value": 1,
    "version": 1,
    "worsened_ms": 1,
    "zone": 1,
}
