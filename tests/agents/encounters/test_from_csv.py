"""CSV files, good and bad: each row is an encounter, is passed over, or is refused for one reason at one place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.encounters.encounter import Aside, Encounter, Kind, Passed, Reason, Refused
from agents.encounters.from_csv import rows
from agents.recordings.events import RecordingError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEAD = "encounter,patient,kind,start,end,acute,contact,status\n"
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
STAY = Encounter(1, "e-1", "p-1", Kind.ADMISSION, START, START + timedelta(days=2), acute=True)


def read(text: str) -> list[object]:
    return list(rows(text, NOW, "emergency-room"))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "e-1,p-1,admission,2026-03-01T08:00:00Z,2026-03-03T08:00:00Z,yes,,finished\n",
        HEAD + "e-1,p-1,admission,2026-03-01T09:00:00+01:00,2026-03-03T08:00Z,yes,,\n",
        HEAD + ' e-1 ,"p-1",Admission,2026-03-01T08:00:00.000Z,2026-03-03T08:00:00Z,YES, ,FINISHED\r\n',
        "patient;encounter;start;end;kind;acute\r\np-1;e-1;2026-03-01T08:00:00Z;2026-03-03T08:00:00Z;admission;yes\r\n",
        HEAD + "\n,,,\n" + "e-1,p-1,admission,2026-03-01T08:00:00Z,2026-03-03T08:00:00Z,yes,,\n",
    ],
)
def test_an_admission_is_read_from_any_csv(text: str) -> None:
    (found,) = read(text)

    assert isinstance(found, Encounter)
    assert found.content == STAY.content


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,no,,", STAY._replace(end=None, acute=False)),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,yes,,in-progress", STAY._replace(end=None)),
        (
            "e-1,p-1,emergency,2026-03-01T08:00:00Z,2026-03-01T12:00:00Z,,out-of-hours,finished",
            STAY._replace(kind=Kind.EMERGENCY, end=None, acute=False, contact="out-of-hours"),
        ),
        (
            "e-1,p-1,emergency,2026-03-01T08:00:00Z,,,,",
            STAY._replace(kind=Kind.EMERGENCY, end=None, acute=False, contact="emergency-room"),
        ),
        (
            "e-1,p-1,admission,2026-03-01T08:00:00Z,,,,entered-in-error",
            STAY._replace(end=None, acute=False, stands=False),
        ),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,,,cancelled", STAY._replace(end=None, acute=False, stands=False)),
        ("e-1,p-1,admission,2027-03-01T08:00:00Z,,,,planned", Passed(1, Aside.NOT_TAKEN_PLACE)),
    ],
)
def test_what_a_line_can_say(line: str, expected: object) -> None:
    assert read(HEAD + line) == [expected]


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ("e-1,12057912345,admission,2026-03-01T08:00:00Z,,yes,,", Reason.NATIONAL_NUMBER, None),
        ("e-1,120579 12345,admission,2026-03-01T08:00:00Z,,yes,,", Reason.NATIONAL_NUMBER, None),
        ("x120579-12345,p-1,admission,2026-03-01T08:00:00Z,,yes,,", Reason.NATIONAL_NUMBER, None),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,yes,52057912345,", Reason.NATIONAL_NUMBER, None),
        (",p-1,admission,2026-03-01T08:00:00Z,,yes,,", Reason.MISSING, "encounter"),
        ("e-1,,admission,2026-03-01T08:00:00Z,,yes,,", Reason.MISSING, "patient"),
        ("e-1,p-1,,2026-03-01T08:00:00Z,,yes,,", Reason.MISSING, "kind"),
        ("e-1,p-1,admission,,,yes,,", Reason.MISSING, "start"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,yes,,finished", Reason.MISSING, "end"),
        ("e-1,Kari N,admission,2026-03-01T08:00:00Z,,yes,,", Reason.INVALID, "patient"),
        ("e-1,p-1,visit,2026-03-01T08:00:00Z,,yes,,", Reason.INVALID, "kind"),
        ("e-1,p-1,admission,2026-03-01,,yes,,", Reason.INVALID, "start"),
        ("e-1,p-1,admission,01.03.2026 08:00,,yes,,", Reason.INVALID, "start"),
        ("e-1,p-1,admission,2026-13-01T08:00:00Z,,yes,,", Reason.INVALID, "start"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,maybe,,", Reason.INVALID, "acute"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,yes,,done", Reason.INVALID, "status"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,2026-03-02T08:00:00Z,yes,,in-progress", Reason.INVALID, "end"),
        ("e-1,p-1,emergency,2026-03-01T08:00:00Z,,,home,", Reason.INVALID, "contact"),
        (f"{'e' * 201},p-1,admission,2026-03-01T08:00:00Z,,yes,,", Reason.INVALID, "encounter"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,yes", Reason.INVALID, None),
        ("e-1,p-1,admission,2026-03-01T08:00:00,,yes,,", Reason.NO_OFFSET, "start"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,2026-03-02T08:00,yes,,", Reason.NO_OFFSET, "end"),
        ("e-1,p-1,admission,2026-03-02T08:00:00Z,2026-03-01T08:00:00Z,yes,,", Reason.ENDS_BEFORE_IT_STARTS, "end"),
        ("e-1,p-1,admission,2026-06-01T08:00:00Z,,yes,,", Reason.FUTURE, "start"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,2026-07-01T08:00:00Z,yes,,", Reason.FUTURE, "end"),
        ("e-1,p-1,admission,1999-12-31T08:00:00Z,,yes,,", Reason.TOO_LONG_AGO, "start"),
        ("e-1,p-1,admission,2026-03-01T08:00:00Z,,,,", Reason.ACUTE_NOT_SAID, "acute"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_at_its_place(line: str, reason: Reason, field: str | None) -> None:
    good = "e-2,p-2,admission,2026-03-01T08:00:00Z,2026-03-03T08:00:00Z,yes,,\n"

    first, second, third = read(f"{HEAD}{good}{line}\n{good}")

    assert second == Refused(2, reason, field)
    assert isinstance(first, Encounter)
    assert isinstance(third, Encounter)


@pytest.mark.parametrize(
    "number",
    ["1205791234", "120579123456", "9f1b6c0e-6b7d-4f0e-9a53-12345678901a", "2026-03-01T080000"],
)
def test_other_numbers_are_no_national_numbers(number: str) -> None:
    (found,) = read(f"{HEAD}{number},p-1,admission,2026-03-01T08:00:00Z,,yes,,")

    assert isinstance(found, Encounter)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "encounter,patient,kind\n",
        "encounter,patient,kind,start,name\n",
        "encounter,encounter,patient,kind,start\n",
        "e-1,p-1,admission,2026-03-01T08:00:00Z,,yes,,\n",
    ],
)
def test_a_file_whose_columns_are_not_known_is_refused_whole_and_nothing_of_it_is_said(text: str) -> None:
    with pytest.raises(RecordingError) as refused:
        read(text)

    assert "e-1" not in str(refused.value)
    assert "name," not in str(refused.value)


def test_a_file_that_breaks_off_within_a_quote_is_refused_whole() -> None:
    with pytest.raises(RecordingError, match="no CSV"):
        read(HEAD + 'e-1,"p-1,admission\n')
