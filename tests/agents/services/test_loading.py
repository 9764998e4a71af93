"""A services file that would fail somebody at night is refused at the start, by field and without what it hides."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.paging.ways import Address, load_ways
from agents.paging.ways.keys import load_webhook_secrets
from agents.services import ServicesError, load_services
from agents.settings import SettingsError
from pipeline.triage.rosters import on_duty

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the specification's example
ROUTING = "R0123456789abcdefR0123456789abcd"
FILES = {
    "webhook.secret": SECRET + "\n",
    "pagerduty.key": ROUTING,
    "pagerduty.secret": "subscription-secret",
    "sms.url": "json://127.0.0.1:9/sms",
}
WEBHOOK = {"kind": "webhook", "url": "https://vakt.example/hook?token=abc", "secret_file": "webhook.secret"}
PHONE = {"kind": "apprise", "url_file": "sms.url"}
INCIDENT = {"kind": "pagerduty", "routing_key_file": "pagerduty.key", "webhook_secret_file": "pagerduty.secret"}
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LUNGS: dict[str, Any] = {
    "name": "The lung centre",
    "ladder": {
        "red": [
            {"after_minutes": 0, "to": "nurse"},
            {"after_minutes": 5, "to": "next-nurse"},
            {"after_minutes": 15, "to": "lead", "by": "phone"},
        ]
    },
    "roster": {
        "shifts": [
            {
                "days": EVERY_DAY,
                "starts": "07:30",
                "ends": "15:30",
                "duty": {"nurse": "nurse-1", "next-nurse": "nurse-2"},
            },
            {
                "days": EVERY_DAY,
                "starts": "15:30",
                "ends": "07:30",
                "duty": {"nurse": "nurse-2", "next-nurse": "nurse-1"},
            },
        ],
        "exchanges": [{"day": "2026-03-02", "starts": "07:30", "duty": {"nurse": "nurse-3"}}],
    },
    "contacts": {
        "nurse-1": {"ways": {"app": WEBHOOK, "phone": PHONE}},
        "nurse-2": {"ways": {"app": WEBHOOK, "incident": INCIDENT}, "usual": "incident"},
        "nurse-3": {"ways": {"app": WEBHOOK}},
        "lead": {"ways": {"app": WEBHOOK, "phone": PHONE}},
    },
}


def written(folder: Path, content: Any) -> Path:  # noqa: ANN401 - any JSON
    for name, text in FILES.items():
        (folder / name).write_text(text)
    path = folder / "services.json"
    path.write_text(json.dumps(content))
    return path


def changed(place: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the lungs' service with one field set otherwise; None: taken out."""
    service = deepcopy(LUNGS)
    *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
    held: Any = service
    for part in way:
        held = held[part]
    if value is None:
        del held[last]
    else:
        held[last] = value
    return service


def test_a_service_is_read_with_all_its_ways(tmp_path: Path) -> None:
    services = load_services(written(tmp_path, {"lungs": LUNGS}))
    ways = load_ways(services, tmp_path)

    assert (services["lungs"].language, services["lungs"].time_zone) == ("nb", "Europe/Oslo")
    assert sorted(ways) == [
        Address("lungs", contact, by)
        for contact, by in [
            ("lead", "app"),
            ("lead", "phone"),
            ("nurse-1", "app"),
            ("nurse-1", "phone"),
            ("nurse-2", "app"),
            ("nurse-2", "incident"),
            ("nurse-3", "app"),
        ]
    ]
    assert load_webhook_secrets(services, tmp_path) == {"lungs": (b"subscription-secret",)}
    shown = repr(ways)
    assert not [word for word in ("abc", SECRET[6:], ROUTING, "/sms") if word in shown]


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("time_zone", "Europe/Olso", "lungs.time_zone: is no time zone"),
        ("name", None, "lungs: Object missing required field `name`"),
        ("nmae", "x", "lungs: Object contains unknown field"),
        ("ladder/red/0/after_minutes", 1, "lungs.ladder.red[0].after_minutes: must be 0"),
        ("ladder/red/2/after_minutes", 5, "lungs.ladder.red[2].after_minutes: must be more than"),
        ("ladder/red/2/to", "laed", "lungs.roster: nobody ever has the duty laed"),
        ("ladder/red/2/by", "phnoe", "lungs.ladder.red[2].by: phnoe is no way of lead"),
        ("ladder/red/0/by", "phone", "lungs.ladder.red[0].by: phone is no way of nurse-2"),
        ("roster/shifts/1/duty/next-nurse", None, "lungs.roster: nobody has the duty next-nurse on mon at 00:00"),
        ("roster/shifts/0/days", EVERY_DAY[:-1], "lungs.roster: nobody has the duty next-nurse on sun at 07:30"),
        ("roster/shifts/0/ends", "16:00", "lungs.roster.shifts: two of them give the duty next-nurse on mon at 15:30"),
        ("roster/shifts/0/starts", "7:30", "lungs.roster.shifts[0].starts: "),
        ("roster/shifts/0/duty/nurse", "nurse-4", "lungs.contacts: nurse-4 is on the roster and cannot be reached"),
        ("roster/exchanges/0/starts", "08:00", "lungs.roster.exchanges[0]: no shift starts then"),
        ("roster/exchanges/0/duty", {"lead": "nurse-3"}, "lungs.roster.exchanges[0].duty: the shift that starts then"),
        ("roster", None, "lungs.ladder.red[1].to: nobody has the duty next-nurse"),
        ("contacts/lead", None, "lungs.roster: nobody ever has the duty lead"),
        ("contacts/nurse-9", {"ways": {"app": WEBHOOK}}, "lungs.contacts.nurse-9: is neither on the roster nor a duty"),
        ("contacts/nurse-2/usual", "pigeon", "lungs.contacts.nurse-2.usual: is none of the contact's ways"),
        ("contacts/nurse-3/ways", {}, "lungs.contacts[...].ways: "),
        ("contacts/nurse-3/ways/app/kind", "fax", "lungs.contacts[...].ways[...].kind: Invalid value"),
    ],
)
def test_a_typing_error_is_named_by_its_field(tmp_path: Path, place: str, value: Any, fault: str) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(ServicesError) as raised:
        load_services(written(tmp_path, {"lungs": changed(place, value)}))

    text = str(raised.value)
    assert f"services.json: {fault}" in text or f"; {fault}" in text
    assert "\n" not in text
    assert not [word for word in ("abc", "vakt.example", str(tmp_path)) if word in text]


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        ({**WEBHOOK, "url": "http://vakt.example/hook"}, "url: must be https"),
        ({**WEBHOOK, "url": "http://localhost.vakt.example/hook"}, "url: must be https"),
        ({**WEBHOOK, "url": "/hook"}, "url: must be an absolute https"),
        ({**WEBHOOK, "url": "https://[::1"}, "url: is no address"),
        ({**WEBHOOK, "url": "https://vakt.example:99999"}, "url: is no address"),
        ({**WEBHOOK, "url": "https://me:pw@vakt.example"}, "url: must hold no user"),
        ({**WEBHOOK, "secret_file": "none"}, "secret_file: cannot be read (FileNotFoundError)"),
        ({**WEBHOOK, "secret_file": "pagerduty.key"}, "secret_file: give whsec_"),
        ({**INCIDENT, "routing_key_file": "webhook.secret"}, "routing_key_file: give the 32 letters and digits"),
        ({**INCIDENT, "url": "http://events.example"}, "url: must be https"),
        ({**INCIDENT, "webhook_secret_file": "short"}, "webhook_secret_file: give the secret"),
        ({**PHONE, "url_file": "nonsense"}, "url_file: is no URL that apprise understands"),
        ({**PHONE, "url_file": "plain"}, "url_file: sends unencrypted: use jsons"),
        ({**PHONE, "url_file": "unchecked"}, "url_file: must not turn the check of certificates off"),
    ],
)
def test_an_address_or_key_that_cannot_be_used_is_named_by_its_field(
    tmp_path: Path, way: dict[str, str], fault: str
) -> None:
    path = written(tmp_path, {"lungs": changed("contacts/nurse-3/ways/app", way)})
    for name, text in {
        "short": "tiny",
        "nonsense": "hunter2://token@vakt.example",
        "plain": "json://hunter2@vakt.example/x",
        "unchecked": "jsons://hunter2@vakt.example/x?verify=no",
    }.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ServicesError) as raised:
        load_ways(load_services(path), tmp_path)

    text = str(raised.value)
    assert text.startswith(f"lungs.contacts.nurse-3.ways.app.{fault}")
    assert not [word for word in ("hunter2", "tiny", "pw@", SECRET, str(tmp_path)) if word in text]


ALONE = [{"days": EVERY_DAY, "starts": "08:00", "ends": "08:00", "duty": {"nurse": "nurse-1", "next-nurse": "nurse-1"}}]
TWO = [{"after_minutes": 0, "to": "nurse"}, {"after_minutes": 5, "to": "next-nurse"}]
LATER = [*TWO, {"after_minutes": 15, "to": "lead"}]
EVENING = {"days": EVERY_DAY, "starts": "15:30", "ends": "07:30", "duty": {"nurse": "nurse-2", "next-nurse": "nurse-2"}}
SMS = {"kind": "apprise", "url_file": "sms.url"}
BY_INCIDENT = {"ways": {"incident": INCIDENT, "sms": SMS}}
OTHER = {"ways": {"incident": {**INCIDENT, "routing_key_file": "other.key"}}}


def staffed(
    red: list[dict[str, Any]],
    shifts: list[dict[str, Any]] | None = None,
    **more: Any,  # noqa: ANN401 - any JSON
) -> dict[str, Any]:
    """Return the lungs' service with another ladder, other shifts, and what else is said of it."""
    service = deepcopy(LUNGS)
    service["ladder"]["red"] = red
    if shifts is not None:
        service["roster"] = {"shifts": shifts}
    service["contacts"] |= more.pop("contacts", {})
    return service | more


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        (staffed(TWO, ALONE), "roster.shifts: nurse-1 has every duty of the ladder on mon at 08:00: give one of them"),
        (
            staffed(TWO, [LUNGS["roster"]["shifts"][0], EVENING]),
            "roster.shifts: nurse-2 has every duty of the ladder on mon at 15:30: give one of them",
        ),
        (
            changed("roster/exchanges", [{"day": "2026-01-06", "starts": "07:30", "duty": {"nurse": "nurse-2"}}])
            | {"ladder": {"red": TWO}},
            "roster.exchanges[0].duty: nurse-2 has every duty of the ladder: give one of them",
        ),
        (
            staffed(TWO, contacts={"nurse-1": BY_INCIDENT, "nurse-2": BY_INCIDENT, "nurse-3": BY_INCIDENT}),
            "ladder.red: every step leads into one PagerDuty integration on mon at 07:30, which rings for the first",
        ),
        (
            staffed(TWO, roster=None, contacts={"nurse": BY_INCIDENT, "next-nurse": BY_INCIDENT}),
            "ladder.red: every step leads into one PagerDuty integration, which rings for the first",
        ),
        (
            staffed([TWO[0], {"after_minutes": 5, "to": "nurse"}], roster=None, contacts={"nurse": BY_INCIDENT}),
            "ladder.red: every step leads into one PagerDuty integration, which rings for the first",
        ),
    ],
    ids=[
        "one person for all",
        "one person at night",
        "one person by an exchange",
        "one integration",
        "one integration without a roster",
        "one integration again",
    ],
)
def test_a_ladder_that_never_comes_to_a_second_one_is_named_by_its_field(
    tmp_path: Path, service: dict[str, Any], fault: str
) -> None:
    _only_who_is_meant(service)
    with pytest.raises(ServicesError) as raised:
        load_services(written(tmp_path, {"lungs": service}))

    assert str(raised.value).startswith(f"services.json: lungs.{fault}")
    assert str(raised.value).count(fault.partition(" on ")[0]) == 1  # it is told once, though it is so every day
    assert not [word for word in ("pagerduty.key", ROUTING) if word in str(raised.value)]


@pytest.mark.parametrize(
    "service",
    [
        staffed(LATER, ALONE),
        staffed([TWO[0]], ALONE),
        changed("roster/exchanges", [{"day": "9999-12-31", "starts": "07:30", "duty": {"nurse": "nurse-3"}}]),
        changed("roster/exchanges", [{"day": "2026-03-29", "starts": "07:30", "duty": {"nurse": "nurse-3"}}]),
        staffed([TWO[0]], roster=None, contacts={"nurse": BY_INCIDENT}),
        staffed(
            [TWO[0], {"after_minutes": 5, "to": "nurse", "by": "sms"}], roster=None, contacts={"nurse": BY_INCIDENT}
        ),
        staffed(TWO, roster=None, contacts={"nurse": BY_INCIDENT, "next-nurse": OTHER}),
    ],
    ids=[
        "the lead is another",
        "one duty",
        "the last day",
        "the clock changes",
        "one step",
        "another way",
        "another integration",
    ],
)
def test_a_ladder_that_comes_to_a_second_one_or_is_not_meant_to_is_taken(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    _only_who_is_meant(service)
    assert list(load_services(written(tmp_path, {"lungs": service}))) == ["lungs"]


def _only_who_is_meant(service: dict[str, Any]) -> None:
    """Take out the contacts whom neither roster nor ladder names."""
    roster = service["roster"] or {"shifts": []}
    given = [one["duty"] for one in (*roster["shifts"], *roster.get("exchanges", []))]
    named = {who for duty in given for who in duty.values()} | {step["to"] for step in service["ladder"]["red"]}
    service["contacts"] = {name: held for name, held in service["contacts"].items() if name in named}


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    both = {name: changed("time_zone", "Mars/Base") for name in ("lungs", "heart")}
    with pytest.raises(ServicesError, match=r"lungs\.time_zone.*; heart\.time_zone"):
        load_services(written(tmp_path, both))


def test_a_file_that_is_not_there_or_no_json_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="check path and rights"):
        load_services(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("[")
    with pytest.raises(SettingsError, match="give a JSON object"):
        load_services(tmp_path / "bad.json")


def test_no_service_at_all_is_a_file_by_which_nobody_is_paged(tmp_path: Path) -> None:
    assert load_services(written(tmp_path, {})) == {}


@pytest.mark.parametrize(
    ("instant", "who"),
    [
        ("2026-03-01T06:29:59Z", "nurse-2"),
        ("2026-03-01T06:30:00Z", "nurse-1"),
        ("2026-03-01T14:30:00Z", "nurse-2"),
        ("2026-03-02T06:30:00Z", "nurse-3"),
        ("2026-03-02T14:30:00Z", "nurse-2"),
        ("2026-03-29T05:29:59Z", "nurse-2"),
        ("2026-03-29T05:30:00Z", "nurse-1"),
    ],
    ids=["before", "begins", "ends", "exchanged", "exchanged no longer", "summer time before", "summer time"],
)
def test_who_has_the_duty_is_read_off_the_services_own_wall(tmp_path: Path, instant: str, who: str) -> None:
    service = load_services(written(tmp_path, {"lungs": LUNGS}))["lungs"]
    assert on_duty(service, "nurse", datetime.fromisoformat(instant).astimezone(UTC)) == who
    assert on_duty(service, "lead", datetime.fromisoformat(instant)) is None


def test_the_example_of_the_documentation_is_one_that_is_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "paging.md").read_text(encoding="utf-8")
    example = page.split("```json\n", 1)[1].split("```", 1)[0]
    (tmp_path / "services.json").write_text(example)
    services = load_services(tmp_path / "services.json")
    for name, text in {
        "vakt.secret": SECRET,
        "pagerduty.key": ROUTING,
        "pagerduty-webhook.secret": "subscription-secret",
        "nurse-1-sms.url": "jsons://sms.example/nurse-1",
        "nurse-2-sms.url": "jsons://sms.example/nurse-2",
        "lead-call.url": "jsons://call.example/lead",
    }.items():
        (tmp_path / name).write_text(text)
    assert {way.by for way in load_ways(services, tmp_path)} == {"app", "sms", "incident", "phone"}
