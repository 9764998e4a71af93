"""Each alert of the platform is caused for real, and heard through the real Prometheus and Alertmanager.

One installation for all of it, whose faults come one beside the other where they do not touch, so it is one test. The
rules are the committed ones with their times shortened (`tests/stack/shortened.py`).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from agents import processes, wallclock
from agents.broker.clients import started
from schemas.care import Cadence
from schemas.topics import RECEIPTS, SUBMISSIONS
from tests.certificates import certificate
from tests.dashboards.alerts.rules import NAMES
from tests.dashboards.alerts.test_runbooks import queries, text
from tests.faults.proxy import Mood
from tests.stack import shortened
from tests.stack.alarmed.installation import PARTITIONS, WITHIN_S, Installation

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]
BAD: Final = b'{"patient": 5}'
ELSEWHERE: Final = "elsewhere"  # a service that the services file does not name
QUIET: Final = "quiet"  # another
NEVER_OVER: Final = {  # what fires here and is not heard to be over, and why
    "Watchdog": "it always fires",
    "CanaryLate": "triage stays down or restores until the canary itself is ended",
    "CanaryNeverStarted": "nothing is started after it",
    "ClockNeverStarted": "nothing is started after it",
    "MemoryHigh": "triage holds what it has read to its end",
    "StatesUnreadable": "nobody mends the states",
    "Unaccounted": "triage does not judge what waits before the end",
}
# A rule that expects one series of a job, as one does that was written before there were several.
NO_MORE_FIT: Final = "groups: [{name: newer, rules: [{record: both, expr: up * on (job) up}]}]"
DROPPED: Final = 'ALERTS{alertname="NotificationsDropped", alertstate="firing"}'
PAGED: Final = "sonevakt_received_to_paged_seconds_count"
STORED: Final = "sonevakt_received_to_stored_seconds_count"
STEADY: Final = [f"steady-{number}" for number in range(40)]
REDS: Final = [f"red-{number}" for number in range(40)]
FEW: Final = [f"few-{number}" for number in range(334)]
LATE_S: Final = 5.5  # longer than any shortened promise [s]


async def test_each_alert_is_raised_by_its_fault_and_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = monotonic()
    async with Installation(tmp_path) as here:
        for phase in PHASES:
            await phase(here)
            print(f"-- {phase.__name__.replace('_', ' ')}: {monotonic() - began:.0f} s")  # noqa: T201 - for who looks by -s
    alarms = here.alarms
    with capsys.disabled():
        print(  # noqa: T201 - how many were caused
            f"\nalerts fired for real: {len(alarms.caused)} of {len(NAMES)}; heard to be over: {len(alarms.resolved)}"
        )
    assert alarms.faults == []
    assert set(NEVER_OVER) <= set(NAMES)
    assert alarms.caused == set(NAMES)
    assert alarms.caused - alarms.resolved <= set(NEVER_OVER)


async def together(*stories: Awaitable[None]) -> None:
    async with asyncio.TaskGroup() as group:
        for story in stories:
            group.create_task(story)  # type: ignore[arg-type] # coroutines, all of them


async def nothing_fires_but_the_watchdog_while_all_is_well(here: Installation) -> None:
    await here.alarms.fires("Watchdog")
    await here.follow(STEADY, "lungs")
    await here.follow(REDS, "lungs")
    await here.follow(["heart-1"], "heart")
    await here.follow(["elsewhere-1"], ELSEWHERE)
    await here.send([*STEADY, *REDS, "heart-1", "elsewhere-1"])
    for service in ("lungs", "heart"):
        await here.until_shown(
            lambda rounds: rounds > 0, "canary", "sonevakt_canary_rounds_total", service=service, outcome="through"
        )
    await here.until(f'sum(up{{role!=""}}) == {len(processes.NAMES)}')
    await here.alarms.calm()


async def every_query_of_a_runbook_is_one_that_prometheus_takes(here: Installation) -> None:
    for query in {query for name in NAMES for query in queries(text(name))}:
        await here.ask(query)


async def a_receiver_that_refuses_an_alertmanager_that_is_away_and_rules_that_fit_no_more(here: Installation) -> None:
    alarms = here.alarms
    alarms.refuses.add("dead-man")
    await alarms.fires("NotificationsFail")
    alarms.refuses.clear()

    here.alertmanager.stop()
    await here.until(DROPPED)
    here.alertmanager.start()
    await alarms.fires("NotificationsDropped")

    rules, newer = here.prometheus.rules, here.folder / "newer.rules.yml"
    newer.write_text(NO_MORE_FIT)
    here.prometheus.judge([*rules, newer])
    await alarms.fires("RulesFail")
    here.prometheus.judge(rules)
    await together(*map(alarms.ends, ("NotificationsFail", "NotificationsDropped", "RulesFail")))
    await alarms.calm()


# What comes one beside the other.


async def faults_of_pages_processes_letters_machines_and_patients_who_do_not_send(here: Installation) -> None:
    here.refuses.add("heart")
    await here.send(["heart-1"], red=True)
    await here.alarms.fires("PagesNotDelivered", way="webhook")  # before another page by a webhook comes through
    await together(heart(here), storing_down_and_then_the_board(here), letters(here), outside(here), silent(here))
    await log_set_back(here)
    await together(elsewhere(here), not_reconciled(here), clock_ahead(here), machine(here))


async def heart(here: Installation) -> None:
    """The receiver of a service is down for a minute and a half, and then nobody answers."""
    alarms = here.alarms
    await together(
        alarms.fires("PagesUndeliverable", service="heart"), alarms.fires("RedUnacknowledged", service="heart")
    )
    here.refuses.discard("heart")
    await alarms.fires("PageLate")
    await here.acknowledged(await here.linked("heart", "heart-1"), 200)
    await together(*map(alarms.ends, ("PagesNotDelivered", "PagesUndeliverable", "RedUnacknowledged", "PageLate")))


async def storing_down_and_then_the_board(here: Installation) -> None:
    """One after the other: each process looks at the board's certificate when it starts."""
    await storing_down(here)
    await board(here)


async def storing_down(here: Installation) -> None:
    """Storing is down, and what waits for it is deleted meanwhile."""
    alarms = here.alarms
    await here.stop("storing")
    await alarms.fires("ProcessDown", role="storing")
    async with started(AIOKafkaAdminClient(bootstrap_servers=here.kafka.bootstrap)) as admin:
        await here.send(["red-39"], red=True)  # its page has a receipt, which storing would read
        await here.linked("lungs", "red-39")
        everything = {TopicPartition(RECEIPTS.name, number): RecordsToDelete(-1) for number in range(PARTITIONS)}
        await admin.delete_records(everything)
    here.start("storing")
    await alarms.ends("ProcessDown", role="storing")
    await alarms.fires("OffsetsJumped", process="storing")


async def letters(here: Installation) -> None:
    """One message that nobody can read, which nobody deals with, and then a hundred."""
    alarms = here.alarms

    async def bad(number: int) -> None:
        await here.producer.send_and_wait(SUBMISSIONS.name, BAD, key=b"steady-1", partition=number % PARTITIONS)

    await bad(0)
    await alarms.fires("DeadLetter", process="triage", reason="invalid")
    await alarms.fires("DeadLetterOld")
    await asyncio.gather(*map(bad, range(150)))
    await together(alarms.fires("DeadLetters", process="triage"), alarms.fires("DeadLettersGrow"))
    await here.command("dead-letters", "discard", "--all-open", "--yes", "--by", "operator-1", "--why", "A test.")
    await together(alarms.ends("DeadLetterOld"), alarms.ends("DeadLettersGrow"))


async def clock_ahead(here: Installation) -> None:
    """The clock is killed and started again, and again and again, and then its machine has another time."""
    await here.alarms.not_yet("ProcessRestarted", "ProcessKeepsEnding", "ClockAhead")
    here.members["clock"].kill()
    await here.alarms.fires("ProcessRestarted", role="clock")
    await keeps_ending(here, "clock")
    here.steps.to(0.1)
    await here.alarms.fires("ClockAhead")
    here.steps.to(0)
    await here.alarms.ends("ClockAhead")


async def keeps_ending(here: Installation, name: str) -> None:
    """A process is killed whenever Prometheus has seen it come up, until that is told."""
    killed: set[str] = set()
    told = asyncio.create_task(here.alarms.fires("ProcessKeepsEnding", role=name))
    while not told.done():
        seen = {one["value"][1] for one in await here.ask(f'sonevakt_started_timestamp_seconds{{role="{name}"}}')}
        if seen - killed:
            here.members[name].kill()
            killed |= seen
        await asyncio.sleep(0.2)
    await told
    await here.alarms.ends("ProcessKeepsEnding", role=name)


async def board(here: Installation) -> None:
    """The certificate before the board is not renewed; its disk fills up and fails; somebody guesses at links."""
    alarms = here.alarms
    for days, name in ((10, "CertificateEnds"), (1, "CertificateEndsNow"), (60, None)):
        here.front.show(certificate(here.folder, wallclock.now() + timedelta(days=days)))
        here.members["board"].kill()  # it looks when it starts
        if name is not None:
            await alarms.fires(name, of="board_url")
    await together(alarms.ends("CertificateEnds"), alarms.ends("CertificateEndsNow"))
    filling = here.disk_of_board() / "fill"
    for size, name in ((3_700_000, "DiskLow"), (4_050_000, "DiskFull")):
        filling.write_bytes(b"x" * size)
        await alarms.fires(name, of="access_log")
    filling.unlink()
    await together(alarms.ends("DiskLow"), alarms.ends("DiskFull"))
    folder, aside = here.disk_of_board() / "access", here.disk_of_board() / "aside"
    folder.rename(aside)
    folder.symlink_to(folder.name)  # what leads to itself gives an error to whoever asks, as a disk that fails does
    await alarms.fires("DiskUnknown", of="access_log")
    folder.unlink()
    aside.rename(folder)
    await alarms.ends("DiskUnknown")
    link = await here.linked("lungs", "red-39")
    for number in range(15):
        await here.acknowledged(f"{link}{number}", 403)
    await alarms.fires("AcknowledgementsForged", by="link")


async def log_set_back(here: Installation) -> None:
    """The board's disk is lost with the access log on it, and an empty one takes its place."""
    for _ in range(3):
        await here.sign_in()
    await here.until("sonevakt_access_log_last >= 3")
    here.members["board"].kill()  # a small disk lives no longer than what it was made for
    await here.sign_in()
    await here.alarms.fires("AccessLogSetBack", role="board")
    await here.alarms.ends("AccessLogSetBack")


async def machine(here: Installation) -> None:
    """A disk of the machine fills up, and then nobody tells of disks."""
    filling = here.disk_of_machine() / "fill"
    filling.write_bytes(b"x" * 3_900_000)
    await here.alarms.fires("MachineDiskFull", mountpoint=str(here.folder / "machine"))
    filling.unlink()
    await here.alarms.ends("MachineDiskFull")
    here.machine.stop()
    await here.alarms.fires("MachineUnseen")
    here.machine.start()
    await here.alarms.ends("MachineUnseen")


async def outside(here: Installation) -> None:
    """The address of the heartbeat refuses it."""
    here.outside.answer = 500
    await here.alarms.fires("HeartbeatNotSent")
    here.outside.answer = 200
    await here.alarms.ends("HeartbeatNotSent")


async def silent(here: Installation) -> None:
    """Patients of a service become due, and no session of any comes."""
    due = (wallclock.now() + timedelta(seconds=105)).replace(second=0, microsecond=0)
    names = [f"quiet-{number}" for number in range(4)]
    await here.follow(names, QUIET, Cadence(times=(f"{due:%H:%M}",), daily_days=3650, grace_minutes=600))
    await here.send(names, at=due - timedelta(days=1))
    await here.alarms.fires("IngestSilent", service=QUIET)
    await here.send(names)
    await here.alarms.ends("IngestSilent")


async def elsewhere(here: Installation) -> None:
    """A red of a service that nobody can be told of."""
    await here.send(["elsewhere-1"], red=True)
    await here.alarms.fires("PageWithoutReceiver")


async def not_reconciled(here: Installation) -> None:
    """Reconciliation, and it alone, does not reach the store; then its machine gives it no core."""
    await here.alarms.not_yet("NotReconciled", "LoopLate")
    here.to_reconcile.mood = Mood.AWAY
    await here.alarms.fires("NotReconciled")
    here.to_reconcile.mood = Mood.WELL
    await here.alarms.ends("NotReconciled")
    stuttering = asyncio.create_task(here.stutter("reconcile", 1.5, 30))
    await here.alarms.fires("LoopLate", process="reconcile")
    await stuttering
    await here.alarms.ends("LoopLate")


# Promises that are not kept.


async def a_few_in_a_hundred_that_are_late_for_days(here: Installation) -> None:
    """More than one in a hundred, and so few that no hour is bad."""
    alarms = here.alarms
    days, others = ("AssessmentsLateForDays", "PagesLateForDays"), ("AssessmentsOftenLate", "PagesOftenLate")
    await alarms.not_yet(*days, *others)
    await here.follow(FEW, "lungs")
    within = f"[{shortened.window(3 * 86_400):.0f}s]"
    for begin in range(0, 330, 110):  # once, if the machine is not too slow
        before = float((await here.ask(f"sum({PAGED})"))[0]["value"][1])
        for some in range(begin, begin + 110, 10):
            await here.send(FEW[some : some + 10], red=True)
            await asyncio.gather(*(here.linked("lungs", red) for red in FEW[some : some + 10]))
        await here.until(f"sum({PAGED}) >= {before + 110}")
        if await here.ask(f"sum(increase({PAGED}{within})) >= 105"):
            break
    pid = here.members["triage"].pause()
    await here.send(FEW[-4:], red=True)
    await asyncio.sleep(LATE_S)
    here.members["triage"].wake(pid)
    await together(*map(alarms.fires, days))
    assert not any(map(alarms.firing, others))
    await together(*map(alarms.ends, days))


async def pages_that_are_late_first_some_and_then_most(here: Installation) -> None:
    alarms = here.alarms
    await alarms.not_yet("PagesLate", "PagesOftenLate")

    async def pages(reds: list[str]) -> None:
        await here.send(reds, red=True)
        await asyncio.gather(*(here.linked("lungs", red) for red in reds))

    await pages(REDS[:22])
    here.slow = True
    await pages(REDS[22:24])
    await alarms.fires("PagesOftenLate")
    assert not alarms.firing("PagesLate")
    await pages(REDS[24:34])
    await alarms.fires("PagesLate")
    here.slow = False
    await together(alarms.ends("PagesLate"), alarms.ends("PagesOftenLate"))


async def assessments_and_what_is_stored_that_are_late_first_some_and_then_most(here: Installation) -> None:
    alarms = here.alarms
    await alarms.not_yet("AssessmentsLate", "AssessmentsOftenLate", "StoringLate", "StoringOftenLate")

    async def sent(number: int, *, late: bool) -> None:
        before = await here.shown("storing", STORED) or 0
        pid = here.members["triage"].pause() if late else None
        for begin in range(0, number, len(STEADY)):  # never two of one patient at one instant
            await here.send(STEADY[: number - begin])
        if late:
            await asyncio.sleep(LATE_S)
            here.members["triage"].wake(pid)
        await here.until_shown(lambda count: count >= before + number, "storing", STORED)

    async def counted(what: str) -> float:
        found = await here.ask(f"sonevakt:{what}:increase6h")
        return float(found[0]["value"][1]) if found else 0.0

    async def known(least: int) -> float:
        """How many Prometheus counts in the time that the rule looks at, once it counts so many."""
        count = 0.0
        async with asyncio.timeout(WITHIN_S):
            while count < least:
                await asyncio.sleep(0.2)
                count = min([await counted("received_to_assessed"), await counted("received_to_stored")])
        return count

    await sent(110, late=False)
    # Between 6 % and 14.4 %, of whatever else came meanwhile too: canaries never rest.
    await sent(round(0.1 * await known(110)), late=True)
    await together(alarms.fires("AssessmentsOftenLate"), alarms.fires("StoringOftenLate"))
    assert not alarms.firing("AssessmentsLate")
    assert not alarms.firing("StoringLate")
    await sent(60, late=True)
    await together(alarms.fires("AssessmentsLate"), alarms.fires("StoringLate"))
    await together(*map(alarms.ends, ("AssessmentsLate", "StoringLate", "AssessmentsOftenLate", "StoringOftenLate")))


# What others are held back for.


async def a_store_that_is_away_and_one_that_is_slow(here: Installation) -> None:
    alarms = here.alarms
    await alarms.not_yet("StoreAway", "MessagesWait")
    here.to_store.mood = Mood.AWAY
    await alarms.fires("StoreAway", process="storing")
    here.to_store.slow_s = 8.0  # its client waits for 10
    here.to_store.mood = Mood.SLOW
    await alarms.ends("StoreAway")
    await alarms.fires("MessagesWait", group="storing")
    here.to_store.mood = Mood.WELL
    await alarms.ends("MessagesWait", group="storing")


async def storing_clock_and_board_that_are_cut_off_from_the_broker(here: Installation) -> None:
    alarms = here.alarms
    names = ("AcknowledgementsNotTaken", "ClockStopped", "CommitsStalled", "DeadLettersUnread", "LagUnknown")
    await alarms.not_yet(*names)
    await here.send(["red-38"], red=True)
    link = await here.linked("lungs", "red-38")
    sending = asyncio.create_task(here.send_on(STEADY))  # so that storing is cut off from work that it has done
    stored = await here.shown("storing", STORED) or 0
    await here.until_shown(lambda count: count > stored, "storing", STORED)
    here.way.cut()
    sending.cancel()
    await here.acknowledged(link, 503)
    await together(*map(alarms.fires, names))
    assert not alarms.firing("BrokerDown")
    here.way.mend()
    await here.acknowledged(link, 200, 409)  # 409: one that was not confirmed was written all the same
    await together(*map(alarms.ends, names))


async def a_broker_that_is_down_is_told_and_what_follows_from_it_is_not(here: Installation) -> None:
    await here.alarms.not_yet("BrokerDown")
    here.kafka.stop()
    await here.alarms.fires("BrokerDown")
    async with asyncio.timeout(60):
        while not {"ClockStopped", "LagUnknown"} <= await here.inhibited():  # noqa: ASYNC110 - it must be asked
            await asyncio.sleep(0.2)
    here.kafka.start()
    await here.alarms.ends("BrokerDown")


# What the installation does not outlive.


async def a_triage_that_is_down_and_comes_back_to_states_that_are_many_large_and_unreadable(
    here: Installation,
) -> None:
    alarms = here.alarms
    await alarms.not_yet("CanaryLate", "Unaccounted", "RecoverySlow", "StatesUnreadable", "MemoryHigh")
    await here.stop("triage")
    await here.send(STEADY)
    await together(
        alarms.fires("CanaryLate", service="lungs"), alarms.fires("Unaccounted", step="assessed"), junk(here)
    )
    here.way.rate = 12_000_000.0
    here.start("triage", by_the_way=True)
    await alarms.fires("RecoverySlow", process="triage")
    await together(
        alarms.fires("StatesUnreadable"), alarms.fires("MemoryHigh", role="triage"), alarms.ends("RecoverySlow")
    )


async def junk(here: Installation) -> None:
    """Fill the changelog with 200 MB of what is no state."""
    changelog = processes.changelog(here.settings)
    sent = []
    for number in range(25_000):
        key, partition = f"junk-{number}".encode(), number % PARTITIONS
        sent.append(await here.producer.send(changelog, b"x" * 8_000, key=key, partition=partition))
        if len(sent) == 500:
            await asyncio.gather(*sent)
            sent.clear()


async def a_clock_and_a_canary_that_nobody_started(here: Installation) -> None:
    await here.alarms.not_yet("ClockNeverStarted", "CanaryNeverStarted")
    await here.stop("clock")
    await here.stop("canary")
    here.prometheus.scrape({name: at for name, at in here.roles().items() if name not in {"clock", "canary"}})
    await together(here.alarms.fires("ClockNeverStarted"), here.alarms.fires("CanaryNeverStarted"))


PHASES: Final = (
    nothing_fires_but_the_watchdog_while_all_is_well,
    every_query_of_a_runbook_is_one_that_prometheus_takes,
    a_receiver_that_refuses_an_alertmanager_that_is_away_and_rules_that_fit_no_more,
    faults_of_pages_processes_letters_machines_and_patients_who_do_not_send,
    a_few_in_a_hundred_that_are_late_for_days,
    pages_that_are_late_first_some_and_then_most,
    assessments_and_what_is_stored_that_are_late_first_some_and_then_most,
    a_store_that_is_away_and_one_that_is_slow,
    storing_clock_and_board_that_are_cut_off_from_the_broker,
    a_broker_that_is_down_is_told_and_what_follows_from_it_is_not,
    a_triage_that_is_down_and_comes_back_to_states_that_are_many_large_and_unreadable,
    a_clock_and_a_canary_that_nobody_started,
)
