"""Canaries are patients like others to the fold: red by their plan, acknowledged, green; and never more than that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid5

import msgspec
import pytest

from agents.canary import patients
from agents.partitioner import partition_for
from pipeline.triage.state import encode
from pipeline.triage.step import Refused, step
from schemas.assessments import Assessment, PatientStatus
from schemas.paging import Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Submission
from schemas.types import Pseudonym, Zone

if TYPE_CHECKING:
    from pipeline.triage.state import State

START = datetime(2026, 1, 1, 7, 0, tzinfo=UTC)
MOST_BYTES = 16 * 1024  # of any patient's state
_ANY = patients._IDS


class Canary:
    """One canary's life in the fold."""

    def __init__(self) -> None:
        self.patient = patients.pseudonym("joint-centre", 0, 12)
        self.state: State | None = None
        for event in patients.enrolment(self.patient, "joint-centre", START):
            self.take(event)

    def take(self, event: object) -> tuple[object, ...]:
        """Take an event, none of which may be refused; whatever is told of it is delivered."""
        self.state, outputs = step(self.state, event)  # type: ignore[arg-type] # any of the fold's events
        assert not [one for one in outputs if isinstance(one, Refused)]
        for page in (one for one in outputs if isinstance(one, PageRequest)):
            receipt = Receipt(
                receipt_id=uuid5(_ANY, str(page.page_id)),
                page_id=page.page_id,
                patient=self.patient,
                ask=page.ask,
                outcome=Outcome.DELIVERED,
                at=page.at,
                attempts=1,
            )
            self.state, _ = step(self.state, receipt)
        return outputs

    def sends(self, pulse: float, at: datetime) -> tuple[object, ...]:
        """A session as the gateway would take it."""
        body = patients.session(self.patient, pulse, at)
        return self.take(msgspec.convert({**body, "received_at": at.isoformat()}, Submission))

    def flies(self, at: datetime) -> tuple[Zone, list[PageRequest], PatientStatus]:
        """One round: how the red was judged, its pages, and the status at the end."""
        outputs = self.sends(patients.RED_PULSE, at)
        pages = [one for one in outputs if isinstance(one, PageRequest)]
        zone = next(one.zone for one in outputs if isinstance(one, Assessment))
        for page in pages:
            self.take(patients.acknowledgement(self.patient, page.zone_change_id, at + timedelta(milliseconds=100)))
        self.sends(patients.GREEN_PULSE, at + timedelta(milliseconds=200))
        last = self.sends(patients.GREEN_PULSE, at + timedelta(milliseconds=300))
        return zone, pages, next(one for one in last if isinstance(one, PatientStatus))


def test_a_round_is_one_red_and_one_page_and_ends_green() -> None:
    zone, pages, after = Canary().flies(START + timedelta(minutes=1))
    assert zone is Zone.RED
    assert len(pages) == 1
    assert (after.zone, after.episode, after.pathway) == (Zone.GREEN, None, patients.PATHWAY)


def test_rounds_for_ever_keep_the_state_small_and_each_is_paged() -> None:
    canary = Canary()
    most = 0
    for number in range(1, int(90 * 86_400 / patients.REST_S)):
        _, pages, after = canary.flies(START + timedelta(seconds=number * patients.REST_S))
        assert (len(pages), after.episode) == (1, None)
        assert canary.state is not None
        most = max(most, len(encode(canary.state)))
    assert most < MOST_BYTES


def test_a_canary_that_stops_is_overdue_for_nobody_for_more_than_a_week() -> None:
    canary = Canary()
    canary.flies(START + timedelta(minutes=1))
    canary.flies(START + timedelta(minutes=2))
    _, _, after = canary.flies(START + timedelta(minutes=3))
    assert after.due_at is not None
    last = after.due_at + timedelta(days=6)
    assert last - START > timedelta(days=7)
    assert canary.take(Tick(at=last)) == ()


def test_the_same_canary_s_turn_comes_after_its_rest_and_at_no_other_time() -> None:
    turns = [patients.whose_turn(START + timedelta(seconds=300 * n), 300) for n in range(96)]
    assert len(set(turns)) == 48 == patients.how_many(300)
    assert turns[:48] == turns[48:]


def test_canaries_take_turns_on_every_partition() -> None:
    found = [partition_for(patients.pseudonym("joint-centre", n, 12).encode(), 12) for n in range(48)]
    assert found == [n % 12 for n in range(48)]


@pytest.mark.parametrize("service", ["joint-centre", "a", "s" * 64, "unit-12345678901", "n" + "0" * 12])
def test_every_service_has_canaries_with_pseudonyms_of_their_own(service: str) -> None:
    names = [patients.pseudonym(service, number, 12) for number in range(48)]
    assert len(set(names)) == 48
    assert msgspec.convert(names, list[Pseudonym]) == names
    assert all(name.startswith(patients.PREFIX) for name in names)


def test_two_long_names_of_services_do_not_share_a_canary() -> None:
    assert patients.pseudonym("s" * 63 + "a", 0, 12) != patients.pseudonym("s" * 63 + "b", 0, 12)
