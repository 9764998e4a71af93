"""Care events by hand and at random, as rows and as the frame that a store gives of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
from hypothesis import strategies as st

from pipeline.outcomes.frames import CARE_EVENTS
from tests.oracles.outcomes import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 2, 1, tzinfo=UTC)
PATIENTS = ("sim-1", "sim-2")


def at(hour: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hour)


def enrolled(
    hour: int, patient: str = "sim-1", *, service: str = "a", phase: str = "start_up", pathway: str = "copd"
) -> Event:
    """An enrolment."""
    said = {"service": service, "municipality": f"town-{patient[-1]}", "pathway": pathway, "phase": phase}
    return Event(hour, patient, "enrolled", said)


def moved(hour: int, phase: str, patient: str = "sim-1") -> Event:
    """A change of phase."""
    return Event(hour, patient, "phase_changed", {"phase": phase})


def stay(first: int, last: int, patient: str = "sim-1", *, acute: bool = True) -> list[Event]:
    """An admission and its discharge."""
    return [Event(first, patient, "admitted", {"acute": float(acute)}), Event(last, patient, "discharged")]


def frame(events: Sequence[Event]) -> pd.DataFrame:
    """The events as a frame of care events, in whatever order they come."""
    rows: list[dict[str, Any]] = [
        {
            "time": at(event.hour),
            "patient": event.patient,
            "kind": event.kind,
            "event_id": f"{place:06d}",
            "recorded": at(event.hour).timestamp() * 1000,
            **event.said,
        }
        for place, event in enumerate(events)
    ]
    told = pd.DataFrame(rows).reindex(columns=list(CARE_EVENTS.columns))
    return told.sample(frac=1, random_state=1).reset_index(drop=True)


_PHASES = st.sampled_from(["referral", "start_up", "follow_up", "evaluation", "ended"])
_SERVICES = st.sampled_from(["a", "b"])


def histories(hours: int) -> st.SearchStrategy[list[Event]]:
    """Care events of two patients within so many hours, in any order that staff may write them."""
    when, who = st.integers(0, hours - 1), st.sampled_from(PATIENTS)
    enrolments = st.builds(
        lambda hour, patient, service, phase: enrolled(hour, patient, service=service, phase=phase),
        when,
        who,
        _SERVICES,
        _PHASES,
    )
    others = st.one_of(
        st.builds(moved, when, _PHASES, who),
        st.builds(lambda hour, patient, to: Event(hour, patient, "transferred", {"service": to}), when, who, _SERVICES),
        st.builds(
            lambda hour, patient, acute: Event(hour, patient, "admitted", {"acute": acute}), when, who, st.booleans()
        ),
        st.builds(lambda hour, patient: Event(hour, patient, "discharged"), when, who),
        st.builds(lambda hour, patient: Event(hour, patient, "emergency_contact", {"contact": "legevakt"}), when, who),
    )
    told = st.lists(st.one_of(enrolments, others), max_size=14)
    first = st.builds(lambda patient: enrolled(0, patient), who)
    return st.builds(lambda one, more: sorted([one, *more], key=lambda event: event.hour), first, told)
