"""How answers become what a panel draws."""

from __future__ import annotations

from typing import Any

import pytest

from tests.grafana.asking import Answer, AnswerError, flux_frames
from tests.grafana.interpolation import Chosen
from tests.grafana.questions import Question, laid_out

SERIES = """#datatype,string,long,dateTime:RFC3339,double,string,string
#group,false,false,false,false,true,true
#default,_result,,,,,
,result,table,_time,_value,_field,service
,,0,2026-03-01T10:00:00Z,1.5,red,north
,,0,2026-03-01T11:00:00Z,,red,north
,,1,2026-03-01T10:00:00Z,3,yellow,north

"""
TABLE = """#datatype,string,long,string,double,boolean,dateTime:RFC3339
#group,false,false,false,false,false,false
#default,_result,,,,,
,result,table,patient,waiting_s,late,since
,,0,p-1,60,true,2026-03-01T10:00:00.5Z
,,0,p-2,,false,

"""
ERROR = """#datatype,string,string
#group,true,true
#default,,
,error,reference
,"column is not there",897

"""


def test_a_value_with_a_time_is_a_series_by_its_field() -> None:
    red, yellow = flux_frames(SERIES)
    assert [field["name"] for field in red["schema"]["fields"]] == ["Time", "red"]
    assert red["schema"]["fields"][1]["labels"] == {"service": "north"}
    assert red["data"]["values"] == [[1772359200000.0, 1772362800000.0], [1.5, None]]
    assert yellow["data"]["values"][1] == [3.0]


def test_anything_else_is_a_table_with_its_columns() -> None:
    (table,) = flux_frames(TABLE)
    assert [(field["name"], field["type"]) for field in table["schema"]["fields"]] == [
        ("patient", "string"),
        ("waiting_s", "number"),
        ("late", "boolean"),
        ("since", "time"),
    ]
    assert table["data"]["values"] == [["p-1", "p-2"], [60.0, None], [True, False], [1772359200500.0, None]]


def test_an_error_in_the_answer_is_raised() -> None:
    with pytest.raises(AnswerError, match="column is not there"):
        list(flux_frames(ERROR))


def test_an_answer_of_nothing_has_no_frame() -> None:
    assert list(flux_frames("\r\n")) == []


def test_rows_without_a_value_are_none() -> None:
    question = Question("uid", "panel", "title", 1, "influxdb", "text", {})
    assert Answer(question, "text", list(flux_frames(SERIES)), 0.0).rows == 2


def panel(number: int, y: int, **more: object) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": 12, "h": 8}
    return {"id": number, "type": "timeseries", "title": "${vital:text}", "gridPos": place, **more}


def test_a_repeated_panel_is_laid_out_once_for_each_value_and_what_is_below_moves_down() -> None:
    dashboard = {"panels": [panel(1, 0, repeat="vital", maxPerRow=2), panel(2, 8)]}
    found = laid_out(dashboard, {"vital": Chosen(("spo2", "weight", "pef"), "SpO₂ + Weight + PEF")})["panels"]
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in found]
    assert places == [(0, 0), (12, 0), (0, 8), (0, 16)]
    assert [one["title"] for one in found[:3]] == ["SpO₂", "Weight", "PEF"]
    assert len({one["id"] for one in found}) == 4
    assert found[1]["scopedVars"] == {"vital": Chosen("weight", "Weight")}
