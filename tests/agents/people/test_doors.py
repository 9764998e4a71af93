"""Signing in by a password, and what ends it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest
from argon2 import PasswordHasher

from agents import databases
from agents.people import passwords as hashing
from agents.people.passwords import Passwords
from agents.people.paths import within
from agents.people.sessions import Sessions
from schemas.people import Role
from tests.agents.people.conftest import PASSWORD, QUICK, TOKEN, Browser, user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agents.people.users import User
    from tests.agents.people.conftest import Answer, Board

COOKIE = "sonevakt-local"


async def shows(browser: Browser) -> bool:
    """Whether the browser is signed in."""
    return (await browser.get("/patients/p-north")).text == "measurements"


async def test_the_right_password_signs_in_and_leads_on(board: Board) -> None:
    nurse = board.browser()
    answer = await nurse.sign_in(going="?next=/patients/p-north%3Fdays%3D7")
    assert (answer.status, answer.location) == (303, "/patients/p-north?days=7")
    assert await shows(nurse)
    assert (await nurse.get("/login")).location == "/"


@pytest.mark.parametrize(
    ("ref", "password"),
    [("nurse-1", "wrong"), ("nurse-1", ""), ("nobody", PASSWORD), ("", PASSWORD), ("Nurse-1", PASSWORD), ("\x00", "x")],
)
async def test_anything_else_is_refused_in_the_same_words(board: Board, ref: str, password: str) -> None:
    answer = await board.browser().sign_in(ref, password)
    assert (answer.status, "Feil referanse eller passord." in answer.text) == (403, True)
    assert COOKIE not in "".join(answer.set_cookies).replace(f"{COOKIE}-entry", "")
    for told in (ref, password):
        assert len(told) < 3 or told not in answer.text


async def test_the_page_is_there_in_both_languages_with_labels_and_no_script(board: Board) -> None:
    shown = await board.browser().get("/login", headers={"Accept-Language": "en-GB"})
    assert '<html lang="en">' in shown.text
    assert '<label for="ref">Staff reference</label>' in shown.text
    assert '<label for="password">Password</label>' in shown.text
    assert '<label for="ref">Ansattreferanse</label>' in (await board.browser().get("/login")).text
    assert "/login/oidc" not in shown.text


async def test_the_cookie_is_for_this_host_and_for_no_script(open_board: Callable[..., Awaitable[Board]]) -> None:
    at_home = await (await open_board()).browser().sign_in()
    secure = await open_board(board_url="https://board.example")
    browser = secure.browser()
    shown = await browser.get("/login")
    found = TOKEN.search(shown.text)
    assert found is not None
    headers = {"Origin": "https://board.example"}
    form = {"csrf": found[1], "ref": "nurse-1", "password": PASSWORD}
    answer = await browser.ask("POST", "/login", form, headers=headers)
    (local,) = [line for line in at_home.set_cookies if line.startswith(f"{COOKIE}=") and "Max-Age=0" not in line]
    (host,) = [line for line in answer.set_cookies if line.startswith("__Host-sonevakt=")]
    assert sorted(local.split("; ")[1:]) == ["HttpOnly", "Path=/", "SameSite=Lax"]
    assert sorted(host.split("; ")[1:]) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
    assert all("Secure" in line and "HttpOnly" in line for line in [*shown.set_cookies, *answer.set_cookies])


async def test_over_https_the_cookie_without_the_prefix_is_worth_nothing(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    board = await open_board(board_url="https://board.example")
    sid, _ = await board.sessions.begin(user().person("nurse-1"), "password")
    assert not await shows(Browser(board.base, {COOKIE: sid}))
    assert await shows(Browser(board.base, {"__Host-sonevakt": sid}))


async def test_a_session_that_was_put_into_the_browser_is_not_the_one_that_is_signed_in(board: Board) -> None:
    victim = board.browser()
    victim.cookies[COOKIE] = "a" * 43
    await victim.sign_in()
    assert victim.cookies[COOKIE] != "a" * 43
    assert not await shows(Browser(board.base, {COOKIE: "a" * 43}))


async def test_signing_in_anew_ends_the_session_that_the_browser_had(board: Board) -> None:
    nurse = await board.nurse()
    before = dict(nurse.cookies)
    # Somebody signs in from the same browser, from a page that stood open since before.
    page = board.browser()
    found = TOKEN.search((await page.get("/login")).text)
    assert found is not None
    nurse.cookies |= page.cookies
    await nurse.post("/login", {"csrf": found[1], "ref": "nurse-1", "password": PASSWORD})
    assert await shows(nurse)
    assert not await shows(Browser(board.base, before))


@pytest.mark.parametrize("sid", ["", "x", "a" * 43, "å" * 43, "a" * 5000, '" OR 1=1 --'.ljust(43)])
async def test_a_made_up_session_is_none(board: Board, sid: str) -> None:
    assert not await shows(Browser(board.base, {COOKIE: sid}))


async def test_signing_out_ends_the_session_and_not_only_the_cookie(board: Board) -> None:
    nurse, other = await board.nurse(), await board.nurse()
    before = dict(nurse.cookies)
    answer = await nurse.post("/logout", {"csrf": await nurse.csrf()})
    assert (answer.status, answer.location, nurse.cookies) == (303, "/login", {})
    assert not await shows(Browser(board.base, before))
    assert await shows(other)


async def test_nobody_is_signed_out_by_another_site(board: Board) -> None:
    nurse = await board.nurse()
    assert (await nurse.post("/logout", {"csrf": "wrong"})).status == 403
    assert await shows(nurse)


async def test_a_session_ends_after_half_an_hour_without_an_act(board: Board) -> None:
    nurse = await board.nurse()
    board.clock.pass_(minutes=29, seconds=59)
    assert await shows(nurse)
    board.clock.pass_(minutes=29, seconds=59)
    assert await shows(nurse)
    board.clock.pass_(minutes=30)
    assert not await shows(nurse)


async def test_what_a_page_fetches_by_itself_is_no_act(board: Board) -> None:
    nurse = await board.nurse()
    for _ in range(3):
        board.clock.pass_(minutes=9)
        assert (await nurse.get("/patients/p-north", page=False)).status == 200
    board.clock.pass_(minutes=3)
    assert (await nurse.get("/patients/p-north", page=False)).status == 401


async def test_a_session_ends_after_twelve_hours_whatever_is_done(board: Board) -> None:
    nurse = await board.nurse()
    for _ in range(47):
        board.clock.pass_(minutes=15)
        assert await shows(nurse)
    board.clock.pass_(minutes=15)
    assert not await shows(nurse)


async def test_a_session_is_there_after_a_restart(board: Board) -> None:
    nurse = await board.nurse()
    again = Sessions(databases.opened(f"sqlite:///{board.folder / 'sessions.sqlite'}"), board.clock)
    await again.open()
    session = await again.of(nurse.cookies[COOKIE], act=False)
    assert session is not None
    assert session.person == user().person("nurse-1")
    await again.close()


async def test_who_reads_the_file_of_sessions_is_not_signed_in_by_it(board: Board) -> None:
    nurse = await board.nurse()
    held = b"".join(path.read_bytes() for path in board.folder.glob("sessions.sqlite*"))
    assert nurse.cookies[COOKIE].encode() not in held
    assert {path.stat().st_mode & 0o077 for path in board.folder.glob("sessions.sqlite*")} == {0}


async def test_what_has_ended_by_time_is_swept_away(board: Board) -> None:
    await board.nurse()
    board.clock.pass_(hours=1)
    await board.sessions.sweep()
    with closing(sqlite3.connect(board.folder / "sessions.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (0,)


def changed(board: Board, **fields: object) -> None:
    with board.users.changing() as users:
        users["nurse-1"] = msgspec.structs.replace(users["nurse-1"], **fields)


async def test_a_disabled_user_is_out_at_once_in_every_browser_and_stays_out(board: Board) -> None:
    one, two = await board.nurse(), await board.nurse()
    board.clock.pass_(minutes=1)
    changed(board, disabled=True, valid_from_at=board.clock())
    assert not await shows(one)
    assert not await shows(two)
    assert (await board.browser().sign_in()).status == 403
    board.clock.pass_(minutes=1)
    changed(board, disabled=False)
    assert not await shows(one)
    assert await shows(await board.nurse())


async def test_another_password_ends_every_session(board: Board) -> None:
    nurse = await board.nurse()
    board.clock.pass_(minutes=1)
    changed(board, password=QUICK.hash("another four words together"), valid_from_at=board.clock())
    assert not await shows(nurse)
    assert (await board.browser().sign_in()).status == 403
    assert (await board.browser().sign_in(password="another four words together")).status == 303  # noqa: S106 - made up


async def test_roles_and_services_hold_as_they_stand_in_the_file_now(board: Board) -> None:
    nurse = await board.nurse()
    changed(board, services=frozenset({"south"}))
    assert not await shows(nurse)
    changed(board, services=frozenset({"north"}), roles=frozenset({Role.ANALYST}))
    assert not await shows(nurse)
    changed(board, roles=frozenset({Role.NURSE}))
    assert await shows(nurse)


async def test_a_user_who_was_taken_out_is_out(board: Board) -> None:
    nurse = await board.nurse()
    with board.users.changing() as users:
        del users["nurse-1"]
    assert not await shows(nurse)


SENT_ELSEWHERE = [
    "https://elsewhere.example/",
    "//elsewhere.example/",
    "/\\elsewhere.example/",
    "/%5celsewhere.example",
    "/%2felsewhere.example",
    "\\\\elsewhere.example",
    "javascript:alert(1)",
    "/a\r\nSet-Cookie: x=y",
    "/a\nb",
    "/a\tb",
    "/ /elsewhere.example",
    "elsewhere.example",
    "",
    "/login",
    "/login/oidc",
    "/logout",
    "/x/../../elsewhere",
    "/" + "x" * 600,
    "/a#b",
]


@pytest.mark.parametrize("target", SENT_ELSEWHERE)
def test_signing_in_sends_nobody_elsewhere(target: str) -> None:
    assert within(target) == "/"


@pytest.mark.parametrize("target", ["/", "/patients/p-1", "/?zone=red&service=north", "/?q=a//b", "/loginx"])
def test_signing_in_leads_to_where_somebody_was_going(target: str) -> None:
    assert within(target) == target


async def test_a_redirect_holds_no_header_of_anothers_making(board: Board) -> None:
    for going in ("?next=//elsewhere.example", "?next=/a%0d%0aSet-Cookie:%20x=y", "?next=https://elsewhere.example"):
        browser = board.browser()
        answer = await browser.sign_in(going=going)
        assert (answer.status, answer.location) == (303, "/")
        assert "x" not in browser.cookies
    led = await board.browser().get("/patients/p-north%0d%0aX:%20y?a=%0d%0ab")
    assert led.status == 303
    assert str(led.location).startswith("/login")
    assert "\n" not in str(led.location)


async def post_to_login(browser: Browser, csrf: str, **headers: str) -> Answer:
    form = {"csrf": csrf, "ref": "nurse-1", "password": PASSWORD}
    return await browser.ask("POST", "/login", form, headers=headers or {"Sec-Fetch-Site": "same-origin"})


async def test_nobody_is_signed_in_by_another_sites_form(board: Board) -> None:
    browser = board.browser()
    found = TOKEN.search((await browser.get("/login")).text)
    assert found is not None
    token = found[1]
    assert (await post_to_login(browser, token, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await post_to_login(browser, token, Origin="https://elsewhere.example")).status == 403
    assert (await post_to_login(browser, "wrong")).status == 403
    assert (await post_to_login(board.browser(), token)).status == 403  # a browser that never had the page
    forged = Browser(board.base, {f"{COOKIE}-entry": "eyJjc3JmIjoieCJ9.aaaa.bbbb"})
    assert (await post_to_login(forged, "x")).status == 403


class Counting(PasswordHasher):
    """Counts what is compared, and by which parameters."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 - as the library names it
        self.compared.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


async def test_an_unknown_user_costs_the_same_work_as_a_known_one(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    hasher = Counting()
    board = await open_board(passwords=Passwords(hasher), users={"nurse-1": user(), "gone": user(disabled=True)})
    for ref, password in (("nurse-1", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("", "")):
        hasher.compared.clear()
        assert (await board.browser().sign_in(ref, password)).status == 403
        assert hasher.compared == ["$argon2id$v=19$m=8,t=1,p=1"]


async def test_after_a_few_attempts_one_waits_by_user_and_the_wait_doubles(board: Board) -> None:
    for _ in range(5):
        assert (await board.browser().sign_in(password="wrong")).status == 403  # noqa: S106 - wrong
    for seconds in (1, 2, 4):
        limited = await board.browser().sign_in()
        assert (limited.status, limited.headers["Retry-After"]) == (429, str(seconds + 1))
        board.clock.pass_(seconds=seconds)
        assert (await board.browser().sign_in(password="wrong")).status == 403  # noqa: S106 - the same
    board.clock.pass_(seconds=8)
    assert (await board.browser().sign_in()).status == 303
    assert (await board.browser().sign_in(password="wrong")).status == 403  # noqa: S106 - the same
    count = board.metrics.registry.get_sample_value
    assert count("sonevakt_sign_ins_total", {"outcome": "limited"}) == 3
    assert count("sonevakt_sign_ins_total", {"outcome": "done"}) == 1
    assert count("sonevakt_sign_ins_total", {"outcome": "refused"}) == 9


async def test_an_address_behind_the_proxy_is_told_by_the_proxy_and_by_nobody_else(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    board = await open_board(proxy="127.0.0.1")

    async def tried(number: int, forwarded: str) -> int:
        browser = board.browser()
        found = TOKEN.search((await browser.get("/login")).text)
        assert found is not None
        headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": forwarded}
        form = {"csrf": found[1], "ref": f"nobody-{number}", "password": "wrong"}
        return (await browser.ask("POST", "/login", form, headers=headers)).status

    statuses = [await tried(number, "10.0.0.9, 10.0.0.1") for number in range(31)]
    assert statuses == [403] * 30 + [429]
    assert await tried(40, "10.0.0.1, 10.0.0.2") == 403  # the last is the proxy's word
    assert await tried(41, "10.0.0.1") == 429


async def test_signing_in_and_out_is_recorded_and_an_unknown_reference_is_not_written_down(board: Board) -> None:
    nurse = await board.nurse()
    await board.browser().sign_in("nurse-1", "wrong")
    await board.browser().sign_in("a-password-typed-in-the-wrong-field", "wrong")
    await nurse.post("/logout", {"csrf": await nurse.csrf()})
    await board.logged("p-1")
    lines = b"".join(path.read_bytes() for path in (board.folder / "access").glob("access-*.jsonl")).splitlines()
    told = [(one["person"], one["action"], one["outcome"]) for one in map(msgspec.json.decode, lines)]
    assert told == [
        ("nurse-1", "sign_in", "done"),
        ("nurse-1", "sign_in", "refused"),
        ("unknown", "sign_in", "refused"),
        ("nurse-1", "sign_out", "done"),
        ("test", "written", "done"),
    ]


async def test_a_hash_by_older_parameters_is_made_anew_at_the_next_right_password(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    newer = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    board = await open_board(passwords=Passwords(newer))
    old: User | None = board.users.of("nurse-1")
    nurse = await board.nurse()
    now = board.users.of("nurse-1")
    assert old is not None
    assert now is not None
    assert now.password.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert msgspec.structs.replace(now, password=old.password) == old
    assert await shows(nurse)
    assert (await board.browser().sign_in()).status == 303


async def test_a_password_longer_than_any_is_compared_by_its_beginning_at_no_greater_cost(board: Board) -> None:
    assert (await board.browser().sign_in(password="x" * 20_000)).status == 403
    assert hashing.MOST == 256


async def test_a_name_is_shown_as_text_and_never_as_markup(open_board: Callable[..., Awaitable[Board]]) -> None:
    board = await open_board(users={"nurse-1": user(name="<script>alert(1)</script>")})
    nurse = board.browser()
    await nurse.sign_in()
    refused = await nurse.get("/patients/p-south")
    assert (refused.status, "<script" in refused.text) == (403, False)
    shown = await board.browser().get('/login?next=/"><script>alert(1)</script>')
    assert "<script" not in shown.text
