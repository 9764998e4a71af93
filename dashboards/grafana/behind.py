"""How far what the store shows is behind what came in: for whoever must know whether it can be trusted.

Each worker tells its own group's lag alone, and shows its last value while the broker does not answer. So there is a
figure only while both groups are shown, and the age of a measurement that is older than usual counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import limits
from dashboards.grafana.panels import Asked, numbers
from dashboards.grafana.sources import promql_now
from dashboards.grafana.units import WAITING

if TYPE_CHECKING:
    from dashboards.grafana.clinical import Clinical
    from dashboards.grafana.panels import Size, Tile

USUAL_S: Final = 30  # a worker measures every 5 s and is asked every 10 s
_GROUPS: Final = ("triage", "storing")  # what comes in passes the one, then the other
_AGE: Final = "(time() - (sonevakt_lag_measured_timestamp_seconds > 0))"
_OF_GROUPS: Final = (
    "max by (group) ("
    f'sonevakt_consumer_lag_seconds{{group=~".*({"|".join(_GROUPS)})"}}'
    f" + on (instance) group_left () {_AGE} * ({_AGE} > bool {USUAL_S})"
    ")"
)
BEHIND: Final = f"max({_OF_GROUPS}) and count({_OF_GROUPS}) == {len(_GROUPS)}"


def behind(clinical: Clinical, size: Size) -> Tile:
    """Return the number; it is not known while triage or storing is down."""
    words = clinical.words
    bounds = limits.of_alert("MessagesWait")
    asked = Asked("behind", words.said("behind"), WAITING, bounds, [promql_now(BEHIND)], size)
    return numbers(asked._replace(no_value=words.of("unknown")))
