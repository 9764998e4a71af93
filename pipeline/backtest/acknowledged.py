"""How often each rule is right by what staff said of its alerts: the reason codes of acknowledgements, rule by rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from scipy.stats import binomtest  # type: ignore[import-untyped] # scipy ships no types

from schemas.care import AlertReason
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from schemas.assessments import ZoneChange
    from schemas.care import Acknowledged

RIGHT: Final = (AlertReason.TRUE.value, AlertReason.EXACERBATION.value)
WRONG: Final = (
    AlertReason.TECHNIQUE.value,
    AlertReason.DEVICE.value,
    AlertReason.ALREADY_KNOWN.value,
    AlertReason.OTHER.value,
)
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})
CONFIDENCE: Final = 0.95


class OfRule(Struct, frozen=True):
    """What staff said of the alerts in which a rule had a part.

    Attributes
    ----------
    rule
        As in a reason.
    right, wrong
        Alerts that were what they told of; and those that were wrongly measured, of a device, known already or other.
    by_code
        Reason code -> alerts, of right and wrong ones.
    not_said
        Alerts that were taken over without a word on why, or with a code that is none of ours: counted in neither.
    ppv, interval
        right / (right + wrong) and its 95 % interval (Wilson, JASA 22 (158), 1927, doi:10.1080/01621459.1927.10502953);
        None where nothing was said.
    """

    rule: str
    right: int
    wrong: int
    by_code: dict[str, int]
    not_said: int
    ppv: float | None
    interval: tuple[float, float] | None


def said_last(acknowledgements: Iterable[Acknowledged]) -> dict[UUID, Acknowledged]:
    """Zone change -> what was said of it: the last that says why, else the last."""
    found: dict[UUID, Acknowledged] = {}
    for one in sorted(acknowledgements, key=lambda each: (_says(each), each.recorded_at, each.event_id)):
        found[one.zone_change_id] = one
    return found


def by_rule(changes: Iterable[ZoneChange], said: dict[UUID, Acknowledged]) -> list[OfRule]:
    """Count each acknowledged alert for every rule that raised it, those with the most alerts first."""
    rules = {
        change.zone_change_id: {reason.rule for reason in change.reasons if reason.zone in _ALERTS}
        for change in changes
        if change.zone_change_id in said and not change.retracted
    }
    codes: dict[str, Counter[str]] = {}
    for ident, names in rules.items():
        for name in names:
            codes.setdefault(name, Counter())[said[ident].reason_code] += 1
    found = [_of_rule(name, told) for name, told in codes.items()]
    return sorted(found, key=lambda one: (-(one.right + one.wrong + one.not_said), one.rule))


def _says(one: Acknowledged) -> bool:
    return one.reason_code in {*RIGHT, *WRONG}


def _of_rule(rule: str, codes: Counter[str]) -> OfRule:
    right, wrong = (sum(codes[code] for code in those) for those in (RIGHT, WRONG))
    ppv, interval = None, None
    if right + wrong:
        told = binomtest(right, right + wrong)
        between = told.proportion_ci(CONFIDENCE, method="wilson")
        ppv, interval = float(told.statistic), (float(between.low), float(between.high))
    return OfRule(
        rule=rule,
        right=right,
        wrong=wrong,
        by_code={code: codes[code] for code in (*RIGHT, *WRONG) if codes[code]},
        not_said=codes.total() - right - wrong,
        ppv=ppv,
        interval=interval,
    )
