"""What the rules know of codes and units: the gateway's usual `check`.

The fold keeps and quarantines a reading whose code or unit it does not know. Here the vendor is still listening, so it
is told at once, before a patient's measurement becomes "no data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.gateway.faults import Fault
from pipeline.triage.vitals import BY_CODE, factor

if TYPE_CHECKING:
    from schemas.submissions import Submission


def unknown_codes_and_units(session: Submission) -> list[Fault]:
    """Return every code that is followed nowhere, and every unit that its code does not have."""
    faults = []
    for index, reading in enumerate(session.readings):
        vital = BY_CODE.get(reading.code)
        if vital is None:
            faults.append(Fault(f"readings[{index}].code", "is no LOINC code that is followed here"))
        elif factor(vital, reading.unit) is None:
            known = ", ".join((vital.unit, *sorted(vital.units)))
            faults.append(Fault(f"readings[{index}].unit", f"is no unit of this code; it has: {known}"))
    return faults
