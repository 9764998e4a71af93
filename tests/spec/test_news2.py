"""NEWS2 against the chart of the Royal College of Physicians (2017, ISBN 978-1-86016-682-2), row by row."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.triage import news2
from pipeline.triage.vitals import SPO2
from schemas.assessments import News2
from schemas.care import News2Scale
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ONE: Final = News2Scale.SCALE_1
TWO: Final = News2Scale.SCALE_2
AIR: Final = 0.0
OXYGEN: Final = 2.0
UNKNOWN: Final = None
PARTS: Final = (
    "respiratory_rate",
    "spo2",
    "oxygen",
    "systolic",
    "heart_rate",
    "consciousness",
    "temperature",
)

# Every edge of every band with its neighbours on both sides: value -> points.
RESPIRATION: Final = {
    7: 3, 8: 3,
    9: 1, 10: 1, 11: 1,
    12: 0, 13: 0, 19: 0, 20: 0,
    21: 2, 22: 2, 23: 2, 24: 2,
    25: 3, 26: 3,
}  # fmt: skip
SPO2_SCALE_1: Final = {
    90: 3, 91: 3,
    92: 2, 93: 2,
    94: 1, 95: 1,
    96: 0, 97: 0,
}  # fmt: skip
SPO2_SCALE_2: Final = {  # on air, on oxygen, and when nobody said
    82: (3, 3, 3), 83: (3, 3, 3),
    84: (2, 2, 2), 85: (2, 2, 2),
    86: (1, 1, 1), 87: (1, 1, 1),
    88: (0, 0, 0), 89: (0, 0, 0), 91: (0, 0, 0), 92: (0, 0, 0),
    93: (0, 1, None), 94: (0, 1, None),
    95: (0, 2, None), 96: (0, 2, None),
    97: (0, 3, None), 98: (0, 3, None), 100: (0, 3, None),
}  # fmt: skip
BLOOD_PRESSURE: Final = {
    89: 3, 90: 3,
    91: 2, 92: 2, 99: 2, 100: 2,
    101: 1, 102: 1, 109: 1, 110: 1,
    111: 0, 112: 0, 218: 0, 219: 0,
    220: 3, 221: 3,
}  # fmt: skip
PULSE: Final = {
    39: 3, 40: 3,
    41: 1, 42: 1, 49: 1, 50: 1,
    51: 0, 52: 0, 89: 0, 90: 0,
    91: 1, 92: 1, 109: 1, 110: 1,
    111: 2, 112: 2, 129: 2, 130: 2,
    131: 3, 132: 3,
}  # fmt: skip
WARMTH: Final = {
    34.9: 3, 35.0: 3,
    35.1: 1, 35.2: 1, 35.9: 1, 36.0: 1,
    36.1: 0, 36.2: 0, 37.9: 0, 38.0: 0,
    38.1: 1, 38.2: 1, 38.9: 1, 39.0: 1,
    39.1: 2, 39.2: 2,
}  # fmt: skip
SUPPLY: Final = {UNKNOWN: None, 0: 0, 0.1: 2, 0.5: 2, 1: 2, 2.0: 2, 15: 2, 60: 2}
AWAKE: Final = {None: None, "A": 0, "C": 3, "V": 3, "P": 3, "U": 3}

INDEX: Final = {"systolic": 0, "heart_rate": 2, "spo2": 3, "temperature": 4, "respiratory_rate": 6}
WELL: Final[dict[str, float | None]] = {
    "respiratory_rate": 16.0,
    "spo2": 98.0,
    "systolic": 125.0,
    "heart_rate": 70.0,
    "temperature": 37.0,
}


def found(
    *, oxygen: float | None = AIR, consciousness: str | None = "A", scale: News2Scale = ONE, **changed: float | None
) -> News2:
    """The score of a patient who is well but for `changed`; a vital that is None was not measured."""
    values = {INDEX[part]: value for part, value in (WELL | changed).items() if value is not None}
    return news2.score(values, oxygen_l_min=oxygen, consciousness=consciousness, scale=scale)


def points(score: News2) -> dict[str, int | None]:
    return {part.part: part.points for part in score.parts}


# One table per part.


@pytest.mark.parametrize(("value", "expected"), RESPIRATION.items())
def test_respiration(value: float, expected: int) -> None:
    assert points(found(respiratory_rate=value))["respiratory_rate"] == expected


@pytest.mark.parametrize("oxygen", [AIR, OXYGEN, UNKNOWN])
@pytest.mark.parametrize(("value", "expected"), SPO2_SCALE_1.items())
def test_spo2_on_scale_1_does_not_ask_for_the_oxygen(value: float, expected: int, oxygen: float | None) -> None:
    assert points(found(spo2=value, oxygen=oxygen))["spo2"] == expected


@pytest.mark.parametrize("column", [0, 1, 2], ids=["air", "oxygen", "unknown"])
@pytest.mark.parametrize(("value", "expected"), SPO2_SCALE_2.items())
def test_spo2_on_scale_2(value: float, expected: tuple[int | None, ...], column: int) -> None:
    oxygen = (AIR, OXYGEN, UNKNOWN)[column]
    assert points(found(spo2=value, oxygen=oxygen, scale=TWO))["spo2"] == expected[column]


@pytest.mark.parametrize("scale", [ONE, TWO])
@pytest.mark.parametrize(("l_min", "expected"), SUPPLY.items())
def test_air_or_oxygen(l_min: float | None, expected: int | None, scale: News2Scale) -> None:
    assert points(found(oxygen=l_min, scale=scale))["oxygen"] == expected


@pytest.mark.parametrize(("value", "expected"), BLOOD_PRESSURE.items())
def test_systolic_blood_pressure(value: float, expected: int) -> None:
    assert points(found(systolic=value))["systolic"] == expected


@pytest.mark.parametrize(("value", "expected"), PULSE.items())
def test_pulse(value: float, expected: int) -> None:
    assert points(found(heart_rate=value))["heart_rate"] == expected


@pytest.mark.parametrize(("word", "expected"), AWAKE.items())
def test_consciousness(word: str | None, expected: int | None) -> None:
    assert points(found(consciousness=word))["consciousness"] == expected


@pytest.mark.parametrize(("value", "expected"), WARMTH.items())
def test_temperature(value: float, expected: int) -> None:
    assert points(found(temperature=value))["temperature"] == expected


# Rounding: to what the chart shows, half up, as written in decimals.


@pytest.mark.parametrize(
    ("vital", "value", "expected"),
    [
        ("respiratory_rate", 8.49, 3),
        ("respiratory_rate", 8.5, 1),  # to even would be 8
        ("respiratory_rate", 11.5, 0),
        ("respiratory_rate", 20.49, 0),
        ("respiratory_rate", 20.5, 2),  # to even would be 20
        ("respiratory_rate", 24.49, 2),
        ("respiratory_rate", 24.5, 3),  # to even would be 24
        ("spo2", 91.49, 3),
        ("spo2", 91.5, 2),
        ("spo2", 93.5, 1),
        ("spo2", 95.49, 1),
        ("spo2", 95.5, 0),
        ("systolic", 90.49, 3),
        ("systolic", 90.5, 2),  # to even would be 90
        ("systolic", 100.5, 1),  # to even would be 100
        ("systolic", 110.5, 0),  # to even would be 110
        ("systolic", 219.49, 0),
        ("systolic", 219.5, 3),
        ("heart_rate", 40.5, 1),  # to even would be 40
        ("heart_rate", 50.5, 0),  # to even would be 50
        ("heart_rate", 90.49, 0),
        ("heart_rate", 90.5, 1),  # to even would be 90
        ("heart_rate", 110.5, 2),  # to even would be 110
        ("heart_rate", 130.5, 3),  # to even would be 130
        ("temperature", 35.04, 3),
        ("temperature", 35.05, 1),  # binary: 35.0499..
        ("temperature", 36.04, 1),
        ("temperature", 36.05, 0),  # binary: 36.0499..
        ("temperature", 38.04, 0),
        ("temperature", 38.049999, 0),
        ("temperature", 38.05, 1),  # binary: 38.0499..
        ("temperature", 39.04, 1),
        ("temperature", 39.05, 2),  # binary: 39.0499..
    ],
)
def test_a_value_is_rounded_to_the_chart(vital: str, value: float, expected: int) -> None:
    assert points(found(**{vital: value}))[vital] == expected


@pytest.mark.parametrize(("value", "expected"), [(92.49, 0), (92.5, 1), (94.5, 2), (96.49, 2), (96.5, 3)])
def test_scale_2_on_oxygen_is_rounded_to_the_chart(value: float, expected: int) -> None:
    assert points(found(spo2=value, oxygen=OXYGEN, scale=TWO))["spo2"] == expected


@pytest.mark.parametrize(("value", "expected"), [(92.49, 0), (92.5, None)])
def test_scale_2_is_rounded_before_it_is_missing(value: float, expected: int | None) -> None:
    assert points(found(spo2=value, oxygen=UNKNOWN, scale=TWO))["spo2"] == expected


def test_half_a_tenth_goes_up_whatever_its_binary_is() -> None:
    for tenths in range(340, 420):
        half, upper = float(f"{tenths / 10}5"), (tenths + 1) / 10
        assert points(found(temperature=half)) == points(found(temperature=upper)), half


def test_whole_numbers_may_come_as_integers() -> None:
    assert found(respiratory_rate=21, spo2=93, systolic=220, heart_rate=40, temperature=39) == found(
        respiratory_rate=21.0, spo2=93.0, systolic=220.0, heart_rate=40.0, temperature=39.0
    )


# Missing parts.


def test_nothing_known_is_no_points_and_not_nought() -> None:
    empty = news2.score({}, oxygen_l_min=None, consciousness=None, scale=ONE)
    assert (empty.total, empty.known) == (0, 0)
    assert points(empty) == dict.fromkeys(PARTS)
    assert news2.zone(empty) is None


@pytest.mark.parametrize("vital", WELL)
@pytest.mark.parametrize("scale", [ONE, TWO])
def test_a_vital_that_was_not_measured_is_missing(vital: str, scale: News2Scale) -> None:
    score = found(scale=scale, **{vital: None})
    assert points(score) == {part: None if part == vital else 0 for part in PARTS}
    assert score.known == 6


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("vital", WELL)
def test_what_is_no_number_is_missing(vital: str, value: float) -> None:
    score = found(**{vital: value})
    assert points(score)[vital] is None
    assert score.known == 6


def test_oxygen_nobody_spoke_of_is_missing() -> None:
    score = found(oxygen=UNKNOWN)
    assert points(score) == dict.fromkeys(PARTS, 0) | {"oxygen": None}
    assert score.known == 6


@pytest.mark.parametrize("l_min", [-1.0, math.nan])
def test_oxygen_that_cannot_be_is_missing_and_not_air(l_min: float) -> None:
    assert points(found(oxygen=l_min))["oxygen"] is None


def test_scale_2_misses_two_parts_where_the_oxygen_is_unknown() -> None:
    high = found(spo2=93, oxygen=UNKNOWN, scale=TWO)
    assert points(high) == dict.fromkeys(PARTS, 0) | {"oxygen": None, "spo2": None}
    assert high.known == 5
    low = found(spo2=92, oxygen=UNKNOWN, scale=TWO)
    assert points(low) == dict.fromkeys(PARTS, 0) | {"oxygen": None}
    assert low.known == 6


def test_consciousness_nobody_spoke_of_is_missing() -> None:
    score = found(consciousness=None)
    assert points(score) == dict.fromkeys(PARTS, 0) | {"consciousness": None}
    assert score.known == 6


@pytest.mark.parametrize("word", ["", "a", "X", "AV", "alert"])
def test_an_unknown_word_of_consciousness_is_missing(word: str) -> None:
    assert points(found(consciousness=word))["consciousness"] is None


def test_other_vitals_are_no_part() -> None:
    others = {1: 300.0, 5: 900.0, 7: 60.0, 8: 0.1, 9: 30.0, 99: 1.0}
    assert news2.score(others, oxygen_l_min=None, consciousness=None, scale=ONE).known == 0


def test_a_missing_part_has_no_points_on_the_wire_and_nought_has() -> None:
    sent = msgspec.json.encode(found(spo2=None))
    assert b'{"part":"spo2"}' in sent
    assert b'{"part":"oxygen","points":0}' in sent
    assert msgspec.json.decode(sent, type=News2) == found(spo2=None)


# The whole.


@pytest.mark.parametrize("scale", [ONE, TWO])
def test_the_parts_stand_in_the_order_of_the_chart_with_the_scale(scale: News2Scale) -> None:
    score = found(scale=scale)
    assert tuple(part.part for part in score.parts) == PARTS
    assert score.scale is scale
    assert (score.total, score.known) == (0, 7)


def test_the_most_is_20() -> None:
    worst = {"respiratory_rate": 30, "spo2": 80, "systolic": 80, "heart_rate": 140, "temperature": 34}
    score = found(**worst, oxygen=OXYGEN, consciousness="U")
    assert (score.total, score.known) == (20, 7)
    assert news2.zone(score) is Zone.RED


@pytest.mark.parametrize(
    ("values", "oxygen", "total", "zone", "rule"),
    [
        ({}, AIR, 0, None, None),
        ({"heart_rate": 95}, AIR, 1, None, None),
        ({"heart_rate": 115, "respiratory_rate": 22}, AIR, 4, None, None),
        ({"heart_rate": 115}, OXYGEN, 4, None, None),
        ({"respiratory_rate": 25}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"respiratory_rate": 8}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"spo2": 91}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"systolic": 90}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"systolic": 220}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"heart_rate": 40}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"heart_rate": 131}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"temperature": 35.0}, AIR, 3, Zone.YELLOW, "news2_part"),
        ({"temperature": 35.0, "heart_rate": 95}, AIR, 4, Zone.YELLOW, "news2_part"),
        ({"heart_rate": 115, "respiratory_rate": 22, "spo2": 95}, AIR, 5, Zone.YELLOW, "news2"),
        ({"heart_rate": 115, "respiratory_rate": 22, "spo2": 93}, AIR, 6, Zone.YELLOW, "news2"),
        ({"heart_rate": 131, "respiratory_rate": 25}, AIR, 6, Zone.YELLOW, "news2"),
        ({"heart_rate": 115, "respiratory_rate": 22, "spo2": 93, "systolic": 110}, AIR, 7, Zone.RED, "news2"),
        ({"heart_rate": 131, "respiratory_rate": 25, "spo2": 95}, AIR, 7, Zone.RED, "news2"),
        ({"heart_rate": 131, "respiratory_rate": 25}, OXYGEN, 8, Zone.RED, "news2"),
    ],
)
def test_totals_and_zones(
    values: dict[str, float], oxygen: float, total: int, zone: Zone | None, rule: str | None
) -> None:
    score = found(oxygen=oxygen, **values)
    assert (score.total, news2.zone(score)) == (total, zone)
    assert rule is None or news2.rule(score) == rule


@pytest.mark.parametrize("word", ["C", "V", "P", "U"])
def test_consciousness_alone_is_yellow(word: str) -> None:
    assert news2.zone(found(consciousness=word)) is Zone.YELLOW


def test_too_much_oxygen_on_scale_2_is_yellow() -> None:
    score = found(spo2=97, oxygen=OXYGEN, scale=TWO)
    assert score.total == 5
    assert news2.zone(score) is Zone.YELLOW


def test_the_scale_decides_over_the_same_saturation() -> None:
    assert news2.zone(found(spo2=90, scale=ONE)) is Zone.YELLOW
    assert news2.zone(found(spo2=90, scale=TWO)) is None


def test_parts_missing_do_not_keep_a_zone_back() -> None:
    alone = news2.score({INDEX["spo2"]: 85.0}, oxygen_l_min=None, consciousness=None, scale=ONE)
    assert (alone.total, alone.known) == (3, 1)
    assert news2.zone(alone) is Zone.YELLOW
    three = {INDEX["spo2"]: 85.0, INDEX["respiratory_rate"]: 26.0, INDEX["heart_rate"]: 95.0}
    assert news2.zone(news2.score(three, oxygen_l_min=None, consciousness=None, scale=ONE)) is Zone.RED


# The same once more: the chart as it is printed, looked up from the top, with fractions.

EVERY: Final = 10**400
CHART: Final = (
    # part, scale, oxygen, from, to and with, points
    ("respiratory_rate", None, None, -EVERY, 8, 3),
    ("respiratory_rate", None, None, 9, 11, 1),
    ("respiratory_rate", None, None, 12, 20, 0),
    ("respiratory_rate", None, None, 21, 24, 2),
    ("respiratory_rate", None, None, 25, EVERY, 3),
    ("spo2", ONE, None, -EVERY, 91, 3),
    ("spo2", ONE, None, 92, 93, 2),
    ("spo2", ONE, None, 94, 95, 1),
    ("spo2", ONE, None, 96, EVERY, 0),
    ("spo2", TWO, None, -EVERY, 83, 3),
    ("spo2", TWO, None, 84, 85, 2),
    ("spo2", TWO, None, 86, 87, 1),
    ("spo2", TWO, None, 88, 92, 0),
    ("spo2", TWO, "air", 93, EVERY, 0),
    ("spo2", TWO, "oxygen", 93, 94, 1),
    ("spo2", TWO, "oxygen", 95, 96, 2),
    ("spo2", TWO, "oxygen", 97, EVERY, 3),
    ("systolic", None, None, -EVERY, 90, 3),
    ("systolic", None, None, 91, 100, 2),
    ("systolic", None, None, 101, 110, 1),
    ("systolic", None, None, 111, 219, 0),
    ("systolic", None, None, 220, EVERY, 3),
    ("heart_rate", None, None, -EVERY, 40, 3),
    ("heart_rate", None, None, 41, 50, 1),
    ("heart_rate", None, None, 51, 90, 0),
    ("heart_rate", None, None, 91, 110, 1),
    ("heart_rate", None, None, 111, 130, 2),
    ("heart_rate", None, None, 131, EVERY, 3),
    ("temperature", None, None, -EVERY, "35.0", 3),
    ("temperature", None, None, "35.1", "36.0", 1),
    ("temperature", None, None, "36.1", "38.0", 0),
    ("temperature", None, None, "38.1", "39.0", 1),
    ("temperature", None, None, "39.1", EVERY, 2),
)


def charted(part: str, value: float, scale: News2Scale, supply: str | None) -> int | None:
    """The points of the one row of the chart that holds `value`; None where no row does."""
    step = Fraction(1, 10) if part == "temperature" else Fraction(1)
    rounded = math.floor(Fraction(str(value)) / step + Fraction(1, 2)) * step
    rows = [
        given
        for name, of_scale, of_supply, low, high, given in CHART
        if name == part
        and of_scale in {None, scale}
        and of_supply in {None, supply}
        and Fraction(low) <= rounded <= Fraction(high)
    ]
    assert len(rows) <= 1
    return rows[0] if rows else None


def twin(
    values: Mapping[int, float], oxygen: float | None, consciousness: str | None, scale: News2Scale
) -> tuple[dict[str, int | None], Zone | None]:
    """The points by part, and the zone."""
    supply = None if oxygen is None else "air" if oxygen == 0 else "oxygen"
    by_part: dict[str, int | None] = dict.fromkeys(PARTS)
    for part, index in INDEX.items():
        if index in values:
            by_part[part] = charted(part, values[index], scale, supply)
    if supply is not None:
        by_part["oxygen"] = 2 if supply == "oxygen" else 0
    if consciousness is not None:
        by_part["consciousness"] = 0 if consciousness == "A" else 3
    total = sum(given or 0 for given in by_part.values())
    if total in range(7, 21):
        return by_part, Zone.RED
    if total in {5, 6} or 3 in by_part.values():
        return by_part, Zone.YELLOW
    return by_part, None


def near(low: int, high: int) -> st.SearchStrategy[float]:
    """Values as devices send them, in halves of the last decimal, and any float at all between."""
    return st.one_of(
        st.integers(low, high).map(float),
        st.integers(low * 10, high * 10).map(lambda tenths: tenths / 10),
        st.integers(low * 100, high * 100).map(lambda hundredths: hundredths / 100),
        st.floats(low, high),
    )


measured = st.fixed_dictionaries(
    {},
    optional={
        INDEX["respiratory_rate"]: near(3, 40),
        INDEX["spo2"]: near(75, 100),
        INDEX["systolic"]: near(70, 240),
        INDEX["heart_rate"]: near(30, 150),
        INDEX["temperature"]: near(33, 42),
        1: near(40, 130),
    },
)
supplied = st.one_of(st.none(), st.just(0.0), st.floats(0, 60))
words = st.sampled_from([None, "A", "C", "V", "P", "U"])


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(values=measured, oxygen=supplied, consciousness=words, scale=st.sampled_from(News2Scale))
def test_the_score_is_that_of_the_printed_chart(
    values: dict[int, float], oxygen: float | None, consciousness: str | None, scale: News2Scale
) -> None:
    score = news2.score(values, oxygen_l_min=oxygen, consciousness=consciousness, scale=scale)
    by_part, zone = twin(values, oxygen, consciousness, scale)
    assert points(score) == by_part
    assert score.total == sum(given for given in by_part.values() if given is not None)
    assert score.known == sum(given is not None for given in by_part.values())
    assert score.scale is scale
    assert news2.zone(score) is zone


@settings(max_examples=300, deadline=None, derandomize=True)
@given(value=st.floats(0, allow_nan=False, allow_infinity=False), scale=st.sampled_from(News2Scale))
def test_any_finite_value_has_its_row(value: float, scale: News2Scale) -> None:
    values = dict.fromkeys(INDEX.values(), value)
    score = news2.score(values, oxygen_l_min=AIR, consciousness="A", scale=scale)
    assert points(score) == twin(values, AIR, "A", scale)[0]
    assert score.known == 7


def steps(part: str) -> Iterator[float]:
    """Every step of the chart from far below to far above a part's bands."""
    for step in range(300, 450) if part == "temperature" else range(301):
        yield step / 10 if part == "temperature" else float(step)


@pytest.mark.parametrize("part", INDEX)
@pytest.mark.parametrize("scale", [ONE, TWO])
@pytest.mark.parametrize(("oxygen", "supply"), [(AIR, "air"), (OXYGEN, "oxygen"), (UNKNOWN, None)])
def test_every_step_of_the_chart(part: str, scale: News2Scale, oxygen: float | None, supply: str | None) -> None:
    for value in steps(part):
        score = news2.score({INDEX[part]: value}, oxygen_l_min=oxygen, consciousness=None, scale=scale)
        assert points(score)[part] == charted(part, value, scale, supply), value


@pytest.mark.parametrize(
    ("part", "scale", "table"),
    [
        ("respiratory_rate", None, RESPIRATION),
        ("spo2", ONE, SPO2_SCALE_1),
        ("spo2", TWO, SPO2_SCALE_2),
        ("systolic", None, BLOOD_PRESSURE),
        ("heart_rate", None, PULSE),
        ("temperature", None, WARMTH),
    ],
)
def test_the_tables_hold_every_edge_and_its_neighbours(
    part: str, scale: News2Scale | None, table: Mapping[float, object]
) -> None:
    step = Fraction(1, 10) if part == "temperature" else Fraction(1)
    edges = {
        Fraction(edge)
        for name, of_scale, _, low, high, _ in CHART
        if name == part and of_scale is scale
        for edge in (low, high)
        if abs(Fraction(edge)) != EVERY
    }
    asked = {edge + side * step for edge in edges for side in (-1, 0, 1)}
    assert asked <= {Fraction(str(value)) for value in table}


@pytest.mark.parametrize(
    ("oxygen_l_min", "values", "counts"),
    [
        (2.0, [97.0, 87.0], 97.0),
        (0.0, [97.0, 87.0], 87.0),
        (0.0, [97.0, 90.0], 90.0),
        (2.0, [90.0, 95.0, 93.0], 95.0),
        (None, [97.0, 90.0], 90.0),
        (-1.0, [90.0, 97.0], 90.0),
        (0.0, [90.0, 97.0], 97.0),
        (0.5, [97.0, 87.0], 97.0),
    ],
)
def test_which_of_several_saturations_counts_on_scale_2_hangs_on_the_oxygen(
    oxygen_l_min: float | None, values: list[float], counts: float
) -> None:
    assert news2.worst(SPO2.index, values, oxygen_l_min=oxygen_l_min, scale=TWO) == counts


def test_on_scale_1_the_oxygen_is_no_matter() -> None:
    assert news2.worst(SPO2.index, [95.0, 97.0], oxygen_l_min=0.0, scale=ONE) == 95.0
