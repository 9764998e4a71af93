"""Every number a decision rests on, in one frozen, versioned value.

[1] McDonagh et al., Eur. Heart J. 42 (36), 2021, doi:10.1093/eurheartj/ehab368: sudden gain of over 2 kg in 3 days.

What has a source names it; the rest is our choice and stands in docs/adr/0004. A change here changes `version` and
stands under "Clinical behaviour" in CHANGELOG.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000


class Rules(Struct, frozen=True, kw_only=True):
    """The clinical rules; units in the names."""

    version: str = "6"

    # Time of a reading, against when its session was received (our choice).
    future_tolerance_ms: int = 10 * MINUTE_MS
    oldest_reading_ms: int = 366 * DAY_MS

    # Baseline: median and MAD of daily values (our choice, docs/adr/0004).
    window_days: int = 90  # look-back [d]
    window_values: int = 28  # newest daily values used
    learning_below: int = 5  # fewer daily values than this: still learning
    established_values: int = 10
    established_span_days: int = 14  # from the oldest value to the judged day [d]
    stale_after_days: int = 28  # newest value older than this [d]

    # Deviation score, an equivalent normal z (our choice).
    repeated_z: float = 2.0  # yellow when reached twice in a row
    single_z: float = 3.0  # yellow when reached once
    in_a_row_days: int = 1  # farther apart than this is not "in a row" [d]
    second_signals: int = 2  # so many deviating groups of vitals in one session are red
    near_floors: float = 1.0  # own normal raises an alert within so many least spreads of a limit, or beyond it

    # Slow change (our choice): CUSUM and average of daily scores, and drift from the first established baseline.
    cusum_slack: float = 0.5  # k
    cusum_bound: float = 5.0  # h
    cusum_clip: float = 3.0  # one day adds no more than this
    ewma_half_days: float = 7.0  # an exponentially weighted average of the same scores: half of one is left [d]
    ewma_bound: float = 3.0  # L, standard deviations of that average
    drift_z: float = 2.0  # yellow when the center has moved so many first spreads
    drift_rearm_z: float = 1.0  # told again only after it came back to less

    # Weight [kg], joined by time (heart failure).
    weight_day_kg: float = 1.36  # yellow within a day
    weight_days_kg: float = 2.0  # red candidate within 3 days, yellow within 7 [1]
    weight_over_normal_kg: float = 2.0  # yellow above the median of the baseline
    weight_month_share: float = 0.05  # yellow when lost within 30 days
    weight_slack_h: int = 6  # the clock of a daily habit varies

    # Oxygen saturation without limits in the plan [%].
    oxygen_yellow_fall: float = 3.0  # below the baseline
    oxygen_red_fall: float = 5.0
    oxygen_red: float = 88.0  # at it or below

    # Cadence (our choice, docs/adr/0008): after a value near a limit, within so many least spreads of it or beyond it.
    asking_floors: float = 0.5
    near_every_days: int = 2
    near_days: int = 21  # for so long [d]
    alert_grace_divisor: int = 2  # of the plan's grace, so much is given after a yellow or red

    # An implausible value is judged by the own normal too where another of the registration agrees (our choice).
    confirmed_floors: float = 2.0  # lies within so many least spreads

    # What a registration that is due must hold (our choice, docs/adr/0015).
    due_within_ms: int = 24 * HOUR_MS  # a reading so much older than its registration's newest is not what was due
    joined_ms: int = 4 * HOUR_MS  # what came so long before on the same day is part of it

    # Recent readings kept where the plan asks what changed.
    recent_ms: int = 31 * DAY_MS
    recent_values: int = 250  # eight a day
    recent_least: int = 20  # kept however old: as many as a target range may count

    # Episodes, and what is kept out of the baseline (our choice).
    leaves_yellow_greens: int = 2  # green registrations in a row
    leaves_yellow_ms: int = DAY_MS  # or one green so long after the newest yellow or red
    guard_ms: int = 14 * DAY_MS  # after a discharge or a declared exacerbation nothing is learnt

    # Start-up trial, 2 to 4 weeks (the pathway for digital home follow-up) [d].
    trial_least_days: int = 14
    trial_most_days: int = 28

    # Pages (our choice).
    page_within_ms: int = 72 * HOUR_MS  # a red learnt of later than this is on the board and is not paged
    ask_again_first_ms: int = 30_000
    ask_again_most_ms: int = 5 * MINUTE_MS

    # How much history a state keeps, so that it can be judged again.
    history_days: int = 90
    history_bytes: int = 8_000  # encoded sessions; more where it takes more to judge what may still be paged [B]
    most_bytes: int = 400_000  # but never more: a state must fit into one message [B]
    most_name_bytes: int = 64_000  # codes, devices and questions, each once [B]
    forgotten_ids: int = 150  # ids of forgotten sessions that are known again, so that a repeat is no late arrival
    care_events: int = 200
    care_bytes: int = 64_000
    corrections_of_one: int = 10
    pending_corrections: int = 10
    pending_bytes: int = 64_000
    open_pages: int = 20


RULES: Final = Rules()
