"""What a dead letter is known by."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agents.dead_letters.letters import DeadLettersError, LetterId, Place, of_record, printable

HEADERS = {"reason": b"invalid", "field": b"readings[0].value", "topic": b"t-submissions", "partition": b"3"}
HEADERS["offset"] = b"1042"


def record(**changed: bytes | None) -> SimpleNamespace:
    headers = [(name, value) for name, value in {**HEADERS, **changed}.items() if value is not None]
    return SimpleNamespace(partition=1, offset=17, timestamp=5, headers=headers)


def test_it_is_known_by_where_its_message_came_from() -> None:
    letter = of_record(record(), "t-")
    assert str(letter.id) == "submissions/3/1042"
    assert LetterId.parse("submissions/3/1042") == letter.id
    assert (letter.at_ms, letter.reason, letter.field, letter.place) == (
        5,
        "invalid",
        "readings[0].value",
        Place(1, 17),
    )
    assert letter.tells_origin


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": b"submissions"},  # of another installation
        {"topic": b"t-weather"},
        {"topic": b"t-dead-letters"},
        {"topic": b"t-dead-letter-acts"},
        {"topic": None},
        {"partition": None},
        {"offset": b"-1"},  # too large to be written: only its beginning is kept
        {"offset": b"\xff"},
    ],
)
def test_one_that_does_not_say_where_it_came_from_is_known_by_where_it_lies(changed: dict[str, bytes | None]) -> None:
    letter = of_record(record(**changed), "t-")
    assert str(letter.id) == "dead-letters/1/17"
    assert not letter.tells_origin


def test_one_of_which_only_the_beginning_was_kept_names_its_origin_and_is_not_sent_again() -> None:
    letter = of_record(record(cut=b"1"), "t-")
    assert str(letter.id) == str(of_record(record(), "t-").id)
    assert not letter.tells_origin


def test_it_says_which_process_could_not_work_with_it_and_an_older_one_says_nothing() -> None:
    assert of_record(record(process=b"triage"), "t-").processes == ("triage",)
    assert of_record(record(), "t-").processes == ()
    assert of_record(record(process=b""), "t-").processes == ()
    assert of_record(record(process=b"\x1b[2J" + b"a" * 5000), "t-").processes == (r"\x1b[2J" + "a" * 36,)


def test_a_reason_that_is_none_of_ours_is_unknown_and_a_field_moves_no_cursor() -> None:
    letter = of_record(record(reason=b"sim-0001", field=b"\x1b[2Ja\nb"), "t-")
    assert (letter.reason, letter.field) == ("unknown", r"\x1b[2Ja\nb")
    assert of_record(record(field=None), "t-").field is None
    without = SimpleNamespace(partition=1, offset=17, timestamp=5, headers=[("reason", None), ("field", None)])
    assert (of_record(without, "t-").reason, of_record(without, "t-").field) == ("unknown", None)
    assert len(of_record(record(field=b"a" * 5000), "t-").field or "") == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "submissions",
        "submissions/3",
        "submissions/3/x",
        "submissions/3/-1",
        "weather/3/1",
        "a/b/c/d",
        "submissions/3/1\n",
    ],
)
def test_what_is_no_id_is_one_sentence(text: str) -> None:
    with pytest.raises(DeadLettersError, match="an id is topic/partition/offset"):
        LetterId.parse(text)


def test_text_for_a_terminal_keeps_words_and_line_ends() -> None:
    assert printable("ærlig\ttalt\n\x9b\u202e") == "ærlig\\ttalt\n\\x9b\\u202e"
