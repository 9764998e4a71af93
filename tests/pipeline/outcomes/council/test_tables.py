"""All tables of the council, out of what a store holds of simulated patients."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import pandas as pd
import pytest

from pipeline.outcomes.council.tables import Asked, Held, Told, told
from schemas.council import Questionnaire, Words
from tests.pipeline.outcomes.everything import DAYS, ITEMS, stored
from tests.pipeline.outcomes.stored import START

STOP = START + timedelta(days=DAYS)
NAME = Words(nb="a", en="a")


def questionnaire(*pathways: str) -> Questionnaire:
    return Questionnaire(name=NAME, items=ITEMS, pathways=pathways)


@lru_cache(maxsize=2)
def tables(*pathways: str) -> Told:
    found = stored()
    held = Held(
        care_events=found["care_event"],
        zone_changes=found["zone_change"],
        assessments=found["assessment"],
        statuses=found["status"],
        pages=found["page"],
        receipts=found["page_receipt"],
        readings=found["reading"],
        answers={"copd-daily": found["answer"]},
    )
    return told(held, Asked(START, STOP, questionnaires={"copd-daily": questionnaire(*pathways)}))


@pytest.mark.timeout(600)
def test_no_table_holds_a_patient_or_lacks_what_says_where_it_hides() -> None:
    found = tables().tables
    assert {"caseload", "moves", "rates", "before_after:admissions", "response:copd-daily", "by_rule"} <= set(found)
    for name, table in found.items():
        assert "patient" not in table, name
        assert not table.astype("str").isin(set(stored()["care_event"]["patient"])).any(axis=None), name
        told_by_day = name in {"time_to_end", "time_to_first_admission"}
        assert told_by_day or any(column.endswith("_hidden") for column in table), name


@pytest.mark.timeout(600)
def test_only_patients_of_the_pathways_that_are_asked_are_waited_for() -> None:
    everybody, some = (told_.tables["response:copd-daily"] for told_ in (tables(), tables("copd")))
    whole = [frame[(frame["service"] == "*") & (frame["period"] == "*")] for frame in (everybody, some)]
    patients = [pd.to_numeric(frame["patients"]).iloc[0] for frame in whole]
    assert patients[0] == 16
    assert not patients[1] >= 16  # hidden where they are few
