"""Each way posts in its own form, holds nothing that it must not, and is slow or down by itself alone."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from datetime import datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs
from yarl import URL

from agents.acknowledging.links import Links
from agents.paging.notice import Notice
from agents.paging.ways import Address, Ways
from agents.paging.ways.messages import MessageWay, PluginError, Threads, plugin_of
from agents.paging.ways.pagerduty import PagerDutyWay, RoutingKey, earlier_events_of, event_of, severity
from agents.paging.ways.webhook import WebhookWay, body_of
from agents.paging.whom import Told, whom
from agents.paging.words import said, with_link
from schemas.paging import FailureReason, Outcome, PageAction, PageCause, Priority
from schemas.services import Roster, Shift
from schemas.types import Weekday, Zone
from tests.agents.paging.conftest import NOW, held, page, posted, receipt_in, record, secret_of, service_with
from tests.spec.test_ladder import Climbing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.paging.messenger import Messenger
    from schemas.paging import Receipt
    from schemas.services import Service
    from tests.agents.conftest import Eventually
    from tests.agents.paging.conftest import Ward

KEY = RoutingKey("R0123456789abcdefR0123456789abcd")
LINKS = Links(URL("https://board.example/tavle"), "k" * 40)
SEVERITIES = {"critical", "error", "warning", "info"}
LUNGS = service_with("lungs", nurse=("sms", "app"), lead=("incident",))


class Incidents:
    """PagerDuty's enqueue endpoint, as strict as its published form."""

    def __init__(self, *statuses: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self._statuses = list(statuses)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/v2/enqueue", self._take)
        return application

    async def _take(self, request: web.Request) -> web.Response:
        if self._statuses:
            return web.Response(status=self._statuses.pop(0), headers={"Retry-After": "0"})
        event = await request.json()
        wrong = [*self._wrong(event)]
        if request.content_type != "application/json" or wrong:
            self.refused += wrong
            return web.json_response({"status": "invalid event", "errors": wrong}, status=400)
        self.events.append(event)
        return web.json_response({"status": "success", "dedup_key": event["dedup_key"]}, status=202)

    def _wrong(self, event: dict[str, Any]) -> list[str]:
        wrong = []
        allowed = {"routing_key", "event_action", "dedup_key", "payload", "links", "images", "client", "client_url"}
        if set(event) - allowed:
            wrong.append("unknown field")
        if not re.fullmatch("[A-Za-z0-9]{32}", event.get("routing_key", "")):
            wrong.append("routing_key")
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            wrong.append("event_action")
        if not 1 <= len(event.get("dedup_key", "")) <= 255:
            wrong.append("dedup_key")
        if event.get("event_action") == "trigger":
            wrong += self._wrong_payload(event.get("payload", {}))
            wrong += ["links" for link in event.get("links", []) if set(link) != {"href", "text"}]
        return wrong

    def _wrong_payload(self, payload: dict[str, Any]) -> list[str]:
        allowed = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
        wrong = ["payload"] if set(payload) - allowed else []
        if not 1 <= len(payload.get("summary", "")) <= 1024:
            wrong.append("payload.summary")
        if not payload.get("source"):
            wrong.append("payload.source")
        if payload.get("severity") not in SEVERITIES:
            wrong.append("payload.severity")
        if datetime.fromisoformat(payload["timestamp"]).tzinfo is None:
            wrong.append("payload.timestamp")
        return wrong


class Worked:
    """What PagerDuty makes of events, as it publishes it: which incidents are open, and how often it rang for each.

    A trigger rings where nothing is open under its key, and is added to what is; acknowledge and resolve mean what is
    open under their key, and are dropped where nothing is.
    """

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self.open: dict[str, str] = {}
        self.rang: list[str] = []
        for event in events:
            key = event["dedup_key"]
            match event["event_action"]:
                case "trigger" if key not in self.open:
                    self.open[key] = "triggered"
                    self.rang.append(key)
                case "acknowledge" if key in self.open:
                    self.open[key] = "acknowledged"
                case "resolve":
                    self.open.pop(key, None)


async def paged_by_pagerduty(ward: Ward, *statuses: int) -> tuple[Messenger, Incidents]:
    incidents = Incidents(*statuses)
    await ward.serve(incidents.application())
    url = ward.addresses["lungs"].with_path("/v2/enqueue")
    address = Address("lungs", "nurse", "incident")
    services = {"lungs": service_with("lungs", nurse=("incident",))}
    return await ward.by(services, {address: PagerDutyWay(url, KEY)}, links=LINKS), incidents


async def carried(messenger: Messenger, number: int = 1, **changed: Any) -> Receipt:  # noqa: ANN401 - any field
    return receipt_in(await messenger.carry(posted(number, **changed)))


async def test_pagerduty_gets_one_incident_for_an_episode_that_is_opened_acknowledged_and_resolved(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward)
    episode = str(page().episode_id)

    receipts = [await carried(messenger, action=action) for action in PageAction]

    assert [receipt.outcome for receipt in receipts] == [Outcome.DELIVERED] * 3
    assert {(receipt.told, receipt.by) for receipt in receipts} == {("nurse", "incident")}
    assert incidents.refused == []
    assert [(event["event_action"], event["dedup_key"]) for event in incidents.events] == [
        ("trigger", episode),
        ("acknowledge", episode),
        ("resolve", episode),
    ]
    payload = incidents.events[0]["payload"]
    assert (payload["severity"], payload["source"], payload["component"], payload["class"]) == (
        "critical",
        "sonevakt",
        "lungs",
        "red",
    )
    assert payload["custom_details"]["patients"] == ["p-1"]
    assert incidents.events[0]["links"][0]["href"].startswith("https://board.example/tavle/a/")
    assert set(incidents.events[1]) == {"routing_key", "event_action", "dedup_key"}


FIRST, SECOND = UUID(int=71), UUID(int=72)
WORSE: dict[str, Any] = {"incident_id": SECOND, "earlier_incident_ids": (FIRST,)}  # of the episode


async def test_pagerduty_rings_anew_for_a_worsening_of_what_somebody_has_in_whatever_order_it_works_the_events(
    ward: Ward,
) -> None:
    messenger, incidents = await paged_by_pagerduty(ward)
    await carried(messenger, 1, incident_id=FIRST)
    await carried(messenger, 1, action=PageAction.ACKNOWLEDGE, incident_id=FIRST)
    before = list(incidents.events)
    receipt = await carried(messenger, 2, **WORSE)
    again = await carried(messenger, 2, ask=2, **WORSE)  # the receipt was lost

    worse = incidents.events[len(before) :]
    assert (receipt.outcome, again.outcome, incidents.refused) == (Outcome.DELIVERED, Outcome.DELIVERED, [])
    assert {(event["event_action"], event["dedup_key"]) for event in worse} == {
        ("trigger", str(SECOND)),
        ("resolve", str(FIRST)),
    }
    for order in permutations(worse):
        there = Worked([*before, *order])
        assert there.rang == [str(FIRST), str(SECOND)]
        assert there.open == {str(SECOND): "triggered"}


async def test_that_an_earlier_red_is_over_closes_no_incident_that_was_opened_since(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward)
    await carried(messenger, 1, incident_id=FIRST)
    await carried(messenger, 2, incident_id=SECOND)  # the red is back, by a correction
    await carried(messenger, 1, action=PageAction.RESOLVE, incident_id=FIRST)  # was held up

    assert Worked(incidents.events).open == {str(SECOND): "triggered"}


async def test_whoever_has_only_an_earlier_incident_is_told_of_the_end_of_that(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward)
    await carried(messenger, 1, incident_id=FIRST)  # as the lead has, whom the worsening did not reach
    await carried(messenger, 2, action=PageAction.ACKNOWLEDGE, **WORSE)
    assert Worked(incidents.events).open == {str(FIRST): "acknowledged"}
    await carried(messenger, 3, action=PageAction.RESOLVE, **WORSE)
    assert Worked(incidents.events).open == {}


@pytest.mark.parametrize(
    ("words", "rings", "at_last"),
    [
        ("r", 1, ["triggered"]),
        ("r a", 1, ["acknowledged"]),
        ("r a g g", 1, []),
        ("r 5 15 30 45 a g g", 1, []),
        ("r 5 a g 20 r", 2, ["triggered"]),
        ("r 5 a g 20 r a g g", 2, []),
        ("r a s", 2, ["triggered"]),
        ("r a s a g g", 2, []),
        ("r c", 1, []),
        ("r c u", 2, ["triggered"]),
        ("r c u c u a g g", 3, []),
        ("r a 5 g 20 r a g 40 r", 3, ["triggered"]),
    ],
)
async def test_what_the_ladder_asks_rings_once_for_each_time_that_it_begins_and_leaves_nothing_open_that_is_over(
    ward: Ward, words: str, rings: int, at_last: list[str]
) -> None:
    incidents = Incidents()
    await ward.serve(incidents.application())
    way = PagerDutyWay(ward.addresses["lungs"].with_path("/v2/enqueue"), KEY)
    service = service_with("lungs", nurse=("incident",))  # who has every other duty too
    ways: Ways = {Address("joint-centre", "nurse", "incident"): way}
    messenger = await ward.by({"joint-centre": service}, ways, pagerduty_a_minute=1e6)
    course = Climbing()
    told = 0
    for word in words.split():
        course.go(word)
        for request in course.pages[told:]:
            receipt = await messenger.tell(request)
            course.receipt(request, receipt.reason, receipt.told)
        told = len(course.pages)

    there = Worked(incidents.events)
    assert incidents.refused == []
    assert (len(there.rang), list(there.open.values())) == (rings, at_last)


async def test_where_the_new_incident_is_not_taken_the_one_before_it_is_left_as_it_is(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward, 400)
    worse = await carried(messenger, 2, **WORSE)
    assert (worse.reason, incidents.events) == (FailureReason.REFUSED, [])


async def test_a_trigger_that_was_accepted_is_delivered_and_an_end_that_was_not_told_whole_is_told_again(
    ward: Ward,
) -> None:
    messenger, incidents = await paged_by_pagerduty(ward, 202, 500)
    worse = await carried(messenger, 2, **WORSE)
    assert (worse.outcome, worse.attempts) == (Outcome.DELIVERED, 1)
    assert incidents.events == []  # the two answers above were all
    messenger, incidents = await paged_by_pagerduty(ward, 202, 500)
    over = await carried(messenger, 3, action=PageAction.RESOLVE, **WORSE)
    assert (over.outcome, over.attempts) == (Outcome.DELIVERED, 2)
    assert [event["dedup_key"] for event in incidents.events] == [str(SECOND), str(FIRST)]


def test_of_several_that_are_told_together_no_earlier_incident_is_closed() -> None:
    assert earlier_events_of(Notice((page(1, **WORSE),), "lungs", LUNGS)) != []
    assert earlier_events_of(Notice((page(1, **WORSE), page(2)), "lungs", LUNGS)) == []


async def test_pagerduty_that_asks_to_wait_is_asked_again_and_one_that_refuses_is_not(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward, 429, 500)
    assert (await carried(messenger)).attempts == 3
    assert len(incidents.events) == 1
    messenger, incidents = await paged_by_pagerduty(ward, 400)
    refused = await carried(messenger)
    assert (refused.reason, refused.attempts, incidents.events) == (FailureReason.REFUSED, 1, [])


async def test_a_group_is_one_incident_that_names_every_patient(ward: Ward) -> None:
    messenger, incidents = await paged_by_pagerduty(ward)

    receipts = await asyncio.gather(*(carried(messenger, number) for number in range(1, 41)))

    assert len(incidents.events) == 1
    assert sorted(incidents.events[0]["payload"]["custom_details"]["patients"]) == sorted(
        f"p-{number}" for number in range(1, 41)
    )
    assert {str(receipt.group) for receipt in receipts} == {incidents.events[0]["dedup_key"]}
    assert len({receipt.receipt_id for receipt in receipts}) == 40
    assert {receipt.outcome for receipt in receipts} == {Outcome.DELIVERED}
    assert "40 pasienter" in incidents.events[0]["payload"]["summary"]
    assert ward.count("sonevakt_grouped_pages_total", way="pagerduty") == 40


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "critical"),
        ({"priority": Priority.MEDIUM}, "error"),
        ({"zone": Zone.YELLOW, "priority": Priority.MEDIUM}, "warning"),
        ({"zone": Zone.NO_DATA, "priority": Priority.LOW}, "warning"),
        ({"zone": Zone.NOT_MONITORED, "priority": Priority.LOW}, "info"),
        ({"test": True}, "info"),
    ],
)
def test_severity_follows_zone_and_priority_and_a_test_wakes_nobody(changed: dict[str, Any], expected: str) -> None:
    assert severity(Notice((page(**changed),), "lungs", LUNGS)) == expected


def test_a_long_name_of_a_service_leaves_a_summary_that_pagerduty_takes() -> None:
    service = msgspec.structs.replace(LUNGS, name="å" * 500)
    summary = event_of(Notice((page(patient="p" * 64, test=True),), "lungs", service))["payload"]["summary"]
    assert summary.startswith("TEST")
    assert "p" * 64 in summary
    assert len(summary) <= 1024


@pytest.mark.parametrize(
    ("language", "changed", "text"),
    [
        ("nb", {}, "RØD: pasient p-1 i The lungs centre. Noen må se på det."),
        ("en", {}, "RED: patient p-1 in The lungs centre. Please look."),
        ("en", {"step": 2}, "RED: patient p-1 in The lungs centre. Please look. Nobody has acknowledged."),
        ("en", {"test": True}, "TEST, no patient: RED: patient p-1 in The lungs centre. Please look."),
        ("nb", {"zone": Zone.NO_DATA}, "MANGLER DATA: pasient p-1 i The lungs centre. Noen må se på det."),
    ],
)
def test_a_page_is_said_in_the_services_language(language: Any, changed: dict[str, Any], text: str) -> None:  # noqa: ANN401 - a literal
    service = msgspec.structs.replace(LUNGS, language=language)
    notice = Notice((page(**changed),), "lungs", service, {page().page_id: "https://board.example/a/x"})
    assert said(notice) == text
    assert with_link(notice) == f"{text}\nhttps://board.example/a/x"


def test_a_page_for_people_holds_no_rule_no_code_and_no_duty_of_ours() -> None:
    causes = (PageCause(rule="news2", code="59408-5"), PageCause(rule="weight_gain", code="29463-7"))
    single = Notice((page(causes=causes),), "lungs", LUNGS)
    group = Notice(tuple(page(number, causes=causes) for number in range(1, 6)), "lungs", LUNGS)
    for notice in (single, group):
        told = said(notice) + msgspec.json.encode(event_of(notice)).decode()
        assert not [word for word in ("news2", "weight", "59408", "29463", "limit", "causes") if word in told]


def test_a_webhooks_group_holds_every_page_and_is_the_same_to_the_byte() -> None:
    pages = tuple(page(number) for number in range(1, 6))
    bodies = {msgspec.json.encode(body_of(Notice(order, "lungs", LUNGS))) for order in (pages, pages)}
    body = body_of(Notice(pages, "lungs", LUNGS))
    assert len(bodies) == 1
    assert (body["type"], body["data"]["patients"]) == ("pages.requested", 5)
    assert [one["patient"] for one in body["data"]["pages"]] == [f"p-{number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("action", "kind"),
    [("trigger", "page.requested"), ("acknowledge", "page.acknowledged"), ("resolve", "page.resolved")],
)
def test_a_webhook_is_told_what_happens(action: str, kind: str) -> None:
    assert body_of(Notice((page(action=PageAction(action)),), "lungs", LUNGS))["type"] == kind


def test_a_webhook_is_told_which_incident_it_is_where_the_page_says_so_and_never_whom_we_know() -> None:
    told = body_of(Notice((page(contact="nurse-1", **WORSE),), "lungs", LUNGS))["data"]
    assert told["incident_id"] == SECOND
    assert "nurse-1" not in msgspec.json.encode(told).decode()
    assert "incident_id" not in body_of(Notice((page(),), "lungs", LUNGS))["data"]


async def test_a_webhooks_page_holds_its_link_and_the_same_for_every_ask(ward: Ward) -> None:
    receiver = await ward.receiver()
    ways = {Address("lungs", "nurse", "app"): WebhookWay(ward.addresses["lungs"], secret_of("lungs"))}
    messenger = await ward.by({"lungs": service_with("lungs", nurse=("app",))}, ways, links=LINKS)
    await carried(messenger)
    link = receiver.taken[str(page().page_id)]["link"]
    receiver.taken.clear()
    await carried(messenger, ask=2)

    assert receiver.taken[str(page().page_id)]["link"] == link
    assert LINKS.read(link.rpartition("/")[2]) == (page().page_id, "nurse")
    assert "p-1" not in link


# apprise


class Gateway:
    """A gateway of text messages, to which apprise posts JSON."""

    def __init__(self, status: int = 200) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = status

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/sms", self._take)
        return application

    async def _take(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.Response(status=self.status)


async def paged_by_sms(ward: Ward, gateway: Gateway) -> Messenger:
    await ward.serve(gateway.application())
    way = MessageWay(plugin_of(f"json://127.0.0.1:{ward.addresses['lungs'].port}/sms"))
    services = {"lungs": service_with("lungs", nurse=("sms",))}
    return await ward.by(services, {Address("lungs", "nurse", "sms"): way}, links=LINKS)


async def test_a_message_is_sent_through_apprise_with_its_link(ward: Ward) -> None:
    gateway = Gateway()
    receipt = await carried(await paged_by_sms(ward, gateway))

    assert (receipt.outcome, receipt.attempts, receipt.told, receipt.by) == (Outcome.DELIVERED, 1, "nurse", "sms")
    (message,) = gateway.messages
    assert message["message"].startswith(
        "RØD: pasient p-1 i The lungs centre. Noen må se på det.\nhttps://board.example/"
    )
    assert message["title"] == "Sonevakt: varsel"
    assert ward.count("sonevakt_pages_total", way="apprise", outcome="delivered") == 1


async def test_a_gateway_that_says_no_is_asked_again_and_then_it_failed(ward: Ward) -> None:
    gateway = Gateway(status=500)
    receipt = await carried(await paged_by_sms(ward, gateway))
    assert (receipt.reason, receipt.attempts, len(gateway.messages)) == (FailureReason.SERVER_ERROR, 3, 3)


async def test_a_message_cannot_be_taken_back_so_there_is_nothing_to_do_and_the_receipt_says_so(ward: Ward) -> None:
    gateway = Gateway()
    messenger = await paged_by_sms(ward, gateway)
    receipts = [await carried(messenger, action=action) for action in (PageAction.ACKNOWLEDGE, PageAction.RESOLVE)]
    assert [(receipt.outcome, receipt.attempts) for receipt in receipts] == [(Outcome.DELIVERED, 0)] * 2
    assert gateway.messages == []


class Hanging:
    """A plugin that blocks until the test lets it go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun = 0

    def notify(self, body: str, title: str) -> bool:
        del body, title
        self.begun += 1
        return self.let_go.wait(60)


async def test_a_plugin_that_hangs_takes_nothing_from_the_loop_or_from_others(
    ward: Ward, eventually: Eventually
) -> None:
    hanging = Hanging()
    receiver = await ward.receiver()
    services = {"lungs": service_with("lungs", nurse=("sms",), lead=("app",))}
    ways = {
        Address("lungs", "nurse", "sms"): MessageWay(hanging, timeout_s=60),
        Address("lungs", "lead", "app"): WebhookWay(ward.addresses["lungs"], secret_of("lungs")),
    }
    messenger = await ward.by(services, ways)
    behind = [asyncio.create_task(carried(messenger, number)) for number in range(1, 4)]
    await eventually(lambda: hanging.begun)

    others = [await carried(messenger, number, to="lead") for number in range(11, 31)]
    waits = [task.done() for task in behind]
    hanging.let_go.set()

    assert {receipt.outcome for receipt in others} == {Outcome.DELIVERED}
    assert receiver.effects == 20
    assert waits == [False] * 3
    assert {(await task).outcome for task in behind} == {Outcome.DELIVERED}


async def test_plugins_that_hang_keep_their_few_threads_and_the_next_message_times_out_too(ward: Ward) -> None:
    hanging = Hanging()
    services = {"lungs": service_with("lungs", nurse=("sms",))}
    way = MessageWay(hanging, timeout_s=0.02, threads=Threads(2))
    messenger = await ward.by(services, {Address("lungs", "nurse", "sms"): way})
    reasons = [(await carried(messenger, number)).reason for number in range(1, 5)]
    hanging.let_go.set()

    assert reasons == [FailureReason.TIMEOUT] * 4  # which is silence: the next step is asked at once
    assert hanging.begun == 2


async def test_a_plugin_that_raises_has_said_no_and_nothing_of_what_it_says_is_told(ward: Ward) -> None:
    class Broken:
        def notify(self, body: str, title: str) -> bool:
            raise ValueError(f"token=hunter2 {body} {title}")

    services = {"lungs": service_with("lungs", nurse=("sms",))}
    messenger = await ward.by(services, {Address("lungs", "nurse", "sms"): MessageWay(Broken())}, attempts=1)
    with capture_logs() as logs:
        assert (await carried(messenger)).reason is FailureReason.SERVER_ERROR
    assert {line["event"]: line.get("error") for line in logs} == {
        "apprise_plugin_raised": "ValueError",
        "page not delivered": None,
    }
    assert "hunter2" not in str(logs)


def test_apprise_tells_no_address_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for url in ("nonsense://hunter2@vakt.example", "jsons://vakt.example:hunter2/x", "json://hunter2@vakt.example"):
        with pytest.raises(PluginError):
            plugin_of(url)
    plugin_of("jsons://hunter2@vakt.example/x")
    assert caplog.text == ""


# Who is told


def with_roster(**duty: str) -> Service:
    shift = Shift(days=tuple(Weekday), starts="00:00", ends="00:00", duty=duty)
    contacts = service_with(
        "lungs", nurse=("app",), lead=("app", "phone"), nurse_1=("app", "sms"), nurse_2=("app",)
    ).contacts
    return msgspec.structs.replace(service_with("lungs"), roster=Roster(shifts=(shift,)), contacts=contacts)


ACKNOWLEDGED: dict[str, Any] = {"contact": "nurse-1", "action": PageAction.ACKNOWLEDGE}


@pytest.mark.parametrize(
    ("service", "changed", "told"),
    [
        (with_roster(nurse="nurse-1"), {}, Told("nurse-1", "app")),
        (with_roster(nurse="nurse-1"), {"by": "sms"}, Told("nurse-1", "sms")),
        (with_roster(nurse="nurse-1"), {"by": "pigeon"}, Told("nurse-1", "app")),
        (with_roster(nurse="nurse-1"), {"to": "lead", "by": "phone"}, Told("lead", "phone")),
        (with_roster(nurse="nurse-1"), {"to": "next-nurse"}, Told("nurse-1", "app")),
        (with_roster(lead="nurse-2"), {"to": "next-nurse"}, Told("nurse", "app")),
        (with_roster(nurse="nurse-1"), {"contact": "nurse-2", "action": PageAction.RESOLVE}, Told("nurse-2", "app")),
        (with_roster(nurse="nurse-2"), ACKNOWLEDGED | {"by": "sms"}, Told("nurse-1", "sms")),
        (with_roster(nurse="nurse-2"), ACKNOWLEDGED | {"contact": "left"}, Told("nurse-2", "app")),
        (with_roster(nurse="nurse-2"), {"contact": "nurse-1"}, Told("nurse-2", "app")),
        (LUNGS, {"to": "lead"}, Told("lead", "incident")),
        (LUNGS, {"to": "next-nurse"}, Told("nurse", "sms")),
        (service_with("lungs"), {}, None),
        (LUNGS, {"to": "canary"}, None),
        (service_with("lungs", nurse=("app",), canary=("hook",)), {"to": "canary"}, Told("canary", "hook")),
    ],
    ids=[
        "the roster's",
        "by a way they have",
        "by a way they lack",
        "a contact by the name of the duty",
        "nobody: the nurse on the roster",
        "nobody: the contact nurse",
        "over: who was told",
        "over: who was told, by a way they have",
        "over: who was told is there no longer",
        "a trigger goes to whoever has the duty",
        "no roster: the contact",
        "no roster and no contact: the nurse",
        "nobody at all",
        "a canary calls no nurse",
        "a canary",
    ],
)
def test_whoever_has_the_duty_is_told(service: Service, changed: dict[str, Any], told: Told | None) -> None:
    assert whom(service, page(**changed), NOW) == told


async def test_at_the_change_of_shift_the_next_nurse_is_told_and_what_is_over_goes_to_who_was_told(ward: Ward) -> None:
    now = [datetime.fromisoformat("2026-03-01T14:29:59Z")]
    incidents = Incidents()
    await ward.serve(incidents.application())
    url = ward.addresses["lungs"].with_path("/v2/enqueue")
    day = Shift(days=tuple(Weekday), starts="07:30", ends="15:30", duty={"nurse": "nurse-1"})
    night = Shift(days=tuple(Weekday), starts="15:30", ends="07:30", duty={"nurse": "nurse-2"})
    service = msgspec.structs.replace(
        service_with("lungs", nurse_1=("incident",), nurse_2=("incident",)), roster=Roster(shifts=(day, night))
    )
    ways = {Address("lungs", who, "incident"): PagerDutyWay(url, KEY) for who in ("nurse-1", "nurse-2")}
    messenger = await ward.by({"lungs": service}, ways, clock=lambda: now[0])

    before = await carried(messenger, 1)
    now[0] += timedelta(seconds=1)
    after = await carried(messenger, 2)
    over = await carried(messenger, 1, action=PageAction.ACKNOWLEDGE)
    otherwise = await carried(messenger, 1, action=PageAction.ACKNOWLEDGE, by="incident")

    assert (before.told, after.told, over.told, otherwise.told) == ("nurse-1", "nurse-2", "nurse-1", "nurse-2")

    restarted = await ward.by({"lungs": service}, ways, clock=lambda: now[0])
    forgotten = await carried(restarted, 1, action=PageAction.ACKNOWLEDGE)
    known = [await carried(restarted, 1, action=action, contact="nurse-1") for action in PageAction]
    assert (forgotten.told, [one.told for one in known]) == ("nurse-2", ["nurse-2", "nurse-1", "nurse-1"])


# One that is slow


async def test_a_slow_contact_holds_neither_another_of_the_same_service_nor_their_own_other_way(
    ward: Ward, eventually: Eventually
) -> None:
    let_go = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", let_go, lambda: entered.append(None)))
    slow, quick = (WebhookWay(ward.addresses[name], secret_of(name)) for name in ("lungs", "heart"))
    ways = {
        Address("lungs", "nurse", "app"): slow,
        Address("lungs", "nurse", "phone"): quick,
        Address("lungs", "lead", "app"): quick,
    }
    services = {"lungs": service_with("lungs", nurse=("app", "phone"), lead=("app",))}
    messenger = await ward.by(services, ways, attempt_timeout_s=60, total_s=60, under_way=1)
    behind = [asyncio.create_task(carried(messenger, number)) for number in range(1, 11)]
    await eventually(lambda: entered)

    others = [await carried(messenger, number, to="lead") for number in range(21, 31)]
    others += [await carried(messenger, number, by="phone") for number in range(31, 41)]
    waits = [task.done() for task in behind]
    let_go.set()
    await asyncio.gather(*behind)

    assert {receipt.outcome for receipt in others} == {Outcome.DELIVERED}
    assert waits == [False] * 10
    assert receiver.effects == 30


async def test_a_storm_is_a_few_posts_that_name_everybody(ward: Ward, eventually: Eventually) -> None:
    let_go = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", let_go, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=1)
    first = asyncio.create_task(carried(messenger, 1))
    await eventually(lambda: entered)
    storm = [asyncio.create_task(carried(messenger, number)) for number in range(2, 152)]
    await asyncio.sleep(0)
    let_go.set()
    receipts = [await first, *(await asyncio.gather(*storm))]

    assert receiver.posts == 2
    assert {taken["patient"] for taken in receiver.taken.values()} == {f"p-{number}" for number in range(1, 152)}
    assert [receipt.group is None for receipt in receipts] == [True, *[False] * 150]
    assert {receipt.outcome for receipt in receipts} == {Outcome.DELIVERED}


async def test_a_storm_posted_again_after_a_restart_wakes_nobody_twice(ward: Ward) -> None:
    receiver = await ward.receiver()
    for _ in range(2):
        messenger = await ward.messenger()
        await asyncio.gather(*(carried(messenger, number) for number in range(1, 21)))
    assert (receiver.effects, receiver.posts) == (20, 2)


async def test_pages_that_nobody_takes_for_a_minute_are_told_to_operators_until_they_are_taken(ward: Ward) -> None:
    now = [NOW]

    async def fails(service: str, page_id: str) -> int | None:
        del page_id
        return 503 if service == "lungs" and now[0] < NOW + timedelta(minutes=2) else None

    await ward.receiver(before=fails)
    ways = {
        Address(name, "nurse", "app"): WebhookWay(ward.addresses[name], secret_of(name)) for name in ("lungs", "heart")
    }
    services = {name: service_with(name, nurse=("app",)) for name in ("lungs", "heart")}
    messenger = await ward.by(services, ways, clock=lambda: now[0], attempts=1)

    def told(service: str) -> float:
        return ward.count("sonevakt_undeliverable_pages", service=service)

    await carried(messenger, 1)
    await carried(messenger, 2)
    await carried(messenger, 3, test=True)
    at_once = told("lungs")
    now[0] += timedelta(seconds=61)
    await carried(messenger, 1, ask=2)
    later = told("lungs"), told("heart")
    now[0] += timedelta(minutes=2)
    await carried(messenger, 1, ask=3)
    taken = told("lungs")
    now[0] += timedelta(hours=1)

    assert (at_once, later, taken, told("lungs")) == (0, (2, 0), 1, 0)


@pytest.mark.parametrize("action", [PageAction.TRIGGER, PageAction.ACKNOWLEDGE])
async def test_a_page_that_another_to_the_same_duty_has_replaced_is_open_no_more_than_that(
    ward: Ward, action: PageAction
) -> None:
    now = [NOW]

    async def fails(service: str, page_id: str) -> int | None:
        del service, page_id
        return 503 if now[0] < NOW + timedelta(minutes=2) else None

    await ward.receiver(before=fails)
    ways = {Address("lungs", "nurse", "app"): WebhookWay(ward.addresses["lungs"], secret_of("lungs"))}
    messenger = await ward.by({"lungs": service_with("lungs", nurse=("app",))}, ways, clock=lambda: now[0], attempts=1)
    await carried(messenger, 1)
    now[0] += timedelta(seconds=61)
    await carried(messenger, 2, episode_id=page(1).episode_id)  # the last step of a ladder, asked a second time
    assert ward.count("sonevakt_undeliverable_pages", service="lungs") == 1
    now[0] += timedelta(seconds=61)
    await carried(messenger, 3, episode_id=page(1).episode_id, action=action)
    assert ward.count("sonevakt_undeliverable_pages", service="lungs") == 0


async def test_a_page_of_an_unknown_service_has_no_receiver_and_says_so(ward: Ward) -> None:
    messenger = await ward.by({}, {})
    receipt = receipt_in(await messenger.carry(record(posted(7).value, b"p-7")))
    assert (receipt.reason, receipt.told, receipt.by) == (FailureReason.NO_RECEIVER, None, None)
    assert ward.count("sonevakt_pages_total", way="none", outcome="no_receiver") == 1
