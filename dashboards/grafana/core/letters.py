"""What could not be worked with, and what is not accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import limits, zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import NOTHING, QUARTER, THIRD, asked, happened
from dashboards.grafana.panels import bars, lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import LONG, PERCENT, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile

DEAD: Final = 'sum(increase(sonevakt_dead_letters_total{process="triage"}[6h]))'


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield bars(
        asked(
            "dead_letters",
            "New dead letters",
            "By the process that could not work with a message, and why. `sonevakt dead-letters list` names them.",
            WHOLE,
            limits.any_at_all("DeadLetter"),
            promql(happened("sonevakt_dead_letters_total", "process, reason"), "{{process}} {{reason}}"),
            size=THIRD,
            no_value=NOTHING,
        )
    )
    yield lines(
        asked(
            "dead_letter_ratio",
            "Share of dead letters",
            "Of what triage was to judge within six hours, without ticks. The alert asks for five of them at least.",
            PERCENT,
            limits.of_alert("DeadLetters"),
            promql(f"{DEAD} / ({DEAD} + sum(increase(sonevakt_sessions_total[6h])))", "triage"),
            size=THIRD,
            no_value=NOTHING,
        )
    )
    yield lines(
        asked(
            "open_dead_letters",
            "Open dead letters",
            "By reason; nobody has sent them again or left them with a reason.",
            WHOLE,
            limits.of_alert("DeadLettersGrow"),
            promql("max by (reason) (sonevakt_open_dead_letters) > 0", "{{reason}}"),
            size=THIRD,
            no_value=NOTHING,
        )
    )
    yield lines(
        asked(
            "oldest_dead_letter",
            "Oldest open dead letter",
            "After 90 days a dead letter is gone, dealt with or not.",
            LONG,
            limits.of_alert("DeadLetterOld"),
            promql("max(sonevakt_oldest_open_dead_letter_seconds)", "age"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "dead_letters_read",
            "Since the dead letters were read",
            "What is shown of open ones is as old as this.",
            LONG,
            limits.of_alert("DeadLettersUnread"),
            promql("time() - max(sonevakt_dead_letters_read_timestamp_seconds > 0)", "since"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "unaccounted",
            "Unaccounted for",
            "Messages that did not come to a step, have no dead letter, and are older than the settle time.",
            WHOLE,
            limits.any_at_all("Unaccounted"),
            promql("max by (step) (sonevakt_unaccounted)", "{{step}}"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "reconciled",
            "Since the last reconciliation",
            "And how far back everything received is known to be accounted for.",
            LONG,
            limits.of_alert("NotReconciled"),
            promql("time() - max(sonevakt_reconciled_timestamp_seconds > 0)", "last round ended"),
            promql("time() - max(sonevakt_accounted_until_timestamp_seconds > 0)", "accounted for until", "B"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "unreadable_states",
            "States that cannot be read",
            "Patients whom nobody watches: they show as not monitored, and their messages are dead letters.",
            WHOLE,
            limits.any_at_all("StatesUnreadable"),
            promql("sum(sonevakt_unreadable_states)", "patients"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "patients",
            "Patients followed",
            "By the zone that they stand in, without canaries.",
            WHOLE,
            NoBounds("whom to look after first is the follow-up centre's dashboard"),
            promql("sum by (zone) (sonevakt_patients)", "{{zone}}"),
            size=THIRD,
            fields=zones.fields("en"),
        )
    )
    yield lines(
        asked(
            "due_patients",
            "Registrations that are due and have not come",
            "By service, as triage knows them, and all that the board counts as overdue.",
            WHOLE,
            NoBounds("whom to call is the follow-up centre's dashboard"),
            promql("sum by (service) (sonevakt_due_patients)", "{{service}}"),
            promql("max(sonevakt_overdue_patients)", "as the board counts", "B"),
            size=THIRD,
        )
    )
