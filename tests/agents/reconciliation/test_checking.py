"""What is whole is called whole; whatever is taken out is named, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.reconciliation.account import MOST_NAMED, Counts, Step, total
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, SUBMISSIONS
from tests.agents.reconciliation.made_up import AT_MS, SETTLED_MS, Installation, uuid

if TYPE_CHECKING:
    from agents.reconciliation.account import Account

HOUR_MS = 3_600_000


def named(account: Account) -> list[tuple[Step, str, int, object]]:
    return [(one.step, one.topic, one.offset, one.id) for one in account.missing]


async def test_what_reached_every_step_is_whole() -> None:
    made = Installation()
    for number in range(10):
        made.assess(number, made.submit(number, AT_MS + number * 1000), AT_MS + number * 1000 + 200)
        made.care(100 + number, AT_MS + number * 1000)

    account = await made.account()

    assert account.whole
    assert account.whole_log
    assert account.counts == Counts(received=10, assessed=10, stored=10, care_received=10, care_stored=10)


async def test_an_empty_log_is_whole() -> None:
    account = await Installation().account()
    assert (account.whole, account.whole_log, account.counts) == (True, True, Counts())


async def test_a_submission_that_nobody_assessed_is_named() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.submit(2, AT_MS + 1000)

    account = await made.account()

    assert named(account) == [(Step.ASSESSED, "submissions", 1, uuid(2))]
    assert account.unaccounted == {Step.ASSESSED: 1, Step.CORRECTED: 0, Step.STORED: 0, Step.CARE_STORED: 0}
    assert account.resume == {"submissions": 1}


@pytest.mark.parametrize("measurement", ["assessment", "reading"])
async def test_an_assessment_without_one_of_its_points_is_named(measurement: str) -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    del made.store.held[next(key for key in made.store.held if key[0] == measurement)]

    assert named(await made.account()) == [(Step.STORED, "submissions", 0, uuid(1))]


async def test_an_earlier_revision_in_the_store_is_not_the_one_that_was_told() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.assess(1, made.correct(1, AT_MS + 1000), AT_MS + 1100, revision=2, stored=False)

    account = await made.account()

    assert named(account) == [(Step.STORED, "submissions", 1, uuid(1))]
    assert account.counts == Counts(received=1, corrections=1, corrected=1, assessed=1, stored=1)


async def test_a_later_revision_in_the_store_will_do() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100, stored=False)
    made.assess(1, made.correct(1, AT_MS + 1000), AT_MS + 1100, revision=2)

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=1, corrections=1, corrected=1, assessed=1, stored=2)


async def test_dead_letters_account_for_what_could_not_be_worked_with() -> None:
    made = Installation()
    made.bury(made.submit(1, AT_MS, raw=b"{not json"), AT_MS + 100)
    made.bury(made.submit(2, AT_MS + 1), AT_MS + 101, "too_late")
    made.bury(made.submit(3, AT_MS + 2, key=b"somebody-else"), AT_MS + 102, "wrong_key")
    refused = made.assess(4, made.submit(4, AT_MS + 3), AT_MS + 103, stored=False)
    made.bury(refused, AT_MS + 104, "refused_by_store")
    made.bury(made.care(5, AT_MS, stored=False), AT_MS + 105, "refused_by_store")

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=4, dead_lettered=3, assessed=1, refused=1, care_received=1, care_refused=1)


@pytest.mark.parametrize("foreign", [b"", b"{not json", b'{"submission_id":"\xff"}', b'{"x":' + b"[" * 100_000, b"[]"])
async def test_what_somebody_else_wrote_among_the_assessments_stops_nothing(foreign: bytes) -> None:
    made = Installation()
    made.logs.write(ASSESSMENTS, foreign, AT_MS)
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    account = await made.account()
    assert account.whole
    assert account.counts == Counts(received=1, assessed=1, stored=1)


async def test_a_message_that_nobody_can_read_and_nobody_buried_is_named_by_its_place() -> None:
    made = Installation()
    made.submit(1, AT_MS, raw=b"{not json")
    assert named(await made.account()) == [(Step.ASSESSED, "submissions", 0, None)]


async def test_a_bad_copy_does_not_account_for_a_good_one_of_the_same_submission() -> None:
    made = Installation()
    made.bury(made.submit(1, AT_MS), AT_MS + 100, "internal_error")
    made.submit(1, AT_MS + 1000)
    assert named(await made.account()) == [(Step.ASSESSED, "submissions", 0, uuid(1))]


async def test_what_triage_says_of_a_care_event_is_not_what_the_store_says() -> None:
    made = Installation()
    made.bury(made.care(1, AT_MS, stored=False), AT_MS + 100, "history_full")
    assert named(await made.account()) == [(Step.CARE_STORED, "care", 0, uuid(1))]


async def test_an_assessment_too_large_for_the_broker_is_a_dead_letter_without_an_offset() -> None:
    made = Installation()
    cause = made.submit(1, AT_MS)
    told = made.assess(1, cause, AT_MS + 100, stored=False)
    made.logs.records[ASSESSMENTS.name].clear()
    made.bury(told._replace(offset=-1, value=(told.value or b"")[:300]), AT_MS + 100, "oversize_output")

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=1, dead_lettered=1)


@pytest.mark.parametrize("apart", [1, 9], ids=["near", "in another chunk"])
async def test_a_repeat_is_counted_apart(apart: int) -> None:
    made = Installation()
    made.assess(0, made.submit(0, AT_MS), AT_MS + 10)
    for number in range(1, apart):
        made.assess(number, made.submit(number, AT_MS + number * 1000), AT_MS + number * 1000 + 10)
    made.submit(0, AT_MS + apart * 1000)

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=apart, repeated=1, assessed=apart, stored=apart)


async def test_a_repeat_of_something_older_than_the_period_is_known_by_the_store() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS - 40 * HOUR_MS), AT_MS - 40 * HOUR_MS + 100)
    made.submit(1, AT_MS + 1000)

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(repeated=1)


async def test_an_assessment_that_came_hours_later_is_found() -> None:
    made = Installation()
    causes = [made.submit(number, AT_MS + number) for number in range(9)]
    for number, cause in enumerate(causes):
        made.assess(number, cause, AT_MS + 5 * HOUR_MS)

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=9, assessed=9, stored=9)


async def test_assessments_in_another_order_are_found() -> None:
    made = Installation()
    causes = [made.submit(number, AT_MS + number) for number in range(9)]
    for number in reversed(range(9)):
        made.assess(number, causes[number], AT_MS + 1000)

    assert (await made.account()).counts == Counts(received=9, assessed=9, stored=9)


async def test_what_was_assessed_a_moment_ago_is_under_way_and_looked_at_again() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), SETTLED_MS + 1, stored=False)

    account = await made.account()

    assert account.whole
    assert account.counts == Counts(received=1, assessed=1, underway=1)
    assert account.resume == {"submissions": 0}
    assert account.open_since is not None


async def test_a_correction_that_waits_for_its_submission_changes_nothing() -> None:
    made = Installation()
    made.correct(1, AT_MS)
    account = await made.account()
    assert account.whole
    assert account.counts == Counts(corrections=1, corrections_waiting=1)


async def test_a_correction_that_waited_is_in_the_assessment_of_its_submission() -> None:
    made = Installation()
    made.correct(1, AT_MS)
    made.assess(1, made.submit(1, AT_MS + 1000), AT_MS + 1100)
    account = await made.account()
    assert account.whole
    assert account.counts == Counts(received=1, corrections=1, corrections_waiting=1, assessed=1, stored=1)


@pytest.mark.parametrize("most", [1, 4])
async def test_a_correction_of_which_nothing_came_is_named(most: int) -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.correct(1, AT_MS + 1000)
    made.assess(2, made.submit(2, AT_MS + 2000), AT_MS + 2100)
    account = await made.account(most=most)
    assert named(account) == [(Step.CORRECTED, "submissions", 1, uuid(1))]


async def test_a_lost_correction_of_a_submission_older_than_the_period_is_named() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.correct(1, AT_MS + 7_200_000)
    account = await made.account(from_ms=AT_MS + 3_600_000)
    assert named(account) == [(Step.CORRECTED, "submissions", 1, uuid(1))]


async def test_a_correction_that_comes_again_changes_nothing() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.assess(1, made.correct(1, AT_MS + 1000), AT_MS + 1100, revision=2)
    made.correct(1, AT_MS + 2000)
    account = await made.account()
    assert account.whole
    assert account.counts == Counts(
        received=1, corrections=2, corrected=1, corrections_repeated=1, assessed=1, stored=2
    )


async def test_a_correction_with_a_dead_letter_is_accounted_for() -> None:
    made = Installation()
    made.assess(1, made.submit(1, AT_MS), AT_MS + 100)
    made.bury(made.correct(1, AT_MS + 1000), AT_MS + 1100, "history_full")
    account = await made.account()
    assert account.whole
    assert account.counts == Counts(received=1, corrections=1, corrections_refused=1, assessed=1, stored=1)


async def test_two_periods_that_meet_have_every_message_once() -> None:
    made = Installation()
    for number in range(10):
        made.assess(number, made.submit(number, AT_MS + number * 1000), AT_MS + number * 1000 + 10)
    middle_ms = AT_MS + 5000

    halves = [await made.account(AT_MS, middle_ms), await made.account(middle_ms, SETTLED_MS)]

    assert [half.counts.received for half in halves] == [5, 5]
    assert total(halves) == (await made.account()).counts


@pytest.mark.parametrize("topic", [SUBMISSIONS, ASSESSMENTS], ids=lambda topic: topic.name)
async def test_a_log_that_no_longer_reaches_back_is_told_and_nothing_of_it_is_missing(topic: object) -> None:
    made = Installation()
    for number in range(6):
        made.assess(number, made.submit(number, AT_MS + number * HOUR_MS), AT_MS + number * HOUR_MS)
    made.logs.begin[topic.name] = 3  # type: ignore[attr-defined] # a topic

    account = await made.account()

    assert account.whole
    assert not account.whole_log
    assert account.from_at.timestamp() * 1000 == AT_MS + 3 * HOUR_MS
    assert account.counts.received == 3


async def test_of_very_many_a_bounded_number_is_named_and_all_are_counted() -> None:
    made = Installation()
    for number in range(MOST_NAMED + 5):
        made.submit(number, AT_MS + number)

    account = await made.account(most=500)

    assert len(account.missing) == MOST_NAMED
    assert account.unaccounted[Step.ASSESSED] == MOST_NAMED + 5


@st.composite
def histories(draw: st.DrawFn) -> tuple[Installation, list[tuple[str, int, int]]]:
    """One in which all is whole, and what may be taken out of it: (what, its offset, of which message)."""
    made = Installation()
    single: list[tuple[str, int, int]] = []
    at_ms = AT_MS
    for number in range(draw(st.integers(1, 25))):
        at_ms += draw(st.sampled_from([1, 500, 400_000]))
        late_ms = at_ms + draw(st.sampled_from([0, 150]))
        kind = draw(st.sampled_from(["assessed", "corrected", "dead", "refused", "care", "repeated"]))
        if kind == "care":
            single.append(("care point", made.care(number, at_ms).offset, number))
        elif kind == "dead":
            cause = made.submit(number, at_ms, raw=b"?")
            single.append(("letter", made.bury(cause, late_ms).offset, cause.offset))
        elif kind == "refused":
            cause = made.submit(number, at_ms)
            told = made.assess(number, cause, late_ms, stored=False)
            single.append(("refusal", made.bury(told, late_ms, "refused_by_store").offset, cause.offset))
        else:
            cause = made.submit(number, at_ms)
            told = made.assess(number, cause, late_ms)
            if kind == "assessed":
                single += [("assessment", told.offset, cause.offset), ("point", number, cause.offset)]
            elif kind == "corrected":
                made.assess(number, made.correct(number, late_ms), late_ms, revision=2)
            else:
                made.submit(number, late_ms + 1)
                at_ms = late_ms + 1
    return made, single


@settings(max_examples=150, deadline=None)
@given(histories(), st.data(), st.integers(1, 30))
async def test_any_one_thing_taken_out_is_named_and_nothing_else(
    history: tuple[Installation, list[tuple[str, int, int]]], data: st.DataObject, most: int
) -> None:
    made, single = history
    assert (await made.account(most=most)).whole
    if not single:
        return
    what, offset, of = data.draw(st.sampled_from(single))
    expected = (Step.ASSESSED, "submissions", of)
    if what == "assessment":
        made.logs.withhold(ASSESSMENTS, offset)
        forget(made, "submission_id", offset_id(of, made))
    elif what == "letter":
        made.logs.withhold(DEAD_LETTERS, offset)
    elif what == "refusal":
        made.logs.withhold(DEAD_LETTERS, offset)
        expected = (Step.STORED, "submissions", of)
    elif what == "point":
        forget(made, "submission_id", str(uuid(offset)))
        expected = (Step.STORED, "submissions", of)
    else:
        forget(made, "event_id", str(uuid(of)))
        expected = (Step.CARE_STORED, CARE.name, offset)

    account = await made.account(most=most)

    assert [(one.step, one.topic, one.offset) for one in account.missing] == [expected]


def offset_id(offset: int, made: Installation) -> str:
    """The id of the submission at an offset."""
    raw = made.logs.records[SUBMISSIONS.name][offset].value or b""
    return raw.split(b'"submission_id":"')[1][:36].decode()


def forget(made: Installation, field: str, value: str) -> None:
    """Take out of the store what says `value`."""
    made.store.held = {key: fields for key, fields in made.store.held.items() if fields.get(field) != value}
