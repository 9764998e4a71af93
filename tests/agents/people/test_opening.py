"""The board is never open by default; with people made up for a demo it is opened for them alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from agents import settings, wallclock
from agents.directory.identity import Identity
from agents.http import serving
from agents.metrics import Metrics
from agents.people import demo, passwords
from agents.people.opening import opened, opened_directory
from agents.settings import SettingsError
from schemas.people import Right, Role
from tests.agents.people.conftest import QUICK, TOKEN, Browser

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as quickly as may be: what it costs is tested elsewhere."""
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: QUICK)


@pytest.fixture
def placed(tmp_path: Path) -> settings.Settings:
    return demo.settings_in(tmp_path, settings.Settings())


async def test_each_of_the_demos_people_signs_in_and_nobody_else(tmp_path: Path, placed: settings.Settings) -> None:
    logins = demo.people(tmp_path, ("north", "south"), wallclock.now())

    async def home(request: web.Request) -> web.Response:
        person = request["person"]
        may = [right.value for right in Right if person.may(right, "south")]
        return web.json_response({"roles": sorted(person.roles), "may": may})

    app = web.Application()
    app.add_routes([web.get("/", home)])
    async with opened(placed, Metrics(CollectorRegistry())) as people:
        people.before(app)
        async with serving(app, host="127.0.0.1", port=0) as port:
            base = f"http://127.0.0.1:{port}"
            assert (await Browser(base).get("/")).location == "/login"
            for login in logins:
                browser = Browser(base)
                assert (await browser.sign_in(login.ref, login.password)).status == 303
                shown = json.loads((await browser.get("/")).text)
                assert shown["roles"] == [login.ref]
            assert shown["may"] == ["see_access_log", "erase", "manage_users"]
            assert (await Browser(base).sign_in("nurse", logins[1].password)).status == 403


def test_the_demos_passwords_are_made_anew_and_told_once(tmp_path: Path) -> None:
    logins = demo.people(tmp_path, ("north",), wallclock.now())
    again = demo.people(tmp_path, ("north",), wallclock.now())
    assert [login.ref for login in logins] == [role.value for role in Role]
    assert len({login.password for login in [*logins, *again]}) == 2 * len(Role)
    told = list(demo.lines(logins))
    assert len(told) == 1 + len(Role)
    assert all(login.password in line for login, line in zip(logins, told[1:], strict=True))


async def test_the_demos_patients_are_called_by_their_number(placed: settings.Settings) -> None:
    async with opened_directory(placed) as directory:
        await demo.fill(directory, ["p-a", "p-b"])
        await demo.fill(directory, ["p-a", "p-b"])
        found = await directory.many(["p-a", "p-b"])
    assert [one.name for one in found.values()] == ["Patient 1", "Patient 2"]
    assert Identity(name="Patient 1") != found["p-a"]


CLOSED = [
    ({"users_file": None}, "SONEVAKT_USERS_FILE or SONEVAKT_OIDC_ISSUER must be set"),
    ({"users_file": "nowhere.json"}, "nowhere.json: cannot be read"),
    ({"access_key_file": None}, "SONEVAKT_ACCESS_KEY_FILE must be set"),
    ({"directory_key_file": None}, "SONEVAKT_DIRECTORY_KEY_FILE must be set"),
    ({"access_key_file": "nowhere"}, "SONEVAKT_ACCESS_KEY_FILE: the file cannot be read"),
    ({"oidc_issuer": "https://id.example"}, "SONEVAKT_OIDC_CLIENT_ID and SONEVAKT_OIDC_CLAIMS_FILE must be set"),
    ({"http_host": "0.0.0.0"}, "SONEVAKT_BOARD_URL must be set"),  # noqa: S104 - named, not listened on
    ({"directory": "postgresql+asyncpg://a@127.0.0.1:9/b"}, "SONEVAKT_DIRECTORY: the database does not answer|driver"),
]


@pytest.mark.parametrize(("changed", "told"), CLOSED, ids=[told for _, told in CLOSED])
async def test_without_what_it_needs_the_board_is_not_opened(
    tmp_path: Path, placed: settings.Settings, changed: dict[str, str | None], told: str
) -> None:
    demo.people(tmp_path, ("north",), wallclock.now())
    with pytest.raises(SettingsError, match=told) as caught:
        async with opened(msgspec.structs.replace(placed, **changed), Metrics(CollectorRegistry())):
            raise AssertionError
    assert "\n" not in str(caught.value)


def test_the_same_places_are_given_to_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    variables = demo.variables_in(tmp_path / "one")
    same = demo.settings_in(tmp_path / "one", settings.Settings())
    assert settings.read(variables) == same


async def test_an_address_over_https_opens_other_hosts(tmp_path: Path, placed: settings.Settings) -> None:
    demo.people(tmp_path, ("north",), wallclock.now())
    app = web.Application()
    far = msgspec.structs.replace(placed, http_host="0.0.0.0", board_url="https://board.example")  # noqa: S104 - the same
    async with opened(far, Metrics(CollectorRegistry())) as people:
        people.before(app)
        async with serving(app, host="127.0.0.1", port=0) as port:
            shown = await Browser(f"http://127.0.0.1:{port}").get("/login", headers={"Host": "board.example"})
            assert (shown.status, TOKEN.search(shown.text) is not None) == (200, True)
            assert all("; Secure" in line for line in shown.set_cookies)
