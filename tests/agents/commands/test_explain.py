"""`sonevakt explain`: a past decision as it was, from a recording and from the broker's own log."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from agents.broker.embedded import EmbeddedBroker
from agents.commands import main
from agents.commands.explain import lines
from agents.commands.explain_words import EPISODES, PHASES, WORDS, moment
from agents.recordings.events import Event
from agents.recordings.log import Told
from agents.replay.feed import Feed
from pipeline.backtest import engine
from pipeline.triage import RULES
from schemas.assessments import Assessment, EpisodeState, Reason
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS
from schemas.types import Phase, Zone
from tests.histories import PATIENT, SPO2_LIMITS, at, enrolled, named, signed, spo2, submitted

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from pipeline.triage.explain import Language

LANGUAGES: Final[tuple[Language, ...]] = ("nb", "en")
EVENTS = [
    (CARE, enrolled()),
    (CARE, signed(0, SPO2_LIMITS)),
    (SUBMISSIONS, submitted("well", 10, spo2(95, 10))),
    (SUBMISSIONS, submitted("ill", 34, spo2(84, 34))),
    (SUBMISSIONS, submitted("late", 20, spo2(86, 20), late=40)),
]


def explained(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["explain", "--patient", PATIENT, *arguments], env=environment)


@pytest.fixture
def recording(tmp_path: Path) -> str:
    lines = [msgspec.json.encode({"topic": topic.name, "message": message}) for topic, message in EVENTS]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    return str(tmp_path / "events.jsonl")


def told(recording: str, hours: float, language: str = "en") -> list[str]:
    found = explained("--source", recording, "--at", at(hours).isoformat(), "--language", language)
    assert found.exit_code == 0, found.output
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in found.output.splitlines()]


def test_it_tells_what_stood_by_what_was_known_then(recording: str) -> None:
    assert told(recording, 11)[0].startswith("The patient: green")
    lines = told(recording, 35)
    assert lines[:5] == [
        "The patient: red, since 21 March 2026 at 11:00 (UTC+1)",
        "  Oxygen saturation 84% is at or below the red limit 85%.",
        "  Oxygen saturation: the value is implausible: measure again.",
        "Phase: start-up trial. Service: joint-centre.",
        "Episode since 21 March 2026 at 11:00 (UTC+1): open, not acknowledged.",
    ]
    assert lines[6] == "Registration 21 March 2026 at 11:00 (UTC+1): red"
    assert lines[-2].startswith(f"plan 1, rules {RULES.version}, service joint-centre, revision ")
    assert lines[-1] == f"Worked out from what was sent, by today's rules ({RULES.version})."
    # What came 40 hours late is known only from then on.
    assert told(recording, 21)[0].startswith("The patient: green")


def test_what_came_last_is_told_where_something_newer_was_known(recording: str) -> None:
    before, then = told(recording, 59.9), told(recording, 60)
    assert not any("What came last" in line for line in before)
    late = then[then.index("What came last, measured before the newest registration:") + 1 :]
    assert late[:2] == [
        "Registration 20 March 2026 at 21:00 (UTC+1): yellow",
        "  Oxygen saturation 86% is at or below the yellow limit 88%.",
    ]
    assert late[-2].startswith(f"plan 1, rules {RULES.version}, service joint-centre, revision ")
    assert f"assessment {assessed(20).assessment_id}" in late[-2]
    assert late[-1] == f"Worked out from what was sent, by today's rules ({RULES.version})."
    newest = then[: then.index("What came last, measured before the newest registration:")]
    assert "Registration 21 March 2026 at 11:00 (UTC+1): red" in newest


def assessed(hours: float) -> Assessment:
    """What today's rules make of the registration at that hour, all having come."""
    return next(one for one in engine.run([message for _, message in EVENTS]).assessments if one.at == at(hours))


@pytest.mark.parametrize("hours", [10, 20, 34])
@pytest.mark.parametrize("by", ["minute", "submission", "assessment"])
def test_every_registration_can_be_named(recording: str, hours: float, by: str) -> None:
    wanted = assessed(hours)
    name = {
        "minute": at(hours).isoformat(),
        "submission": str(wanted.submission_id),
        "assessment": str(wanted.assessment_id),
    }[by]
    found = explained("--source", recording, "--at", at(61).isoformat(), "--language", "en", "--registration", name)
    assert found.exit_code == 0, found.output
    lines = found.stdout.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[0].endswith(f": {wanted.zone.value}")
    assert f"revision {wanted.revision}, assessment {wanted.assessment_id}" in lines[-2]


@pytest.mark.parametrize(("hours", "name"), [(59, at(20).isoformat()), (61, at(21).isoformat()), (61, str(named("x")))])
def test_a_registration_that_had_not_come_is_one_sentence(recording: str, hours: float, name: str) -> None:
    found = explained("--source", recording, "--at", at(hours).isoformat(), "--registration", name)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr == "sonevakt: no such registration of the patient had reached us at --at\n"


def test_a_name_that_is_neither_id_nor_time_is_one_sentence(recording: str) -> None:
    found = explained("--source", recording, "--at", at(61).isoformat(), "--registration", "the late one")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "--registration takes an id, or a time with an offset" in found.stderr


def test_a_registration_is_told_by_the_log_where_its_message_is_gone() -> None:
    events = [Event(at(0), topic, message) for topic, message in EVENTS[:3]]
    told_lines = list(lines(events, PATIENT, at(35), "en", [told_by("2", Zone.YELLOW)], registration=at(34)))
    assert told_lines[:2] == ["As it was told then:", "Registration 21 March 2026 at 11:00 (UTC+1): yellow"]


def test_a_named_registration_that_was_told_otherwise_is_told_as_it_was_first() -> None:
    events = [Event(at(0), topic, message) for topic, message in EVENTS[:4]]
    log = [told_by("2", Zone.RED, hours=10), Told(at(34), decided(34))]
    first, *_ = lines(events, PATIENT, at(35), "en", log, registration=at(10))
    assert first == f"Decided then under rules 2: red. By today's rules ({RULES.version}): green."
    *_, last = lines(events, PATIENT, at(35), "en", log, registration=at(34))
    assert last == f"Decided then under rules {RULES.version}, and the same by today's."


@pytest.mark.parametrize("hours", [-5, 35])
def test_a_patient_whom_nobody_knows_is_no_patient_of_whom_nothing_was_known(recording: str, hours: float) -> None:
    found = CliRunner().invoke(
        main, ["explain", "--patient", "sim-0002", "--source", recording, "--at", at(hours).isoformat()]
    )
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert "no such patient: its patients are called by the pseudonym that is in its messages" in found.stderr


@pytest.mark.parametrize(("name", "code"), [("P 1", 0), ("0efe8", 0), ("tihm-0efe8", 0), ("tihm-P 1", 2), ("", 2)])
def test_a_patient_of_tihm_goes_by_the_id_of_the_source_too(tmp_path: Path, name: str, code: int) -> None:
    rows = [f"{patient},2019-05-14 14:38:48,Heart rate,78,beats/min\n" for patient in ("0efe8", "P 1")]
    (tmp_path / "Physiology.csv").write_text("patient_id,date,device_type,value,unit\n" + "".join(rows))
    found = CliRunner().invoke(
        main, ["explain", "--patient", name, "--source", str(tmp_path), "--at", "2019-05-14T15:00:00+01:00"]
    )
    assert found.exit_code == code, found.output
    if code:
        assert "called by their id in Physiology.csv, with or without tihm- before it" in found.stderr
    else:
        assert found.stdout.startswith("Pasienten: grønn")


def test_everything_is_in_bokmaal(recording: str) -> None:
    lines = told(recording, 35, "nb")
    assert lines[:5] == [
        "Pasienten: rød, siden 21. mars 2026 kl. 11.00 (UTC+1)",
        "  Oksygenmetning 84 % er på eller under den røde grensen 85 %.",
        "  Oksygenmetning: verdien er usannsynlig og bør måles på nytt.",
        "Fase: oppstart med prøvetid. Tjeneste: joint-centre.",
        "Episode siden 21. mars 2026 kl. 11.00 (UTC+1): åpen, ikke kvittert.",
    ]
    assert lines[6] == "Registrering 21. mars 2026 kl. 11.00 (UTC+1): rød"
    assert lines[-2].startswith(f"plan 1, regler {RULES.version}, tjeneste joint-centre, revisjon ")
    assert lines[-1] == f"Regnet ut av det som ble sendt, etter dagens regler ({RULES.version})."


@pytest.mark.parametrize(
    ("instant", "zone", "bokmaal", "english"),
    [
        ("2026-03-29T00:59:00Z", "Europe/Oslo", "29. mars 2026 kl. 01.59 (UTC+1)", "29 March 2026 at 01:59 (UTC+1)"),
        ("2026-03-29T01:00:00Z", "Europe/Oslo", "29. mars 2026 kl. 03.00 (UTC+2)", "29 March 2026 at 03:00 (UTC+2)"),
        (
            "2026-12-31T20:00:00Z",
            "Asia/Kolkata",
            "1. januar 2027 kl. 01.30 (UTC+5:30)",
            "1 January 2027 at 01:30 (UTC+5:30)",
        ),
        (
            "2026-05-01T02:30:00Z",
            "America/St_Johns",
            "1. mai 2026 kl. 00.00 (UTC-2:30)",
            "1 May 2026 at 00:00 (UTC-2:30)",
        ),
        ("2026-05-01T02:30:00Z", "UTC", "1. mai 2026 kl. 02.30 (UTC)", "1 May 2026 at 02:30 (UTC)"),
    ],
)
def test_an_instant_is_told_by_the_patients_clock(instant: str, zone: str, bokmaal: str, english: str) -> None:
    at_ = datetime.fromisoformat(instant)
    found = [moment(at_, ZoneInfo(zone), language).replace("\N{MINUS SIGN}", "-") for language in LANGUAGES]
    assert found == [bokmaal, english]


def test_every_phase_and_state_of_an_episode_has_words_in_every_language() -> None:
    for table, every in ((PHASES, Phase), (EPISODES, EpisodeState)):
        assert {one: set(told) for one, told in table.items()} == {one: set(LANGUAGES) for one in every}  # type: ignore[attr-defined]
    assert set(WORDS["nb"]) == set(WORDS["en"])


def decided(hours: float) -> Assessment:
    """What today's rules tell of the registration at that hour, before the late one came."""
    run = engine.run([message for _, message in EVENTS[:4]])
    return next(one for one in run.assessments if one.at == at(hours))


def told_by(rules: str, zone: Zone, *reasons: Reason, hours: float = 34) -> Told:
    """What the log holds of it as other rules told it."""
    return Told(at(hours), msgspec.structs.replace(decided(hours), rules_version=rules, zone=zone, reasons=reasons))


def explained_with(language: Language, *log: Told, hours: float = 35) -> list[str]:
    events = [Event(at(0), topic, message) for topic, message in EVENTS[:4]]
    found = lines(events, PATIENT, at(hours), language, log)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in found]


def test_a_decision_under_other_rules_is_told_first_as_it_was_told_then() -> None:
    then = told_by("2", Zone.YELLOW, Reason(rule="limit_low", zone=Zone.YELLOW, code="2708-6", value=84, limit=88))
    told_lines = explained_with("en", then)
    assert told_lines[0] == f"Decided then under rules 2: yellow. By today's rules ({RULES.version}): red."
    assert told_lines[2:5] == [
        "As it was told then:",
        "Registration 21 March 2026 at 11:00 (UTC+1): yellow",
        "  Oxygen saturation 84% is at or below the yellow limit 88%.",
    ]
    assert told_lines[5].startswith("plan 1, rules 2, service joint-centre, revision ")
    assert told_lines[7:9] == [
        f"Worked out again by today's rules ({RULES.version}):",
        "The patient: red, since 21 March 2026 at 11:00 (UTC+1)",
    ]
    assert (
        explained_with("nb", then)[0] == f"Avgjort da etter regler 2: gul. Etter dagens regler ({RULES.version}): rød."
    )


def test_the_same_outcome_under_other_rules_is_told_too() -> None:
    reason = Reason(rule="limit_low", zone=Zone.RED, code="2708-6", value=84, limit=85)
    first = explained_with("en", told_by("2", Zone.RED, reason))[0]
    assert first == f"Decided then under rules 2: red. By today's rules ({RULES.version}): the same."


def test_what_the_log_tells_as_today_is_told_once() -> None:
    as_now = Told(at(34), decided(34))
    told_lines = explained_with("en", as_now)
    assert told_lines[0] == "The patient: red, since 21 March 2026 at 11:00 (UTC+1)"
    assert told_lines[-1] == f"Decided then under rules {RULES.version}, and the same by today's."


def test_what_was_told_later_was_not_told_then() -> None:
    later = told_by("2", Zone.YELLOW)._replace(at=at(36))
    assert explained_with("en", later)[-1] == (
        f"The log holds no assessment of then; this is worked out again by today's rules ({RULES.version})."
    )


def test_another_registration_than_todays_newest_is_named() -> None:
    earlier = told_by("2", Zone.GREEN, Reason(rule="within_limits", zone=Zone.GREEN), hours=10)
    first = explained_with("nb", earlier)[0]
    assert first.startswith("Den nyeste vurderingen som ble sagt da, etter regler 2, er av en annen registrering")


def test_silence_is_told_too(recording: str) -> None:
    assert "  The registration did not come in time." in told(recording, 24 * 5)


def test_before_anything_was_known(recording: str) -> None:
    assert told(recording, -5) == ["Nothing was known of the patient then."]


def test_a_time_without_an_offset_is_one_sentence(recording: str) -> None:
    found = explained("--source", recording, "--at", "2026-03-21T12:00:00")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "offset" in found.stderr


def test_the_brokers_log_tells_the_same() -> None:
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        feed = Feed(broker.bootstrap, prefix="t-", partitions=3, group="")

        async def fill() -> None:
            async with feed.producing() as producer:
                await feed.send_all(producer, [Event(at(0), topic, message) for topic, message in EVENTS])
                await producer.send_and_wait("t-submissions", b"{", key=PATIENT.encode(), partition=0)
                earlier = told_by("2", Zone.YELLOW).assessment
                await feed.send_all(producer, [Event(at(0), ASSESSMENTS, earlier)])

        asyncio.run(fill())
        found = explained(
            "--at",
            "2100-01-01T00:00:00Z",
            "--language",
            "en",
            SONEVAKT_BROKER=f"kafka://{broker.bootstrap}",
            SONEVAKT_TOPIC_PREFIX="t-",
            SONEVAKT_PARTITIONS="3",
        )
        unknown = CliRunner().invoke(
            main,
            ["explain", "--patient", "sim-0002", "--at", "2100-01-01T00:00:00Z"],
            env={
                "SONEVAKT_BROKER": f"kafka://{broker.bootstrap}",
                "SONEVAKT_TOPIC_PREFIX": "t-",
                "SONEVAKT_PARTITIONS": "3",
            },
        )
        missing = explained(
            "--at",
            "2100-01-01T00:00:00Z",
            SONEVAKT_BROKER=f"kafka://{broker.bootstrap}",
            SONEVAKT_TOPIC_PREFIX="t-",
            SONEVAKT_PARTITIONS="1000",
        )
    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "sonevakt: there is no such patient in the broker's log: patients are called by their pseudonym\n",
    )
    assert found.exit_code == 0, found.output
    assert found.output.startswith(f"Decided then under rules 2: yellow. By today's rules ({RULES.version}): red.")
    assert "\nThe patient: red, since 21 March 2026 at 11:00 (UTC+1)\n" in found.output
    assert missing.exit_code == 2
    assert "has no partition" in missing.stderr
