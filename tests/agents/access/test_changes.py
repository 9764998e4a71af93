"""A change stands in the access log before it is made, and then what became of it."""

from __future__ import annotations

import pytest

from agents.access.changes import changing

FULL = "the disk is full"


class Written:
    """A log that may be full from an entry on."""

    def __init__(self, full_at: int = 99) -> None:
        self.outcomes: list[str] = []
        self._full_at = full_at

    async def add(self, outcome: str) -> None:
        if len(self.outcomes) == self._full_at:
            raise OSError(FULL)
        self.outcomes.append(outcome)


def change(raised: type[Exception] | None) -> None:
    if raised is not None:
        raise raised


@pytest.mark.parametrize(
    ("raised", "expected"), [(None, "done"), (KeyError, "failed"), (TimeoutError, "unconfirmed"), (OSError, "failed")]
)
async def test_what_became_of_a_change_is_told_after_it(raised: type[Exception] | None, expected: str) -> None:
    log, error = Written(), None
    try:
        async with changing(log.add, unsure=(TimeoutError,)):
            assert log.outcomes == ["begun"]
            change(raised)
    except Exception as caught:  # noqa: BLE001 - whichever it was
        error = type(caught)
    assert (log.outcomes, error) == (["begun", expected], raised)


async def test_nothing_is_changed_that_cannot_be_recorded_and_what_was_changed_stands_as_begun() -> None:
    changed = False
    with pytest.raises(OSError, match=FULL):
        async with changing(Written(full_at=0).add):
            changed = True
    assert not changed
    log = Written(full_at=1)
    with pytest.raises(OSError, match=FULL):
        async with changing(log.add):
            changed = True
    assert (changed, log.outcomes) == (True, ["begun"])
