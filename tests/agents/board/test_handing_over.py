"""A patient who goes to another service, or comes: nobody sees on the way whom they may not, and nobody takes one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from schemas.care import Enrolled, Transferred
from schemas.types import Zone
from tests.agents.board.conftest import NOW, Shown, log, status
from tests.browser.stage import Entry

if TYPE_CHECKING:
    from tests.agents.conftest import Eventually

TRANSFER = {"service": "hospital", "at": "2026-03-01T08:30"}
ENROL = {
    "pathway": "copd",
    "service": "joint-centre",
    "municipality": "municipality-1",
    "phase": "start_up",
    "time_zone": "Europe/Oslo",
}


async def test_who_hands_a_patient_over_is_told_so_and_may_not_see_the_patient_any_more(
    shown: Shown, eventually: Eventually
) -> None:
    form = {**TRANSFER, "form_id": str(uuid4())}
    code, _, where = await shown.post("/patients/p-1/transfer", **form)
    (event,) = await log(shown, "care")
    assert isinstance(event, Transferred)
    assert (code, where) == (303, f"/transferred/p-1/{event.event_id}")
    await shown.write("patient-status", status("p-1", Zone.GREEN, 2, service="hospital"))
    await eventually(lambda: shown.model.status("p-1").service == "hospital")  # type: ignore[union-attr] # it is known
    before = len(shown.access.entries)
    code, html, _ = await shown.get(where)
    assert code == 200
    for said in ("Transferred.", "p-1", "<b>hospital</b>", "08:30", "no access to the patient any more"):
        assert said in html
    assert "limit_high" not in html
    assert [one for one in shown.access.entries[before:] if one.outcome == "refused"] == []
    # Sent again, as a form may be, it leads to the same page and does nothing.
    assert (await shown.post("/patients/p-1/transfer", **form))[2] == where
    assert len(await log(shown, "care")) == 1
    assert [one for one in shown.access.entries[before:] if one.outcome == "refused"] == []
    assert (await shown.get("/patients/p-1"))[0] == 404


async def test_a_hand_over_is_told_to_nobody_but_whoever_made_it(shown: Shown, eventually: Eventually) -> None:
    _, _, where = await shown.post("/patients/p-1/transfer", **TRANSFER)
    await shown.write("patient-status", status("p-1", Zone.GREEN, 2, service="hospital"))
    await eventually(lambda: shown.model.status("p-1").service == "hospital")  # type: ignore[union-attr] # it is known
    for path in (where, f"/transferred/p-1/{uuid4()}", f"/transferred/nobody/{uuid4()}"):
        code, html, _ = await shown.get(path, "coordinator-1")
        assert (code, "hospital" in html) == (404, False)
        assert shown.access.entries[-1][:2] == ("coordinator-1", "see_patient")
        assert shown.access.entries[-1].outcome == "refused"
    code, html, _ = await shown.get(where, "stranger-1")  # whose patient it is now
    assert (code, "Transferred." in html) == (200, False)


async def test_who_is_not_there_and_who_is_another_service_s_are_told_alike(shown: Shown) -> None:
    answers = []
    for patient in ("p-elsewhere", "p-there-is-none", "p-canary"):
        code, html, headers = await shown.get(f"/enrolled/{patient}")
        assert shown.access.entries[-1][:3] == ("nurse-1", "see_patient", patient)
        answers.append((code, headers.get("Location"), re.sub(r'name="csrf" value="[^"]+"', "", html)))
    assert answers == [(404, None, answers[0][2])] * 3
    assert "There is no such patient" in answers[0][2]


async def test_whom_somebody_enrolled_is_waited_for_by_them_alone(shown: Shown, eventually: Eventually) -> None:
    _, _, where = await shown.post("/enrol", **ENROL, pseudonym="p-new")
    assert where == "/enrolled/p-new"
    code, html, _ = await shown.get(where)
    assert (code, "is shown in a moment" in html) == (200, True)
    for who in ("coordinator-1", "stranger-1"):
        assert (await shown.get(where, who))[0] == 404
    await shown.write("patient-status", status("p-new", Zone.NOT_MONITORED))
    await eventually(lambda: shown.model.status("p-new"))
    assert "/patients/p-new/" in (await shown.get(where))[1]


@pytest.mark.parametrize("field", ["pseudonym", "proposed"])
@pytest.mark.parametrize("patient", ["p-elsewhere", "p-canary", "p-1", "p-heard-of"])
async def test_nobody_enrols_a_patient_away_from_another_service(
    shown: Shown, eventually: Eventually, patient: str, field: str
) -> None:
    heard = Enrolled(
        event_id=uuid4(),
        patient="p-heard-of",
        at=NOW,
        recorded_at=NOW,
        pathway="copd",
        service="hospital",
        municipality="municipality-1",
    )
    await shown.write("care", heard)
    await eventually(lambda: shown.written("p-heard-of"))
    code, html, _ = await shown.post("/enrol", **ENROL, **{field: patient})
    assert (code, "The pseudonym is in use." in html) == (422, True)
    assert await log(shown, "care") == [heard]
    assert shown.access.entries[-1] == Entry("nurse-1", "enrol", patient, "joint-centre", "refused")


async def test_a_proposed_pseudonym_is_no_number_either(shown: Shown) -> None:
    assert (await shown.post("/enrol", **ENROL, proposed="01019912345"))[0] == 422
    assert await log(shown, "care") == []
