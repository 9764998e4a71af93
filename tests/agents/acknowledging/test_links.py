"""The link in a page takes a patient over once, by whoever was told, and for nothing but what they have seen."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from yarl import URL

from agents.acknowledging.deciding import STATUS, Standing
from agents.acknowledging.links import ForgedError, Links, load_links
from agents.board.writing import Writing
from agents.gateway.delivery import Delivery, UnconfirmedError
from agents.settings import Settings, SettingsError
from dashboards.board.acknowledging import CONTENT_SECURITY_POLICY, REASONS, render
from pipeline.triage.standing import EXACERBATION
from schemas.care import AlertReason, CareEvent
from schemas.codec import Codec, encode
from tests.agents.acknowledging.conftest import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agents.acknowledging.conftest import Board

OTHER = UUID(int=77)


async def test_to_look_at_a_link_says_who_and_since_when_and_acknowledges_nothing(board: Board) -> None:
    page = board.alert()
    path = board.link(page)
    for _ in range(3):
        status, text = await board.follow(path)
    assert status == 200
    assert "p-1" in text
    assert "1 Mar 09:58" in text
    assert '<form method="post">' in text
    assert board.written == []


@pytest.mark.parametrize("reason", REASONS)
async def test_the_form_takes_the_patient_over_by_whoever_was_told(board: Board, reason: str) -> None:
    page = board.alert()
    status, text = await board.send(board.link(page, "nurse-2"), reason, "  Called, feels better. ")
    (event,) = board.written
    assert (status, event.zone_change_id, event.patient) == (200, page.zone_change_id, "p-1")
    assert (event.by, event.recorded_by, event.reason_code) == ("nurse-2", "nurse-2", reason)
    assert (event.at, event.note) == (NOW, "Called, feels better.")
    assert "You have acknowledged" in text
    assert Codec[CareEvent](CareEvent).decode(encode(event)) == event
    assert board.count("link", "done") == 1


def test_the_reason_codes_are_those_that_triage_knows() -> None:
    assert AlertReason.EXACERBATION.value == EXACERBATION
    assert REASONS == ("true", "exacerbation", "technique", "device", "already-known", "other")


async def test_a_link_used_again_says_who_has_it(board: Board) -> None:
    path = board.link(board.alert())
    await board.send(path)
    board.now += timedelta(minutes=5)
    assert [(await board.follow(path))[0], (await board.send(path))[0]] == [409, 409]
    assert "nurse-1" in (await board.follow(path))[1]
    assert len(board.written) == 1
    assert board.count("link", "used") == 1


async def test_two_who_use_it_at_once_are_one_acknowledgement(board: Board) -> None:
    page = board.alert()
    paths = [board.link(page, "nurse-1"), board.link(page, "nurse-1")]
    await asyncio.gather(*(board.send(path) for path in paths * 3))
    assert len({event.event_id for event in board.written}) == 1


async def test_another_who_acknowledged_on_the_board_is_named(board: Board) -> None:
    page = board.alert()
    first = board.alert(2)
    await board.send(board.link(first, "nurse-3"))
    elsewhere = msgspec.structs.replace(
        board.written[0], event_id=OTHER, patient="p-1", zone_change_id=page.zone_change_id
    )
    board.heard.take_care(elsewhere)
    status, text = await board.follow(board.link(page))
    assert status == 409
    assert "nurse-3" in text


@pytest.mark.parametrize("later", [timedelta(), timedelta(minutes=2)], ids=["at the same time", "later"])
async def test_nobody_takes_over_a_worsening_that_they_have_not_seen(board: Board, later: timedelta) -> None:
    page = board.alert()
    board.stands(page, change=OTHER, at=page.at + later)
    status, text = await board.send(board.link(page))
    assert (status, board.written) == (412, [])
    assert "has become worse" in text
    assert "p-1" not in text
    assert '<a href="https://board.example">' in text


async def test_what_was_taken_back_and_holds_again_can_be_acknowledged(board: Board) -> None:
    page = board.alert()
    board.retracted(page)
    board.retracted(page, retracted=False)
    assert (await board.send(board.link(page)))[0] == 200


@pytest.mark.parametrize("how", ["retracted", "over"])
async def test_what_is_over_or_was_taken_back_cannot_be_acknowledged(board: Board, how: str) -> None:
    page = board.alert()
    if how == "retracted":
        board.retracted(page)
    else:
        board.now += timedelta(hours=1)
        board.over(page)
    assert ((await board.send(board.link(page)))[0], board.written) == (404, [])


async def test_a_page_asked_ahead_of_what_it_is_about_is_not_called_over(board: Board) -> None:
    page = board.page()
    assert (await board.follow(board.link(page)))[0] == 503
    board.stands(page)
    assert (await board.follow(board.link(page)))[0] == 200


async def test_a_link_is_good_for_a_day_from_when_its_page_was_first_asked_for(board: Board) -> None:
    page = board.alert()
    board.page(at=NOW + timedelta(hours=20))  # asked again
    board.now = NOW + timedelta(hours=24)
    in_time = (await board.follow(board.link(page)))[0]
    board.now += timedelta(seconds=1)
    status, text = await board.send(board.link(page))
    assert (in_time, status, board.written) == (200, 410, [])
    assert "expired" in text or "utløpt" in text


async def test_a_page_that_is_no_longer_known_has_expired(board: Board) -> None:
    page = board.page()
    board.page(2, at=NOW + timedelta(days=3))
    assert board.heard.page(page.page_id) is None
    assert (await board.follow(board.link(page)))[0] == 410


async def test_a_board_that_does_not_hear_says_so_and_takes_nothing(board: Board) -> None:
    page = board.alert()
    board.hears = False
    assert ((await board.send(board.link(page)))[0], board.written) == (503, [])


async def test_what_the_broker_did_not_confirm_is_not_called_done(board: Board) -> None:
    page = board.alert()
    board.confirms = False
    status, text = await board.send(board.link(page))
    assert status == 503
    assert "Not acknowledged: try again" in text
    assert '<form method="post">' in text
    board.confirms = True
    assert (await board.send(board.link(page)))[0] == 200


async def test_a_test_page_has_a_link_that_works_and_does_nothing(board: Board) -> None:
    page = board.page(test=True)
    assert [(await board.follow(board.link(page)))[0], (await board.send(board.link(page)))[0]] == [200, 200]
    assert board.written == []


@pytest.mark.parametrize(
    "path",
    [
        "/a/nonsense",
        "/a/..%2f..%2fetc",
        "/a/" + "A" * 3000,
        "/a/WyJBQUFBQUFBQUFBQUFBQUFBQUFBQUFRIiwibnVyc2UtMSJd.forged",
    ],
)
async def test_a_forged_link_is_refused_and_tells_nothing(board: Board, path: str) -> None:
    board.alert()
    async with board.client.post(
        URL(f"{board.url}{path}", encoded=True), data={"reason": "true"}, headers={"Sec-Fetch-Site": "same-origin"}
    ) as answer:
        assert answer.status == 403
        assert "p-1" not in await answer.text()
    assert board.written == []


async def test_a_link_by_another_key_or_changed_in_one_letter_is_refused(board: Board) -> None:
    page = board.alert()
    forged = URL(Links(URL("https://board.example"), "x" * 40).of(page.page_id, "nurse-1")).path
    token = board.link(page)
    changed = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
    assert [(await board.send(path))[0] for path in (forged, changed)] == [403, 403]
    assert board.written == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://board.example"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://board.example.evil.example"}, 403),
        ({"Origin": "http://board.example"}, 403),
        ({"Origin": "https://board.example"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
    ],
)
async def test_a_form_from_another_site_takes_nothing_over(board: Board, headers: dict[str, str], status: int) -> None:
    page = board.alert()
    assert (await board.send(board.link(page), headers=headers))[0] == status
    assert len(board.written) == (status == 200)


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("", ""),
        ("not-said", ""),
        ("nonsense", ""),
        ("true", "n" * 501),
        ("true", "born 010190 12345"),
        ("true", "01019012345"),
        ("true", "n" * 9000),
    ],
)
async def test_without_a_known_reason_or_with_a_note_that_cannot_be_kept_it_is_asked_again(
    board: Board, reason: str, note: str
) -> None:
    status, text = await board.send(board.link(board.alert()), reason, note)
    assert (status, board.written) == (422, [])
    assert '<form method="post">' in text


async def test_whatever_comes_from_outside_is_escaped_and_no_script_may_run(board: Board) -> None:
    page = board.alert()
    await board.send(board.link(page), "other", "<script>alert(1)</script>")
    assert board.written[0].note == "<script>alert(1)</script>"
    async with board.client.get(board.url.with_path(board.link(page))) as answer:
        text = await answer.text()
        headers = answer.headers
    assert "<script" not in text
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "same-origin")
    shown = render("open", "nb", page=msgspec.structs.replace(page, patient="<b>"), service="<i>")
    assert "<b>" not in shown
    assert "<i>" not in shown


@pytest.mark.parametrize("standing", list(Standing))
def test_every_standing_has_a_page_in_both_languages_and_a_status(standing: Standing) -> None:
    pages = {render(standing.value, lang) for lang in ("nb", "en")}
    assert len(pages) == 2
    assert standing in STATUS


async def test_the_page_is_in_the_services_language_or_the_one_asked_for(board: Board) -> None:
    lungs, heart = board.link(board.alert(1)), board.link(board.alert(2, service="heart"))
    assert "Somebody must look" in (await board.follow(lungs))[1]
    assert "Noen må se på" in (await board.follow(heart))[1]
    assert "Somebody must look" in (await board.follow(heart, lang="en"))[1]


def test_an_address_holds_no_patient_no_zone_and_no_time(board: Board) -> None:
    links = Links(URL("https://board.example/tavle/"), "k" * 40)
    page = board.page()
    address = links.of(page.page_id, "nurse-1")
    assert address == links.of(page.page_id, "nurse-1")
    assert address.startswith("https://board.example/tavle/a/")
    assert not [word for word in ("p-1", "red", "lungs") if word in address]
    assert len(address) < 150
    assert "k" * 40 not in repr(links)
    with pytest.raises(ForgedError):
        links.read("")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"link_key_file": "key"}, "SONEVAKT_BOARD_URL must be set, as SONEVAKT_LINK_KEY_FILE is"),
        ({"board_url": "http://board.example", "link_key_file": "key"}, "SONEVAKT_BOARD_URL must be https"),
        (
            {"board_url": "https://board.example", "link_key_file": "short"},
            "SONEVAKT_LINK_KEY_FILE: give a long random",
        ),
        ({"board_url": "https://board.example", "link_key_file": "none"}, "SONEVAKT_LINK_KEY_FILE: the file cannot"),
    ],
)
def test_links_that_could_not_be_trusted_are_a_fault_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("k" * 44)
    (tmp_path / "short").write_text("hunter2")
    with pytest.raises(SettingsError, match=problem) as raised:
        load_links(Settings(**changed))
    assert "hunter2" not in str(raised.value)
    assert load_links(Settings()) is None
    assert load_links(Settings(board_url="http://127.0.0.1:8081", link_key_file="key")) is not None


class Producer:
    """A broker that confirms, refuses, or is silent."""

    def __init__(self, failure: Exception | None = None, *, silent: bool = False) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self._failure = failure
        self._silent = silent

    async def send(self, topic: str, value: bytes, key: bytes, headers: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - aiokafka's own
        self.sent.append((topic, key))
        assert json.loads(value)["type"] == "acknowledged"
        assert headers == [("vendor", b"board")]
        confirmed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            confirmed.set_exception(self._failure)
        elif not self._silent:
            confirmed.set_result(None)
        return confirmed


async def test_an_acknowledgement_is_written_when_the_broker_has_confirmed_it(board: Board) -> None:
    await board.send(board.link(board.alert()))
    producer = Producer()
    writing = Writing("127.0.0.1:1", "t-")
    with pytest.raises(UnconfirmedError):  # nobody is connected yet
        await writing.write(board.written[0])
    writing.care.delivery = Delivery(producer, "t-care", 5.0)
    await writing.write(board.written[0])
    assert producer.sent == [("t-care", b"p-1")]
    for silent, failure in ((True, None), (False, TimeoutError())):
        writing.care.delivery = Delivery(Producer(failure, silent=silent), "t-care", 0.02)
        with pytest.raises(UnconfirmedError):
            await writing.write(board.written[0])
