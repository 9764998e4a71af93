"""What frames say, whatever store they are read from. Run on SQLite, and on a real InfluxDB in tests/stack."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from msgspec import structs

from agents.frames.catalogue import FRAMES
from agents.frames.columns import DTYPES
from agents.frames.reading import Frames
from schemas.assessments import Assessment
from schemas.submissions import Answer, Correction, CorrectionAction, Reading, Submission
from schemas.types import Phase, Zone
from tests import histories
from tests.agents.frames import told
from tests.agents.frames.told import day
from tests.oracles import frames as oracle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.stores.port import TimeSeriesStore

START, STOP = day(-60), day(120)
LUNGS = frozenset({"lungs"})


async def tell(store: TimeSeriesStore, *messages: Any) -> None:  # noqa: ANN401 - whatever is stored
    assert await store.write(told.points_of(messages)) == []


async def found(store: TimeSeriesStore, name: str, *columns: str, **asked: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - options
    """Return the rows of a frame: times as days, what is missing as None."""
    frame = await Frames(store).whole(name, asked.pop("start", START), asked.pop("stop", STOP), **asked)
    return [tuple(map(plain, row)) for row in frame[list(columns)].itertuples(index=False)]


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    if pd.isna(value):
        return None
    return (value - pd.Timestamp(told.DAY0)) / timedelta(days=1) if isinstance(value, pd.Timestamp) else value


def submission(number: int, at: float, *values: float, answers: Iterable[int] = (), hours: float = 0) -> Submission:
    """A session received at day `at`, measured so many hours earlier."""
    return Submission(
        submission_id=told.named(f"session-{number}"),
        patient="p-1",
        received_at=day(at),
        readings=readings(at, *values, hours=hours),
        answers=answered(*answers),
    )


def readings(at: float, *values: float, hours: float = 0) -> tuple[Reading, ...]:
    codes = (("2708-6", "%"), ("8867-4", "/min"))
    measured = day(at) - timedelta(hours=hours)
    return tuple(
        Reading(code=code, value=value, unit=unit, measured_at=measured)
        for (code, unit), value in zip(codes, values, strict=False)
    )


def answered(*values: int) -> tuple[Answer, ...]:
    questions = ("breath", "cough", "sleep")
    return tuple(
        Answer(questionnaire="copd", questionnaire_version=1, link_id=question, value=value)
        for question, value in zip(questions, values, strict=False)
    )


def corrected(of: Submission, number: int, **content: Any) -> Correction:  # noqa: ANN401 - readings and answers
    """Replaced, or withdrawn where there is nothing in its place."""
    return Correction(
        correction_id=told.named(f"correction-{of.submission_id}-{number}"),
        submission_id=of.submission_id,
        patient=of.patient,
        recorded_at=of.received_at + timedelta(hours=number),
        action=CorrectionAction.REPLACED if content else CorrectionAction.ENTERED_IN_ERROR,
        **content,
    )


class FramesContract:
    """Mixed into a class that has a fixture `store`: a TimeSeriesStore that holds nothing."""

    @pytest.mark.parametrize("seed", range(4))
    async def test_frames_are_the_last_word_on_every_registration_and_change(
        self, store: TimeSeriesStore, seed: int
    ) -> None:
        random = Random(seed)  # noqa: S311 - histories, no secret
        events = histories.history(random) if seed % 2 else histories.followed(random, long=False)
        events.sort(key=lambda event: getattr(event, "received_at", None) or event.recorded_at)
        outputs = told.folded([*events, histories.END])
        assert any(isinstance(output, Assessment) for output in outputs)
        await tell(store, *outputs)
        frames = Frames(store, window=timedelta(days=13))
        start, stop = histories.START - timedelta(days=20), histories.START + timedelta(days=80)

        read = await frames.readings(start, stop)
        vitals = zip(
            read["time"].astype("int64"),
            read["vital"].astype("str"),
            read["device"].astype("str").fillna(""),
            read["value"],
            read["quality"].astype("str"),
            read["score"].fillna(-99.0).round(9),
            strict=True,
        )
        assert sorted(vitals) == oracle.readings(outputs)
        judged = await frames.assessments(start, stop)
        revisions = judged["revision"].astype("int64")
        zones = zip(
            judged["at"].astype("int64"), judged["submission_id"], judged["zone"].astype("str"), revisions, strict=True
        )
        assert list(zones) == oracle.assessments(outputs)
        asked = await frames.answers(start, stop)
        names = ("submission_id", "questionnaire", "question")
        said = zip(
            asked["at"].astype("int64"),
            *(asked[name].astype("str") for name in names),
            asked["value"].fillna(-99.0),
            strict=True,
        )
        assert sorted(said) == oracle.answers(outputs)
        moved = await frames.zone_changes(start, stop)
        changes = zip(
            moved["time"].astype("int64"), moved["from_zone"].astype("str"), moved["to_zone"].astype("str"), strict=True
        )
        assert sorted(changes) == oracle.zone_changes(outputs)

    @pytest.mark.parametrize("name", FRAMES)
    async def test_every_column_is_of_its_kind_whether_there_are_rows_or_not(
        self, store: TimeSeriesStore, name: str
    ) -> None:
        for messages in ((), everything()):
            await tell(store, *messages)
            if messages:
                await store.write([told.limit("p-1", "spo2", day(0), 1, red_low=85.0)])

            frame = await Frames(store).whole(name, START, STOP)

            assert len(frame) == 0 if not messages else len(frame) > 0
            kinds = {column.name: DTYPES[column.kind] for column in FRAMES[name].columns}
            assert {str(column): str(dtype) for column, dtype in frame.dtypes.items()} == kinds
            assert list(frame.index) == list(range(len(frame)))

    async def test_of_a_registration_that_was_corrected_twice_only_the_last_is_told(
        self, store: TimeSeriesStore
    ) -> None:
        sent = submission(1, 10, 95, 70, answers=(1, 2, 3), hours=8)
        first = corrected(sent, 1, readings=readings(10, 94, 71, hours=5), answers=answered(4, 5))
        second = corrected(sent, 2, readings=readings(10, 93, hours=2), answers=answered(6))
        await tell(store, *told.folded([told.enrolled("p-1", day(0)), sent, first, second]))

        assert await found(store, "readings", "vital", "value", "withdrawn") == [("spo2", 93.0, False)]
        assert await found(store, "answers", "question", "value") == [("breath", 6.0)]
        assert await found(store, "assessments", "time", "at") == [(10 - 8 / 24, 10 - 2 / 24)]
        every = await found(store, "readings", "vital", "value", "withdrawn", everything=True)
        assert sorted(every) == [
            ("heart_rate", 70.0, True),
            ("heart_rate", 71.0, True),
            ("spo2", 93.0, False),
            ("spo2", 94.0, True),
            ("spo2", 95.0, True),
        ]
        answers = await found(store, "answers", "question", "value", "superseded", everything=True)
        assert sorted(answers) == [("breath", 6.0, False), ("cough", 5.0, True), ("sleep", 3.0, True)]

    async def test_a_registration_entered_in_error_is_not_told(self, store: TimeSeriesStore) -> None:
        sent = submission(1, 10, 95, answers=(1,))
        await tell(store, *told.folded([told.enrolled("p-1", day(0)), sent, corrected(sent, 1)]))

        for name in ("readings", "answers", "assessments"):
            assert await found(store, name, "patient") == []
            assert await found(store, name, "patient", everything=True) == [("p-1",)]

    @pytest.mark.parametrize(("first", "last"), [(0, 30), (30, 0)])
    async def test_a_registration_is_of_the_period_in_which_it_was_whenever_it_was_first_said_to_be(
        self, store: TimeSeriesStore, first: int, last: int
    ) -> None:
        sent = submission(1, 40, 95, answers=(1,), hours=first * 24)
        moved = corrected(sent, 1, readings=readings(40, 94, hours=last * 24), answers=answered(2))
        await tell(store, *told.folded([told.enrolled("p-1", day(0)), sent, moved]))
        then = {"start": day(39 - last), "stop": day(41 - last)}
        otherwise = {"start": day(39 - first), "stop": day(41 - first)}

        assert await found(store, "assessments", "at", **then) == [(40.0 - last,)]
        assert await found(store, "answers", "value", **then) == [(2.0,)]
        assert await found(store, "readings", "value", **then) == [(94.0,)]
        for name in ("assessments", "answers", "readings"):
            assert await found(store, name, "patient", **otherwise) == []

    async def test_of_a_text_only_that_it_was_given_is_told(self, store: TimeSeriesStore) -> None:
        free = Answer(questionnaire="copd", questionnaire_version=1, link_id="other", value="the neighbour's words")
        sent = structs.replace(submission(1, 10, 95), answers=(*answered(0), free))
        await tell(store, *told.folded([told.enrolled("p-1", day(0)), sent]))

        assert await found(store, "answers", "question", "kind", "value") == [
            ("breath", "number", 0.0),
            ("other", "text", None),
        ]

    async def test_what_was_taken_back_is_left_out_and_so_are_tests(self, store: TimeSeriesStore) -> None:
        stands, back = told.change("p-1", day(3)), told.change("p-1", day(4))
        test = told.change("p-1", day(5), Zone.YELLOW)
        pages = [told.page(stands), told.page(back), told.page(test, test=True)]
        gone = structs.replace(back, retracted=True)
        await tell(store, told.enrolled("p-1", day(0)), stands, back, test, gone, *pages)

        assert await found(store, "zone_changes", "time", "retracted") == [(3.0, False), (5.0, False)]
        assert await found(store, "pages", "time", "to", "by") == [(3.0, "nurse", None)]
        assert await found(store, "pages", "time", "retracted", "test", everything=True) == [
            (3.0, False, False),
            (4.0, True, False),
            (5.0, False, True),
        ]

    async def test_a_page_for_a_change_long_ago_that_was_taken_back_is_left_out(self, store: TimeSeriesStore) -> None:
        back = told.change("p-1", day(4), retracted=True)
        later = structs.replace(told.page(back), at=day(30))
        await tell(store, told.enrolled("p-1", day(0)), back, later)

        assert await found(store, "pages", "time", start=day(29), stop=day(31)) == []

    async def test_rows_are_of_the_service_that_was_responsible(self, store: TimeSeriesStore) -> None:
        await tell(
            store,
            told.enrolled("p-1", day(0), "lungs"),
            told.transferred("p-1", day(10), "heart"),
            told.moved_on("p-1", day(20), Phase.ENDED),
            *(told.change("p-1", day(at)) for at in (-1, 0, 9.5, 10, 19.5, 20, 25)),
            *(told.admitted("p-1", day(at)) for at in (-30, 15, 40)),
        )

        assert await found(store, "zone_changes", "time", "service") == [
            (-1.0, None),
            (0.0, "lungs"),
            (9.5, "lungs"),
            (10.0, "heart"),
            (19.5, "heart"),
            (20.0, None),
            (25.0, None),
        ]
        lungs = await found(store, "zone_changes", "time", services=["lungs"])
        heart = await found(store, "zone_changes", "time", services=["heart"])
        assert (lungs, heart) == ([(-1.0,), (0.0,), (9.5,)], [(10.0,), (19.5,), (20.0,), (25.0,)])
        assert await found(store, "zone_changes", "time", services=["kidneys"]) == []
        kinds = await found(store, "care_events", "time", "kind", "responsible", services=["heart"])
        assert kinds == [
            (10.0, "transferred", "heart"),
            (15.0, "admitted", "heart"),
            (20.0, "phase_changed", None),
            (40.0, "admitted", None),
        ]

    async def test_a_transfer_that_is_learnt_of_late_counts_from_when_it_was(self, store: TimeSeriesStore) -> None:
        await tell(store, told.enrolled("p-1", day(0)), told.change("p-1", day(5)))
        await tell(store, structs.replace(told.transferred("p-1", day(4), "heart"), recorded_at=day(9)))

        assert await found(store, "zone_changes", "service") == [("heart",)]

    async def test_enrolments_responsibilities_and_phases_follow_from_care_events(self, store: TimeSeriesStore) -> None:
        await tell(
            store,
            told.enrolled("p-1", day(0), "lungs", phase=Phase.REFERRAL),
            told.moved_on("p-1", day(5), Phase.FOLLOW_UP),  # the pathway does not have it: not followed
            told.moved_on("p-1", day(8), Phase.START_UP),
            told.transferred("p-1", day(10), "heart"),
            told.moved_on("p-1", day(30), Phase.FOLLOW_UP),
            told.moved_on("p-1", day(50), Phase.ENDED),
            told.enrolled("p-1", day(70), "heart"),
            told.enrolled("p-2", day(60), "lungs"),
        )

        enrolments = await found(store, "enrolments", "patient", "start", "stop", "service", "phase")
        assert enrolments == [
            ("p-1", 0.0, 50.0, "lungs", "referral"),
            ("p-2", 60.0, None, "lungs", "start_up"),
            ("p-1", 70.0, None, "heart", "start_up"),
        ]
        assert await found(store, "responsibilities", "patient", "start", "stop", "service", "before") == [
            ("p-1", 0.0, 10.0, "lungs", None),
            ("p-1", 10.0, 50.0, "heart", "lungs"),
            ("p-2", 60.0, None, "lungs", None),
            ("p-1", 70.0, None, "heart", None),
        ]
        assert await found(store, "phases", "patient", "start", "stop", "phase", "service") == [
            ("p-1", 0.0, 8.0, "referral", "lungs"),
            ("p-1", 8.0, 10.0, "start_up", "lungs"),
            ("p-1", 10.0, 30.0, "start_up", "heart"),
            ("p-1", 30.0, 50.0, "follow_up", "heart"),
            ("p-2", 60.0, None, "start_up", "lungs"),
            ("p-1", 70.0, None, "start_up", "heart"),
        ]
        of_heart = await found(store, "enrolments", "patient", "start", services=["heart"])
        assert of_heart == [("p-1", 0.0), ("p-1", 70.0)]
        assert await found(store, "responsibilities", "start", services=["heart"]) == [(10.0,), (70.0,)]
        assert await found(store, "phases", "start", start=day(9), stop=day(10)) == [(8.0,)]
        assert await found(store, "phases", "start", start=day(50), stop=day(60)) == []

    async def test_an_event_that_was_written_down_twice_is_told_once_as_triage_has_it(
        self, store: TimeSeriesStore
    ) -> None:
        first = told.admitted("p-1", day(10))
        again = structs.replace(first, at=day(50), recorded_at=day(51))
        enrolled = told.enrolled("p-1", day(0))
        later = structs.replace(enrolled, at=day(20), recorded_at=day(60), service="heart")
        await tell(store, later, again, enrolled, first)

        kinds = ("enrolled", "admitted")
        assert await found(store, "care_events", "time", "kind") == [(0.0, kinds[0]), (10.0, kinds[1])]
        assert len(await found(store, "care_events", "time", everything=True)) == 4
        assert await found(store, "enrolments", "start", "service") == [(0.0, "lungs")]

    async def test_canaries_are_nobody(self, store: TimeSeriesStore) -> None:
        canary = told.enrolled("canary-lungs-1a", day(0), pathway="canary")
        red = told.change("canary-lungs-1a", day(1))
        green = told.status("canary-lungs-1a", day(1), Zone.GREEN)
        await tell(store, canary, red, green, told.page(red), told.receipt(told.page(red), day(1)))
        await store.write([told.limit("canary-lungs-1a", "spo2", day(0), 1, red_low=85.0)])
        stored = ("care_events", "zone_changes", "statuses", "pages", "receipts", "enrolments", "plan_limits")

        for name in stored:
            assert await found(store, name, "patient") == []
            assert await found(store, name, "patient", everything=True) == [("canary-lungs-1a",)]

    async def test_limits_are_told_for_as_long_as_their_plan_was_in_force(self, store: TimeSeriesStore) -> None:
        await tell(store, told.enrolled("p-1", day(0)), told.transferred("p-1", day(15), "heart"))
        await store.write(
            [
                told.limit("p-1", "spo2", day(0), 1, red_low=85.0, yellow_low=88.0),
                told.limit("p-1", "spo2", day(10), 3, red_low=80.0),
                told.limit("p-1", "spo2", day(20), 2, red_low=70.0),  # older than the one in force: never holds
                told.limit("p-1", "heart_rate", day(0), 1, red_above=40.0),
                told.limit("p-1", "heart_rate", day(10), 3),  # nothing is limited any more
            ]
        )
        columns = ("vital", "start", "stop", "red_low", "yellow_low", "red_above", "plan_version")

        assert await found(store, "plan_limits", *columns) == [
            ("heart_rate", 0.0, 10.0, None, None, 40.0, 1),
            ("spo2", 0.0, 10.0, 85.0, 88.0, None, 1),
            ("spo2", 10.0, None, 80.0, None, None, 3),
        ]
        assert await found(store, "plan_limits", "vital", "start", start=day(10), stop=day(12)) == [("spo2", 10.0)]
        assert await found(store, "plan_limits", "vital", "start", services=["heart"]) == [("spo2", 10.0)]

    async def test_the_period_holds_its_start_and_not_its_stop(self, store: TimeSeriesStore) -> None:
        await tell(store, told.enrolled("p-1", day(0)), *(told.change("p-1", day(at)) for at in (1, 2, 3)))

        assert await found(store, "zone_changes", "time", start=day(1), stop=day(3)) == [(1.0,), (2.0,)]

    async def test_how_much_is_read_at_once_changes_nothing(self, store: TimeSeriesStore) -> None:
        await tell(store, *everything())
        for name in FRAMES:
            at_once = await Frames(store, window=STOP - START).whole(name, START, STOP)
            bit_by_bit = await Frames(store, window=timedelta(days=17)).whole(name, START, STOP)
            pd.testing.assert_frame_equal(at_once, bit_by_bit)


def everything() -> list[Any]:
    """At least a row of every frame."""
    sent = [submission(number, 3 + 7 * number, 95 - number, 70, answers=(1,)) for number in range(12)]
    red = told.change("p-1", day(80))
    return [
        *told.folded([told.enrolled("p-1", day(0)), *sent, corrected(sent[3], 1, readings=readings(24, 90))]),
        told.admitted("p-1", day(50)),
        told.handed_out("p-1", day(1)),
        red,
        told.taken_over(red, day(81)),
        told.page(red),
        told.receipt(told.page(red), day(80)),
        told.status("p-1", day(80), Zone.RED),
    ]
