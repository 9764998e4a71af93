"""The summary's numbers are counted, each on its own, and what does not add up is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from agents.commands.summary import Summary
from agents.metrics import Metrics

ONE, TWO = UUID(int=1), UUID(int=2)
PAGE = UUID(int=9)


def summary(
    *, sent: set[UUID], assessed: set[UUID], dead: set[UUID], pages: set[UUID] | None = None, delivered: object = None
) -> Summary:
    found = {one: SimpleNamespace(submission_id=one, zone=SimpleNamespace(value="green")) for one in assessed}
    tally: Any = SimpleNamespace(
        assessments=found,
        dead_submissions=dead,
        pages=pages or set(),
        delivered=delivered or set(),
        letters={},
        changes={},
        zones=lambda: dict.fromkeys(("green", "no_data", "yellow", "red", "not_monitored"), 0),
    )
    feed: Any = SimpleNamespace(submissions=sent, sent={"submissions": len(sent)})
    source: Any = SimpleNamespace(name="two", notes=(), cohort=None)
    receiver: Any = SimpleNamespace(taken=())
    return Summary(source, feed, tally, Metrics(CollectorRegistry()), receiver)


@pytest.mark.parametrize(
    ("assessed", "dead", "stored", "expected"),
    [
        ({ONE, TWO}, set(), {ONE, TWO}, True),
        ({ONE}, {TWO}, {ONE}, True),
        ({ONE}, set(), {ONE}, False),
        ({ONE}, {ONE}, {ONE}, False),
        ({ONE, TWO}, set(), {ONE}, False),
        ({ONE, TWO}, {ONE}, {ONE, TWO}, True),
    ],
    ids=[
        "all assessed and stored",
        "one in the dead letters",
        "one lost",
        "one lost, and a repeat of the other in the dead letters",
        "one not stored",
        "a repeat in the dead letters",
    ],
)
def test_adds_up_where_each_submission_is_stored_or_in_the_dead_letters(
    assessed: set[UUID], dead: set[UUID], stored: set[UUID], *, expected: bool
) -> None:
    found = summary(sent={ONE, TWO}, assessed=assessed, dead=dead)
    kept = {str(one) for one in stored}
    assert found.adds_up(kept) is expected
    lines = list(found.lines(kept, 1.0, 2.0))
    assert f"  adds up       {'yes' if expected else 'NO'}" in lines
    assert f"  dead letters  {len(dead - assessed)}" in lines
    assert f"  assessed      {len(assessed)}" in lines
    assert f"  stored        {len(stored)}" in lines


@pytest.mark.parametrize("delivered", [set(), {PAGE}])
def test_adds_up_only_once_every_page_is_delivered(delivered: set[UUID]) -> None:
    found = summary(sent={ONE}, assessed={ONE}, dead=set(), pages={PAGE}, delivered=delivered)
    assert found.adds_up({str(ONE)}) is bool(delivered)
