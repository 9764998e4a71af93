"""The council's file is checked field by field before anything is worked out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agents.council import CouncilError, load_council
from agents.report.indicators import SOURCES
from pipeline.outcomes.disclosure.outputs import OUTPUTS
from schemas.council import Measure
from tests.agents.report.conftest import COUNCIL

if TYPE_CHECKING:
    from pathlib import Path

SAID = {"nb": "a", "en": "a"}
INDICATOR = {"name": SAID, "definition": SAID, "source": SAID, "better": "lower", "owner": SAID}


def load(folder: Path, told: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    path = folder / "council.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return load_council(path, {"a": None, "b": None})


def test_the_example_is_taken_whole() -> None:
    council = load_council(COUNCIL)
    assert set(council.indicators) == {"acute-admissions", "experience", "users"}
    assert council.questionnaires["patient-experience"].experience
    assert council.services["simulated-joint-centre"].targets[1].users == 800


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"services": {"c": {}}}, "services.c: is no service: a, b"),
        ({"services": {"a": {"target": 3}}}, "services"),
        (
            {"services": {"a": {"targets": [{"from": "2026-02-01", "users": 3}, {"from": "2026-01-01", "users": 4}]}}},
            "services.a.targets[1].from: must be later",
        ),
        (
            {"services": {"a": {"nurses": [{"from": "2026-02-01", "to": "2026-02-01", "nurses": 3}]}}},
            "services.a.nurses[0].to: must be later than from",
        ),
        (
            {
                "services": {
                    "a": {
                        "nurses": [
                            {"from": "2026-01-01", "to": "2026-03-01", "nurses": 3},
                            {"from": "2026-02-01", "to": "2026-04-01", "nurses": 3},
                        ]
                    }
                }
            },
            "services.a.nurses[1].from: must not be before the end",
        ),
        (
            {"questionnaires": {"q": {"name": SAID, "items": ["x", "x"]}}},
            "questionnaires.q.items: names a question twice",
        ),
        ({"indicators": {"i": {**INDICATOR, "measure": "answered"}}}, "indicators.i.questionnaire: must say of which"),
        (
            {"indicators": {"i": {**INDICATOR, "measure": "answered", "questionnaire": "q"}}},
            "indicators.i.questionnaire: q is not among",
        ),
        (
            {
                "questionnaires": {"q": {"name": SAID, "items": ["x"]}},
                "indicators": {"i": {**INDICATOR, "measure": "alarms", "questionnaire": "q"}},
            },
            "indicators.i.questionnaire: alarms is of none",
        ),
        (
            {"indicators": {"i": {**INDICATOR, "measure": "alarms", "service": "c"}}},
            "indicators.i.service: is no service",
        ),
        ({"indicators": {"i": {**INDICATOR, "measure": "luck"}}}, "indicators"),
        ({"patients": []}, "council.json"),
    ],
)
def test_what_contradicts_itself_is_named_by_its_field(tmp_path: Path, told: dict[str, Any], said: str) -> None:
    with pytest.raises(CouncilError) as refused:
        load(tmp_path, told)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CouncilError, match="cannot be read"):
        load_council(tmp_path / "nowhere.json")


def test_every_measure_has_a_place_in_the_tables() -> None:
    assert set(SOURCES) == set(Measure.__args__)
    for source in SOURCES.values():
        columns = {column for group in OUTPUTS[source.output].groups for column in group.columns}
        assert source.column in columns
