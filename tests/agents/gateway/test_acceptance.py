"""202 means that the broker has it, and nothing less."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaConnectionError, NotEnoughReplicasError  # type: ignore[import-untyped] # the same
from structlog.testing import capture_logs

from agents.broker.embedded import EmbeddedBroker
from agents.gateway.delivery import build_producer
from agents.partitioner import partition_for
from schemas.codec import Codec
from schemas.submissions import Correction, Submission, SubmissionEvent
from tests.agents.gateway.conftest import NOW, OTHER_TOKEN, TOKEN, reading, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agents.gateway.conftest import Vendor

EVENTS = Codec[Submission | Correction](SubmissionEvent)


def unread(answer: asyncio.Task[Any]) -> bool:
    return not answer.done()


async def test_a_session_is_answered_only_when_the_broker_has_confirmed_it(vendor: Vendor) -> None:
    vendor.producer.at_once = False
    answer = asyncio.create_task(vendor.post(session()))
    await vendor.producer.arrived.wait()
    # Another whole request and answer goes by: the first is held by nothing but the broker.
    other = await vendor.get("/docs")
    held = unread(answer)
    vendor.producer.open[0].set_result(None)

    assert (other.status, held) == (200, True)
    assert (await answer).body == {"accepted": [session()["submission_id"]]}
    assert vendor.count("sonevakt_submissions_received_total", outcome="accepted") == 1


async def test_one_unconfirmed_message_of_a_batch_leaves_all_of_it_unacknowledged(
    open_gateway: Callable[..., Any],
) -> None:
    vendor = await open_gateway(confirm_timeout_s=0.1)
    vendor.producer.at_once = False
    answer = asyncio.create_task(vendor.post([session(1), session(2)]))
    await vendor.producer.arrived.wait()
    vendor.producer.open[0].set_result(None)

    refused = await answer

    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert "accepted" not in refused.body
    assert vendor.count("sonevakt_submissions_received_total", outcome="unconfirmed") == 2
    # The producer still owns what it was given: giving up waiting takes nothing back.
    assert not vendor.producer.open[1].cancelled()
    vendor.producer.open[1].set_exception(NotEnoughReplicasError())


async def test_a_broker_that_fails_or_is_away_is_a_503(vendor: Vendor) -> None:
    vendor.producer.fail_delivery = NotEnoughReplicasError()
    failed = await vendor.post(session())
    vendor.producer.fail_send = KafkaConnectionError()
    away = await vendor.post(session())

    assert (failed.status, away.status) == (503, 503)


async def test_above_the_requests_under_way_one_more_is_told_to_come_again(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(in_flight=1)
    vendor.producer.at_once = False
    first = asyncio.create_task(vendor.post(session(1)))
    await vendor.producer.arrived.wait()
    second = await vendor.post(session(2))
    vendor.producer.open[0].set_result(None)

    assert (second.status, (await first).status) == (503, 202)


async def test_one_vendor_alone_takes_no_more_than_its_share_of_the_places(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(in_flight=3, in_flight_of_vendor=1)
    vendor.producer.at_once = False
    first = asyncio.create_task(vendor.post(session(1)))
    await vendor.producer.arrived.wait()
    second = await vendor.post(session(2))
    vendor.token = OTHER_TOKEN
    vendor.producer.at_once = True
    other = await vendor.post(session(3))
    vendor.producer.open[0].set_result(None)

    assert (second.status, other.status, (await first).status) == (503, 202, 202)


async def test_unreadable_bodies_count_against_the_quota_and_above_it_none_is_read(
    open_gateway: Callable[..., Any],
) -> None:
    vendor = await open_gateway(items_per_minute=2, batch_items=2)
    unread = [await vendor.post(data=b"{") for _ in range(3)]

    assert [answer.status for answer in unread] == [400, 400, 429]


async def test_a_defect_of_our_own_is_a_500_that_tells_nothing(open_gateway: Callable[..., Any]) -> None:
    def broken(_: Submission) -> list[tuple[str, str]]:
        raise RuntimeError("p-1 has 93")

    with capture_logs() as logs:
        vendor = await open_gateway(check=broken)
        answer = await vendor.post(session())

    assert answer.status == 500
    assert "93" not in answer.text
    assert "p-1" not in json.dumps(logs)
    assert logs[0]["error"] == "RuntimeError"


async def test_the_message_is_the_session_with_the_gateways_own_time_and_no_unknown_fields(vendor: Vendor) -> None:
    await vendor.post(session(received_at="2020-01-01T00:00:00Z", shoe_size=43))

    sent = vendor.producer.sent[0]
    message = EVENTS.decode(sent.value)
    assert (sent.topic, sent.key) == ("submissions", b"p-1")
    assert sent.headers == [("vendor", b"kjelde")]
    assert isinstance(message, Submission)
    assert message.received_at == NOW
    assert b"shoe_size" not in sent.value


async def test_a_received_at_that_is_nonsense_is_ignored_as_well(vendor: Vendor) -> None:
    assert (await vendor.post(session(received_at="yesterday"))).status == 202


async def test_a_correction_gets_its_time_here_and_is_held_to_the_same_rules(vendor: Vendor) -> None:
    correction = {
        "correction_id": "00000000-0000-4000-8000-0000000000aa",
        "submission_id": session()["submission_id"],
        "patient": "p-1",
        "action": "replaced",
        "readings": [reading()],
    }
    taken = await vendor.post(correction, path="/v1/corrections")
    withdrawn = await vendor.post({**correction, "action": "entered-in-error", "readings": []}, path="/v1/corrections")
    refused = await vendor.post({**correction, "readings": [reading(unit="kg")]}, path="/v1/corrections")
    contradicting = await vendor.post({**correction, "readings": []}, path="/v1/corrections")

    message = EVENTS.decode(vendor.producer.sent[0].value)
    assert isinstance(message, Correction)
    assert (taken.body, message.recorded_at) == ({"accepted": [correction["correction_id"]]}, NOW)
    assert withdrawn.status == 202
    assert (refused.status, refused.fields) == (422, ["readings[0].unit"])
    assert (contradicting.status, contradicting.fields) == (422, ["$"])


async def test_of_a_batch_the_valid_are_taken_and_the_others_named(vendor: Vendor) -> None:
    answer = await vendor.post([session(1), session(2, readings=[reading(unit="kg")]), session(3), 5])

    assert answer.status == 207
    assert answer.body["accepted"] == [session(1)["submission_id"], session(3)["submission_id"]]
    assert answer.fields == ["[1].readings[0].unit", "[3]"]
    assert [record.key for record in vendor.producer.sent] == [b"p-1", b"p-3"]
    assert vendor.count("sonevakt_submissions_received_total", outcome="accepted") == 2
    assert vendor.count("sonevakt_submissions_received_total", outcome="refused") == 2


async def test_a_batch_without_a_valid_item_is_refused(vendor: Vendor) -> None:
    answer = await vendor.post([session(1, patient="")])

    assert (answer.status, answer.fields, vendor.producer.sent) == (422, ["[0].patient"], [])


async def test_the_same_id_twice_in_a_batch_is_taken_once_and_refused_with_other_content(vendor: Vendor) -> None:
    same = await vendor.post([session(1), session(1)])
    other = await vendor.post([session(2), session(2, readings=[reading(value=70)])])

    assert (same.status, same.body) == (202, {"accepted": [session(1)["submission_id"]]})
    assert (other.status, other.fields) == (207, ["[1].submission_id"])
    assert len(vendor.producer.sent) == 2


async def test_a_repeat_is_accepted_again(vendor: Vendor) -> None:
    first, second = await vendor.post(session()), await vendor.post(session())

    assert (
        (first.status, first.body) == (second.status, second.body) == (202, {"accepted": [session()["submission_id"]]})
    )


async def test_logs_hold_no_token_no_pseudonym_no_value_and_no_query(vendor: Vendor) -> None:
    with capture_logs() as logs:
        await vendor.post(session(), path="/v1/submissions?patient=p-1")
        await vendor.post(session(readings=[reading(value="93x")]))
        await vendor.get(f"/p-1/{TOKEN}")

    told = json.dumps(logs)
    assert [(line["status"], line["vendor"], line["items"]) for line in logs] == [
        (202, "kjelde", 1),
        (422, "kjelde", 1),
        (404, None, None),
    ]
    assert not [word for word in (TOKEN, "p-1", "93", "?") if word in told]


async def test_an_unreadable_request_does_not_put_its_headers_into_the_log(vendor: Vendor, caplog: Any) -> None:  # noqa: ANN401 - pytest's own
    reader, writer = await asyncio.open_connection("127.0.0.1", vendor.port)
    writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nAuthori zation: Bearer {TOKEN}\r\n\r\n".encode())
    status = await reader.readline()
    writer.close()

    assert b" 400 " in status
    assert "unreadable request" in caplog.text
    assert TOKEN not in caplog.text


async def test_requests_are_counted_by_status(vendor: Vendor) -> None:
    await vendor.post(session())
    await vendor.post(session(patient=""))

    assert vendor.count("sonevakt_gateway_requests_total", status="202") == 1
    assert vendor.count("sonevakt_gateway_requests_total", status="422") == 1


async def test_on_a_broker_what_was_answered_can_be_read_on_the_patients_partition(
    open_gateway: Callable[..., Any],
) -> None:
    with EmbeddedBroker(partitions=12, prefix="t-") as broker:
        producer = build_producer(broker.bootstrap, idempotent=False)
        await producer.start()
        vendor = await open_gateway(producer=producer, topic_prefix="t-")
        answer = await vendor.post([session(number) for number in range(20)])
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([TopicPartition("t-submissions", partition) for partition in range(12)])
        read = [await anext(consumer) for _ in range(20)]
        await consumer.stop()
        broker.set_down()
        away = await open_gateway(producer=producer, topic_prefix="t-", confirm_timeout_s=0.5)
        down = await away.post(session(99))
        broker.set_up()
        await producer.stop()

    assert (answer.status, down.status) == (202, 503)
    assert sorted(answer.body["accepted"]) == sorted(str(EVENTS.decode(record.value).submission_id) for record in read)
    assert all(record.partition == partition_for(record.key, 12) for record in read)
