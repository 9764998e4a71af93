"""Every signal at its boundary, as a clinician reads it: what was measured before, what now, what follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from schemas.assessments import PatientStatus
from schemas.care import (
    AnswerRule,
    Cadence,
    ChangeLimit,
    Limit,
    News2Scale,
    Plan,
    PlanSigned,
    RelativeLimit,
    SelfCare,
    SustainedLimit,
)
from schemas.paging import Tick
from schemas.submissions import Answer, Context
from schemas.types import Zone
from tests.histories import acknowledged, at, enrolled, reading, signed, submitted, transferred
from tests.pipeline.triage.test_decisions import follow, judged

PULSE: Final = "8867-4"
WEIGHT: Final = "29463-7"
SPO2: Final = "2708-6"
GLUCOSE: Final = "15074-8"
SYSTOLIC: Final = "8480-6"
UNITS: Final = {PULSE: "/min", WEIGHT: "kg", SPO2: "%", GLUCOSE: "mmol/L", SYSTOLIC: "mm[Hg]"}


def planned(**prescribed: object) -> tuple[Any, ...]:
    """Enrolled, with a plan that holds what is given."""
    plain = signed(0)
    plan = Plan(version=1, valid_from_at=at(0), **prescribed)
    return enrolled(), PlanSigned(**{**msgspec.structs.asdict(plain), "plan": plan})


def days(code: str, values: list[float], *, hour: float = 10) -> list[Any]:
    """One value a day."""
    return [
        submitted(f"{code}-{day}", 24 * day + hour, reading(code, value, UNITS[code], 24 * day + hour))
        for day, value in enumerate(values)
    ]


def said(events: list[Any] | tuple[Any, ...]) -> str:
    """Zone and rules of the newest assessment, without what every one of them says."""
    found = judged(*events)
    rules = [reason.rule for reason in found.reasons if reason.rule not in {"within_limits", "nothing_to_judge"}]
    return " ".join([found.zone.value, *rules])


def status_of(*events: Any) -> PatientStatus:  # noqa: ANN401 - any message that the fold takes
    """What is told of the patient after the newest of them."""
    _, told = follow(*events)
    return [output for output in told if isinstance(output, PatientStatus)][-1]


STEADY: Final = [70.0, 71, 69, 70, 71] * 3  # center 70
WIDE: Final = Limit(code=PULSE, unit="/min", red_low=30, red_high=170)
AWAY: Final = RelativeLimit(code=PULSE, unit="/min", red_below=20, yellow_below=10, yellow_above=15, red_above=25)


@pytest.mark.parametrize(
    ("now", "follows"),
    [
        (61, "green"), (60, "yellow relative_low"), (59, "yellow relative_low"),
        (51, "yellow deviation_noted relative_low"), (50, "red deviation_noted relative_low"),
        (49, "red deviation_noted relative_low"),
        (84, "green deviation_noted"), (85, "yellow deviation_noted relative_high"),
        (86, "yellow deviation_noted relative_high"),
        (94, "yellow deviation_noted relative_high"), (95, "red deviation_noted relative_high"),
        (96, "red deviation_noted relative_high"),
    ],
)  # fmt: skip
def test_limits_relative_to_the_patients_own_normal(now: float, follows: str) -> None:
    plan = planned(limits=(WIDE,), relative_limits=(AWAY,))
    assert said([*plan, *days(PULSE, [*STEADY, now])]) == follows


def test_relative_limits_need_a_normal_to_be_relative_to() -> None:
    plan = planned(limits=(WIDE,), relative_limits=(AWAY,))
    assert said([*plan, *days(PULSE, [70, 71, 69, 70, 100])]) == "green"


FASTER: Final = ChangeLimit(code=PULSE, unit="/min", hours=48, yellow_rise=20, red_rise=30, yellow_fall=15, red_fall=25)


@pytest.mark.parametrize(
    ("before", "now", "follows"),
    [
        ([80, 80], 99, "green"), ([80, 80], 100, "yellow rise"), ([80, 80], 101, "yellow rise"),
        ([80, 80], 109, "yellow rise"), ([80, 80], 110, "red rise"), ([80, 80], 111, "red rise"),
        ([80, 80], 66, "green"), ([80, 80], 65, "yellow fall"), ([80, 80], 64, "yellow fall"),
        ([80, 80], 56, "yellow fall"), ([80, 80], 55, "red fall"), ([80, 80], 54, "red fall"),
        ([70, 85], 90, "yellow rise"),  # against the lowest in the window
        ([60, 85, 85, 85], 90, "green"),  # 60 lies four days back
        ([], 150, "green"),
        ([80, 185], 80, "green"), ([80, 181], 80, "green"),  # what is to be measured again is compared with nothing
        ([80, 180], 80, "red fall"),
    ],
)  # fmt: skip
def test_change_within_a_window_of_time(before: list[float], now: float, follows: str) -> None:
    plan = planned(limits=(WIDE,), change_limits=(FASTER,))
    assert said([*plan, *days(PULSE, [*before, now])]) == follows


@pytest.mark.parametrize(
    ("hours_later", "follows"), [(1, "yellow rise"), (47.9, "yellow rise"), (48, "yellow rise"), (48.1, "green")]
)
def test_change_is_joined_by_time_not_by_row(hours_later: float, follows: str) -> None:
    """The pulse is 80 and then 100."""
    plan = planned(limits=(WIDE,), change_limits=(FASTER,))
    early = submitted("early", 10, reading(PULSE, 80, "/min", 10))
    late = submitted("late", 10 + hours_later, reading(PULSE, 100, "/min", 10 + hours_later))
    assert said([*plan, early, late]) == follows


@pytest.mark.parametrize(
    ("first", "beside", "next_day"),
    [(180, "red fall", "red fall"), (181, "no_data quality", "green"), (185, "no_data quality", "green")],
)
def test_what_is_to_be_measured_again_is_compared_with_nothing(first: float, beside: str, next_day: str) -> None:
    """A pulse of so much and then of 80 in one registration, and of 80 the day after."""
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_high=200),), change_limits=(FASTER,))
    twice = submitted("twice", 10, reading(PULSE, first, "/min", 10), reading(PULSE, 80, "/min", 10.1))
    after = submitted("after", 34, reading(PULSE, 80, "/min", 34))
    assert (said([*plan, twice]), said([*plan, twice, after])) == (beside, next_day)


@pytest.mark.parametrize(("since", "follows"), [(248, "yellow fall"), (249, "yellow fall"), (250, "green")])
def test_a_reading_is_compared_with_the_250_before_it_at_most(since: int, follows: str) -> None:
    """A value of 100, so many of 80 ten minutes apart, and one of 80 more."""
    plan = planned(limits=(WIDE,), change_limits=(FASTER,))
    values = [100.0] + [80.0] * (since + 1)
    told = [
        submitted(f"s-{place}", 10 + place / 6, reading(PULSE, value, "/min", 10 + place / 6))
        for place, value in enumerate(values)
    ]
    assert said([*plan, *told]) == follows


TARGET: Final = SustainedLimit(code=GLUCOSE, unit="mmol/L", low=4, high=10, count=3, of=4)


@pytest.mark.parametrize(
    ("values", "follows"),
    [
        ([10.0, 11, 7, 9.9], "green"),
        ([7.0, 7, 7], "no_data"),  # three of four can say nothing yet
        ([29.0], "no_data"),
        ([29.0, 29, 29], "yellow sustained"),  # whatever the fourth will be
        ([10.0, 11, 7, 10], "yellow sustained"),
        ([4.0, 10, 7, 3.9], "yellow sustained"),
        ([4.1, 10, 7, 3.9], "green"),
        ([11.0, 11, 7, 7, 11, 7, 11], "green"),  # two of the newest four
        ([11.0, 11, 7, 7, 11, 11], "green"),
        ([11.0, 11, 7, 11, 11], "yellow sustained"),
        ([31.0, 31, 11], "no_data"),  # what is to be measured again is none of them
        ([30.0, 30, 11], "yellow sustained"),
    ],
)
def test_so_many_of_the_newest_readings_outside_a_target_range(values: list[float], follows: str) -> None:
    plan = planned(sustained_limits=(TARGET,))
    assert said([*plan, *days(GLUCOSE, values)]) == follows


TWO_TARGETS: Final = (
    SustainedLimit(code=GLUCOSE, unit="mmol/L", high=10, count=2, of=2),
    SustainedLimit(code=GLUCOSE, unit="mmol/L", low=4, count=1, of=1, zone="red"),
    SustainedLimit(code=GLUCOSE, unit="mmol/L", high=15, count=2, of=3, zone="red"),
)


@pytest.mark.parametrize(
    ("values", "follows"),
    [
        ([7.0, 7, 7], "green"),
        ([7.0, 10, 10], "yellow sustained"),
        ([7.0, 7, 4], "red sustained"),
        ([15.0, 7, 15], "red sustained"),
        ([7.0, 15, 15], "red sustained sustained"),
        ([15.0, 7, 14.9], "green"),
    ],
)
def test_a_vital_sign_may_have_several_target_ranges(values: list[float], follows: str) -> None:
    plan = planned(sustained_limits=TWO_TARGETS)
    assert said([*plan, *days(GLUCOSE, values)]) == follows


def test_a_target_range_counts_readings_however_seldom_they_come() -> None:
    plan = planned(sustained_limits=(SustainedLimit(code=GLUCOSE, unit="mmol/L", high=10, count=8, of=8),))
    weekly = [
        submitted(f"w-{week}", 168 * week + 10, reading(GLUCOSE, 12, UNITS[GLUCOSE], 168 * week + 10))
        for week in range(8)
    ]
    assert said([*plan, *weekly[:7]]) == "no_data"
    assert said([*plan, *weekly]) == "yellow sustained"


ASKED: Final = (
    AnswerRule(link_id="breath", zone="yellow", at_least=2),
    AnswerRule(link_id="breath", zone="red", at_least=3),
    AnswerRule(link_id="chest-pain", zone="red", is_answer=True),
    AnswerRule(link_id="sputum", zone="yellow", is_answer="green"),
    AnswerRule(link_id="cough", zone="yellow", at_least=1),
)


@pytest.mark.parametrize(
    ("question", "value", "follows"),
    [
        ("breath", 1, "green"), ("breath", 2, "yellow answer"), ("breath", 3, "red answer answer"),
        ("chest-pain", False, "green"), ("chest-pain", True, "red answer"),
        ("cough", 1, "yellow answer"), ("cough", True, "no_data answer_not_judged"),  # yes is no number
        ("breath", "3", "no_data answer_not_judged"), ("breath", "much", "no_data answer_not_judged"),  # nor is a text
        ("chest-pain", 1, "no_data answer_not_judged"),  # and a number no yes
        ("sputum", "green", "yellow answer"), ("sputum", "white", "green"),
        ("sleep", 5, "no_data"),  # nobody said what it means
    ],
)  # fmt: skip
def test_answers_are_judged_by_the_plan(question: str, value: object, follows: str) -> None:
    answer = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id=question, value=value)
    assert said([*planned(answer_rules=ASKED), submitted("s", 10, answers=(answer,))]) == follows


def test_a_symptom_raises_a_zone_and_never_lowers_one() -> None:
    well = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=0)
    ill = submitted("s", 10, reading(PULSE, 175, "/min", 10), answers=(well,))
    assert said([*planned(limits=(WIDE,), answer_rules=ASKED), ill]) == "red limit_high"


@pytest.mark.parametrize(
    ("before", "now", "follows"),
    [
        ([], 80.0, "no_data"),  # nothing to compare with
        ([80.0], 81.35, "green"), ([80.0], 81.36, "yellow weight_rise_day"), ([80.0], 81.37, "yellow weight_rise_day"),
        ([80.0, 80.7, 81.4], 81.99, "green"), ([80.0, 80.7, 81.4], 82.0, "yellow weight_rise_days"),
        ([80.0, 80.3, 80.6, 80.9, 81.2, 81.5], 81.99, "green"),
        ([80.0, 80.3, 80.6, 80.9, 81.2, 81.5], 82.0, "yellow weight_rise_week"),
        ([100.0] + [99.0] * 5, 95.01, "yellow"), ([100.0] + [99.0] * 5, 95.0, "yellow weight_fall_month"),
        ([100.0] + [99.0] * 5, 94.9, "yellow weight_fall_month"),
    ],
)  # fmt: skip
def test_weight_by_time(before: list[float], now: float, follows: str) -> None:
    # A deviation from the own normal is a signal of its own, and told apart.
    found = said([*planned(weight_change=True), *days(WEIGHT, [*before, now])])
    assert found.replace(" deviation", "") == follows


@pytest.mark.parametrize(
    ("hours_later", "gained", "rule", "follows"),
    [
        (30, 1.36, "weight_rise_day", True),  # a day, and the 6 hours by which a daily habit varies
        (30.1, 1.36, "weight_rise_day", False),
        (78, 2.0, "weight_rise_days", True),
        (78.1, 2.0, "weight_rise_days", False),
        (174, 2.0, "weight_rise_week", True),
        (174.1, 2.0, "weight_rise_week", False),
        (726, -4.0, "weight_fall_month", True),
        (726.1, -4.0, "weight_fall_month", False),
    ],
)
def test_weight_is_joined_by_time_with_room_for_a_daily_habit(
    hours_later: float, gained: float, rule: str, *, follows: bool
) -> None:
    now = 10 + hours_later
    first, then = (
        submitted(name, hours, reading(WEIGHT, value, "kg", hours))
        for name, hours, value in (("first", 10, 80.0), ("then", now, 80.0 + gained))
    )
    assert (rule in said([*planned(weight_change=True), first, then])) is follows


@pytest.mark.parametrize(("now", "follows"), [(81.99, False), (82.0, True), (82.01, True)])
def test_weight_over_the_median_of_the_baseline(now: float, *, follows: bool) -> None:
    slowly = [80.0, 79.9, 80.1] * 4 + [80.5, 81.0, 81.5]
    assert ("weight_over_normal" in said([*planned(weight_change=True), *days(WEIGHT, [*slowly, now])])) is follows


@pytest.mark.parametrize(
    ("weight", "pulse", "follows"),
    [
        (82.0, None, "yellow weight_rise_days"),
        (82.0, 99, "yellow weight_rise_days"),
        (82.0, 100, "red limit_high weight_rise_days"),
        (81.99, 100, "yellow limit_high"),
    ],
)
def test_two_kilograms_in_three_days_are_red_with_a_second_signal(
    weight: float, pulse: float | None, follows: str
) -> None:
    """The weight was 80 kg, and the plan's yellow limit of the pulse is 100."""
    plan = planned(weight_change=True, limits=(Limit(code=PULSE, unit="/min", yellow_high=100),))
    beside = () if pulse is None else (reading(PULSE, pulse, "/min", 82),)
    now = submitted("s", 82, reading(WEIGHT, weight, "kg", 82), *beside)
    assert said([*plan, *days(WEIGHT, [80.0, 80.7, 81.4]), now]) == follows


def test_news2_is_a_second_signal_too() -> None:
    plan = planned(weight_change=True, news2=News2Scale.SCALE_1)
    earlier = days(WEIGHT, [80.0, 80.7, 81.4])
    fast = submitted("s", 82, reading(WEIGHT, 82.0, "kg", 82), reading(PULSE, 135, "/min", 82))
    assert said([*plan, *earlier, fast]) == "red news2_part weight_rise_days"


def test_an_answer_is_a_second_signal_too() -> None:
    plan = planned(weight_change=True, answer_rules=ASKED)
    earlier = days(WEIGHT, [80.0, 80.7, 81.4])
    heavier = reading(WEIGHT, 82.0, "kg", 82)
    worse = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=2)
    well = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=0)
    answered = [submitted("s", 82, heavier, answers=(answer,)) for answer in (well, worse)]
    assert said([*plan, *earlier, answered[0]]) == "yellow weight_rise_days"
    assert said([*plan, *earlier, answered[1]]) == "red answer weight_rise_days"


def test_weight_lost_within_a_month_is_seen_however_often_it_is_measured() -> None:
    values = [100 - 0.05 * slot for slot in range(4 * 28)]
    sessions = [
        submitted(f"w-{slot}", 6 * slot + 1, reading(WEIGHT, value, "kg", 6 * slot + 1))
        for slot, value in enumerate(values)
    ]
    assert "weight_fall_month" in said([*planned(weight_change=True), *sessions])


def test_weight_rules_hold_where_the_plan_prescribes_them() -> None:
    plan = planned(limits=(Limit(code=WEIGHT, unit="kg", red_high=200),))
    assert said([*plan, *days(WEIGHT, [80.0, 84.0])]) == "green"


@pytest.mark.parametrize(
    ("before", "now", "follows"),
    [
        ([], 89, "no_data"),
        ([], 88, "red oxygen_low"),
        ([], 87, "red oxygen_low"),
        ([96.0, 95, 96, 97, 96] * 2, 93.5, "green"),
        ([96.0, 95, 96, 97, 96] * 2, 93.1, "green"),
        ([96.0, 95, 96, 97, 96] * 2, 93, "yellow oxygen_below_normal"),
        ([96.0, 95, 96, 97, 96] * 2, 92, "yellow oxygen_below_normal"),
        ([96.0, 95, 96, 97, 96] * 2, 91.1, "yellow oxygen_below_normal"),
        ([96.0, 95, 96, 97, 96] * 2, 91, "red oxygen_below_normal"),
    ],
)
def test_oxygen_without_a_limit_in_the_plan(before: list[float], now: float, follows: str) -> None:
    found = said([*planned(), *days(SPO2, [*before, now])])
    assert found.replace(" deviation", "") == follows


@pytest.mark.parametrize(
    ("now", "follows"),
    [
        (88, "green"), (87, "green"), (86, "yellow limit_low"), (85, "yellow limit_low"), (84, "red limit_low"),
        (83, "red limit_low"),
    ],
)  # fmt: skip
def test_the_plans_own_limit_on_oxygen_comes_first(now: float, follows: str) -> None:
    """The plan's limits are 86 % for yellow and 84 % for red, below the 88 % that hold where it has none."""
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=84, yellow_low=86),))
    assert said([*plan, submitted("s", 10, reading(SPO2, now, "%", 10))]) == follows


@pytest.mark.parametrize(
    ("limit", "now", "follows"),
    [
        ({"yellow_high": 97}, 82, "red oxygen_low"),  # nobody set a lower limit: the general one holds
        ({"yellow_high": 97}, 88, "red oxygen_low"),
        ({"yellow_high": 97}, 89, "green"),
        ({"yellow_low": 84}, 86, "green"),  # the plan's own comes first
        ({"red_low": 84}, 86, "green"),
    ],
)
def test_the_general_limit_on_oxygen_holds_where_the_plan_has_no_lower_one(
    limit: dict[str, float], now: float, follows: str
) -> None:
    plan = planned(limits=(Limit(code=SPO2, unit="%", **limit),))
    assert said([*plan, submitted("s", 10, reading(SPO2, now, "%", 10))]) == follows


WELL: Final = Answer(questionnaire="daily", questionnaire_version=1, link_id="breath", value=0)
BOTH: Final = (WIDE, Limit(code=SYSTOLIC, unit="mm[Hg]", red_low=60))


@pytest.mark.parametrize(
    ("due", "measured", "answered", "follows"),
    [
        ((), (PULSE,), False, "green"),
        ((), (), True, "no_data nothing_measured"),  # the plan has limits, and nothing was measured
        ((PULSE,), (PULSE,), False, "green"),
        ((PULSE, SYSTOLIC), (PULSE,), False, "no_data vitals_missing"),
        ((PULSE, SYSTOLIC), (PULSE, SYSTOLIC), False, "green"),
        ((PULSE, SYSTOLIC), (), True, "no_data nothing_measured vitals_missing"),
    ],
)
def test_what_is_due_and_missing_is_no_good_news(
    due: tuple[str, ...], measured: tuple[str, ...], *, answered: bool, follows: str
) -> None:
    plan = planned(limits=BOTH, answer_rules=ASKED, vitals=due)
    readings = [reading(code, 100, UNITS[code], 10) for code in measured]
    session = submitted("s", 10, *readings, answers=(WELL,) if answered else ())
    assert said([*plan, session]) == follows


def test_a_plan_without_measurements_is_followed_by_answers_alone() -> None:
    plan = planned(answer_rules=ASKED)
    assert said([*plan, submitted("s", 10, answers=(WELL,))]) == "green"


@pytest.mark.parametrize(
    ("hours_later", "pulse", "follows"),
    [
        (2, 70, "green vitals_missing"),
        (2, 170, "red limit_high vitals_missing"),
        (26, 70, "no_data vitals_missing"),
    ],
)
def test_before_anything_is_due_again_part_of_it_is_judged_by_itself(
    hours_later: float, pulse: float, follows: str
) -> None:
    """Pulse and blood pressure are due once a day. Both came at once, and then a pulse: a registration of its own."""
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC))
    whole = submitted("s", 10, reading(PULSE, 70, "/min", 10), reading(SYSTOLIC, 120, "mm[Hg]", 10))
    more = submitted("more", 10 + hours_later, reading(PULSE, pulse, "/min", 10 + hours_later))
    assert said([*plan, whole, more]) == follows


def test_a_part_that_nobody_waits_for_yet_puts_nothing_off() -> None:
    weekly = Cadence(daily_days=0, every_days=7)
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC), cadence=weekly)
    whole = submitted("s", 10, reading(PULSE, 70, "/min", 10), reading(SYSTOLIC, 120, "mm[Hg]", 10))
    parts = [submitted(f"p-{day}", 24 * day + 10, reading(PULSE, 70, "/min", 24 * day + 10)) for day in (3, 6)]
    due = status_of(*plan, whole).due_at
    assert status_of(*plan, whole, *parts).due_at == due
    assert status_of(*plan, whole, *parts, Tick(at=at(24 * 9))).zone is Zone.NO_DATA
    fast = submitted("fast", 24 * 3 + 10, reading(PULSE, 170, "/min", 24 * 3 + 10))
    assert status_of(*plan, whole, fast).due_at == due - timedelta(days=3)  # a red asks for the next day's


def test_an_alert_puts_nothing_off_where_the_plan_asks_for_no_more_after_one() -> None:
    weekly = Cadence(daily_days=0, every_days=7, alert_days=0)
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC), cadence=weekly, answer_rules=ASKED)
    whole = submitted("s", 10, reading(PULSE, 70, "/min", 10), reading(SYSTOLIC, 120, "mm[Hg]", 10))
    short = submitted("short", 24 * 3 + 10, answers=(msgspec.structs.replace(WELL, value=2),))
    assert status_of(*plan, whole, short).zone is Zone.YELLOW
    assert status_of(*plan, whole, short).due_at == status_of(*plan, whole).due_at


@pytest.mark.parametrize(
    ("hours_before", "follows"),
    [(23.99, "green"), (24, "green"), (24.01, "no_data vitals_missing"), (24 * 200, "no_data vitals_missing")],
)
def test_an_old_reading_is_not_what_is_due(hours_before: float, follows: str) -> None:
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC))
    now = 24 * 210 + 10
    old = reading(PULSE, 70, "/min", now - hours_before)
    assert said([*plan, submitted("s", now, old, reading(SYSTOLIC, 120, "mm[Hg]", now))]) == follows


@pytest.mark.parametrize(
    ("first", "second", "apart", "follows"),
    [
        (PULSE, SYSTOLIC, 0.02, "green"),
        (SYSTOLIC, PULSE, 4, "green"),
        (PULSE, SYSTOLIC, 4.01, "no_data vitals_missing"),
        (PULSE, PULSE, 0.02, "no_data vitals_missing"),
    ],
)
def test_what_is_sent_in_parts_is_one_registration(first: str, second: str, apart: float, follows: str) -> None:
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC))
    one = submitted("one", 8, reading(first, 100, UNITS[first], 8))
    two = submitted("two", 8 + apart, reading(second, 100, UNITS[second], 8 + apart))
    assert said([*plan, one]) == "no_data vitals_missing"
    assert said([*plan, one, two]) == follows


def part(name: str, hours: float, *values: tuple[str, float], answers: tuple[Answer, ...] = ()) -> Any:  # noqa: ANN401 - a submission
    """A message with some of what a registration holds."""
    readings = (reading(code, value, UNITS[code], hours) for code, value in values)
    return submitted(name, hours, *readings, answers=answers)


def test_what_must_be_measured_again_in_one_part_is_missing_in_the_next() -> None:
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC))
    first = part("one", 8, (PULSE, 34))  # implausible
    assert said([*plan, first, part("two", 8.1, (SYSTOLIC, 120))]) == "no_data vitals_missing"
    again = part("two", 8.1, (SYSTOLIC, 120), (PULSE, 70))
    assert said([*plan, first, again]) == "green"


def test_a_part_ends_no_alert_and_no_lack_of_data() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", yellow_high=100), BOTH[1]), vitals=(PULSE, SYSTOLIC))
    fast, more = part("fast", 8, (PULSE, 105)), [part(f"p-{n}", 8.1 + n, (SYSTOLIC, 120)) for n in range(3)]
    assert status_of(*plan, fast, *more).zone is Zone.YELLOW
    whole = part("whole", 8, (PULSE, 70), (SYSTOLIC, 120))
    odd = part("odd", 9, (PULSE, 400), (SYSTOLIC, 120))
    assert status_of(*plan, whole, odd, part("p", 10, (SYSTOLIC, 120))).zone is Zone.NO_DATA
    later = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC), cadence=Cadence(times=("23:00",)))
    assert status_of(*later, part("first", 2, (PULSE, 70))).zone is Zone.NO_DATA


def test_answers_after_a_registration_of_its_own_are_no_lack_of_data() -> None:
    whole = part("whole", 8, (PULSE, 70), (SYSTOLIC, 120))
    for vitals, due in (((), False), ((PULSE,), False), ((PULSE,), True)):
        plan = planned(limits=BOTH, vitals=vitals, answer_rules=ASKED[:1], answers_due=due)
        with_answers = msgspec.structs.replace(whole, answers=(WELL,))
        found = status_of(*plan, with_answers, part("again", 8.1, answers=(WELL,)))
        assert (found.zone, due) == (Zone.GREEN, due)
    plan = planned(limits=BOTH, answer_rules=ASKED[:1])
    assert said([*plan, whole, part("answers", 12.1, answers=(WELL,))]) == "no_data nothing_measured"


@pytest.mark.parametrize("order", [(PULSE, SYSTOLIC), (SYSTOLIC, PULSE)])
def test_in_whatever_order_parts_come_what_has_a_limit_is_judged(order: tuple[str, str]) -> None:
    plan = planned(limits=(WIDE,), vitals=(PULSE, SYSTOLIC))
    parts = [part(code, 8 + 0.1 * place, (code, 100)) for place, code in enumerate(order)]
    assert said([*plan, *parts]) == "green"


@pytest.mark.parametrize(
    ("hours", "follows"),
    [(12.9, "green vitals_missing"), (13, "no_data vitals_missing"), (13.1, "no_data vitals_missing")],
)
def test_between_the_times_of_a_day_a_part_is_one_that_nobody_waits_for(hours: float, follows: str) -> None:
    """The plan's times are 08:00 and 20:00, an hour ahead of UTC: half-way is 13:00 in UTC."""
    twice = Cadence(times=("08:00", "20:00"), every_days=1)
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC), cadence=twice)
    whole = part("whole", 7, (PULSE, 70), (SYSTOLIC, 120))
    assert said([*plan, whole, part("part", hours, (PULSE, 70))]) == follows


def test_a_part_near_a_limit_makes_nobody_late_and_an_acknowledgement_puts_nothing_off() -> None:
    weekly = Cadence(daily_days=0, every_days=7, alert_days=0)
    plan = planned(
        limits=(Limit(code=PULSE, unit="/min", yellow_high=100), BOTH[1]),
        vitals=(PULSE, SYSTOLIC),
        cadence=weekly,
        answer_rules=ASKED,
    )
    whole = part("s", 10, (PULSE, 70), (SYSTOLIC, 120))
    due = status_of(*plan, whole).due_at
    near = part("near", 24 * 3 + 10, (PULSE, 99))
    assert status_of(*plan, whole, near, transferred(24 * 4)).due_at == due
    short = part("short", 24 * 6 + 10, answers=(msgspec.structs.replace(WELL, value=2),))
    state, _ = follow(*plan, whole, short)
    assert state.episode is not None
    taken = acknowledged("taken", UUID(bytes=state.episode.change), at(24 * 6 + 12))
    assert status_of(*plan, whole, short).due_at == status_of(*plan, whole, short, taken).due_at == due


def test_parts_over_midnight_are_two_registrations() -> None:
    plan = planned(limits=BOTH, vitals=(PULSE, SYSTOLIC))
    one = submitted("one", 22.9, reading(PULSE, 100, "/min", 22.9))  # an hour ahead of UTC
    two = submitted("two", 23.1, reading(SYSTOLIC, 100, "mm[Hg]", 23.1))
    assert said([*plan, one, two]) == "no_data vitals_missing"


@pytest.mark.parametrize(
    ("answered", "follows"),
    [
        (("energy",), "no_data answer_missing answer_missing"),
        (("breath",), "no_data answer_missing"),
        (("breath", "cough"), "green"),
        (("breath", "cough", "energy"), "green"),
    ],
)
def test_questions_that_are_due_must_be_answered(answered: tuple[str, ...], follows: str) -> None:
    asked = (ASKED[0], ASKED[4])  # breath and cough
    plan = planned(limits=(WIDE,), answer_rules=asked, answers_due=True)
    answers = tuple(
        Answer(questionnaire="daily", questionnaire_version=1, link_id=link_id, value=0) for link_id in answered
    )
    pulse = reading(PULSE, 70, "/min", 10)
    assert said([*plan, submitted("s", 10, pulse, answers=answers)]) == follows
    for first, second in (((), (pulse,)), ((pulse,), ())):
        apart = [
            submitted("a", 10, *first, answers=() if first else answers),
            submitted("b", 10.1, *second, answers=() if second else answers),
        ]
        assert said([*plan, *apart]) == follows


@pytest.mark.parametrize(
    ("plans", "answers", "follows"),
    [
        (None, "daily", "red answer answer"),
        ("daily", "daily", "red answer answer"),
        ("daily", "other", "no_data"),  # another questionnaire's question of the same name
    ],
)
def test_rules_on_answers_are_about_the_plans_own_questionnaire(plans: str | None, answers: str, follows: str) -> None:
    plan = planned(answer_rules=ASKED, questionnaire=plans)
    breath = Answer(questionnaire=answers, questionnaire_version=1, link_id="breath", value=3)
    assert said([*plan, submitted("s", 10, answers=(breath,))]) == follows


@pytest.mark.parametrize(("confused", "follows"), [(True, "yellow news2_part"), (False, "green"), ("yes", "green")])
def test_new_confusion_counts_in_news2(confused: bool | str, follows: str) -> None:  # noqa: FBT001 - an answer
    plan = planned(limits=(WIDE,), news2=News2Scale.SCALE_1)
    told = Answer(questionnaire="daily", questionnaire_version=1, link_id="confused", value=confused)
    assert said([*plan, submitted("s", 10, reading(PULSE, 70, "/min", 10), answers=(told,))]) == follows


BREATHS: Final = "9279-1"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("later_sent_first", [False, True])
def test_a_better_reading_takes_no_points_of_news2_away(*, turned: bool, later_sent_first: bool) -> None:
    plan = planned(limits=BOTH, news2=News2Scale.SCALE_1)
    bad = [reading(BREATHS, 26, "/min", 10), reading(SPO2, 90, "%", 10), reading(PULSE, 112, "/min", 10)]
    good = [reading(BREATHS, 16, "/min", 10.1), reading(SPO2, 97, "%", 10.1), reading(PULSE, 70, "/min", 10.1)]
    if turned:
        bad, good = good, bad
    found = judged(*plan, submitted("s", 10.2, *(good + bad if later_sent_first else bad + good)))
    assert found.zone == "red"
    assert found.news2 is not None
    assert found.news2.total == 3 + 3 + 2


@pytest.mark.parametrize(
    ("litres", "oxygen", "saturation"),
    [
        ((None, None), None, None), ((0, None), 0, 0), ((None, 0), 0, 0), ((0, 0), 0, 0),
        ((0, 2), 2, 3), ((2, 0), 2, 3), ((None, 2), 2, 3), ((2, None), 2, 3), ((0.5, 0), 2, 3),
    ],
)  # fmt: skip
def test_of_two_readings_the_one_on_oxygen_says_that_the_patient_is_on_it(
    litres: tuple[float | None, float | None], oxygen: int | None, saturation: int | None
) -> None:
    """Both show a saturation of 97 %, which by scale 2 is no point on air and 3 on oxygen."""
    plan = planned(limits=(Limit(code=SPO2, unit="%", red_low=50),), news2=News2Scale.SCALE_2)
    both = [
        msgspec.structs.replace(
            reading(SPO2, 97, "%", 10 + place / 10), context=None if told is None else Context(oxygen_l_min=told)
        )
        for place, told in enumerate(litres)
    ]
    found = judged(*plan, submitted("s", 10.2, *both)).news2
    assert found is not None
    points = {part.part: part.points for part in found.parts}
    assert (points["oxygen"], points["spo2"]) == (oxygen, saturation)


def test_slowly_worse_is_still_worse() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30),))
    slowly = [70 + 0.35 * day for day in range(30)]
    told = [said([*plan, *days(PULSE, [*STEADY, *slowly[: day + 1]])]) for day in range(30)]
    assert not any("deviation" in found and "noted" not in found for found in told[:5])
    assert any("slow_rise" in found or "drift_high" in found for found in told)


def test_slow_change_is_told_when_it_passes_its_bound_and_then_starts_anew() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30),))
    up = [*STEADY, 75, 75, 75, 75, 75, 75]
    found = [said([*plan, *days(PULSE, up[: len(STEADY) + count])]) for count in range(1, 7)]
    assert sum("slow_rise" in one for one in found) >= 1
    assert "slow_rise" not in found[0]


def test_what_drifted_is_yellow_however_far_the_limit_is() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, yellow_high=150),))
    slowly = [70 + 0.35 * day for day in range(40)]
    told = [said([*plan, *days(PULSE, [*STEADY, *slowly[: day + 1]])]) for day in range(40)]
    assert sum(found.startswith("yellow") and "drift_high" in found for found in told) == 1


def test_what_goes_on_drifting_is_told_again_at_each_step() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, yellow_high=150),))
    slowly = [70 + 0.35 * day for day in range(100)]
    told = [said([*plan, *days(PULSE, [*STEADY, *slowly[: day + 1]])]) for day in range(100)]
    assert sum(found.startswith("yellow") and "drift_high" in found for found in told) > 1


def test_what_built_up_far_from_a_limit_is_an_alert_as_soon_as_it_is_near_one() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, yellow_high=83),))
    up = [*STEADY, *[76] * 7, 80]
    told = [said([*plan, *days(PULSE, up[: len(STEADY) + count])]) for count in range(1, 9)]
    noted = [found for found in told if "slow_rise" in found]
    assert noted[0].startswith("green")
    assert sum("slow_rise" in found for found in told[:-1]) == 1
    assert (told[-1].startswith("yellow"), "slow_rise" in told[-1]) == (True, True)


def test_a_lasting_shift_is_told_before_the_limit_and_once() -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30),))
    up = [*STEADY, *[77] * 6]
    found = [said([*plan, *days(PULSE, up[: len(STEADY) + count])]) for count in range(1, 7)]
    assert "shift_high" not in found[0]
    assert sum("shift_high" in one for one in found) == 1


def test_news2_raises_a_zone_where_it_is_prescribed_and_shows_what_is_missing() -> None:
    ill = submitted(
        "s",
        10,
        reading(PULSE, 135, "/min", 10),
        reading(SYSTOLIC, 95, "mm[Hg]", 10),
        msgspec.structs.replace(reading(SPO2, 91, "%", 10), context=Context(oxygen_l_min=2)),
    )
    wide = (WIDE, Limit(code=SYSTOLIC, unit="mm[Hg]", red_low=50), Limit(code=SPO2, unit="%", red_low=50))
    without = judged(*planned(limits=wide), ill)
    found = judged(*planned(limits=wide, news2=News2Scale.SCALE_1), ill)
    other = judged(*planned(limits=wide, news2=News2Scale.SCALE_2), ill)
    assert (without.zone, without.news2) == ("green", None)
    assert found.zone == "red"
    assert found.news2 is not None
    assert (found.news2.total, found.news2.known) == (3 + 2 + 3 + 2, 4)
    assert [part.part for part in found.news2.parts if part.points is None] == [
        "respiratory_rate",
        "consciousness",
        "temperature",
    ]
    assert other.news2 is not None
    assert other.news2.total == 3 + 2 + 0 + 2
    (reason,) = (reason for reason in found.reasons if reason.rule == "news2")
    assert (reason.value, reason.count, reason.of) == (10, 4, 7)


@pytest.mark.parametrize(
    ("first", "again", "follows"),
    [
        (165, 140, "red limit_high remeasure"),
        (165, 155, "red limit_high limit_high remeasure"),
        (165, 161, "red limit_high limit_high"),  # confirmed
        (155, 140, "yellow limit_high"),
        (140, 165, "red limit_high"),
    ],
)
def test_a_later_better_reading_is_told_and_takes_no_red_away(first: float, again: float, follows: str) -> None:
    """The systolic pressure is yellow from 150 and red from 160."""
    plan = planned(limits=(Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=160, yellow_high=150),))
    twice = submitted("s", 10, reading(SYSTOLIC, first, "mm[Hg]", 10), reading(SYSTOLIC, again, "mm[Hg]", 10.1))
    assert said([*plan, twice]) == follows


def test_the_plans_own_words_travel_with_the_assessment() -> None:
    words = SelfCare(green=("go on",), yellow=("rest",), red=("call the centre",))
    plan = planned(limits=(Limit(code=PULSE, unit="/min", yellow_high=100, red_high=120),), self_care=words)
    told = [judged(*plan, submitted("s", 10, reading(PULSE, pulse, "/min", 10))).self_care for pulse in (70, 100, 120)]
    assert told == [("go on",), ("rest",), ("call the centre",)]


CONTRADICTIONS: Final = [
    ({"relative_limits": (RelativeLimit(code=PULSE, unit="/min"),)}, "relative_limits[0]"),
    (
        {"relative_limits": (RelativeLimit(code=PULSE, unit="/min", yellow_below=20, red_below=10),)},
        "relative_limits[0]",
    ),
    ({"relative_limits": (RelativeLimit(code="1-8", unit="/min", red_below=10),)}, "relative_limits[0].code"),
    ({"change_limits": (ChangeLimit(code=PULSE, unit="kg", hours=24, red_rise=10),)}, "change_limits[0].unit"),
    ({"change_limits": (ChangeLimit(code=PULSE, unit="/min", hours=745, red_rise=10),)}, "change_limits[0].hours"),
    (
        {"sustained_limits": (SustainedLimit(code=PULSE, unit="/min", low=80, high=60, count=1, of=1),)},
        "sustained_limits[0]",
    ),
    (
        {"sustained_limits": (SustainedLimit(code=PULSE, unit="/min", low=80, count=3, of=2),)},
        "sustained_limits[0].count",
    ),
    (
        {
            "relative_limits": (
                RelativeLimit(code=PULSE, unit="/min", red_below=10),
                RelativeLimit(code=PULSE, unit="/min", red_above=10),
            )
        },
        "relative_limits[1].code",
    ),
    ({"answer_rules": (AnswerRule(link_id="a", zone="red"),)}, "answer_rules[0]"),
    ({"answer_rules": (AnswerRule(link_id="a", zone="red", at_least=1, is_answer=True),)}, "answer_rules[0]"),
]


@pytest.mark.parametrize(("prescribed", "field"), CONTRADICTIONS)
def test_a_plan_that_contradicts_itself_is_not_followed(prescribed: dict[str, Any], field: str) -> None:
    found = judged(*planned(limits=(WIDE,), **prescribed), submitted("s", 10, reading(PULSE, 70, "/min", 10)))
    assert [reason.detail for reason in found.reasons] == [f"plan_contradicts_itself:{field}"]
