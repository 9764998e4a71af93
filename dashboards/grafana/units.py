"""How numbers are shown.

Grafana writes the browser's own number form (`36,6` for a Norwegian, `36.6` for an English reader) with the unit
`locale` alone; every other unit has a decimal point, and most have English words. So what nurses and analysts read is
shown by `FOR_READERS`, of which none holds a decimal sign or a word, and what is measured stands in the title or the
column's name. Dates follow the browser by Grafana's own setting, `GF_DATE_FORMATS_USE_BROWSER_LOCALE`.
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
    """

    code: str
    decimals: int | None = None


COUNT: Final = Unit("locale", 0)
NUMBER: Final = Unit("locale", 1)
FINE: Final = Unit("locale", 2)
SHARE: Final = Unit("percentunit", 0)  # of one
WAITING: Final = Unit("dtdhms")  # seconds as days and hh:mm:ss
FOR_READERS: Final = (COUNT, NUMBER, FINE, SHARE, WAITING)

SECONDS: Final = Unit("s")
BYTES: Final = Unit("bytes")
PER_SECOND: Final = Unit("cps")
PER_MINUTE: Final = Unit("cpm")
WHOLE: Final = Unit("none", 0)
PERCENT: Final = Unit("percentunit", 1)
FOR_OPERATORS: Final = (SECONDS, BYTES, PER_SECOND, PER_MINUTE, WHOLE, PERCENT)
