"""Attempts to get in, and to act for somebody else: each is refused, and the refusal is recorded."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from agents.access import files
from agents.access.log import AccessLogError
from agents.people.origin import Address, unmasked
from agents.settings import SettingsError
from schemas.people import Role
from tests.agents.people.conftest import user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.agents.people.conftest import Board

CLOSED = ["/", "/patients/p-north", "/patients/p-nobody", "/nowhere", "/metrics", "/staticky", "/loginx", "/logout"]
OPENED = ["/livez", "/static/board.css", "/a/abc", "/login"]


@pytest.mark.parametrize("path", CLOSED)
async def test_without_a_session_a_page_leads_to_signing_in_and_a_fetch_is_401(board: Board, path: str) -> None:
    shown = await board.browser().get(path)
    fetched = await board.browser().get(path, page=False)
    assert (shown.status, str(shown.location).partition("?")[0], shown.text) == (303, "/login", "")
    assert (fetched.status, json.loads(fetched.text)) == (401, {"error": "not_signed_in"})


@pytest.mark.parametrize("path", OPENED)
async def test_what_is_open_is_open(board: Board, path: str) -> None:
    assert (await board.browser().get(path)).status == 200


async def test_an_open_page_knows_who_is_signed_in(board: Board) -> None:
    nurse = await board.nurse()
    assert (await nurse.get("/a/abc")).text == "open, nurse-1"
    assert (await board.browser().get("/a/abc")).text == "open, nobody"


TRICKS = [
    "/login/../patients/p-north",
    "/login/..",
    "/login/./../",
    "/static/../patients/p-north",
    "/static/..%2fpatients/p-north",
    "/static/%2e%2e/patients/p-north",
    "/static%2f../patients/p-north",
    "/static/..\\patients/p-north",
    "/static/%5c../patients/p-north",
    "//patients/p-north",
    "/login//patients/p-north",
    "/a/..%2F..%2Fpatients%2Fp-north",
    "/%2e/patients/p-north",
    "/a/%00",
    "/LOGIN/../patients/p-north",
    "/Login",
    "/STATIC/board.css",
    "/login/",
    "/login;/patients/p-north",
    "/login%3f/patients/p-north",
    "/static",
    "/patients/p-north?/login",
    "/patients/p-north#/login",
    "/patients/p-north;/static/",
]


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_no_way_of_writing_a_path_opens_what_is_closed(board: Board, path: str, method: str) -> None:
    answer = await board.browser().ask(method, path, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status in {303, 400}
    assert "measurements" not in answer.text


async def test_the_list_of_another_service_is_closed_and_the_attempt_is_recorded(board: Board) -> None:
    nurse = await board.nurse()
    assert (await nurse.get("/patients/p-north")).text == "measurements"
    refused = await nurse.get("/patients/p-south")
    fetched = await nurse.get("/patients/p-south", page=False)
    assert (refused.status, fetched.status, json.loads(fetched.text)) == (403, 403, {"error": "refused"})
    assert "measurements" not in refused.text
    assert [(entry.person, entry.action, entry.service, entry.outcome) for entry in await board.logged("p-south")] == [
        ("nurse-1", "see_patient", "south", "refused")
    ] * 2


@pytest.mark.parametrize("patient", ["a%20b", "01017012345", "x" * 100, "%C3%A6", "<b>"])
async def test_an_address_that_names_no_pseudonym_is_refused_and_its_text_is_not_written_down(
    board: Board, patient: str
) -> None:
    nurse = await board.nurse()
    assert (await nurse.get(f"/patients/{patient}")).status == 403
    await board.logged("p-1")
    held = b"".join(path.read_bytes() for path in files.months(board.folder / "access"))
    assert b'"action":"see_patient","outcome":"refused","service":"nowhere"' in held
    assert patient.encode() not in held


async def test_a_nurse_signs_no_plan_and_the_attempt_is_recorded(board: Board) -> None:
    nurse = await board.nurse()
    refused = await nurse.post("/plans", {"csrf": await nurse.csrf()})
    assert refused.status == 403
    assert [entry.action for entry in await board.logged("p-north")] == ["sign_plan"]


async def test_a_doctor_signs(open_board: Callable[..., Awaitable[Board]]) -> None:
    board = await open_board(users={"doctor-1": user(Role.DOCTOR)})
    doctor = board.browser()
    await doctor.sign_in("doctor-1")
    assert (await doctor.post("/plans", {"csrf": await doctor.csrf()})).text == "signed"


ACT = "/patients/p-north/contacts"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_an_own_form_with_its_token_is_taken(board: Board, method: str) -> None:
    nurse = await board.nurse()
    token = await nurse.csrf()
    for site in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": board.base}, {"Origin": board.base.upper()}):
        in_header = await nurse.ask(method, ACT, headers={**site, "X-CSRF-Token": token})
        assert in_header.text == "recorded"
        if method != "DELETE":
            assert (await nurse.ask(method, ACT, {"csrf": token}, headers=site)).text == "recorded"


async def test_a_form_of_a_page_without_referrers_is_still_our_own(board: Board) -> None:
    nurse = await board.nurse()
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert (await nurse.ask("POST", ACT, {"csrf": await nurse.csrf()}, headers=headers)).status == 200


FOREIGN = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "null"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_form_from_elsewhere_is_refused_whatever_token_it_has(board: Board, headers: dict[str, str]) -> None:
    nurse = await board.nurse()
    answer = await nurse.ask("POST", ACT, {"csrf": await nurse.csrf()}, headers=headers)
    assert (answer.status, "recorded" in answer.text) == (403, False)


@pytest.mark.parametrize(
    "sent", ["", "x", "0x0", "00", "\N{LATIN SMALL LETTER O WITH STROKE}", "another's", "unmasked", "cut"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_without_the_sessions_own_token_nothing_is_done(board: Board, sent: str, method: str) -> None:
    nurse, other = await board.nurse(), await board.nurse()
    own = await nurse.csrf()
    made = {"another's": await other.csrf(), "unmasked": unmasked(own).decode(), "cut": own[:-2]}
    token = made.get(sent, sent)
    same = {"Sec-Fetch-Site": "same-origin"}
    assert (await nurse.ask(method, ACT, {"csrf": token}, headers=same)).status == 403
    assert (await nurse.ask(method, ACT, headers={**same, "X-CSRF-Token": token})).status == 403
    assert (await nurse.ask(method, ACT, headers=same)).status == 403


async def test_a_token_in_the_address_or_in_another_kind_of_body_is_none(board: Board) -> None:
    nurse = await board.nurse()
    token = await nurse.csrf()
    assert (await nurse.post(f"{ACT}?csrf={token}", {})).status == 403
    body = json.dumps({"csrf": token}).encode()
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    assert (await nurse.ask("POST", ACT, body=body, headers=headers)).status == 403
    text = {**headers, "Content-Type": "text/plain"}
    assert (await nurse.ask("POST", ACT, body=f"csrf={token}".encode(), headers=text)).status == 403


async def test_forgeries_are_recorded(board: Board) -> None:
    nurse = await board.nurse()
    await nurse.post(ACT, {"csrf": "wrong"})
    await board.access.add("test", "written", None, None)
    held = b"".join(path.read_bytes() for path in files.months(board.folder / "access"))
    assert b'"person":"nurse-1","action":"forgery","outcome":"refused"' in held


async def test_open_paths_take_no_form_from_another_site_and_what_is_no_browser_is_let_through(board: Board) -> None:
    anybody = board.browser()
    assert (await anybody.ask("POST", "/hooks/pagerduty", body=b"{}", page=False)).status == 200
    assert (await anybody.ask("POST", "/a/abc", headers={"Sec-Fetch-Site": "same-origin"})).status == 200
    assert (await anybody.ask("POST", "/a/abc", headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (
        await anybody.ask("POST", "/hooks/pagerduty", headers={"Origin": "https://elsewhere.example"})
    ).status == 403


async def test_an_oversize_form_is_refused(board: Board) -> None:
    nurse = await board.nurse()
    assert (await nurse.post(ACT, {"note": "x" * 100_000})).status == 413
    assert (await nurse.post(ACT, {"csrf": await nurse.csrf(), "note": "x" * 100_000})).status == 413
    assert (await board.browser().post("/login", {"password": "x" * 100_000})).status == 413


async def test_under_another_name_the_board_of_this_machine_is_not_reached(board: Board) -> None:
    port = board.base.rpartition(":")[2]
    nurse = await board.nurse()
    for host in (f"elsewhere.example:{port}", "127.0.0.1.elsewhere.example", "[::1", ""):
        answer = await nurse.get("/patients/p-north", headers={"Host": host})
        assert (answer.status, "measurements" in answer.text) in {(421, False), (400, False)}
    assert (await nurse.get("/patients/p-north", headers={"Host": f"localhost:{port}"})).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "board.example", ""])  # noqa: S104 - named, not listened on
@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080"])
def test_without_https_it_listens_on_this_machine_alone(host: str, url: str) -> None:
    with pytest.raises(SettingsError, match="SONEVAKT_BOARD_URL must be set"):
        Address(url, host)
    assert Address("https://board.example", host).cookie == "__Host-sonevakt"


async def test_what_cannot_be_recorded_is_not_shown(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    nurse = await board.nurse()

    async def not_written(*_: object, **__: object) -> None:
        raise AccessLogError

    with monkeypatch.context() as patched:
        patched.setattr(type(board.access), "add", not_written)
        assert (await nurse.get("/patients/p-south")).status == 503
        assert (await board.browser().sign_in()).status == 503
    assert (await nurse.get("/patients/p-north")).status == 200


async def test_a_users_file_that_cannot_be_read_lets_nobody_in(board: Board) -> None:
    nurse = await board.nurse()
    board.users.path.write_bytes(b"{")
    assert (await nurse.get("/patients/p-north")).status == 503
    assert (await board.browser().get("/patients/p-north")).status == 303


async def test_pages_of_the_guard_run_no_script_and_are_not_kept(board: Board) -> None:
    nurse = await board.nurse()
    for answer in (await board.browser().get("/login"), await nurse.get("/patients/p-south")):
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "<script" not in answer.text
        assert " style=" not in answer.text


async def test_what_a_page_throws_by_itself_stays_what_it_is(board: Board) -> None:
    nurse = await board.nurse()
    assert (await nurse.get("/nowhere")).status == 404
    token = {"X-CSRF-Token": await nurse.csrf(), "Sec-Fetch-Site": "same-origin"}
    assert (await nurse.ask("DELETE", "/plans", headers=token)).status == 405


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ("nothing", "begun alive"),
        ("disabled", "begun over"),
        ("signed out", "begun over"),
        ("half an hour", "begun over"),
        ("file unreadable", "begun over"),
    ],
)
async def test_an_open_stream_learns_that_its_session_has_ended(board: Board, meanwhile: str, told: str) -> None:
    nurse = await board.nurse()
    stream = asyncio.create_task(nurse.get("/events", page=False))
    await board.begun.wait()
    csrf = await nurse.csrf()
    if meanwhile == "disabled":
        with board.users.changing() as users:
            users["nurse-1"] = structs.replace(users["nurse-1"], disabled=True)
    elif meanwhile == "signed out":
        await nurse.post("/logout", {"csrf": csrf})
    elif meanwhile == "half an hour":
        board.clock.pass_(minutes=30)
    elif meanwhile == "file unreadable":
        board.users.path.write_bytes(b"{")
    board.ended.set()
    assert (await stream).text == told


async def test_a_nurse_who_is_answered_while_others_try_passwords(board: Board) -> None:
    nurse = await board.nurse()
    others = [asyncio.create_task(board.browser().sign_in(password="wrong")) for _ in range(4)]  # noqa: S106 - wrong
    assert (await nurse.get("/patients/p-north")).status == 200
    await asyncio.gather(*others)
