"""A pathway's file is read whole, or refused with the fields that are wrong and what they must be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.pathways import PathwayError, read
from tests.pipeline.pathways.files import FILES, GONE, SMALL, changed, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Q: Final = "questionnaire.questions"
R: Final = "questionnaire.answer_rules"
S: Final = "starter_limits"
LIMIT: Final = (
    "must hold at least one limit, in the order red_low, yellow_low, yellow_high, red_high with room for green,"
    " from 40 to 100 %"
)

# What stands where in the file, and all that is said of it.
BROKEN: Final[list[tuple[str, object, str]]] = [
    # Fields, one by one.
    ("pathway", "KOLS 1", "pathway: must be small letters, digits and -, at most 64"),
    ("pathway", GONE, "pathway: is required"),
    ("pathway", "canary", "pathway: must be another name: canary is of nobody ill, who tries the alarm path"),
    ("version", 0, "version: must be `int` >= 1"),
    ("version", "1", "version: must be `int`, not `str`"),
    ("title.en", GONE, "title.en: is required"),
    ("title.nb", "", "title.nb: must be `str` of length >= 1"),
    ("diagnosis_bound", "no", "diagnosis_bound: must be `bool`, not `str`"),
    ("vitals", GONE, "vitals: is required"),
    ("vitals[0]", "spo2", "vitals[0]: must be a LOINC code such as 8480-6"),
    (f"{S}.limits[0].code", "spo2", f"{S}.limits[0].code: must be a LOINC code such as 8480-6"),
    (f"{S}.limits[0].unit", GONE, f"{S}.limits[0].unit: is required"),
    (f"{S}.limits[0].red_low", "88", f"{S}.limits[0].red_low: must be `float | null`, not `str`"),
    (f"{S}.sustained_limits[0].zone", "green", f"{S}.sustained_limits[0].zone: must be yellow or red"),
    ("news2", "scale_3", "news2: must be scale_1, or left out"),
    ("cadence", GONE, "cadence: is required"),
    ("cadence.times[1]", "8 pm", "cadence.times[1]: must be a time of day as HH:MM"),
    ("cadence.times", [], "cadence.times: must be `array` of length >= 1"),
    (f"{Q}[0].kind", "text", f"{Q}[0].kind: must be boolean, choice or number"),
    (f"{Q}", [], f"{Q}: must be `array` of length >= 1"),
    (f"{R}[2].is_answer", 1, f"{R}[2].is_answer: must be `bool | str | null`, not `int`"),
    ("self_care.red[0].nb", GONE, "self_care.red[0].nb: is required"),
    ("equipment[0]", "Pulse oximeter", "equipment[0]: must be small letters, digits and -, at most 64"),
    ("phases.start_up_days", -1, "phases.start_up_days: must be `int` >= 0"),
    ("participation.sessions_a_week", 0, "participation.sessions_a_week: must be `int` >= 1"),
    # A field that nobody knows: a limit misspelt would be no limit.
    (
        f"{S}.limits[0].yelow_low",
        92,
        f"{S}.limits[0].yelow_low: is not known; known here: code, unit, red_low, yellow_low, yellow_high, red_high",
    ),
    ("phases.trial_days", 1, "phases.trial_days: is not known; known here: start_up_days"),
    # Vital signs and limits.
    (
        "vitals[0]",
        "99999-9",
        ("vitals[0]: must be a vital sign that is known: 8480-6 systolic, 8462-4 diastolic, 8867-4 heart_rate,"
        " 2708-6 spo2, 8310-5 temperature, 29463-7 weight, 9279-1 respiratory_rate, 15074-8 glucose, 20150-9 fev1,"
        f" 19935-6 pef; FILE: {S}.limits[0].code: must be among vitals: 99999-9, 8867-4, 29463-7;"
        f" FILE: {S}.relative_limits[0].code: must be among vitals: 99999-9, 8867-4, 29463-7"),
    ),
    ("vitals[3]", "59408-5", "vitals[3]: must be another vital sign: spo2 stands before it"),
    (
        f"{S}.limits[1].code",
        "8480-6",
        (f"{S}.limits[1].code: must be among vitals: 2708-6, 8867-4, 29463-7;"
         f" FILE: {S}.limits[1].unit: must be mm[Hg], as 8480-6 is systolic"),
    ),
    (f"{S}.limits[0].unit", "kPa", f"{S}.limits[0].unit: must be %, as 2708-6 is spo2"),
    (
        f"{S}.limits[1].unit",
        "Hz",
        f"{S}.limits[1].unit: must be /min or beats/min or {{beats}}/min, as 8867-4 is heart_rate",
    ),
    (f"{S}.relative_limits[0].unit", "kPa", f"{S}.relative_limits[0].unit: must be %, as 2708-6 is spo2"),
    (f"{S}.change_limits[0].unit", "lb", f"{S}.change_limits[0].unit: must be kg or g, as 29463-7 is weight"),
    (f"{S}.limits[0].red_low", 92, f"{S}.limits[0]: {LIMIT}"),
    (f"{S}.limits[0].yellow_high", 90, f"{S}.limits[0]: {LIMIT}"),
    (f"{S}.limits[0].red_low", 8, f"{S}.limits[0]: {LIMIT}"),
    (f"{S}.limits[0]", {"code": "2708-6", "unit": "%"}, f"{S}.limits[0]: {LIMIT}"),
    (
        f"{S}.limits[2]",
        {"code": "8867-4", "unit": "/min", "red_low": 40},
        f"{S}.limits[2].code: must be another vital sign: this one has its limits before it",
    ),
    (
        f"{S}.relative_limits[1]",
        {"code": "2708-6", "unit": "%", "red_below": 5},
        f"{S}.relative_limits[1].code: must be another vital sign: this one has its limits before it",
    ),
    (
        f"{S}.relative_limits[0].red_below",
        2,
        f"{S}.relative_limits[0]: must hold a distance, and no yellow one beyond the red",
    ),
    (
        f"{S}.change_limits[0].red_rise",
        1,
        f"{S}.change_limits[0]: must hold a change, and no yellow one beyond the red",
    ),
    (f"{S}.change_limits[0].hours", 1000, f"{S}.change_limits[0].hours: must be at most 744"),
    (f"{S}.sustained_limits[0].low", 100, f"{S}.sustained_limits[0]: must hold low or high, and low below high"),
    (f"{S}.sustained_limits[0].count", 5, f"{S}.sustained_limits[0].count: must be at most the number in of"),
    # The rest of what a plan rests on.
    ("cadence.times[1]", "07:00", "cadence.times: must be in the order of the day, each time once"),
    ("news2", "scale_2", "news2: must be scale_1 or left out: scale 2 is a doctor's prescription for one patient"),
    ("equipment[1]", "oximeter", "equipment[1]: must be another kind: this one stands before it"),
    (
        "participation.benefit[1]",
        {"slug": "eq-5d-5l", "every_weeks": 4},
        "participation.benefit[1].slug: must be another one: this one stands before it",
    ),
    # Questions.
    (
        f"{Q}[1].link_id",
        "help",
        (f"{Q}[2].link_id: must be the name of this question alone;"
         f" FILE: {R}[2].link_id: must be one of the questions: breath, help"),
    ),
    (f"{Q}[0].least", GONE, f"{Q}[0].least: must be given, as the question is a number"),
    (f"{Q}[0].most", GONE, f"{Q}[0].most: must be given, as the question is a number"),
    (f"{Q}[1].most", 4, f"{Q}[1].most: must be left out, as the question is a boolean"),
    (f"{Q}[0].options", SMALL["questionnaire"]["questions"][2]["options"],
     f"{Q}[0].options: must be left out, as the question is a number"),
    (f"{Q}[2].options[0]", GONE, f"{Q}[2].options: must hold at least two options, as the question is a choice"),
    (f"{Q}[2].options[0].value", "some", f"{Q}[2].options[1].value: must be the value of this option alone"),
    # Rules on answers.
    (f"{R}[0].link_id", "breth", f"{R}[0].link_id: must be one of the questions: breath, chills, help"),
    (f"{R}[0].at_least", GONE, f"{R}[0]: must hold one of at_least and is_answer"),
    (f"{R}[0].is_answer", True, f"{R}[0]: must hold one of at_least and is_answer"),
    (f"{R}[0].at_least", 0, f"{R}[0].at_least: must be above 0 and at most 4, as breath is a number"),
    (f"{R}[1].at_least", 5, f"{R}[1].at_least: must be above 0 and at most 4, as breath is a number"),
    (f"{R}[0].at_least", 4, f"{R}[1]: must be the only rule on this answer"),
    (f"{R}[1].at_least", 1, f"{R}[0].at_least: must be less than that of the red: 1"),
    (f"{R}[2].link_id", "breath", f"{R}[2].is_answer: must be at_least, as breath is a number"),
    (f"{R}[1].link_id", "chills", f"{R}[1].at_least: must be is_answer, as chills is a boolean"),
    (f"{R}[2].is_answer", "yes", f"{R}[2].is_answer: must be true or false, as chills is a boolean"),
    (f"{R}[3].is_answer", "much", f"{R}[3].is_answer: must be one of its options: none, some, as help is a choice"),
]  # fmt: skip


def told(raw: bytes) -> str:
    with pytest.raises(PathwayError) as error:
        read(raw, "FILE")
    return str(error.value)


def test_the_small_pathway_is_valid() -> None:
    assert read(changed(), "FILE").pathway == "small"


@pytest.mark.parametrize(
    ("path", "value", "problem"), BROKEN, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(BROKEN)]
)
def test_a_file_that_is_not_valid_is_told_by_field_and_by_what_it_must_be(
    path: str, value: object, problem: str
) -> None:
    assert told(changed((path, value))) == f"FILE: {problem}"


def test_weight_rules_ask_for_weight() -> None:
    raw = changed(("vitals[2]", GONE), (f"{S}.change_limits", []))
    assert told(raw) == "FILE: weight_change: must be left out, as 29463-7 weight is not among vitals"


def test_a_question_has_room_between_its_ends() -> None:
    raw = changed((f"{Q}[0].most", 0), (R, []))
    assert told(raw) == f"FILE: {Q}[0].most: must be more than least"


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(PathwayError) as error:
        read(
            changed(("equipment[1]", "oximeter"), (f"{S}.limits[0].unit", "kPa"), (f"{R}[2].is_answer", "yes")), "FILE"
        )
    assert [fault.field for fault in error.value.faults] == [
        "equipment[1]",
        f"{R}[2].is_answer",
        f"{S}.limits[0].unit",
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "FILE: must be JSON: Expecting value in line 1, column 1"),
        (b'{\n"version": 1,}', "FILE: must be JSON: "),
        (b"\xef\xbb\xbf{}", "FILE: must be JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) in line 1, column 1"),
        (b'{"pathway": "\xe5"}', "FILE: must be UTF-8"),
        (b"[" * 100_000, "FILE: must be less deep"),
        (b'{"version": ' + b"9" * 10_000 + b"}", "FILE: must hold no number of thousands of digits"),
        (b"[]", "FILE: must be `object`, not `array`"),
        (changed().replace(b'"red_low": 88', b'"red_low": NaN'), "FILE: must be strict JSON: no NaN, "),
        (
            changed().replace(b'"red_low": 88', b'"red_low": 1e400'),
            "FILE: starter_limits.limits[0].red_low: must be readable: number out of range",
        ),
        (
            changed().replace(b'"red_low": 88', b'"red_low": 88, "red_low": 87'),
            "FILE: red_low: must stand once in its object",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_json_object_is_told_as_such(raw: bytes, problem: str) -> None:
    assert told(raw).startswith(problem)


def leaves(tree: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - plain values of any kind
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(tree, list):
        for place, inner in enumerate(tree):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("value", ["Å ?", "", -7, 1e300, None, [], {}], ids=repr)
def test_whatever_stands_in_a_field_it_is_named_and_told_what_it_must_be(file: Path, value: object) -> None:
    whole = json.loads(file.read_bytes())
    refused = 0
    for path in leaves(whole):
        try:
            read(changed((path, value), whole=whole), "FILE")
        except PathwayError as error:
            refused += 1
            names = [step for step in steps(path) if isinstance(step, str)]
            assert any(name in str(error) for name in names), path  # noqa: PT017 - the path is what is looked for
            assert "nvalid" not in str(error)  # noqa: PT017
            assert "regex" not in str(error)  # noqa: PT017
            assert all(fault.problem.startswith(("must ", "is ")) for fault in error.faults)  # noqa: PT017
    assert refused
