"""Every page has its effect exactly once however its receiver behaves, and none stands in front of another's."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from agents import streaming
from schemas.codec import encode
from schemas.paging import FailureReason, Outcome
from tests.agents.paging.conftest import KEYS, NOW, answers, held, page, posted, receipt_in, record

if TYPE_CHECKING:
    from agents.streaming.records import Record
    from tests.agents.conftest import Eventually
    from tests.agents.paging.conftest import Ward


async def test_a_page_is_delivered_and_its_receipt_lies_on_its_patients_partition(ward: Ward) -> None:
    receiver = await ward.receiver()
    messenger = await ward.messenger()

    ((partition, output),) = await messenger.carry(
        posted(headers=(("received_ms", b"%d" % (NOW.timestamp() * 1000 - 400)),))
    )

    receipt = receipt_in([(partition, output)])
    assert (partition, output.topic, output.key) == (3, "t-receipts", b"p-1")
    assert (receipt.outcome, receipt.attempts, receipt.ask, receipt.at) == (Outcome.DELIVERED, 1, 1, NOW)
    assert list(receiver.taken) == [str(page().page_id)]
    assert ward.count("sonevakt_pages_total", way="webhook", outcome="delivered") == 1
    assert ward.count("sonevakt_received_to_paged_seconds_sum") == pytest.approx(0.4)


async def test_a_page_that_only_tries_the_way_is_not_counted_among_those_that_are_delivered(ward: Ward) -> None:
    receiver = await ward.receiver()
    await (await ward.messenger()).carry(posted(test=True))
    assert list(receiver.taken) == [str(page().page_id)]
    assert ward.count("sonevakt_pages_total", way="webhook", outcome="delivered") == 0
    assert ward.count("sonevakt_page_attempts_total", outcome="delivered") == 1


async def test_a_page_that_is_delivered_at_a_later_ask_has_taken_since_the_session_came(ward: Ward) -> None:
    await ward.receiver(before=answers(503, 503, 503))
    messenger = await ward.messenger()
    came = (("received_ms", b"%d" % (NOW.timestamp() * 1000 - 40_000)),)
    assert receipt_in(await messenger.carry(posted(headers=came))).outcome is Outcome.FAILED
    assert receipt_in(await messenger.carry(posted(ask=2))).outcome is Outcome.DELIVERED  # only the first says it
    assert ward.count("sonevakt_received_to_paged_seconds_count") == 1
    assert ward.count("sonevakt_received_to_paged_seconds_sum") == pytest.approx(40)


async def test_it_is_what_a_worker_takes_for_a_messenger(ward: Ward) -> None:
    await ward.receiver()

    assert isinstance(await ward.messenger(), streaming.Messenger)


async def test_what_is_posted_holds_who_and_why_and_no_value(ward: Ward) -> None:
    receiver = await ward.receiver()
    await (await ward.messenger()).carry(posted())

    assert receiver.taken[str(page().page_id)] == {
        "page_id": str(page().page_id),
        "action": "trigger",
        "patient": "p-1",
        "service": "lungs",
        "zone": "red",
        "priority": "high",
        "at": "2026-03-01T09:00:00Z",
        "zone_change_id": str(page().zone_change_id),
        "assessment_id": None,
        "episode_id": str(page().episode_id),
        "step": 0,
        "to": "nurse",
        "test": False,
        "causes": [{"rule": "limit", "code": "59408-5"}],
    }


async def test_a_receiver_that_answers_503_for_a_while_gets_the_page_once(ward: Ward) -> None:
    receiver = await ward.receiver(before=answers(503, 503))

    receipt = receipt_in(await (await ward.messenger()).carry(posted()))

    assert (receipt.outcome, receipt.attempts) == (Outcome.DELIVERED, 3)
    assert (receiver.posts, receiver.effects) == (3, 1)
    assert ward.count("sonevakt_page_attempts_total", outcome="server_error") == 2
    assert ward.count("sonevakt_page_attempts_total", outcome="delivered") == 1


async def test_a_page_asked_until_its_receiver_is_back_has_one_effect(ward: Ward) -> None:
    receiver = await ward.receiver(before=answers(*[503] * 7))
    messenger = await ward.messenger()

    receipts = [receipt_in(await messenger.carry(posted(ask=ask))) for ask in range(1, 5)]

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.DELIVERED,
        Outcome.DELIVERED,
    ]
    assert receipts[0].reason is FailureReason.SERVER_ERROR
    assert len({receipt.receipt_id for receipt in receipts}) == 4
    assert receiver.effects == 1


async def test_a_receiver_that_took_the_page_and_then_hangs_sees_the_same_id_again(ward: Ward) -> None:
    never = asyncio.Event()
    hangs = [never]

    async def hang_once(service: str, page_id: str) -> int | None:
        del service, page_id
        if hangs:
            await hangs.pop().wait()
        return None

    receiver = await ward.receiver(after=hang_once)

    receipt = receipt_in(await (await ward.messenger(attempt_timeout_s=0.1)).carry(posted()))

    assert (receipt.outcome, receipt.attempts) == (Outcome.DELIVERED, 2)
    assert (receiver.posts, receiver.effects) == (2, 1)
    assert ward.count("sonevakt_page_attempts_total", outcome="timeout") == 1


async def test_a_page_carried_again_after_a_restart_gives_the_same_receipt_id(ward: Ward) -> None:
    receiver = await ward.receiver()
    first, second = await ward.messenger(), await ward.messenger()

    receipts = [receipt_in(await messenger.carry(posted())) for messenger in (first, second)]

    assert receipts[0].receipt_id == receipts[1].receipt_id
    assert receiver.effects == 1


async def test_every_ask_and_attempt_posts_the_same_body_under_the_same_key(ward: Ward) -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def keep(request: web.Request) -> web.Response:
        seen.append((request.headers["webhook-id"], request.headers["Idempotency-Key"], await request.read()))
        return web.Response(status=500)

    application = web.Application()
    application.router.add_post("/pages/{service}", keep)
    await ward.serve(application)
    messenger = await ward.messenger()
    await messenger.carry(posted(ask=1))
    await messenger.carry(posted(ask=2))

    assert len(seen) == 6
    assert {(page_id, key) for page_id, key, _ in seen} == {(str(page().page_id), f'"{page().page_id}"')}
    assert len({body for _, _, body in seen}) == 1


async def test_a_slow_receiver_of_one_service_does_not_hold_anothers_pages(ward: Ward) -> None:
    hearts_done = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", hearts_done, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=2, waiting=50)

    lungs = [asyncio.create_task(messenger.carry(posted(number))) for number in range(1, 21)]
    hearts = [receipt_in(await messenger.carry(posted(number, service="heart"))) for number in range(21, 41)]
    # The lungs' receiver lets go only now that every page of the heart service was delivered.
    behind = [task.done() for task in lungs]
    hearts_done.set()
    receipts = [receipt_in(await task) for task in lungs]

    assert {receipt.outcome for receipt in hearts} == {Outcome.DELIVERED}
    assert not any(behind)
    assert {receipt.outcome for receipt in receipts} == {Outcome.DELIVERED}
    assert receiver.effects == 40


async def test_with_every_line_full_one_more_record_can_be_worked(ward: Ward) -> None:
    await ward.receiver()

    assert (await ward.messenger(under_way=2, waiting=5)).in_flight == 2 * (2 * 5 + 5) + 1


async def test_a_place_is_free_again_after_every_page_also_one_that_was_given_up(
    ward: Ward, eventually: Eventually
) -> None:
    never = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", never, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=1, waiting=1)
    given_up = [asyncio.create_task(messenger.carry(posted(number))) for number in (1, 2)]
    await eventually(lambda: entered)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    never.set()

    outcomes = [receipt_in(await messenger.carry(posted(number))).outcome for number in range(3, 8)]

    assert outcomes == [Outcome.DELIVERED] * 5
    assert receiver.effects >= 5


async def test_beyond_a_services_line_a_page_is_busy_at_once(ward: Ward, eventually: Eventually) -> None:
    let_go = asyncio.Event()
    entered: list[None] = []
    await ward.receiver(before=held("lungs", let_go, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=1, waiting=1)
    inside = [asyncio.create_task(messenger.carry(posted(number))) for number in (1, 2)]
    await eventually(lambda: entered)

    third = receipt_in(await messenger.carry(posted(3)))
    let_go.set()

    assert (third.outcome, third.reason, third.attempts) == (Outcome.FAILED, FailureReason.BUSY, 0)
    assert [receipt_in(await task).outcome for task in inside] == [Outcome.DELIVERED] * 2
    assert ward.count("sonevakt_pages_total", way="webhook", outcome="busy") == 1


async def test_after_failures_in_a_row_each_ask_is_one_attempt_until_one_succeeds(ward: Ward) -> None:
    receiver = await ward.receiver(before=answers(*[503] * 3 * 2, 503))
    messenger = await ward.messenger(failures_to_break=2)

    attempts = [receipt_in(await messenger.carry(posted(number))).attempts for number in range(1, 5)]
    healed = receiver.posts
    receiver._before = answers(503)
    after = receipt_in(await messenger.carry(posted(9)))

    assert attempts == [3, 3, 1, 1]
    assert healed == 8
    assert (after.outcome, after.attempts) == (Outcome.DELIVERED, 2)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 301, 307])
async def test_an_answer_that_will_not_change_is_refused_at_once(ward: Ward, status: int) -> None:
    receiver = await ward.receiver(before=answers(status))

    receipt = receipt_in(await (await ward.messenger()).carry(posted()))

    assert (receipt.reason, receipt.attempts, receiver.posts) == (FailureReason.REFUSED, 1, 1)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 504])
async def test_an_answer_that_may_change_is_tried_again(ward: Ward, status: int) -> None:
    receiver = await ward.receiver(before=answers(status))

    receipt = receipt_in(await (await ward.messenger()).carry(posted()))

    assert (receipt.outcome, receiver.posts) == (Outcome.DELIVERED, 2)


async def test_a_redirect_is_not_followed(ward: Ward) -> None:
    reached: list[str] = []

    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/pages/{service}", redirect)
    application.router.add_post("/elsewhere", elsewhere)
    await ward.serve(application)

    receipt = receipt_in(await (await ward.messenger()).carry(posted()))

    assert (receipt.reason, reached) == (FailureReason.REFUSED, [])


async def test_a_proxy_of_the_environment_is_not_used(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await ward.receiver()

    assert receipt_in(await (await ward.messenger()).carry(posted())).outcome is Outcome.DELIVERED


async def test_a_receiver_that_is_gone_is_a_connection_failure(ward: Ward) -> None:
    await ward.receiver()
    ward.addresses["lungs"] = ward.addresses["lungs"].with_port(1)

    receipt = receipt_in(await (await ward.messenger()).carry(posted()))

    assert (receipt.reason, receipt.attempts) == (FailureReason.CONNECTION, 3)


async def test_a_receiver_whose_answer_never_ends_has_taken_the_page(ward: Ward) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await asyncio.Event().wait()
        return response

    application = web.Application()
    application.router.add_post("/pages/{service}", endless)
    await ward.serve(application)

    assert receipt_in(await (await ward.messenger()).carry(posted())).outcome is Outcome.DELIVERED


async def test_a_service_without_a_receiver_fails_at_once(ward: Ward) -> None:
    await ward.receiver()
    messenger = await ward.messenger(services=("heart",))

    receipt = receipt_in(await messenger.carry(posted()))

    assert (receipt.outcome, receipt.reason, receipt.attempts) == (Outcome.FAILED, FailureReason.NO_RECEIVER, 0)


@pytest.mark.parametrize(
    ("unreadable", "reason", "field"),
    [
        (record(b"{", b"p-1"), b"not_json", None),
        (record(None, b"p-1"), b"not_json", None),
        (record(b"{}", b"p-1"), b"invalid", None),
        (record(encode(page()).replace(b'"red"', b'"purple"'), b"p-1"), b"invalid", b"zone"),
        (record(posted().value, b"p-2"), b"wrong_key", b"patient"),
    ],
)
async def test_what_cannot_be_read_is_a_dead_letter_with_the_original_bytes(
    ward: Ward, unreadable: Record, reason: bytes, field: bytes | None
) -> None:
    await ward.receiver()
    ((partition, output),) = await (await ward.messenger()).carry(unreadable)

    headers = dict(output.headers)
    assert (partition, output.topic, output.key, output.value) == (
        3,
        "t-dead-letters",
        unreadable.key,
        unreadable.value or b"",
    )
    assert (headers["reason"], headers.get("field"), headers["offset"]) == (reason, field, b"7")
    assert headers["process"] == b"paging"
    assert ward.count("sonevakt_dead_letters_total", process="paging", reason=reason.decode()) == 1


async def test_secrets_addresses_and_pseudonyms_are_in_no_log_and_no_repr(ward: Ward) -> None:
    await ward.receiver(before=answers(500, 500, 500))
    with capture_logs() as logs:
        messenger = await ward.messenger()
        await messenger.carry(posted())
        await messenger.carry(record(b"{", b"p-1"))

    told = json.dumps(logs) + repr(messenger._ways) + repr(vars(messenger))
    assert [line["event"] for line in logs] == ["page not delivered", "page unreadable"]
    assert not [word for word in ("p-1", "127.0.0.1", "/pages/", "whsec_", KEYS["lungs"].decode()) if word in told]
