"""How numbers are shown.

Grafana writes the browser's own number form (`36,6` for a Norwegian, `36.6` for an English reader) with the unit
`locale` alone; every other unit has a decimal point, and most have English words. So what nurses and analysts read is
shown by `FOR_READERS`, of which none holds a decimal sign or a word, and what is measured stands in the title or the
column's name. Dates follow the browser by Grafana's own setting, `GF_DATE_FORMATS_USE_BROWSER_LOCALE`; without `WHEN`
Grafana adds milliseconds to the times of a table whose rows are less than a minute apart.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit of Grafana's.

    Attributes
    ----------
    code
        As Grafana knows it.
    decimals
        Digits behind the decimal sign; None: as many as the value needs.
    reach
        How far an axis goes at least [the unit], lest it ends at 100 where all is 0.
    """

    code: str
    decimals: int | None = None
    reach: float | None = None


COUNT: Final = Unit("locale", 0, reach=1)
NUMBER: Final = Unit("locale", 1)
FINE: Final = Unit("locale", 2)
WAITING: Final = Unit("dtdhms")  # seconds as days and hh:mm:ss
WHEN: Final = Unit("dateTimeAsLocal")
FOR_READERS: Final = (COUNT, NUMBER, FINE, WAITING, WHEN)

SECONDS: Final = Unit("s", reach=0.1)
LONG: Final = Unit("s", 1, reach=1)  # what may be minutes or hours without a fault
LASTING: Final = Unit("s", 0, reach=86_400)  # what is weeks or years
BYTES: Final = Unit("bytes")
PER_SECOND: Final = Unit("cps", reach=1)
PER_MINUTE: Final = Unit("cpm", reach=1)
WHOLE: Final = Unit("none", 0, reach=1)
PERCENT: Final = Unit("percentunit", 1, reach=0.01)
FOR_OPERATORS: Final = (SECONDS, LONG, LASTING, BYTES, PER_SECOND, PER_MINUTE, WHOLE, PERCENT)
