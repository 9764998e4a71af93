"""A recording's readings as columns, so that a rule is asked of all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.backtest.days import PatientDay
from pipeline.triage.instants import DAY_ZERO, to_ms
from pipeline.triage.vitals import BY_CODE, converted, factor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from numpy.typing import NDArray

    from pipeline.triage.vitals import Vital
    from schemas.submissions import Submission

_SPAN: Final = 1 << 20  # more days than any calendar here has: patient and day in one number


class Column(NamedTuple):
    """One vital's readings in the order in which they were measured; the later of two at one time last."""

    keys: NDArray[np.int64]  # patient and day in one number
    values: NDArray[np.float64]  # [the vital's unit]

    @property
    def places(self) -> NDArray[np.int64]:
        """Each reading's patient, as a place in `Readings.patients`."""
        return self.keys // _SPAN


class Readings:
    """The readings of `submissions` by vital, with days in the time zone given.

    Every reading with a known code and unit is here, whatever its quality: what was measured was measured.
    """

    def __init__(self, submissions: Iterable[Submission], zone: tzinfo) -> None:
        places: dict[str, int] = {}
        rows: dict[int, list[tuple[int, int, float]]] = {}
        for submission in submissions:
            place = places.setdefault(submission.patient, len(places))
            for reading in submission.readings:
                vital = BY_CODE.get(reading.code)
                scale = None if vital is None else factor(vital, reading.unit)
                if vital is not None and scale is not None:
                    day = reading.measured_at.astimezone(zone).toordinal() - DAY_ZERO
                    key = place * _SPAN + day
                    value = converted(reading.value, scale)
                    rows.setdefault(vital.index, []).append((to_ms(reading.measured_at), key, value))
        self.patients = list(places)
        self._columns = {index: _column(found) for index, found in rows.items()}

    def of(self, vital: Vital) -> Column:
        """The vital's readings; empty where it was never measured."""
        return self._columns.get(vital.index) or Column(np.empty(0, np.int64), np.empty(0, np.float64))

    def measured(self, vitals: Iterable[Vital]) -> frozenset[PatientDay]:
        """The patient-days on which any of `vitals` was measured."""
        return self.days(np.concatenate([self.of(vital).keys for vital in vitals]))

    def days(self, keys: NDArray[np.int64]) -> frozenset[PatientDay]:
        """The patient-days in `keys`."""
        return frozenset(
            PatientDay(self.patients[place], day)
            for place, day in zip(*(part.tolist() for part in np.divmod(np.unique(keys), _SPAN)), strict=True)
        )


def last_of_day(column: Column) -> Column:
    """Each patient-day's last reading."""
    order = np.argsort(column.keys, kind="stable")
    keys, values = column.keys[order], column.values[order]
    last = np.append(keys[1:] != keys[:-1], np.ones(min(len(keys), 1), bool))
    return Column(keys[last], values[last])


def median_of_day(column: Column) -> Column:
    """Each patient-day's median; the mean of the two middle readings where their number is even."""
    order = np.lexsort((column.values, column.keys))
    values = column.values[order]
    keys, starts, counts = np.unique(column.keys[order], return_index=True, return_counts=True)
    return Column(keys, (values[starts + (counts - 1) // 2] + values[starts + counts // 2]) / 2)


def _column(rows: list[tuple[int, int, float]]) -> Column:
    order = np.argsort(np.array([at_ms for at_ms, _, _ in rows]), kind="stable")
    keys = np.array([key for _, key, _ in rows], np.int64)
    return Column(keys[order], np.array([value for _, _, value in rows], np.float64)[order])
