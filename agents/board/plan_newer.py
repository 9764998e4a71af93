"""A plan that was signed while a form was being filled in: what it changed, beside what was entered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agents.board.plan_form import NUMBERED, as_entered, used
from dashboards.board.views import Differing, Newer
from pipeline.triage.vitals import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.board.pages import Voice
    from schemas.care import Plan, PlanSigned

NONE: Final = "none"  # what a form is based on where no plan was signed
_WHOLE: Final = frozenset(
    {"vitals", "limits", "relative_limits", "cadence", "self_care", "answers_due", "weight_change", "news2"}
)  # kinds of fields that always set something


def reference(signed: PlanSigned | None) -> str:
    """Return what a form names the plan by that it starts from: its event, for two may have the same version."""
    return NONE if signed is None else str(signed.event_id)


def newer(
    signed: PlanSigned, base: Plan | None, own: Mapping[str, str], voice: Voice, questions: Mapping[str, str]
) -> Newer:
    """Return a newer plan beside what was entered.

    Parameters
    ----------
    base
        What the form started from; None: it is not known here any more.
    own
        What was entered, by field.
    questions
        Question -> its words.
    """
    now = as_entered(signed.plan, voice)
    before = as_entered(base, voice) if base else now
    mine = {name: value for name, value in own.items() if _of_plan(name, own)}
    lines = []
    for name in dict.fromkeys((*now, *before, *mine)):
        held = tuple(_plain(name, one.get(name, "")) for one in (before, now, mine))
        if len(set(held)) > 1:
            then, here, entered = (_said(name, one.get(name, ""), voice, questions) for one in (before, now, mine))
            lines.append(Differing(name, voice.field_of_plan(name), then, here, entered, changed=held[0] != held[1]))
    return Newer(
        version=signed.plan.version,
        signed_by=signed.signed_by,
        signed_at=signed.at,
        valid_from_at=signed.plan.valid_from_at,
        base=base.version if base else None,
        lines=tuple(lines),
    )


def _of_plan(name: str, own: Mapping[str, str]) -> bool:
    """Whether a field of the form sets something of the plan; the zone of an empty line sets nothing."""
    kind, _, rest = name.partition(".")
    if kind in NUMBERED:
        return used(own, kind, rest.partition(".")[0])
    return kind in _WHOLE


def _plain(name: str, value: str) -> str:
    """A value without what makes no difference: blanks, ends of lines, the form of a number."""
    if name == "cadence.times":
        return " ".join(re.split(r"[\s,;]+", value.strip()))
    try:
        return repr(float(value.replace(",", ".").replace("\N{NO-BREAK SPACE}", "")))
    except ValueError:
        return "\n".join(line.strip() for line in value.splitlines() if line.strip())


def _said(name: str, value: str, voice: Voice, questions: Mapping[str, str]) -> str:
    """A value as the form shows it."""
    last = name.rpartition(".")[2]
    if name.startswith(("answers_due", "weight_change", "vitals.", "cadence.weekdays.")):
        return voice("yes" if value else "no")
    if last in {"zone", "news2"} and value:
        return voice(f"zone.{value}" if last == "zone" else f"plan.news2.{value}")
    if last == "code" and value in BY_CODE:
        return voice.vital(BY_CODE[value].name)
    return questions.get(value, value) if last == "link_id" else value
