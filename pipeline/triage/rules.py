"""Every number a decision rests on, in one frozen, versioned value.

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

    version: str = "1"

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
