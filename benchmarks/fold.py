"""What the fold costs: a submission of three readings and five answers on a 90-day history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter_ns
from uuid import NAMESPACE_OID, uuid5

from pipeline.triage import State, step
from pipeline.triage.state import decode, encode
from schemas.care import Enrolled, Limit, Plan, PlanSigned
from schemas.submissions import Answer, Reading, Submission

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
KINDS = (("2708-6", "%", 93, 2), ("8867-4", "/min", 76, 5), ("8480-6", "mm[Hg]", 131, 9))
ROUNDS = 4000


def care(patient: str, start: datetime = START) -> tuple[Enrolled, PlanSigned]:
    """Enrolment and plan."""
    at = start - timedelta(hours=8)
    plan = Plan(
        version=1,
        valid_from_at=at,
        limits=(
            Limit(code="2708-6", unit="%", red_low=80.0, yellow_low=84.0),
            Limit(code="8867-4", unit="/min", red_low=40.0, red_high=130.0),
            Limit(code="8480-6", unit="mm[Hg]", red_low=85.0, red_high=190.0),
        ),
    )
    common = {"patient": patient, "at": at, "recorded_at": at}
    return (
        Enrolled(
            event_id=uuid5(NAMESPACE_OID, f"{patient}-e"),
            pathway="copd",
            service="joint-centre",
            municipality="municipality-1",
            **common,
        ),
        PlanSigned(event_id=uuid5(NAMESPACE_OID, f"{patient}-p"), signed_by="doctor-1", plan=plan, **common),
    )


def session(patient: str, day: int, random: Random, start: datetime = START) -> Submission:
    """One day's registration."""
    at = start + timedelta(days=day, minutes=random.randrange(60))
    return Submission(
        submission_id=uuid5(NAMESPACE_OID, f"{patient}-{day}"),
        patient=patient,
        received_at=at + timedelta(minutes=2),
        readings=tuple(
            Reading(code=code, value=float(mean + random.randrange(-within, within + 1)), unit=unit, measured_at=at)
            for code, unit, mean, within in KINDS
        ),
        answers=tuple(
            Answer(questionnaire="copd-daily", questionnaire_version=1, link_id=f"q{n}", value=random.randrange(4))
            for n in range(5)
        ),
    )


def followed(days: int, patient: str = "sim-0001") -> tuple[State, Random]:
    """A patient who registered daily for so many days."""
    random = Random(1)
    state: State | None = None
    for event in [*care(patient), *(session(patient, day, random) for day in range(days))]:
        state, _ = step(state, event)
    assert state is not None
    return state, random


def microseconds(work: object) -> tuple[float, float]:
    """Least and median of many runs of `work` [us]."""
    assert callable(work)
    taken = []
    for _ in range(ROUNDS):
        began = perf_counter_ns()
        work()
        taken.append(perf_counter_ns() - began)
    return min(taken) / 1000, median(taken) / 1000


def main() -> None:
    """Print the figures."""
    state, random = followed(90)
    event = session("sim-0001", 90, random)
    raw = encode(state)
    for name, work in (
        ("step, 90 days of daily registrations", lambda: step(state, event)),
        ("state decoded", lambda: decode(raw)),
        ("state encoded", lambda: encode(state)),
    ):
        least, middle = microseconds(work)
        print(f"{name}: least {least:.0f} us, median {middle:.0f} us")
    print(f"state: {len(raw)} bytes")


if __name__ == "__main__":
    main()
