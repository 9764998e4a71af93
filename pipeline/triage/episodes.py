"""An episode of yellow or red: one per patient, from the first alert until it is safely over.

It leaves red when somebody has acknowledged it and a green registration has come, and yellow on two greens in a row or
on one a day after the newest alert. Neither silence nor a pause ends it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.triage.ids import derive
from pipeline.triage.state import Episode
from pipeline.triage.zones import BY_SEVERITY, SEVERITY
from schemas.assessments import EpisodeState
from schemas.types import Zone

if TYPE_CHECKING:
    from uuid import UUID

    from pipeline.triage.rules import Rules
    from pipeline.triage.state import Mark

GREEN: Final = SEVERITY[Zone.GREEN]
YELLOW: Final = SEVERITY[Zone.YELLOW]
RED: Final = SEVERITY[Zone.RED]
NOT_MONITORED: Final = SEVERITY[Zone.NOT_MONITORED]


class Next(Enum):
    """Where a calmer registration or an acknowledgement leads."""

    STAYS = "stays"
    LEAVES_RED = "leaves_red"
    CLOSES = "closes"


def change_id(patient: str, left: int, mark: Mark) -> UUID:
    """The id of the zone change at `mark`, from the severity `left`."""
    return derive("zone-change", patient, mark.at_ms, left, mark.zone, mark.session.hex())


def marked(episode: Episode | None, patient: str, left: int, mark: Mark, *, over: bool) -> Episode | None:
    """The episode after a mark; `over` where nobody follows the patient any more.

    While nobody monitors for a time (a pause, a plan that contradicts itself) it waits.
    """
    if mark.zone == NOT_MONITORED:
        return None if over else episode
    if mark.zone not in {YELLOW, RED}:
        return None
    if episode is None:
        return Episode(mark.zone, mark.at_ms, mark.at_ms, change_id(patient, left, mark).bytes)
    if mark.zone < episode.zone or left == NOT_MONITORED:
        return msgspec.structs.replace(episode, zone=mark.zone)
    # Worse than before, or red again and only now in time to be paged: whoever took it over has not seen that.
    return Episode(mark.zone, episode.opened_ms, mark.at_ms, change_id(patient, left, mark).bytes)


class Came(Enum):
    """What may bring an open episode nearer to its end."""

    WORSE_THAN_GREEN = "no green"  # a registration that is less than the episode's zone, and not green
    GREEN = "a first green"
    GREEN_AGAIN = "greens in a row"
    GREEN_LATER = "a green a day later"  # than the newest yellow or red
    TAKEN_OVER = "acknowledged"  # before any green
    TAKEN_OVER_LATE = "acknowledged after a green"
    TAKEN_OVER_LAST = "acknowledged after greens in a row"


# Where each leads, by the episode's zone and whether its newest worsening is acknowledged already.
TABLE: Final[dict[tuple[Zone, bool, Came], Next]] = {
    (Zone.YELLOW, False, Came.WORSE_THAN_GREEN): Next.STAYS,
    (Zone.YELLOW, False, Came.GREEN): Next.STAYS,
    (Zone.YELLOW, False, Came.GREEN_AGAIN): Next.CLOSES,
    (Zone.YELLOW, False, Came.GREEN_LATER): Next.CLOSES,
    (Zone.YELLOW, False, Came.TAKEN_OVER): Next.STAYS,
    (Zone.YELLOW, False, Came.TAKEN_OVER_LATE): Next.STAYS,
    (Zone.YELLOW, False, Came.TAKEN_OVER_LAST): Next.STAYS,
    (Zone.YELLOW, True, Came.WORSE_THAN_GREEN): Next.STAYS,
    (Zone.YELLOW, True, Came.GREEN): Next.STAYS,
    (Zone.YELLOW, True, Came.GREEN_AGAIN): Next.CLOSES,
    (Zone.YELLOW, True, Came.GREEN_LATER): Next.CLOSES,
    (Zone.RED, False, Came.WORSE_THAN_GREEN): Next.STAYS,
    (Zone.RED, False, Came.GREEN): Next.STAYS,
    (Zone.RED, False, Came.GREEN_AGAIN): Next.STAYS,
    (Zone.RED, False, Came.GREEN_LATER): Next.STAYS,
    (Zone.RED, False, Came.TAKEN_OVER): Next.STAYS,
    (Zone.RED, False, Came.TAKEN_OVER_LATE): Next.LEAVES_RED,
    (Zone.RED, False, Came.TAKEN_OVER_LAST): Next.CLOSES,
    (Zone.RED, True, Came.WORSE_THAN_GREEN): Next.STAYS,
    (Zone.RED, True, Came.GREEN): Next.LEAVES_RED,
    (Zone.RED, True, Came.GREEN_AGAIN): Next.LEAVES_RED,  # acknowledged during a pause after a first green
    (Zone.RED, True, Came.GREEN_LATER): Next.LEAVES_RED,
}


class NoSuchStepError(LookupError):
    """The table has no such step: a defect of whoever asked."""


def leads_to(zone: Zone, came: Came, *, acknowledged: bool) -> Next:
    """Where it leads; raises NoSuchStepError, which names the step."""
    found = TABLE.get((zone, acknowledged, came))
    if found is None:
        raise NoSuchStepError(f"{zone.value}, {'' if acknowledged else 'not '}acknowledged: {came.value}")
    return found


def calmer(episode: Episode, *, green: bool, since_alert_ms: int, rules: Rules) -> tuple[Episode, Next]:
    """The episode after a registration that is less than its zone, and where that leads.

    Parameters
    ----------
    since_alert_ms
        From the newest yellow or red registration to this one [ms].
    """
    after = msgspec.structs.replace(episode, greens=episode.greens + 1 if green else 0)
    if not green:
        came = Came.WORSE_THAN_GREEN
    elif since_alert_ms >= rules.leaves_yellow_ms:
        came = Came.GREEN_LATER
    else:
        came = Came.GREEN_AGAIN if after.greens >= rules.leaves_yellow_greens else Came.GREEN
    return after, leads_to(BY_SEVERITY[episode.zone], came, acknowledged=episode.acknowledged)


def acknowledged(episode: Episode, changes: frozenset[bytes], rules: Rules) -> tuple[Episode, Next]:
    """The episode after staff took zone changes over; only its newest worsening counts."""
    if episode.acknowledged or episode.change not in changes:
        return episode, Next.STAYS
    after = msgspec.structs.replace(episode, acknowledged=True)
    if not episode.greens:
        came = Came.TAKEN_OVER
    else:
        came = Came.TAKEN_OVER_LAST if episode.greens >= rules.leaves_yellow_greens else Came.TAKEN_OVER_LATE
    return after, leads_to(BY_SEVERITY[episode.zone], came, acknowledged=False)


def state_of(episode: Episode) -> EpisodeState:
    """How far it has come."""
    if episode.zone == YELLOW and episode.greens:
        return EpisodeState.LEAVING
    if episode.acknowledged:
        return EpisodeState.ACKNOWLEDGED
    return EpisodeState.WORSENED if episode.worsened_ms > episode.opened_ms else EpisodeState.OPENED
