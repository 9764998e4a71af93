"""What the engine's own cadence has registered, knowing of nothing else."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backtest.days import BLOOD_PRESSURE
from pipeline.backtest.thinned import thinned
from pipeline.triage import RULES
from schemas.care import Cadence, Limit
from schemas.submissions import Correction, CorrectionAction
from tests.histories import enrolled, named, signed
from tests.pipeline.backtest.recordings import FIRST, PULSE, SYSTOLIC, at, days, session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from schemas.submissions import Submission

EVERY_DAY = range(60)
LIMITS = (Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=160), Limit(code=PULSE, unit="/min", yellow_high=100))
HOURS_AHEAD = -24 * 18  # where `tests.histories` counts from, to the first recorded day
# The limit is 160 and the least spread 4: near from 158 on, and slow change raises an alert from 152 on.
USUAL, NEAR, RED = 151, 158, 165


def registered(kept: frozenset[object]) -> list[int]:
    return sorted(day - FIRST for _, day in kept)  # type: ignore[misc] # a PatientDay


def came_at(message: Submission | Correction) -> datetime:
    return message.recorded_at if isinstance(message, Correction) else message.received_at


def asked(
    values: Mapping[int, float] | None = None,
    *more: Correction,
    pulses: Mapping[int, float] | None = None,
    only_pressure: bool = True,
    on: Iterable[int] = EVERY_DAY,
    plan: Cadence | None = None,
) -> list[int]:
    systolic, pulse = values or {}, pulses or {}
    sent = [
        session(day, [(SYSTOLIC, systolic.get(day, USUAL)), (PULSE, pulse.get(day, 70))]) for day in sorted(set(on))
    ]
    messages = sorted(
        [*sent, *more], key=lambda one: one.recorded_at if isinstance(one, Correction) else one.received_at
    )
    kept = thinned(
        [enrolled(HOURS_AHEAD), signed(HOURS_AHEAD, *LIMITS), *messages],
        plan or Cadence(),
        RULES,
        UTC,
        days=days(*on),
        codes=BLOOD_PRESSURE.codes if only_pressure else None,
    )
    return registered(kept)


@pytest.mark.parametrize(
    ("red", "near", "after_day_13"),
    [
        ((), (), [20, 27, 34, 41, 48, 55]),
        ((20,), (), [*range(20, 27), *range(28, 42, 2), 47, 54]),  # a week daily, then every second day
        ((), (20,), [*range(20, 42, 2), 47, 54]),
        ((21,), (22,), [20, 27, 34, 41, 48, 55]),  # nobody saw days 21 and 22
        ((), EVERY_DAY, [*range(15, 60, 2)]),
        (EVERY_DAY, (), [*range(14, 60)]),
    ],
)
def test_a_yellow_or_red_asks_for_a_week_and_a_value_near_a_limit_for_three(
    red: Sequence[int], near: Sequence[int], after_day_13: list[int]
) -> None:
    values = dict.fromkeys(near, NEAR) | dict.fromkeys(red, RED)
    assert asked(values) == [*range(14), *after_day_13]


def test_what_is_due_is_answered_on_the_next_recorded_day() -> None:
    assert asked(on=[0, 1, 12, 15, 21, 22, 30]) == [0, 1, 12, 15, 22, 30]


def test_the_rhythm_is_that_of_the_plan_given() -> None:
    assert asked(plan=Cadence(daily_days=0, every_days=20)) == [0, 20, 40]


def test_a_pulse_asks_only_where_it_is_registered_too() -> None:
    fast = {20: 105.0}
    assert asked(pulses=fast) == [*range(14), 20, 27, 34, 41, 48, 55]
    assert asked(pulses=fast, only_pressure=False) == [*range(14), *range(20, 27), *range(28, 42, 2), 47, 54]


@given(
    red=st.frozensets(st.integers(0, 59), max_size=6),
    near=st.frozensets(st.integers(0, 59), max_size=6),
    unseen=st.sampled_from([60.0, 120.0, 157.0, 200.0]),
)
def test_what_was_not_asked_for_changes_nothing(red: frozenset[int], near: frozenset[int], unseen: float) -> None:
    values = dict.fromkeys(near, float(NEAR)) | dict.fromkeys(red, float(RED))
    kept = asked(values)
    assert asked(values | dict.fromkeys(set(EVERY_DAY) - set(kept), unseen)) == kept


def correction(day: int, hours: float, value: float | None) -> Correction:
    wrong = session(day, [(SYSTOLIC, value or USUAL)])
    return Correction(
        correction_id=named(f"correction {day}"),
        submission_id=wrong.submission_id,
        patient=wrong.patient,
        recorded_at=at(day, hours),
        action=CorrectionAction.ENTERED_IN_ERROR if value is None else CorrectionAction.REPLACED,
        readings=() if value is None else wrong.readings,
    )


def test_a_correction_of_what_was_registered_counts_from_when_it_came() -> None:
    assert asked({20: RED}, correction(20, 12, USUAL)) == [*range(14), 20, 27, 34, 41, 48, 55]
    assert asked({}, correction(27, 12, RED)) == [*range(14), 20, *range(27, 34), *range(35, 49, 2), 54]
    assert asked({}, correction(28, 12, RED)) == [*range(14), 20, 27, 34, 41, 48, 55]  # of what was never sent


def test_a_correction_that_leaves_no_blood_pressure_takes_the_registration_back() -> None:
    wrong = correction(20, 12, RED)
    pulse_alone = msgspec.structs.replace(wrong, readings=session(20, [(PULSE, 70)]).readings)
    # The registration before is the newest again, so the next recorded day is due.
    withdrawn = asked({20: RED}, correction(20, 12, None))
    assert asked({20: RED}, pulse_alone) == withdrawn
    assert withdrawn[14:17] == [20, 21, 28]


def test_another_registration_of_the_day_is_part_of_it_and_alerts() -> None:
    evening = session(20, [(SYSTOLIC, RED)], hour=20)
    messages = [enrolled(HOURS_AHEAD), signed(HOURS_AHEAD, *LIMITS)]
    for day in EVERY_DAY:
        messages.append(session(day, [(SYSTOLIC, USUAL)]))
        messages += [evening] if day == 20 else []
    kept = registered(thinned(messages, Cadence(), RULES, UTC, days=days(*EVERY_DAY)))
    assert kept == [*range(14), *range(20, 27), *range(28, 42, 2), 47, 54]


def test_days_that_do_not_count_are_as_if_they_had_not_been() -> None:
    messages = [enrolled(HOURS_AHEAD), signed(HOURS_AHEAD, *LIMITS)]
    messages += [session(day, [(SYSTOLIC, RED)]) for day in range(5)]
    assert registered(thinned(messages, Cadence(), RULES, UTC, days=days(2, 3))) == [2, 3]


def test_nobody_asks_a_patient_whom_nobody_monitors() -> None:
    sent = [session(day, [(SYSTOLIC, RED)]) for day in range(5)]
    assert thinned(sent, Cadence(), RULES, UTC, days=days(*range(5))) == frozenset()
    wrong = signed(HOURS_AHEAD, Limit(code=SYSTOLIC, unit="mm[Hg]", yellow_low=160, yellow_high=120))
    assert thinned([enrolled(HOURS_AHEAD), wrong, *sent], Cadence(), RULES, UTC, days=days(*range(5))) == frozenset()
