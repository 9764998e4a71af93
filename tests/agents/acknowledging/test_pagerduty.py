"""A person who acknowledges in PagerDuty has taken over what they could have seen there, and nothing else has."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest

from agents.acknowledging.pagerduty import signed
from schemas.paging import Outcome, Receipt
from tests.agents.acknowledging.conftest import NOW, SECRET

if TYPE_CHECKING:
    from schemas.paging import PageRequest
    from tests.agents.acknowledging.conftest import Board

PERSON = {
    "type": "user_reference",
    "id": "PLH1HKV",
    "summary": "Nurse One",
    "self": "https://api.pagerduty.com/users/x",
}


def message(
    key: object,
    *,
    event_id: str = "01DEN1HNLBC1VITK192ETJ1MPJ",
    at: datetime = NOW,
    kind: str = "incident.acknowledged",
    agent: Any = PERSON,  # noqa: ANN401 - any JSON
) -> bytes:
    """As PagerDuty's V3 webhooks are published."""
    event = {
        "id": event_id,
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": at.isoformat().replace("+00:00", "Z"),
        "agent": agent,
        "client": None,
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "number": 2,
            "status": "acknowledged",
            "incident_key": str(key),
            "created_at": "2026-03-01T08:58:00Z",
            "title": "RED",
            "urgency": "high",
            "assignees": [PERSON],
        },
    }
    return json.dumps({"event": event}).encode()


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "v1=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


async def tell(board: Board, body: bytes, *, service: str = "lungs", signed_by: str | None = None) -> int:
    headers = {"X-PagerDuty-Signature": signed_by if signed_by is not None else signature(body)}
    async with board.client.post(
        board.url.with_path(f"/hooks/pagerduty/{service}"), data=body, headers=headers
    ) as answer:
        return answer.status


def test_a_signature_is_what_openssl_makes_of_the_same_secret_and_body() -> None:
    # openssl dgst -sha256 -hmac a-subscription-secret
    made = "9f59766a877d7a7be05d60baaf1dd62a6241322518c9eacb5267465788ddfd22"
    assert signed(b"{}", f"v1={made}", (SECRET,))
    assert signature(b"{}") == f"v1={made}"


async def test_a_person_who_acknowledges_the_incident_has_the_patient(board: Board) -> None:
    page = board.alert()
    board.now += timedelta(seconds=20)
    assert await tell(board, message(page.episode_id)) == 202
    (event,) = board.written
    assert (event.patient, event.zone_change_id) == ("p-1", page.zone_change_id)
    assert (event.by, event.recorded_by, event.reason_code) == ("PLH1HKV", "PLH1HKV", "not-said")
    assert (event.at, event.recorded_at) == (NOW, board.now)
    assert board.count("pagerduty", "done") == 1


async def test_a_message_sent_again_changes_nothing(board: Board) -> None:
    page = board.alert()
    statuses = [await tell(board, message(page.episode_id)) for _ in range(3)]
    assert (statuses, len(board.written)) == ([202] * 3, 1)


async def test_a_message_sent_again_before_the_board_has_heard_of_the_first_is_the_same_event(board: Board) -> None:
    page = board.alert()
    await tell(board, message(page.episode_id))
    board.heard._taken.clear()
    await tell(board, message(page.episode_id))
    assert len({event.event_id for event in board.written}) == 1


async def test_a_group_acknowledged_there_takes_every_patient_over(board: Board) -> None:
    group = UUID(int=99)
    for number in (1, 2, 3):
        page = board.alert(number)
        board.heard.take_receipt(
            Receipt(
                receipt_id=uuid5(group, str(number)),
                page_id=page.page_id,
                patient=page.patient,
                ask=1,
                outcome=Outcome.DELIVERED,
                at=NOW,
                attempts=1,
                group=group,
            )
        )
    assert await tell(board, message(group)) == 202
    assert sorted(event.patient for event in board.written) == ["p-1", "p-2", "p-3"]
    assert len({event.event_id for event in board.written}) == 3


async def test_a_worsening_after_they_acknowledged_is_not_taken_over(board: Board) -> None:
    page = board.alert()
    board.stands(page, change=UUID(int=77), at=NOW + timedelta(seconds=1))
    board.now += timedelta(seconds=5)
    assert await tell(board, message(page.episode_id, at=NOW)) == 202
    assert (board.written, board.count("pagerduty", "nothing_open")) == ([], 1)


async def test_a_worsening_that_the_incident_told_of_before_they_acknowledged_is_taken_over(board: Board) -> None:
    first = board.alert()
    board.page(
        2,
        patient=first.patient,
        zone_change_id=UUID(int=77),
        episode_id=first.episode_id,
        at=NOW - timedelta(seconds=5),
    )
    board.stands(first, change=UUID(int=77), at=NOW - timedelta(seconds=9))
    assert await tell(board, message(first.episode_id)) == 202
    assert [event.zone_change_id for event in board.written] == [UUID(int=77)]


@pytest.mark.parametrize("asked", [None, timedelta(seconds=5)], ids=["of no page", "of a page asked afterwards"])
async def test_a_worsening_that_nobody_was_told_of_is_not_taken_over(board: Board, asked: timedelta | None) -> None:
    first = board.alert()
    if asked is not None:
        board.page(2, patient=first.patient, zone_change_id=UUID(int=77), episode_id=first.episode_id, at=NOW + asked)
    board.stands(first, change=UUID(int=77), at=NOW - timedelta(seconds=1))
    assert await tell(board, message(first.episode_id)) == 202
    assert board.written == []


async def test_an_acknowledgement_of_one_incident_takes_over_what_that_one_told_of_and_no_later_one(
    board: Board,
) -> None:
    first, second = UUID(int=71), UUID(int=72)
    page = board.alert(incident_id=first, at=NOW - timedelta(minutes=9))
    worse = board.page(
        2,
        patient=page.patient,
        zone_change_id=UUID(int=77),
        episode_id=page.episode_id,
        incident_id=second,
        at=NOW - timedelta(seconds=5),
    )
    board.stands(worse, at=NOW - timedelta(seconds=9))
    for earlier in (first, page.episode_id):
        assert await tell(board, message(earlier)) == 202
    assert board.written == []
    assert await tell(board, message(second)) == 202
    assert [event.zone_change_id for event in board.written] == [UUID(int=77)]


async def test_the_incident_of_an_episode_that_is_over_takes_no_later_one_over(board: Board) -> None:
    yesterday = board.alert(1, at=NOW - timedelta(hours=19), episode_id=UUID(int=501))
    board.alert(2, at=NOW - timedelta(minutes=1), episode_id=UUID(int=502), patient=yesterday.patient)
    assert await tell(board, message(UUID(int=501))) == 202
    assert board.written == []


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "incident.resolved"},
        {"kind": "incident.triggered"},
        {"kind": "pagey.ping", "agent": None},
        {"agent": None},
        {"agent": {"type": "service_reference", "id": "PF9KMXH"}},
        {"agent": {"type": "inbound_integration_reference", "id": "PF9KMXH"}},
    ],
    ids=["resolved", "triggered", "ping", "nobody", "the service", "our own event"],
)
async def test_nothing_but_a_persons_acknowledgement_counts(board: Board, changed: dict[str, Any]) -> None:
    page = board.alert()
    assert await tell(board, message(page.episode_id, **changed)) == 202
    assert (board.written, board.count("pagerduty", "passed_over")) == ([], 1)


async def test_a_person_whom_it_does_not_name_is_pagerduty(board: Board) -> None:
    page = board.alert()
    await tell(board, message(page.episode_id, agent={"type": "user_reference", "id": "not a reference"}))
    assert [event.by for event in board.written] == ["pagerduty"]


async def test_one_fitting_signature_of_several_is_enough_and_so_is_one_secret_of_several(board: Board) -> None:
    page = board.alert()
    body = message(page.episode_id)
    several = f"v1={'0' * 64}, v2=abc,{signature(body, b'an-older-secret-of-it')}"
    assert (await tell(board, body, signed_by=several), len(board.written)) == (202, 1)


@pytest.mark.parametrize("given", ["", "v1=", "v1=" + "0" * 64, "v2=x", "v1=æ".encode().decode("latin-1"), "own"])
async def test_a_message_that_pagerduty_did_not_sign_is_refused(board: Board, given: str) -> None:
    page = board.alert()
    body = message(page.episode_id)
    given = signature(body, SECRET).removeprefix("v1=") if given == "own" else given
    assert (await tell(board, body, signed_by=given), board.written) == (401, [])
    assert board.count("pagerduty", "forged") == 1


async def test_a_changed_message_is_refused(board: Board) -> None:
    page = board.alert()
    body = message(page.episode_id)
    assert await tell(board, body.replace(b"PLH1HKV", b"PLH1HKW"), signed_by=signature(body)) == 401


async def test_a_services_secret_opens_no_other_service(board: Board) -> None:
    page = board.alert(service="heart")
    assert await tell(board, message(page.episode_id)) == 202
    assert await tell(board, message(page.episode_id), service="heart") == 404
    assert board.written == []


@pytest.mark.parametrize(
    ("ago", "status"),
    [
        (timedelta(hours=24), 202),
        (timedelta(hours=24, seconds=1), 400),
        (timedelta(minutes=-10), 202),
        (timedelta(minutes=-11), 400),
    ],
)
async def test_an_old_message_is_refused_and_so_is_one_of_the_future(board: Board, ago: timedelta, status: int) -> None:
    page = board.alert(at=NOW - timedelta(hours=23))
    assert await tell(board, message(page.episode_id, at=NOW - ago)) == status


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[", 400), (b"{}", 400), (b'{"event": {"id": 1}}', 400), (b"x" * 300_000, 413)],
)
async def test_what_cannot_be_read_or_is_too_large_is_refused(board: Board, body: bytes, status: int) -> None:
    assert (await tell(board, body), board.written) == (status, [])


@pytest.mark.parametrize("key", ["", "not-ours", "00000000-0000-0000-0000-000000000042"])
async def test_an_incident_that_is_not_ours_takes_nobody_over(board: Board, key: str) -> None:
    board.alert()
    assert (await tell(board, message(key)), board.written) == (202, [])


async def test_a_test_page_acknowledged_there_takes_nobody_over(board: Board) -> None:
    page: PageRequest = board.page(test=True)
    board.stands(page)
    assert (await tell(board, message(page.episode_id)), board.written) == (202, [])


async def test_pagerduty_is_asked_to_come_again_where_it_cannot_be_taken_now(board: Board) -> None:
    page = board.alert()
    board.hears = False
    behind = await tell(board, message(page.episode_id))
    board.hears, board.confirms = True, False
    unconfirmed = await tell(board, message(page.episode_id))
    assert (behind, unconfirmed, board.written) == (503, 503, [])
