"""How zones compare, and how several reasons become one zone: the worst of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.assessments import Reason

# Not monitored is no degree of worse: it says that no zone can be told, so it stands above the others here and is
# only ever the single reason of an assessment.
SEVERITY: Final[dict[Zone, int]] = {
    Zone.GREEN: 0,
    Zone.NO_DATA: 1,
    Zone.YELLOW: 2,
    Zone.RED: 3,
    Zone.NOT_MONITORED: 4,
}
BY_SEVERITY: Final = tuple(SEVERITY)


def worst(reasons: Iterable[Reason]) -> Zone:
    """The worst zone among `reasons`; without a reason there is no data, which is never green."""
    return BY_SEVERITY[max((SEVERITY[reason.zone] for reason in reasons), default=SEVERITY[Zone.NO_DATA])]
