"""What a replay came to, in figures that must add up."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pipeline import cohort as cohorts
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Histogram

    from agents.commands.demo import Source
    from agents.metrics import Metrics
    from agents.paging.receiver import Receiver
    from agents.replay.feed import Feed
    from agents.replay.tally import Tally


class Summary:
    """Of one replay."""

    def __init__(self, source: Source, feed: Feed, tally: Tally, metrics: Metrics, receiver: Receiver) -> None:
        self._source = source
        self._feed = feed
        self._tally = tally
        self._metrics = metrics
        self._receiver = receiver
        self._assessed = {assessment.submission_id for assessment in tally.assessments.values()}

    def adds_up(self, stored: set[str]) -> bool:
        """Whether every submission is assessed and stored, or in the dead letters, and every page delivered."""
        sent = self._feed.submissions
        return (
            sent - self._assessed <= self._tally.dead_submissions
            and {str(one) for one in sent & self._assessed} <= stored
            and self._tally.pages <= self._tally.delivered
        )

    def lines(self, stored: set[str], ready_s: float, replay_s: float) -> Iterator[str]:
        """The summary as it is shown."""
        feed, tally = self._feed, self._tally
        distinct = len(feed.submissions)
        assessed = len(feed.submissions & self._assessed)
        kept = len({str(one) for one in feed.submissions} & stored)
        yield ""
        yield f"{self._source.name}: ready in {ready_s:.1f} s, replayed in {replay_s:.1f} s"
        yield from self._source.notes
        yield (
            f"submissions in  {distinct}   (messages {feed.sent['submissions']}, corrections and repeats among them)"
        )
        yield f"  assessed      {assessed}"
        yield f"  stored        {kept}"
        yield f"  dead letters  {len(feed.submissions & tally.dead_submissions - self._assessed)}"
        yield f"  adds up       {'yes' if self.adds_up(stored) else 'NO'}"
        if tally.letters:
            reasons = sorted(tally.letters.values())
            counted = ", ".join(f"{reason} {reasons.count(reason)}" for reason in sorted(set(reasons)))
            yield f"dead letters of every topic: {counted}"
        zones = tally.zones()
        yield "registrations by zone: " + ", ".join(f"{zone.value} {zones[zone.value]}" for zone in Zone)
        standing = [change for change in tally.changes.values() if not change.retracted]
        retracted = len(tally.changes) - len(standing)
        alerts = sum(change.to_zone in {Zone.YELLOW, Zone.RED} for change in standing)
        yield f"zone changes {len(standing)} (retracted {retracted}), to yellow or red {alerts}"
        yield (
            f"pages asked for {len(tally.pages)}, delivered {len(tally.delivered & tally.pages)},"
            f" taken by the receiver {len(self._receiver.taken)}"
        )
        yield from self._deteriorations()
        yield from self._latencies()

    def _deteriorations(self) -> Iterator[str]:
        cohort = self._source.cohort
        if cohort is None:
            return
        seen = [change for change in self._tally.changes.values() if not change.retracted]
        results = cohorts.matched(cohort.truth, seen)
        leads = [result.lead_days for result in results if result.lead_days is not None]
        found = sum(result.found for result in results)
        lead = f", median {median(leads):.1f} days before the worst" if leads else ""
        yield f"deteriorations {len(results)}: found {found}{lead}, missed {len(results) - found}"

    def _latencies(self) -> Iterator[str]:
        for name, histogram in (
            ("received to assessed", self._metrics.received_to_assessed),
            ("received to stored", self._metrics.received_to_stored),
            ("received to paged", self._metrics.received_to_paged),
        ):
            shown = quantiles(histogram, (0.5, 0.99))
            if shown is not None:
                yield f"{name}: half within {shown[0]:g} s, 99 % within {shown[1]:g} s (during the replay)"


def quantiles(histogram: Histogram, shares: tuple[float, ...]) -> list[float] | None:
    """The upper bound of the bucket that each share of the observations lies within [s]; None without observations."""
    buckets = sorted(
        (float(sample.labels["le"]), sample.value)
        for metric in histogram.collect()
        for sample in metric.samples
        if sample.name.endswith("_bucket")
    )
    total = buckets[-1][1] if buckets else 0
    if not total:
        return None
    return [next(bound for bound, count in buckets if count >= share * total) for share in shares]
