"""A decision hangs on how instants lie to each other, to the wall clock and to the days of the week alone.

So a history that happens some weeks later, or where no plan names days of the week some days later, and over which the
clock of patient and service is not changed, is told in the very same words with all its instants later.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from pipeline.triage import State, step
from pipeline.triage.instants import EPOCH
from pipeline.triage.state import decode, encode
from schemas.assessments import Assessment, EpisodeState, PatientStatus, ZoneChange
from schemas.care import Acknowledged, Admitted, Discharged, Enrolled
from schemas.paging import PageRequest
from schemas.services import Service
from schemas.types import Zone
from tests.histories import END, PATIENT, acknowledged, at, followed, history, named, phases, read

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY: Final = timedelta(days=1)
NOW: Final = timedelta()
# What is not long is over 60 days after 20 March. From 3 April on no clock is changed in Oslo before 25 October.
TO_SUMMER: Final = 14 * DAY
SUMMER_DAYS: Final = 140
some = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # a seed cannot be made smaller
)
SEEDS: Final = st.integers(min_value=0, max_value=2**32)
OSLO: Final = "Europe/Oslo"


def shifted(value: Any, by: timedelta) -> Any:  # noqa: ANN401 - whatever a message holds
    """`value` with all its instants so much later, but for the one that stands for "always"."""
    if isinstance(value, datetime):
        return value if value == EPOCH else value + by
    if isinstance(value, Struct):
        return structs.replace(value, **{name: shifted(getattr(value, name), by) for name in value.__struct_fields__})
    if isinstance(value, tuple):
        return tuple(shifted(one, by) for one in value)
    return value


class Ids:
    """Ids by the order in which they are told: those that are derived from an instant differ."""

    def __init__(self) -> None:
        self.known: dict[UUID, int] = {}

    def plain(self, value: Any) -> Any:  # noqa: ANN401 - whatever an output holds
        """`value` with a number for each id."""
        if isinstance(value, UUID):
            return self.known.setdefault(value, len(self.known))
        if isinstance(value, Struct):
            fields = {name: self.plain(getattr(value, name)) for name in value.__struct_fields__}
            return {"type": type(value).__name__, **fields}
        if isinstance(value, tuple):
            return [self.plain(one) for one in value]
        return value


class Followed:
    """What is told of a stream of events, by a state that is stored and read again now and then."""

    def __init__(self, events: list[Any], zone: str, restarts: Random) -> None:
        services = {name: Service(name=name, time_zone=zone) for name in ("joint-centre", "hospital")}
        self.state: State | None = None
        self.outputs: list[Any] = []
        for event in events:
            if self.state is not None and restarts.random() < 0.2:
                self.state = decode(encode(self.state))
            self.state, outputs = step(self.state, event, services=services)
            self.outputs += outputs

    def alerts(self) -> list[ZoneChange]:
        """Every change into yellow or red, in the order in which they were told."""
        changes = [one for one in self.outputs if isinstance(one, ZoneChange)]
        return list({one.zone_change_id: one for one in changes if one.to_zone in {Zone.YELLOW, Zone.RED}}.values())

    def told(self, by: timedelta) -> list[Any]:
        """Everything, with all instants so much earlier, and the marks of the state."""
        assert self.state is not None
        ids = Ids()
        found = [ids.plain(shifted(output, -by)) for output in self.outputs]
        by_ms = by // timedelta(milliseconds=1)
        return [*found, [(one.at_ms - by_ms, one.zone, one.session, one.paged) for one in self.state.marks]]


def lived(random: Random, zone: str, from_start: timedelta, *, weekdays: bool = True) -> list[Any]:
    """What happened to somebody who lives in a time zone, so much later than the histories say."""
    if weekdays and random.random() < 0.4:
        events = followed(random, long=zone == "UTC" and random.random() < 0.5)  # longer than a summer
    else:
        events = [*history(random), *map(read, phases(random) if random.random() < 0.4 else [])]
    if random.random() < 0.3:
        into = at(random.randrange(400))
        stay: dict[str, Any] = {"patient": PATIENT, "recorded_at": into + 3 * DAY}
        events.append(Admitted(event_id=named("in"), at=into, acute=True, **stay))
        events.append(Discharged(event_id=named("out"), at=into + 3 * DAY, **stay))
    events = [structs.replace(one, time_zone=zone) if isinstance(one, Enrolled) else one for one in events]
    return [shifted(one, from_start) for one in (random.sample(events, len(events)) if weekdays else events)]


def taken_over(random: Random, alerts: list[ZoneChange]) -> Iterator[Acknowledged]:
    """An acknowledgement of each alert, some written down late."""
    for number, change in enumerate(alerts):
        instant = change.at + timedelta(hours=random.choice([1, 5, 30]))
        late = timedelta(hours=random.choice([0, 0, 20]))
        reason = random.choice(["called", "exacerbation"])
        yield acknowledged(f"ack-{number}", change.zone_change_id, instant, late=late, reason_code=reason)


def told(seed: int, by: timedelta, zone: str = OSLO, from_start: timedelta = TO_SUMMER, **more: bool) -> list[Any]:
    """All that is told of a history so much later, staff taking over its alerts, with instants as if it were not."""
    random = Random(seed)  # noqa: S311 - no secret
    events = [shifted(one, by) for one in lived(random, zone, from_start, **more)]
    end, state = shifted(END, by + from_start), random.getrandbits(32)
    events += taken_over(random, Followed([*events, end], zone, Random(state)).alerts())  # noqa: S311 - no secret
    return Followed([*events, end], zone, random).told(by)


@settings(parent=some, max_examples=140)
@given(SEEDS, st.integers(min_value=-600, max_value=600).filter(bool))
def test_weeks_later_in_utc_everything_is_told_the_same(seed: int, weeks: int) -> None:
    assert told(seed, 7 * weeks * DAY, "UTC", NOW) == told(seed, NOW, "UTC", NOW)


@some
@given(SEEDS, st.integers(min_value=1, max_value=SUMMER_DAYS // 7))
def test_weeks_later_in_the_same_summer_in_oslo_everything_is_told_the_same(seed: int, weeks: int) -> None:
    assert told(seed, 7 * weeks * DAY) == told(seed, NOW)


@some
@given(SEEDS, st.integers(min_value=1, max_value=SUMMER_DAYS))
def test_days_later_in_the_same_summer_in_oslo_where_no_plan_names_days_of_the_week(seed: int, days: int) -> None:
    assert told(seed, days * DAY, weekdays=False) == told(seed, NOW, weekdays=False)


def test_no_clock_is_changed_in_oslo_while_the_histories_last() -> None:
    first, last = at(0) + TO_SUMMER, shifted(END, TO_SUMMER + SUMMER_DAYS * DAY).at
    days = [first + number * DAY for number in range((last - first) // DAY + 1)]
    assert {day.astimezone(ZoneInfo(OSLO)).utcoffset() for day in days} == {timedelta(hours=2)}


def test_the_histories_have_every_zone_and_somebody_who_takes_over() -> None:
    """Or the properties would hold for want of anything to hold for."""
    found = [one for seed in range(20) for one in told(seed, NOW)[:-1]]
    assert {one["zone"] for one in found if one["type"] == Assessment.__name__} == set(Zone)
    episodes = [one["episode"] for one in found if one["type"] == PatientStatus.__name__]
    assert EpisodeState.ACKNOWLEDGED in {one["state"] for one in episodes if one is not None}
    assert PageRequest.__name__ in {one["type"] for one in found}
