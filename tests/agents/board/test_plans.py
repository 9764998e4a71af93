"""Signing plans: two doctors at the same time, a broker that does not confirm, and nothing typed is lost."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from msgspec import structs

from agents.board.happened import plan_versions
from agents.board.plan_page import UNSURE_S
from agents.gateway.delivery import UnconfirmedError
from schemas.care import PlanSigned
from schemas.people import Role
from tests.agents.board.conftest import NOW, PEOPLE, Inputs, Shown, log
from tests.browser.stage import Entry, person
from tests.main_path import PLAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.board.around import Confirming
    from agents.gateway.intake import Accepted
    from tests.agents.conftest import Eventually

AT = "/patients/p-1/plan"
LOW = "limits.2708-6.red_low"
SECOND = person(Role.DOCTOR, ref="doctor-2", name="Doctor Two", services={"joint-centre"})


@pytest.fixture(autouse=True)
def _two_doctors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, SECOND.ref, SECOND)


class Held:
    """A way to the broker on which messages wait until they are let through, or that never says that they came."""

    def __init__(self, way: Confirming | None, *, confirms: bool = True) -> None:
        assert way is not None
        self._way = way
        self.confirms = confirms
        self.open = asyncio.Event()
        self.waiting = 0

    async def confirm(self, messages: Iterable[Accepted], vendor: str) -> None:
        self.waiting += 1
        await self.open.wait()
        if not self.confirms:
            raise UnconfirmedError("held")
        await self._way.confirm(messages, vendor)


def dressed(value: object) -> str:
    return re.sub(r"<[^>]+>", " ", str(value)).replace("\N{NO-BREAK SPACE}", " ")


async def opened(shown: Shown, who: str) -> dict[str, str]:
    """What a doctor's browser would send of the form as it stands."""
    _, html, _ = await shown.get(AT, who)
    return inputs(html)


def inputs(html: str) -> dict[str, str]:
    found = {**Inputs(html).values, "do": "sign"}
    found.pop("csrf")
    return found


async def signed(shown: Shown) -> list[PlanSigned]:
    """The plans on the topic."""
    return [one for one in await log(shown, "care") if isinstance(one, PlanSigned)]


async def test_of_two_who_sign_from_the_same_version_at_the_same_time_one_signs_and_the_other_loses_nothing(
    shown: Shown, eventually: Eventually
) -> None:
    shown.desk.care = held = Held(shown.desk.care)
    first = {**await opened(shown, "doctor-1"), LOW: "81", "self_care.red": "Call us."}
    second = {
        **await opened(shown, "doctor-2"),
        "limits.8867-4.red_high": "127",
        "self_care.yellow": "Rest.\r\nMeasure.",
    }
    signing = [
        asyncio.create_task(shown.post(AT, "doctor-1", **first)),
        asyncio.create_task(shown.post(AT, "doctor-2", **second)),
    ]
    tried = [Entry(who, "try_plan", "p-1", "joint-centre", "done") for who in ("doctor-1", "doctor-2")]
    await eventually(lambda: held.waiting and all(shown.access.entries.count(one) == 2 for one in tried))
    held.open.set()
    answers = await asyncio.gather(*signing)
    assert sorted(code for code, _, _ in answers) == [303, 409]
    (plan,) = await signed(shown)

    lost = next(number for number, (code, _, _) in enumerate(answers) if code == 409)
    who, typed = (("doctor-1", first), ("doctor-2", second))[lost]
    _, html, _ = answers[lost]
    assert "Not signed: a newer plan was signed meanwhile." in html
    assert f"Signed by {plan.signed_by} 09:00" in " ".join(dressed(html).split()).replace("Signed by  ", "Signed by ")
    again = inputs(html)
    assert {name: one for name, one in again.items() if name in typed and name not in {"based_on", "form_id"}} == {
        name: one for name, one in typed.items() if name not in {"based_on", "form_id"}
    }
    code, html, where = await shown.post(AT, who, **again)
    assert (code, where) == (303, "/patients/p-1?done=plan"), html
    assert [(one.plan.version, one.signed_by) for one in await signed(shown)] == [(1, plan.signed_by), (2, who)]


async def test_the_form_that_was_not_signed_says_of_every_field_what_the_newer_plan_has(shown: Shown) -> None:
    mine = {**await opened(shown, "doctor-1"), LOW: "80", "vitals.2708-6": "", "cadence.weekdays.mon": "1"}
    theirs = {**await opened(shown, "doctor-2"), LOW: "82", "limits.8867-4.red_high": "127"}
    assert (await shown.post(AT, "doctor-2", **theirs))[0] == 303
    before = {name: mine[name] for name in (LOW, "limits.8867-4.red_high")}
    code, html, _ = await shown.post(AT, "doctor-1", **mine)
    assert code == 409
    table = html[html.index('<table class="newer">') : html.index("</table>", html.index('<table class="newer">'))]
    rows = {
        re.findall(r'href="#plan-([^"]+)"', row)[0]: [" ".join(dressed(cell).split()) for cell in row.split("<td")[1:]]
        for row in table.split("<tr>")[2:]
    }
    cells = {name: [cell.partition("> ")[2] or cell.partition(">")[2] for cell in row] for name, row in rows.items()}
    assert set(cells) == {LOW, "limits.8867-4.red_high", "vitals.2708-6", "cadence.weekdays.mon"}
    starter = next(one.red_low for one in shown.desk.pathways["copd"].starter_limits.limits if one.code == "2708-6")
    assert cells[LOW] == [f"{starter:g}", "82 changed", "80"]
    assert cells["limits.8867-4.red_high"] == [
        before["limits.8867-4.red_high"],
        "127 changed",
        before["limits.8867-4.red_high"],
    ]
    assert cells["vitals.2708-6"] == ["yes", "yes", "no"]
    assert cells["cadence.weekdays.mon"] == ["no", "no", "yes"]
    assert 'aria-describedby="n-limits.2708-6.red_low">' in html
    assert '<span class="beside" id="n-limits.2708-6.red_low">version 1: 82</span>' in html


async def test_who_tries_a_plan_is_told_of_a_newer_one_and_may_then_sign_in_sight_of_it(shown: Shown) -> None:
    mine = {**await opened(shown, "doctor-1"), LOW: "80"}
    assert (await shown.post(AT, "doctor-2", **{**await opened(shown, "doctor-2"), LOW: "82"}))[0] == 303
    for tried in ({**mine, "do": "try"}, {**mine, "cadence.times": "noon"}):
        code, html, _ = await shown.post(AT, "doctor-1", **tried)
        assert (code, "Version 1 was signed since you opened the form" in html) == (
            503 if tried["do"] == "try" else 422,
            True,
        )
    again = {**inputs(html), "cadence.times": mine["cadence.times"]}
    assert (await shown.post(AT, "doctor-1", **again))[0] == 303


async def test_a_form_sent_again_signs_one_plan_and_entries_changed_meanwhile_are_not_dropped(
    shown: Shown, eventually: Eventually
) -> None:
    way = shown.desk.care
    form = {**await opened(shown, "doctor-1"), LOW: "80"}
    shown.desk.care = unsure = Held(way, confirms=False)
    unsure.open.set()
    code, html, _ = await shown.post(AT, "doctor-1", **form)
    assert (code, "The message system has not confirmed." in html) == (503, True)
    # It came to the broker all the same.
    shown.desk.care = way
    assert (await shown.post(AT, "doctor-1", **form))[0] == 303
    await eventually(lambda: len(shown.written("p-1")) == 1)
    assert (await shown.post(AT, "doctor-1", **form))[0] == 303
    code, html, _ = await shown.post(AT, "doctor-1", **{**form, LOW: "79"})
    assert (code, "Version 1 was signed since you opened the form" in html) == (409, True)
    assert (await shown.post(AT, "doctor-1", **inputs(html)))[0] == 303
    lows = [next(limit.red_low for limit in one.plan.limits if limit.code == "2708-6") for one in await signed(shown)]
    assert lows == [80, 79]
    said = [one.outcome for one in shown.access.entries if one.action == "sign_plan"]
    assert said == ["begun", "unconfirmed", "begun", "done", "begun", "done"]


async def test_while_a_plan_may_come_yet_that_was_not_confirmed_nobody_else_signs(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, other = shown.desk.care, await opened(shown, "doctor-2")
    shown.desk.care = unsure = Held(way, confirms=False)
    unsure.open.set()
    assert (await shown.post(AT, "doctor-1", **await opened(shown, "doctor-1")))[0] == 503
    shown.desk.care = way
    code, html, _ = await shown.post(AT, "doctor-2", **other)
    assert (code, "is not confirmed yet. Try again in a minute." in html) == (503, True)
    assert await signed(shown) == []
    later = asyncio.get_running_loop().time() + UNSURE_S + 1
    monkeypatch.setattr("agents.board.plan_page.monotonic", lambda: later)
    assert (await shown.post(AT, "doctor-2", **other))[0] == 303


async def test_nothing_is_signed_by_a_board_that_has_not_read_everything(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await opened(shown, "doctor-1")
    monkeypatch.setattr(shown.desk.listing, "up_to_date", lambda: False)
    code, html, _ = await shown.post(AT, "doctor-1", **form)
    assert (code, "there may be a newer plan" in html) == (503, True)
    assert await signed(shown) == []


def plan_of(number: int, version: int, **fields: Any) -> PlanSigned:  # noqa: ANN401 - any field
    common: dict[str, Any] = {"event_id": UUID(int=number), "patient": "p-1", "at": NOW, "recorded_at": NOW}
    plan = structs.replace(PLAN, version=version)
    return PlanSigned(**{**common, "plan": plan, "signed_by": f"doctor-{number}", **fields})


async def test_a_plan_signed_on_another_board_meanwhile_is_seen_though_it_has_the_same_number(
    shown: Shown, eventually: Eventually
) -> None:
    await shown.write("care", plan_of(1, 1))
    await eventually(lambda: len(shown.written("p-1")) == 1)
    form = await opened(shown, "doctor-1")
    await shown.write("care", plan_of(2, 1, recorded_at=datetime(2026, 3, 1, 8, 0, 1, tzinfo=UTC)))
    await eventually(lambda: len(shown.written("p-1")) == 2)
    assert (await shown.post(AT, "doctor-1", **form))[0] == 409
    _, html, _ = await shown.get("/patients/p-1")
    assert html.count("two plans have this number") == 2


def test_of_two_versions_with_the_same_number_the_later_is_said_to_hold() -> None:
    versions = plan_versions([plan_of(9, 1), plan_of(3, 2), plan_of(1, 2)], 2)
    assert [(one.signed_by, one.in_force, one.twice) for one in versions] == [
        ("doctor-1", True, True),
        ("doctor-3", False, True),
        ("doctor-9", False, False),
    ]
