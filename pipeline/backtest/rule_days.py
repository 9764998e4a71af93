"""Which rules make the engine's alert days: whose the false ones are, and what would be lost without a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.backtest.engine import alert_days_by_rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import tzinfo

    from pipeline.backtest.days import LabelClass, PatientDay
    from schemas.assessments import Assessment


class RuleDays(Struct, frozen=True, kw_only=True):
    """The alert days of one rule; a day on which several rules alert is a day of each."""

    rule: str
    alert_days: int
    labelled: int  # of them, those with a verified alert
    without_label: int
    alone_labelled: int  # labelled days on which no other rule alerts: lost without this one
    alone_without_label: int  # false days that this rule alone makes


def days_by_rule(
    assessments: Iterable[Assessment],
    about: LabelClass,
    zone: tzinfo,
    labelled: AbstractSet[PatientDay],
    measured: AbstractSet[PatientDay],
) -> tuple[RuleDays, ...]:
    """Each rule's alert days of a label class on `measured` days, the rule with most days first."""
    days = {rule: found & measured for rule, found in alert_days_by_rule(assessments, about, zone).items()}
    told = []
    for rule, found in days.items():
        alone = found.difference(*(others for other, others in days.items() if other != rule))
        told.append(
            RuleDays(
                rule=rule,
                alert_days=len(found),
                labelled=len(found & labelled),
                without_label=len(found - labelled),
                alone_labelled=len(alone & labelled),
                alone_without_label=len(alone - labelled),
            )
        )
    return tuple(sorted((one for one in told if one.alert_days), key=lambda one: (-one.alert_days, one.rule)))
