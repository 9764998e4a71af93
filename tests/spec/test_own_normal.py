"""What one day, several days and several signals say against the patient's own normal, at every boundary.

The patient's pulse is 70 with a spread of 3, the least that is taken, from 15 days. A score of 3 is then 11.3 beats
away and one of 2 is 6.8, as a normal of 15 days is uncertain. Where nothing else is told the plan has no limit above.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from msgspec.structs import replace

from pipeline.triage.baseline import Baseline, Series
from pipeline.triage.deviation import score
from pipeline.triage.rules import RULES
from schemas.assessments import BaselineStatus, Quality
from schemas.care import Admitted, AnswerRule, Discharged, Limit
from schemas.submissions import Answer, Context
from tests.histories import PATIENT, at, named, reading, submitted
from tests.pipeline.triage.test_decisions import judged
from tests.spec.test_signals import PULSE, SPO2, SYSTOLIC, UNITS, days, planned, said

PLAN: Final = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30),))  # no limit above: near at any distance
STEADY: Final = [70.0] * 15
NEXT: Final = len(STEADY)


def value_of(z: float, days: int | None = None) -> float:
    """The pulse whose score is just `z`, against a normal of so many days."""
    low, high = 70.0, 90.0
    baseline = _baseline() if days is None else Baseline(70.0, 3.0, days, 1, BaselineStatus.ESTABLISHED)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle, baseline) < z else (low, middle)
    return high


def _baseline() -> Baseline:
    series = Series()
    for day, value in enumerate(STEADY):
        series = series.push(day, value)
    found = series.at(NEXT, 3, RULES)
    assert found is not None
    return found


ONCE, TWICE = value_of(3.0), value_of(2.0)


@pytest.mark.parametrize(
    ("away", "follows"),
    [
        (ONCE - 0.1, "green"),
        (ONCE + 0.001, "yellow deviation"),
        (ONCE + 0.1, "yellow deviation"),
        (140 - ONCE + 0.1, "green"),
        (140 - ONCE - 0.1, "green deviation_noted"),  # the limit below is far off
    ],
)
def test_one_day_far_from_the_own_normal(away: float, follows: str) -> None:
    assert said([*PLAN, *days(PULSE, [*STEADY, away])]).replace("limit_low", "") == follows


@pytest.mark.parametrize(
    ("first", "second", "later_days", "follows"),
    [
        (TWICE + 0.1, TWICE - 0.1, 1, "green"),
        (TWICE + 0.1, TWICE + 0.2, 1, "yellow deviation_repeated"),
        (TWICE - 0.1, TWICE + 0.2, 1, "green"),
        (140 - TWICE - 0.1, TWICE + 0.2, 1, "green"),  # to the other side
        (TWICE + 0.1, TWICE + 0.3, 2, "green"),  # a gap is not "in a row"
    ],
)
def test_two_days_in_a_row_away_from_the_own_normal(first: float, second: float, later_days: int, follows: str) -> None:
    hours = 24 * (NEXT + later_days) + 10
    events = [*PLAN, *days(PULSE, [*STEADY, first]), submitted("s", hours, reading(PULSE, second, "/min", hours))]
    assert said(events).replace(" slow_rise", "").replace(" shift_high", "") == follows


@pytest.mark.parametrize(
    ("limit", "follows"),
    [
        (ONCE + 1 + 3.1, "green deviation_noted"),
        (ONCE + 1 + 3, "yellow deviation"),
        (ONCE + 1 + 2.9, "yellow deviation"),
    ],
)
def test_a_deviation_is_an_alert_within_one_least_spread_of_a_doctors_limit(limit: float, follows: str) -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", yellow_high=limit),))
    assert said([*plan, *days(PULSE, [*STEADY, ONCE + 1])]) == follows


@pytest.mark.parametrize(
    ("values", "follows"),
    [
        ((91.0,), "yellow deviation"),
        ((90.0,), "no_data quality"),  # a fall by more than 6 is to be measured again
        ((90.0, 90.0), "yellow quality deviation quality deviation"),
        ((90.0, 88.0), "yellow quality deviation quality deviation"),
        ((90.0, 87.9), "no_data quality quality"),  # they do not agree
        ((90.0, 92.0), "yellow quality deviation deviation"),
        ((90.0, 96.0), "no_data quality"),
    ],
)
def test_a_value_that_is_measured_again_and_confirmed_is_no_milder_than_one_just_inside(
    values: tuple[float, ...], follows: str
) -> None:
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=84, yellow_low=86),))
    now = 24 * 15 + 10
    again = submitted("now", now, *(reading(SPO2, value, "%", now + 0.01 * n) for n, value in enumerate(values)))
    assert said([*plan, *days(SPO2, [97.0] * 15), again]).replace(" deviation_noted", "") == follows


def test_a_confirmed_value_is_not_learnt() -> None:
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=84),))
    odd = [submitted(f"odd-{n}", 24 * n + 10, *[reading(SPO2, 79, "%", 24 * n + 10)] * 2) for n in range(15, 30)]
    usual = submitted("now", 24 * 30 + 10, reading(SPO2, 97, "%", 24 * 30 + 10))
    (told,) = judged(*plan, *days(SPO2, [97.0] * 15), *odd, usual).readings
    assert told.deviation is not None
    assert (told.deviation.center, told.deviation.days) == (97, 15)


@pytest.mark.parametrize(("now", "follows"), [(99.0, "green"), (94.0, "green"), (90.0, "yellow deviation")])
def test_of_oxygen_only_a_fall_is_bad(now: float, follows: str) -> None:
    """A saturation of 94 % on each of 15 days, and then."""
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=80),))
    assert said([*plan, *days(SPO2, [94.0] * 15 + [now])]) == follows


SECOND: Final = (
    Limit(code=PULSE, unit="/min", red_low=30),
    Limit(code=SYSTOLIC, unit="mm[Hg]", yellow_high=150, red_high=200),
)
BREATH: Final = (AnswerRule(link_id="breath", zone="yellow", at_least=2),)


@pytest.mark.parametrize(
    ("systolic", "breath", "follows"),
    [
        (None, None, "yellow deviation"),
        (120.0, 0, "yellow deviation"),
        (150.0, None, "red deviation limit_high deviation_with_symptom"),
        (149.0, None, "yellow deviation"),
        (None, 2, "red deviation answer deviation_with_symptom"),
        (None, 1, "yellow deviation"),
    ],
)
def test_a_deviation_with_a_second_signal_is_red(systolic: float | None, breath: int | None, follows: str) -> None:
    plan = planned(limits=SECOND, answer_rules=BREATH)
    hours = 24 * NEXT + 10
    more = () if systolic is None else (reading(SYSTOLIC, systolic, "mm[Hg]", hours),)
    answers = (
        () if breath is None else (Answer(questionnaire="q", questionnaire_version=1, link_id="breath", value=breath),)
    )
    now = submitted("now", hours, reading(PULSE, ONCE + 1, "/min", hours), *more, answers=answers)
    assert said([*plan, *days(PULSE, STEADY), now]) == follows


@pytest.mark.parametrize(
    ("systolic", "follows"),
    [
        (149.0, "red deviation_noted deviation_noted deviations_together"),  # each far from every limit
        (120.0, "green deviation_noted"),
    ],
)
def test_two_vital_signs_each_far_from_their_own_normal_are_red_at_any_distance_from_a_limit(
    systolic: float, follows: str
) -> None:
    plan = planned(
        limits=(
            Limit(code=PULSE, unit="/min", red_high=130),
            Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=200),
        )
    )
    hours = 24 * NEXT + 10
    both = submitted("now", hours, reading(PULSE, 85, "/min", hours), reading(SYSTOLIC, systolic, "mm[Hg]", hours))
    assert said([*plan, *days(PULSE, STEADY), *days(SYSTOLIC, [120.0] * 15, hour=11), both]) == follows


def test_two_vital_signs_away_from_their_own_normal_are_red() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30), Limit(code=SYSTOLIC, unit="mm[Hg]", red_low=60)))
    hours = 24 * NEXT + 10
    both = submitted("now", hours, reading(PULSE, 85, "/min", hours), reading(SYSTOLIC, 150, "mm[Hg]", hours))
    found = said([*plan, *days(PULSE, STEADY), *days(SYSTOLIC, [120.0] * 15, hour=11), both])
    assert found == "red deviation deviation deviations_together"


def test_an_implausible_value_says_nothing_of_the_own_normal_and_is_not_learnt() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, red_high=250),))
    found = judged(*plan, *days(PULSE, [*STEADY, 185.0]))
    assert [(one.rule, one.zone.value) for one in found.reasons] == [("quality", "no_data")]
    assert said([*plan, *days(PULSE, [*STEADY, 185.0, TWICE + 0.2])]) == "green"  # not the second in a row


def discharged(hours: float) -> list[Any]:
    """In hospital for the hour before."""
    stay = {"patient": PATIENT, "recorded_at": at(hours)}
    return [
        Admitted(event_id=named("in"), at=at(hours - 1), acute=True, **stay),
        Discharged(event_id=named("out"), at=at(hours), **stay),
    ]


@pytest.mark.parametrize(("first_day_after", "follows"), [(0, "green"), (7, "green"), (15, "yellow slow_rise")])
def test_slow_change_is_not_counted_for_two_weeks_after_a_discharge(first_day_after: int, follows: str) -> None:
    events = [*days(PULSE, STEADY), *discharged(24 * NEXT)]
    for day in range(NEXT + first_day_after, NEXT + first_day_after + 6):
        events.append(submitted(f"up-{day}", 24 * day + 10, reading(PULSE, 75, "/min", 24 * day + 10)))
        found = said([*PLAN, *events]).replace(" shift_high", "")
        if found != "green":
            break
    assert found == follows


@pytest.mark.parametrize(("hours_after", "learnt"), [(14 * 24 - 1, 15), (14 * 24, 16), (14 * 24 + 1, 16)])
def test_nothing_is_learnt_for_two_weeks_after_a_discharge(hours_after: int, learnt: int) -> None:
    out = 24 * NEXT + 9
    now = out + hours_after
    events = [*days(PULSE, STEADY), *discharged(out), submitted("now", now, reading(PULSE, 71, "/min", now))]
    next_day = submitted("next", now + 24, reading(PULSE, 70, "/min", now + 24))
    deviation = judged(*PLAN, *events, next_day).readings[0].deviation
    assert deviation is not None
    assert deviation.days == learnt


def test_values_on_oxygen_have_a_normal_of_their_own() -> None:
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=80),))

    def on(litres: float, value: float, day: int) -> Any:  # noqa: ANN401 - a submission
        hours = 24 * day + 10
        told = replace(reading(SPO2, value, UNITS[SPO2], hours), context=Context(oxygen_l_min=litres))
        return submitted(f"s-{day}", hours, told)

    on_two_litres = [on(2, 96, day) for day in range(15)]
    assert said([*plan, *on_two_litres, on(0, 92, 15)]) == "green"  # nothing is known of room air
    assert said([*plan, *on_two_litres, on(2, 92, 15)]) == "yellow deviation"
    status = judged(*plan, *on_two_litres, on(2, 95, 15)).readings[0]
    assert (status.oxygen_l_min, status.quality) == (2, Quality.VALID)
    assert status.deviation is not None
    assert status.deviation.days == 15


@pytest.mark.parametrize(
    ("earlier", "days_later", "now", "quality"),
    [
        (96.0, 1, 90.0, "valid"),
        (96.0, 1, 89.9, "implausible"),
        (96.0, 7, 89.0, "implausible"),
        (96.0, 8, 89.0, "valid"),  # too long ago to tell
    ],
)
def test_a_fall_of_oxygen_by_more_than_six_is_to_be_measured_again(
    earlier: float, days_later: int, now: float, quality: str
) -> None:
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=60),))
    hours = 24 * days_later + 10
    events = [*days(SPO2, [earlier]), submitted("now", hours, reading(SPO2, now, "%", hours))]
    assert judged(*plan, *events).readings[0].quality.value == quality


@pytest.mark.parametrize(
    ("days_later", "now", "quality"),
    [(1, 85.0, "valid"), (1, 85.1, "implausible"), (1, 74.9, "implausible"), (2, 86.0, "valid")],
)
def test_a_step_of_weight_by_more_than_five_kilograms_within_a_day_is_to_be_measured_again(
    days_later: int, now: float, quality: str
) -> None:
    """Weight is known by the day, so a day is today's and yesterday's value."""
    plan = planned(limits=(Limit(code="29463-7", unit="kg", red_high=200),))
    hours = 24 * days_later + 10
    events = [*days("29463-7", [80.0]), submitted("now", hours, reading("29463-7", now, "kg", hours))]
    assert judged(*plan, *events).readings[0].quality.value == quality


# Slow change. Scores are against a normal of 15 days and of the days after them that it has taken in.
FAR: Final = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, yellow_high=150),))  # every limit is far off


def slowly(plan: tuple[Any, ...], values: list[float]) -> list[list[str]]:
    """What is told of slow change on each day after 15 steady ones."""
    told = []
    for count in range(1, len(values) + 1):
        found = judged(*plan, *days(PULSE, [*STEADY, *values[:count]]))
        told.append([one.rule for one in found.reasons if one.rule.split("_")[0] in {"slow", "shift", "drift"}])
    return told


def mirrored(value: float, side: int) -> float:
    """As far from 70 on a side."""
    return 70 + side * (value - 70)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("fifth_score", "follows"), [(1.499, False), (1.5, False), (1.501, True), (1.6, True)])
def test_a_sum_of_scores_passes_its_bound_of_five_when_it_is_more(
    fifth_score: float, side: int, *, follows: bool
) -> None:
    """Four days at a score of 1.5 and a fifth: half a point of each day's score is not counted."""
    values = [mirrored(value_of(z, 15 + day), side) for day, z in enumerate([1.5] * 4 + [fifth_score])]
    told = slowly(FAR, values)
    assert told[:4] == [[]] * 4
    assert (("slow_rise" if side > 0 else "slow_fall") in told[4]) is follows


def shift_bound(gap_days: int) -> float:
    """The third day's score that brings the average to its bound, after two days at 3 or more, by the formula alone.

    A day keeps so much of what was before, and its own score has the rest. Before the three days the average is 0, with
    the variance that it has in the long run.
    """
    daily, kept = 0.5 ** (1 / 7), 0.5 ** (gap_days / 7)
    level = (1 - daily) * 3 * (daily + 1)
    variance = kept**2 * (1 - daily) / (1 + daily) + (1 - kept) ** 2
    return (3 * variance**0.5 - kept * level) / (1 - kept)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("gap_days", [1, 2, 7])
@pytest.mark.parametrize(("beyond", "follows"), [(-0.05, False), (0.05, True)])
def test_an_average_of_scores_passes_its_bound_of_three_standard_deviations(
    beyond: float, gap_days: int, side: int, *, follows: bool
) -> None:
    """Levels are kept in thousandths, so the bound is as sharp as a twentieth of a day's score."""
    far, hours = mirrored(95, side), 24 * (NEXT + 1 + gap_days) + 10
    before = days(PULSE, [*STEADY, far, far])
    value = mirrored(value_of(shift_bound(gap_days) + beyond, 17), side)
    found = said([*FAR, *before, submitted("s", hours, reading(PULSE, value, "/min", hours))])
    assert (("shift_high" if side > 0 else "shift_low") in found) is follows
    assert "shift" not in said([*FAR, *before])


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("pulse", "follows"), [(75.9, False), (76.0, True), (76.1, True)])
def test_a_normal_that_moved_by_two_of_its_first_spreads_has_drifted(pulse: float, side: int, *, follows: bool) -> None:
    """The normal is that of the newest 28 days: the 16th new day is the first on which most are new."""
    told = slowly(FAR, [mirrored(pulse, side)] * 17)
    drifted = ["drift_high" if side > 0 else "drift_low"] if follows else []
    assert [[rule for rule in one if rule.startswith("drift")] for one in told] == [[]] * 15 + [drifted, []]


@pytest.mark.parametrize(
    ("steady_days", "days_up", "follows"),
    [
        (9, 4, False), (9, 5, False),  # not established: nothing is counted
        (9, 6, False),  # the first day on which it is, and the sum starts with it
        (15, 4, False), (15, 5, True), (15, 6, True),
    ],
)  # fmt: skip
def test_slow_change_is_counted_from_when_the_normal_is_established(
    steady_days: int, days_up: int, *, follows: bool
) -> None:
    up = [value_of(1.7, steady_days + day) for day in range(days_up)]
    told = [said([*FAR, *days(PULSE, [70.0] * steady_days + up[: day + 1])]) for day in range(days_up)]
    assert any("slow_rise" in one or "shift_high" in one for one in told) is follows


@pytest.mark.parametrize(("hours_after", "follows"), [(14 * 24 - 1, "green"), (14 * 24, "yellow deviation_repeated")])
def test_a_guarded_day_is_not_the_first_of_two_in_a_row(hours_after: int, follows: str) -> None:
    out = 24 * NEXT + 9
    first = out + hours_after
    high = [
        submitted(f"high-{hours}", hours, reading(PULSE, TWICE + 0.3, "/min", hours)) for hours in (first, first + 24)
    ]
    assert said([*PLAN, *days(PULSE, STEADY), *discharged(out), *high]) == follows


@pytest.mark.parametrize(("values", "counted"), [(26, 26), (27, 27), (28, 28), (29, 28), (30, 28)])
def test_a_normal_is_that_of_the_newest_28_daily_values(values: int, counted: int) -> None:
    earliest = [100.0] + [70.0] * (values - 1)
    found = judged(*FAR, *days(PULSE, [*earliest, 70.0])).readings[0].deviation
    assert found is not None
    assert found.days == counted
