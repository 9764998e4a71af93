"""The fold's own walk over zones that are known beforehand: episodes, silence, pauses and pages, and what is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.triage.judge import Judgement
from pipeline.triage.signals import ALERTS
from pipeline.triage.state import STATE_VERSION, State
from pipeline.triage.timeline import Timeline
from pipeline.triage.zones import BY_SEVERITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.backtest.histories import History
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Standing
    from pipeline.triage.state import Body, Session
    from pipeline.triage.timeline import Change

_JUDGEMENTS: Final = {
    (severity, near): Judgement(zone, (), (), near=near)
    for severity, zone in enumerate(BY_SEVERITY)
    for near in (False, True)
}


class Walk(Timeline):
    """One patient's history walked once, each session in a zone that is given.

    Parameters
    ----------
    severities, near
        Of each session, in the order in which they are judged: the severity of its zone, and whether a value of it was
        near a limit.
    """

    def __init__(self, history: History, severities: Sequence[int], near: Sequence[bool], rules: Rules) -> None:
        super().__init__(State(version=STATE_VERSION, patient=history.patient, care=history.care), rules)
        self.learns = [False] * len(history.registered)  # whether a session's values enter the patient's normal
        self._place = 0
        self._given = _JUDGEMENTS[0, False]
        for place, (one, severity, close) in enumerate(zip(history.registered, severities, near, strict=True)):
            self._place = place
            self._given = _JUDGEMENTS[severity, close]
            self.append(one.session, one.content)
        self.walk(history.clock_ms)

    def judge(self, session: Session, body: Body, standing: Standing) -> Judgement:  # noqa: ARG002 - it is known
        """What was given."""
        return self._given

    def learn(self, day: int, judgement: Judgement, *, frozen: bool) -> None:  # noqa: ARG002 - see Timeline
        """Note whether the session is learnt from."""
        self.learns[self._place] = not frozen and judgement.zone not in ALERTS

    def zone_changes(self) -> tuple[Change, ...]:
        """The zone changes, in order."""
        return tuple(self.changes)
