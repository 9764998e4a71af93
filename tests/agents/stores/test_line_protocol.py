"""What leaves for InfluxDB says the same as the point, or does not leave."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.stores.checks import MissingTagError, RefusedPointError
from agents.stores.line_protocol import encode
from agents.stores.port import Point, Problem
from tests.oracles import line_protocol as oracle

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"time", "result", "table"}
)
TAG_TEXTS = st.text(
    st.sampled_from('ab9 ,=\\"æ漢😀') | st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=12
)
TEXTS = st.text(st.sampled_from('ab9 ,=\\"\n\r\tæ漢😀') | st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9) | st.booleans()
TAGS = st.dictionaries(NAMES.map("t_{}".format), TAG_TEXTS, min_size=1, max_size=4)
FIELDS = st.dictionaries(NAMES.map("f_{}".format), NUMBERS | TEXTS, min_size=1, max_size=4)
TIMES = st.integers(-9_000_000_000_000, 9_000_000_000_000)
POINTS = st.builds(Point, NAMES, TAGS, FIELDS, TIMES)


def point(**changes: object) -> Point:
    parts = {"measurement": "reading", "tags": {"patient": "p-1"}, "fields": {"value": 72.0}, "at_ms": 1_500} | changes
    return Point(**parts)  # type: ignore[arg-type]  # as wrong as the test wants it


def writable(point: Point) -> bool:
    return all(_ends_well(text) for text in point.tags.values())


def _ends_well(text: str) -> bool:
    """Whether a tag can be told in a line at all: InfluxDB has no escape for a backslash there."""
    if not text or any(ord(char) < 32 or ord(char) == 127 for char in text):
        return False
    run = 0
    for char in [*text, " "]:
        if char in " ,=" and run % 2:
            return False
        run = run + 1 if char == "\\" else 0
    return True


@given(POINTS.filter(writable))
@example(Point("m", {"a": "b"}, {"f": "ends\\", "g": "two\\\\in a row"}, 0))
def test_a_reader_of_the_line_finds_the_point_again(point: Point) -> None:
    numbers = {name: value if isinstance(value, str) else float(value) for name, value in point.fields.items()}

    assert oracle.parse(encode(point).decode()) == (point.measurement, point.tags, numbers, point.at_ns)


@given(st.lists(POINTS.filter(writable), min_size=1, max_size=5))
def test_lines_of_one_request_do_not_run_into_each_other(points: list[Point]) -> None:
    body = b"\n".join(encode(point) for point in points)

    assert [line[1] for line in oracle.lines(body)] == [point.tags for point in points]


@given(POINTS.filter(lambda point: not writable(point)))
def test_a_tag_that_no_line_can_hold_is_refused(point: Point) -> None:
    with pytest.raises(RefusedPointError) as refused:
        encode(point)

    assert refused.value.reason in {Problem.BAD_TEXT, Problem.MISSING_TAG}


def test_every_number_is_a_float_so_that_no_later_one_conflicts() -> None:
    assert encode(point(fields={"value": 72, "valid": True})) == b"reading,patient=p-1 value=72.0,valid=1.0 1500000000"


def test_tags_stand_in_one_order_however_they_were_given() -> None:
    one = point(tags={"vital": "spo2", "patient": "p-1", "device": "d"})
    other = point(tags={"device": "d", "patient": "p-1", "vital": "spo2"})

    assert encode(one) == encode(other) == b"reading,device=d,patient=p-1,vital=spo2 value=72.0 1500000000"


@pytest.mark.parametrize("tags", [{}, {"patient": ""}, {"patient": None}, {"vital": "spo2", "patient": ""}])
def test_a_measurement_that_would_belong_to_nobody_is_an_error(tags: dict[str, str]) -> None:
    with pytest.raises(MissingTagError) as missing:
        encode(point(tags=tags))

    assert missing.value.reason is Problem.MISSING_TAG


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fields": {"value": math.nan}}, Problem.NOT_FINITE),
        ({"fields": {"value": math.inf}}, Problem.NOT_FINITE),
        ({"fields": {"value": -math.inf}}, Problem.NOT_FINITE),
        ({"fields": {"value": 10**400}}, Problem.NOT_FINITE),
        ({"fields": {"value": None}}, Problem.NOT_FINITE),
        ({"fields": {}}, Problem.NO_FIELD),
        ({"fields": {"time": 1.0}}, Problem.BAD_NAME),
        ({"fields": {"patient": 1.0}}, Problem.BAD_NAME),
        ({"fields": {"a b": 1.0}}, Problem.BAD_NAME),
        ({"tags": {"_measurement": "x"}}, Problem.BAD_NAME),
        ({"measurement": 'x") |> drop('}, Problem.BAD_NAME),
        ({"measurement": "reading\n"}, Problem.BAD_NAME),
        ({"tags": {"patient": "a\nb"}}, Problem.BAD_TEXT),
        ({"tags": {"patient": "a\\"}}, Problem.BAD_TEXT),
        ({"tags": {"patient": "\ud800"}}, Problem.BAD_TEXT),
        ({"fields": {"unit": "\ud800"}}, Problem.BAD_TEXT),
        ({"at_ms": 10**14}, Problem.TIME_OUT_OF_RANGE),
        ({"apart_ns": 1_000_000}, Problem.TIME_OUT_OF_RANGE),
        ({"apart_ns": -1}, Problem.TIME_OUT_OF_RANGE),
    ],
)
def test_what_no_store_takes_is_refused_with_its_reason(changes: dict[str, object], reason: Problem) -> None:
    with pytest.raises(RefusedPointError) as refused:
        encode(point(**changes))

    assert refused.value.reason is reason


@given(POINTS.filter(writable))
def test_no_refusal_repeats_what_stands_in_the_point(good: Point) -> None:
    pseudonym = "p-4711"
    bad = point(tags={"patient": f"{pseudonym}\n"}, fields=good.fields)

    with pytest.raises(RefusedPointError) as refused:
        encode(bad)

    assert pseudonym not in str(refused.value)
