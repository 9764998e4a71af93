"""The board from broker to browser: who sees what, what is done and how often, and attempts to get in."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from msgspec import structs

from agents import databases, pathways
from agents.board.acting import event_id
from agents.board.around import NoDirectory
from agents.board.serving import board
from agents.directory.directory import Directory
from agents.directory.identity import Identity
from agents.health import Health
from agents.http import serving
from agents.keys import Keys
from agents.people.origin import masked, same_token
from dashboards.board.pages import CONTENT_SECURITY_POLICY
from dashboards.board.views import Trouble
from schemas import topics
from schemas.assessments import Assessment, JudgedReading, Quality, Reason
from schemas.care import Acknowledged, Enrolled, EquipmentHandedOut, PlanSigned
from schemas.submissions import OnBehalf
from schemas.types import Zone
from tests.agents.board.conftest import CHANGE, NOW, PEOPLE, Inputs, Shown, log, status
from tests.browser.stage import Entry, signed_in_as
from tests.main_path import PLAN

if TYPE_CHECKING:
    from pathlib import Path

    from agents.broker.embedded import EmbeddedBroker
    from tests.agents.conftest import Eventually

pytestmark = pytest.mark.usefixtures("impatient")
HOSTILE = "<script>alert(1)</script>\"'&"


def listed(html: str) -> list[str]:
    return re.findall(r'<tr id="p-([^"]+)"', html)


async def test_a_person_sees_their_services_patients_and_those_of_no_service_and_not_the_alarm_path_s_test(
    shown: Shown,
) -> None:
    assert listed((await shown.get("/"))[1]) == ["p-2", "p-nobody-s", "p-1"]
    assert listed((await shown.get("/", "stranger-1"))[1]) == ["p-elsewhere", "p-nobody-s"]
    code, html, _ = await shown.get("/", "analyst-1")
    assert (code, listed(html)) == (403, [])
    assert shown.access.entries[-1] == Entry("analyst-1", "see_list", None, None, "refused")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("zone=red", ["p-2"]),
        ("zone=unacknowledged", ["p-2"]),
        ("zone=purple", ["p-2", "p-nobody-s", "p-1"]),
        ("pathway=copd&phase=start_up", ["p-2", "p-1"]),
        ("service=hospital", []),
        ("q=P-1", ["p-1"]),
        ("q=%3Cscript%3E", []),
        ("mine=1", []),
    ],
)
async def test_the_list_is_filtered_and_searched(shown: Shown, query: str, expected: list[str]) -> None:
    _, html, _ = await shown.get(f"/?{query}")
    assert listed(html) == expected
    assert "<script>" not in html


async def test_a_name_is_found_and_shown_to_those_who_may_and_never_on_a_wall(shown: Shown) -> None:
    class Directory:
        async def of(self, pseudonym: str) -> Any:  # noqa: ANN401 - an identity
            return self.known.get(pseudonym)

        async def many(self, pseudonyms: Any) -> Any:  # noqa: ANN401 - a mapping
            return {one: self.known[one] for one in pseudonyms if one in self.known}

        async def search(self, words: str, among: Any) -> list[str]:  # noqa: ANN401 - pseudonyms
            return [one for one in among if one in self.known and words in self.known[one].name]

        class Identity:
            name = "Test Person <b>"
            year_of_birth = 1950
            telephone = "000"
            relative_name = relative_telephone = gp = note = ""

        known = MappingProxyType({"p-1": Identity()})

    shown.desk.directory = Directory()
    code, _, where = await shown.post("/search", words="Test")
    assert (code, "Test" in where) == (303, False)
    _, html, _ = await shown.get(where)
    assert listed(html) == ["p-1"]
    assert listed((await shown.get(where, "doctor-1"))[1]) == ["p-2", "p-nobody-s", "p-1"]  # another's search is none
    assert (await shown.get("/search", "analyst-1"))[0] == 403
    assert (await shown.post("/search", "stranger-1", words="Test"))[0] == 303
    assert Entry("nurse-1", "search", None, None, "done") in shown.access.entries
    assert "Test Person &lt;b&gt;" in html
    assert "Test Person" not in (await shown.get("/?wall=1"))[1]
    assert "Test Person" not in (await shown.get("/", "stranger-1"))[1]
    assert "Test Person &lt;b&gt;" in (await shown.get("/patients/p-1"))[1]
    assert Entry("nurse-1", "see_identity", "p-1", "joint-centre", "done") in shown.access.entries


async def test_who_a_patient_is_is_written_into_the_directory_by_those_who_may_and_stays_there(
    shown: Shown, tmp_path: Path
) -> None:
    engine = databases.opened(f"sqlite:///{tmp_path / 'directory.sqlite'}")
    directory = Directory(engine, Keys({1: b"k" * 32}), shown.desk.now)
    await directory.open()
    shown.desk.directory = directory
    at, said = "/patients/p-1/identity", {"name": "Test <b>", "year_of_birth": "1950", "telephone": "+47 000 00001"}
    try:
        assert "/patients/p-1/identity" in (await shown.get("/patients/p-1"))[1]
        code, html, _ = await shown.post(at, name="", year_of_birth="50", note="01019912345")
        assert code == 422
        for fault in ("Fill in the field", "from 1890 to 2100", "looks like a national identity number"):
            assert fault in html
        assert await directory.of("p-1") is None
        based_on = re.findall(r'name="based_on" value="([^"]+)"', (await shown.get(at))[1])[0]
        code, _, where = await shown.post(at, **said, relative_name="", note="Hears badly.", based_on=based_on)
        assert (code, where) == (303, "/patients/p-1?done=identity")
        assert await directory.of("p-1") == Identity(
            name="Test <b>", year_of_birth=1950, telephone="+47 000 00001", note="Hears badly."
        )
        assert "Test &lt;b&gt;" in (await shown.get("/patients/p-1"))[1]
        form = (await shown.get(at, "coordinator-1"))[1]
        assert 'value="Test &lt;b&gt;"' in form
        assert "Hears badly." in form
        assert "Hears badly." in (await shown.get("/patients/p-1", "doctor-1"))[1]
        assert (await shown.post(at, **said, based_on=based_on))[0] == 409  # what somebody else wrote stands
        for who in ("nurse-1", "coordinator-1"):
            assert (await shown.get("/patients/p-nobody-s/identity", who))[0] == 403
        for who, code in (("doctor-1", 403), ("stranger-1", 404), ("analyst-1", 404)):
            assert (await shown.get(at, who))[0] == code
            assert (await shown.post(at, who, **said))[0] == code
        assert (await shown.post(at, csrf="forged", **said))[0] == 403
        assert Entry("nurse-1", "edit_identity", "p-1", "joint-centre", "done") in shown.access.entries
        assert Entry("coordinator-1", "see_identity", "p-1", "joint-centre", "done") in shown.access.entries
        assert Entry("doctor-1", "edit_identity", "p-1", "joint-centre", "refused") in shown.access.entries
        await directory.erase("p-1")
        code, html, _ = await shown.get(at)
        assert (code, '<form method="post" class="whole' in html) == (410, False)
        assert "Erased from the patient directory" in (await shown.get("/patients/p-1"))[1]
        assert (await shown.post(at, **said, based_on=based_on))[0] == 410
    finally:
        await directory.close()


async def test_a_directory_that_fails_takes_no_list_away(shown: Shown) -> None:
    class Broken:
        async def many(self, *_: Any) -> Any:  # noqa: ANN401 - it never answers
            raise OSError

        of = search = many

    shown.desk.directory = Broken()  # type: ignore[assignment] # it fails before it would answer
    assert listed((await shown.get("/"))[1]) == ["p-2", "p-nobody-s", "p-1"]
    assert "Names cannot be shown now" in (await shown.get("/patients/p-1"))[1]


class Stream:
    """One open board's stream of events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next event of a kind, with its id."""
        event: dict[str, Any] = {}
        async with asyncio.timeout(20):
            async for line in self._response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event.get("event") == kind:
                    return event
                else:
                    event = {}
        raise AssertionError(f"the stream ended without {kind}")

    async def about(self, patient: str) -> dict[str, Any]:
        """Return the next rows that one patient is among; nobody of another service is told of meanwhile."""
        while True:
            told = await self.next("rows")
            assert "p-p-elsewhere" not in told["data"]
            if f'id=\\"p-{patient}\\"' in told["data"]:
                return told


async def test_an_open_board_hears_of_a_change_and_a_board_that_comes_back_of_what_it_missed(
    shown: Shown, broker: EmbeddedBroker
) -> None:
    del broker
    _, html, _ = await shown.get("/")
    version = re.findall(r'data-version="([^"]+)"', html)[0]
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(cookies={"who": "nurse-1"}, timeout=timeout, read_bufsize=2**20) as session:
        async with session.get(f"{shown.url}/events?lang=en&since={version}") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            stream = Stream(answer)
            await stream.next("beat")
            await shown.write(
                "patient-status", status("p-1", Zone.RED, 2), status("p-elsewhere", Zone.YELLOW, 2, service="hospital")
            )
            told = await stream.about("p-1")  # the other one, which is of another partition, may be told of first
            assert 'data-zone=\\"red\\"' in told["data"]
            assert "p-p-elsewhere" not in told["data"]
        await shown.write("patient-status", status("p-1", Zone.YELLOW, 3))
        async with session.get(f"{shown.url}/events?lang=en", headers={"Last-Event-ID": told["id"]}) as answer:
            assert 'data-zone=\\"yellow\\"' in (await Stream(answer).about("p-1"))["data"]
        for strange in ("", "other-1", f"{version.partition('-')[0]}-9999999999999999999999", "x" * 5000):
            async with session.get(f"{shown.url}/events?lang=en&since={strange}") as answer:
                await Stream(answer).next("anew")


async def test_a_red_that_comes_while_names_are_looked_up_is_the_row_that_is_kept(
    shown: Shown, eventually: Eventually
) -> None:
    looked, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(NoDirectory):
        async def many(self, pseudonyms: Any) -> Any:  # noqa: ANN401 - a mapping
            looked.set()
            await goes_on.wait()
            return await super().many(pseudonyms)

    shown.desk.directory = Slow()
    asked = asyncio.create_task(shown.get("/"))
    await looked.wait()
    await shown.write("patient-status", status("p-1", Zone.RED, 2))
    await eventually(lambda: shown.desk.model.status("p-1").zone is Zone.RED)  # type: ignore[union-attr] # it is known
    goes_on.set()
    await asked
    row = re.findall(r'<tr[^>]*id="p-p-1"[^>]*>', (await shown.get("/"))[1])[0]
    assert 'data-zone="red"' in row


async def test_streams_tell_of_nobody_else_s_patients_and_are_written_down(shown: Shown) -> None:
    version = re.findall(r'data-version="([^"]+)"', (await shown.get("/"))[1])[0]
    since = f"{version.partition('-')[0]}-0"
    before = len(shown.access.entries)
    async with (
        aiohttp.ClientSession(cookies={"who": "nurse-1"}, read_bufsize=2**20) as session,
        session.get(f"{shown.url}/events?lang=en&since={since}") as answer,
    ):
        told = await Stream(answer).next("rows")
    assert json.loads(told["data"])["gone"] == []
    assert Entry("nurse-1", "list", None, None, "done") in shown.access.entries[before:]
    assert (await shown.get(f"/events?since={since}", "analyst-1"))[0] == 403


async def test_whatever_page_shows_a_patient_is_written_down(shown: Shown) -> None:
    for ask, action in (
        (shown.post("/patients/p-1/contact"), "see_patient"),
        (shown.get("/patients/p-1/registration"), "see_patient"),
        (shown.get("/patients/p-1/plan"), "try_plan"),
        (shown.post("/patients/p-1/plan"), "try_plan"),
    ):
        before = len(shown.access.entries)
        assert (await ask)[0] in {200, 422}
        assert Entry("nurse-1", action, "p-1", "joint-centre", "done") in shown.access.entries[before:]


async def test_a_session_that_ends_closes_its_stream(broker: EmbeddedBroker) -> None:
    shown = Shown(broker)

    async def ended(_request: Any) -> bool:  # noqa: ANN401 - a request
        return False

    app = board(
        Health("board", shown.metrics, {}), shown.metrics, shown.desk, signed_in=signed_in_as(PEOPLE), alive=ended
    )
    async with (
        serving(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/events?lang=en") as answer,
    ):
        await Stream(answer).next("left")


async def test_without_somebody_signed_in_nothing_is_shown(shown: Shown) -> None:
    for path in ("/", "/status.json", "/events", "/patients/p-1", "/meeting", "/meeting.csv", "/equipment", "/enrol"):
        assert (await shown.get(path, "nobody"))[0] == 401, path


async def test_is_ready_once_it_has_read_everything_and_not_without_its_broker(
    broker: EmbeddedBroker, shown: Shown, eventually: Eventually
) -> None:
    assert (await shown.get("/readyz"))[0] == 200
    broker.set_down()
    await eventually(lambda: not shown.desk.up_to_date())
    assert (await shown.get("/readyz"))[0] == 503
    assert (await shown.get("/livez"))[0] == 200
    _, html, _ = await shown.get("/")
    assert "The list is not up to date: no contact with the message system" in html
    assert "p-2" in html
    broker.set_up()
    await eventually(shown.desk.up_to_date)


async def test_pages_are_not_kept_run_nothing_inline_and_large_ones_are_packed(shown: Shown) -> None:
    _, _, headers = await shown.get("/patients/p-1")
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert "Content-Encoding" not in headers  # the list alone is packed
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(shown.url, headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = await answer.read()
    assert b"p-p-2" in gzip.decompress(raw)
    assert (await shown.get("/static/board.js"))[2]["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("path", "accepted", "lang"),
    [("/", "", "nb"), ("/", "en-GB,en;q=0.9", "en"), ("/?lang=nb", "en", "nb"), ('/?lang="><script>', "", "nb")],
)
async def test_speaks_the_language_that_was_asked_for(shown: Shown, path: str, accepted: str, lang: str) -> None:
    _, html, _ = await shown.get(path, **{"Accept-Language": accepted})
    assert f'<html lang="{lang}">' in html
    assert "<script>" not in html


async def test_an_acknowledgement_is_done_once_however_often_its_form_is_sent(
    shown: Shown, eventually: Eventually
) -> None:
    form = {
        "form_id": str(uuid4()),
        "reason_code": "technique",
        "zone_change_id": str(CHANGE),
        "note": HOSTILE,
    }
    answers = await asyncio.gather(*(shown.post("/patients/p-2/acknowledge", **form) for _ in range(3)))
    assert [(code, where) for code, _, where in answers] == [(303, "/patients/p-2?done=acknowledge")] * 3
    (event,) = shown.written("p-2")
    assert isinstance(event, Acknowledged)
    assert (event.zone_change_id, event.by, event.recorded_by, event.reason_code, event.note) == (
        CHANGE,
        "nurse-1",
        "nurse-1",
        "technique",
        HOSTILE,
    )
    ends = await log(shown, "care")
    assert ends == [event]
    _, html, _ = await shown.get("/patients/p-2")
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    assert listed((await shown.get("/?mine=1"))[1]) == ["p-2"]
    await eventually(shown.desk.history_read)


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("acknowledge", {"note": "x"}, "Reason: Fill in the field."),
        ("acknowledge", {"reason_code": "not-one"}, "Choose one of the options."),
        ("acknowledge", {"reason_code": "true", "note": "x" * 501}, "Shorten to 500 characters."),
        ("acknowledge", {"reason_code": "true", "note": "called 010199 12345"}, "looks like an identity"),
        ("contact", {"kind": "call", "at": "tomorrow"}, "Write date and time as"),
        ("contact", {"kind": "call", "at": "2026-03-02T08:00"}, "The time lies in the future."),
        ("pause", {"at": "2026-03-01T09:00", "ends_at": "2026-02-01T09:00"}, "The end must lie after"),
        ("phase", {"phase": "evaluation", "at": "2026-03-01T09:00"}, "Choose one of the options."),
        ("transfer", {"service": "../hospital", "at": "2026-03-01T09:00"}, "Choose one of the options."),
        ("consultation", {"at": "2026-03-01T09:00"}, "Services: Fill in the field."),
        ("equipment-out", {"kind": "cuff", "device": "<b>", "at": "2026-03-01T09:00"}, "Use letters, digits"),
        ("equipment-out", {"kind": "cuff", "device": "01019912345", "at": "2026-03-01T09:00"}, "no identity number"),
        ("equipment-back", {"device": "never-out", "at": "2026-03-01T09:00"}, "Choose one of the options."),
    ],
)
async def test_a_form_with_a_fault_names_the_field_and_does_nothing(
    shown: Shown, act: str, fields: dict[str, str], said: str
) -> None:
    code, html, _ = await shown.post(f"/patients/p-2/{act}", **fields)
    assert (code, shown.written("p-2")) == (422, [])
    assert said in html
    assert await log(shown, "care") == []


async def test_everything_that_staff_do_becomes_its_event(shown: Shown) -> None:
    at = {"at": "2026-03-01T08:30"}  # in Oslo, half an hour ago
    handed_over = event_id(PEOPLE["nurse-1"], "p-1", "transfer", UUID(int=8))
    where_to = {"transfer": f"/transferred/p-1/{handed_over}"}
    for act, fields in {
        "contact": {**at, "kind": "video", "reached": "1", "note": "Well."},
        "pause": {"at": "2026-03-01T09:00", "ends_at": "2026-03-08T09:00"},
        "admitted": {**at, "acute": "1"},
        "emergency": {**at, "kind": "out-of-hours"},
        "consultation": {**at, "services.hospital": "1", "services.joint-centre": "1"},
        "equipment-out": {**at, "kind": "cuff", "device": "cuff-7"},
        "phase": {**at, "phase": "follow_up"},
        "transfer": {**at, "service": "hospital", "form_id": str(UUID(int=8))},
    }.items():
        code, _, where = await shown.post(f"/patients/p-1/{act}", **fields)
        assert (act, code, where.partition("?")[0]) == (act, 303, where_to.get(act, "/patients/p-1"))
    for act, fields in {"discharged": at, "equipment-back": {**at, "device": "cuff-7"}}.items():
        assert (await shown.post(f"/patients/p-1/{act}", **fields))[0] == 303
    kinds = {str(one.__struct_config__.tag): one for one in await log(shown, "care")}
    assert set(kinds) == {
        "contact_made",
        "paused",
        "admitted",
        "discharged",
        "emergency_contact",
        "joint_consultation",
        "equipment_handed_out",
        "equipment_returned",
        "phase_changed",
        "transferred",
    }
    assert {one.recorded_by for one in kinds.values()} == {"nurse-1"}
    assert kinds["contact_made"].at == datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    assert kinds["joint_consultation"].services == ("hospital", "joint-centre")
    _, html, _ = await shown.get("/equipment")
    assert "cuff-7" in html


async def test_without_its_own_token_no_form_is_taken(shown: Shown) -> None:
    own = masked("token-of-nurse-1")
    malformed = ("", "x", "x" * 10_000, "0" * 9_999, "\N{DIGIT ZERO}\N{ARABIC-INDIC DIGIT ONE}", "token-of-nurse-1")
    for token in (*malformed, masked("token-of-doctor-1"), masked(""), own[:-1], own[:-2], own[:-4], f"{own}00"):
        code, _, _ = await shown.post("/patients/p-2/acknowledge", csrf=token, reason_code="true")
        assert code == 403
    assert shown.written("p-2") == []


async def test_no_two_pages_hold_the_same_token_and_each_is_taken(shown: Shown) -> None:
    pages = [(await shown.get("/"))[1] for _ in range(2)]
    tokens = [set(re.findall(r'name="csrf" value="([^"]+)"', html)) for html in pages]
    assert [len(one) for one in tokens] == [1, 1]
    assert not tokens[0] & tokens[1]
    for token in tokens[0] | tokens[1]:
        assert b"token-of-nurse-1".hex() not in token
        code, _, where = await shown.post("/patients/p-2/acknowledge", csrf=token, reason_code="true")
        assert (code, where) == (303, "/patients/p-2?done=acknowledge")


async def test_without_a_session_s_token_no_form_is_taken(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.board.form_page.csrf_of", lambda _: "")
    for token in ("", masked(""), masked("token-of-nurse-1")):
        assert (await shown.post("/patients/p-2/acknowledge", csrf=token, reason_code="true"))[0] == 403


@pytest.mark.parametrize(
    "path", ["/", "/patients/p-1", "/meeting", "/equipment", "/patients/p-1/plan", "/patients/none"]
)
@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "The list is not up to date: no contact"), ("nb", "Listen er ikke oppdatert: ingen kontakt")],
)
async def test_every_page_says_once_that_what_it_shows_is_old(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, path: str, lang: str, said: str
) -> None:
    assert said not in (await shown.get(path, **{"Accept-Language": lang}))[1]
    monkeypatch.setattr(shown.desk.listing, "up_to_date", lambda: False)
    who = "doctor-1" if path.endswith("/plan") else "nurse-1"
    assert (await shown.get(path, who, **{"Accept-Language": lang}))[1].count(said) == 1


async def test_the_patient_s_page_tells_of_the_platform_to_those_whom_it_concerns(shown: Shown) -> None:
    class Ailing:
        troubles = (Trouble("broker", NOW), Trouble("clock", NOW, "hospital"))

    shown.desk.platform = Ailing()
    _, html, _ = await shown.get("/patients/p-1")
    assert "The message system does not answer: new registrations are not judged" in html
    assert html.count('class="alarm"') == 1  # what ails another service is not told


async def test_a_page_without_a_stream_holds_the_words_from_when_it_is(shown: Shown) -> None:
    for lang, said in (
        ("en", "This page is from 09:00. Load it again"),
        ("nb", "Siden er fra kl. 09:00. Last den på nytt"),
    ):
        for path in ("/patients/p-1", "/meeting"):
            assert said in (await shown.get(path, **{"Accept-Language": lang}))[1]
        assert said not in (await shown.get("/", **{"Accept-Language": lang}))[1]


@pytest.mark.parametrize(
    ("who", "path", "code", "action"),
    [
        ("stranger-1", "/patients/p-2/acknowledge", 404, "see_patient"),
        ("coordinator-1", "/patients/p-2/acknowledge", 403, "acknowledge"),
        ("nurse-1", "/patients/p-nobody/acknowledge", 404, "see_patient"),
        ("nurse-1", "/patients/p-canary/acknowledge", 404, "see_patient"),
        ("coordinator-1", "/patients/p-1/registration", 403, "register"),
        ("coordinator-1", "/patients/p-1/plan", 403, "try_plan"),
    ],
)
async def test_who_may_not_is_refused_and_that_is_written_down(
    shown: Shown, who: str, path: str, code: int, action: str
) -> None:
    answered, html, _ = await shown.post(path, who, reason_code="true")
    assert answered == code
    assert shown.access.entries[-1][:2] == (who, action)
    assert shown.access.entries[-1].outcome == "refused"
    assert "limit_high" not in html


@pytest.mark.parametrize(
    "path",
    [
        "/patients/../p-2",
        "/patients/%2e%2e%2fp-2",
        "/patients/p-2%00",
        "/patients/p-2/../../static/board.css/..",
        "/patients/<script>",
        f"/patients/{'x' * 4000}",
        "/static/../serving.py",
        "/static/%2e%2e/pages.py",
        "/patients/p-2/no-such-act",
    ],
)
async def test_a_path_that_leads_nowhere_gives_nothing_away(shown: Shown, path: str) -> None:
    code, html, _ = await shown.get(path)
    assert code in {404, 405}
    assert "<script>" not in html
    assert "p-2" not in html.replace("p-2/", "")


async def test_only_a_doctor_signs_and_a_plan_signed_meanwhile_is_looked_at_first(shown: Shown) -> None:
    _, form, _ = await shown.get("/patients/p-1/plan", "doctor-1")
    values = {**Inputs(form).values, "do": "sign"}
    assert same_token(values.pop("csrf"), "token-of-doctor-1")
    code, html, _ = await shown.post("/patients/p-1/plan", "nurse-1", **values)
    assert code == 403
    code, html, where = await shown.post("/patients/p-1/plan", "doctor-1", **values)
    assert (code, where) == (303, "/patients/p-1?done=plan"), html
    (signed,) = await log(shown, "care")
    assert isinstance(signed, PlanSigned)
    assert (signed.plan.version, signed.signed_by) == (1, "doctor-1")
    starter = pathways.load()["copd"]
    assert {one.code: (one.red_low, one.yellow_low, one.yellow_high, one.red_high) for one in signed.plan.limits} == {
        one.code: (one.red_low, one.yellow_low, one.yellow_high, one.red_high) for one in starter.starter_limits.limits
    }
    again = {**values, "form_id": str(uuid4())}
    code, html, _ = await shown.post("/patients/p-1/plan", "doctor-1", **again)
    assert (code, "Not signed: a newer plan was signed meanwhile." in html) == (409, True)
    code, html, _ = await shown.post("/patients/p-1/plan", "doctor-1", **{**again, "limits.2708-6.red_low": "nine"})
    assert (code, "SpO₂, Red low: Write a number." in html) == (422, True)


async def test_without_the_broker_a_form_is_not_done_says_so_and_may_be_sent_again(
    shown: Shown, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown.writing.care.delivery is not None
    monkeypatch.setattr(shown.writing.care.delivery, "_timeout_s", 0.3)
    broker.set_down()
    form = {"form_id": str(uuid4()), "reason_code": "other", "note": "Kept."}
    code, html, _ = await shown.post("/patients/p-2/acknowledge", **form)
    assert code == 503
    assert "The message system has not confirmed." in html
    assert "Kept." in html
    assert form["form_id"] in html
    broker.set_up()


async def test_the_meeting_list_names_why_and_its_table_holds_no_formula(shown: Shown, eventually: Eventually) -> None:
    note = "=HYPERLINK(1)"
    await shown.post("/patients/p-2/acknowledge", reason_code="other", note=note)
    await eventually(lambda: shown.written("p-2"))
    _, html, _ = await shown.get("/meeting")
    assert "still red or yellow" in html
    assert "open questions" in html
    code, text, headers = await shown.get("/meeting.csv")
    assert (code, headers["Content-Disposition"]) == (200, 'attachment; filename="meeting.csv"')
    lines = [line for line in text.splitlines() if line.startswith("p-2,")]
    assert len(lines) == 1
    assert ",'=HYPERLINK(1)," in lines[0]
    assert "p-elsewhere" not in text


async def test_a_patient_is_enrolled_once_into_one_s_own_service_and_by_no_number(shown: Shown) -> None:
    form = {
        "form_id": str(uuid4()),
        "pathway": "copd",
        "service": "joint-centre",
        "municipality": "municipality-1",
        "phase": "start_up",
        "time_zone": "Europe/Oslo",
        "proposed": "p-new1-new2",
    }
    for pseudonym, said in (
        ("01019912345", "never 11 digits"),
        ("p-1", "The pseudonym is in use"),
        ("a b", "Use letters"),
    ):
        code, html, _ = await shown.post("/enrol", **form, pseudonym=pseudonym)
        assert (code, said in html) == (422, True)
    assert (await shown.post("/enrol", **{**form, "service": "hospital"}))[0] == 422
    assert (await shown.post("/enrol", "analyst-1", **form))[0] == 403
    for _ in range(2):
        assert (await shown.post("/enrol", **form))[2] == "/enrolled/p-new1-new2"
    (enrolled,) = await log(shown, "care")
    assert isinstance(enrolled, Enrolled)
    assert (enrolled.patient, enrolled.service, enrolled.recorded_by) == ("p-new1-new2", "joint-centre", "nurse-1")


async def test_what_is_written_by_others_appears_on_the_patient_s_page(shown: Shown, eventually: Eventually) -> None:
    common = {"patient": "p-1", "at": NOW, "recorded_at": NOW}
    reading_ = JudgedReading(code="2708-6", vital="spo2", value=87, unit="%", measured_at=NOW, quality=Quality.VALID)
    assessment = Assessment(
        assessment_id=UUID(int=1),
        submission_id=UUID(int=2),
        patient="p-1",
        revision=1,
        at=NOW,
        received_at=NOW,
        zone=Zone.YELLOW,
        reasons=(
            Reason(rule="limit_low", zone=Zone.YELLOW, code="2708-6", value=87, unit="%", limit=88, readings=(0,)),
        ),
        readings=(reading_,),
        service="joint-centre",
        plan_version=1,
        rules_version="3",
        on_behalf=OnBehalf.PHONE,
        self_care=("Rest, and measure again.",),
    )
    await shown.write(topics.ASSESSMENTS.name, assessment)
    await shown.write(
        topics.CARE.name,
        PlanSigned(**common, event_id=UUID(int=3), plan=PLAN, signed_by="doctor-1"),
        EquipmentHandedOut(**common, event_id=UUID(int=4), device="cuff-1", kind="cuff"),
    )
    await eventually(lambda: len(shown.model.patient("p-1").judgements) and len(shown.written("p-1")) == 2)
    _, html, _ = await shown.get("/patients/p-1")
    assert "Oxygen saturation 87% is at or below the yellow limit 88%." in html
    assert "entered by staff, phone" in html
    assert "Rest, and measure again." in html
    assert "cuff-1" in html
    assert re.search(r'aria-label="SpO₂: last 87.%, 1 measurements from 87 to 87, red low 85, yellow low 88"', html)
    await shown.write(topics.ASSESSMENTS.name, structs.replace(assessment, revision=2, entered_in_error=True))
    await eventually(lambda: shown.model.patient("p-1").judgements.newest()[0].revision == 2)
    _, html, _ = await shown.get("/patients/p-1")
    assert "entered in error" in html


async def test_who_is_overdue_is_in_the_metrics(shown: Shown, eventually: Eventually) -> None:
    await shown.write("patient-status", status("p-3", Zone.GREEN, due_at=NOW - timedelta(minutes=1)))
    await eventually(lambda: shown.metrics.registry.get_sample_value("sonevakt_overdue_patients") == 1)
