"""What contradicts itself or cannot be followed in a pathway whose fields are right one by one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.pathways import questions
from pipeline.pathways.fault import Fault, repeated
from pipeline.pathways.starting import starter_plan
from pipeline.triage import plans
from pipeline.triage.rules import HOUR_MS, RULES
from pipeline.triage.vitals import BY_CODE, VITALS, WEIGHT
from schemas.care import News2Scale
from schemas.services import CANARY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.care import Plan
    from schemas.pathways import Pathway

_SOME_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ONCE_A_VITAL: Final = ("limits", "relative_limits")
_KINDS: Final = (*_ONCE_A_VITAL, "change_limits", "sustained_limits")
_PLACE: Final = re.compile(r"(?P<kind>[a-z0-9_]+)\[(?P<number>[0-9]+)\](?:\.(?P<part>[a-z_]+))?")
_PROBLEMS: Final = {  # part of a limit, or a kind of limit -> what it must be
    "hours": f"must be at most {RULES.recent_ms // HOUR_MS}",
    "count": "must be at most the number in of",
    "relative_limits": "must hold a distance, and no yellow one beyond the red",
    "change_limits": "must hold a change, and no yellow one beyond the red",
    "sustained_limits": "must hold low or high, and low below high",
}


def faults(pathway: Pathway) -> list[Fault]:
    """Every fault of `pathway`; its starter plan can be signed where there is none."""
    found = [*_of_name(pathway), *_of_vitals(pathway), *_of_limits(pathway), *_of_settings(pathway)]
    if pathway.questionnaire is not None:
        found += questions.faults(pathway.questionnaire)
    plan = starter_plan(pathway, version=1, valid_from_at=_SOME_TIME, language="nb")
    told = {fault.field for fault in found}
    return found + [fault for fault in (_of_plan(plan, path) for path in plans.faults(plan)) if fault.field not in told]


def _of_name(pathway: Pathway) -> Iterator[Fault]:
    if pathway.pathway == CANARY:
        yield Fault("pathway", f"must be another name: {CANARY} is of nobody ill, who tries the alarm path")


def _of_vitals(pathway: Pathway) -> Iterator[Fault]:
    names = []
    for place, code in enumerate(pathway.vitals):
        vital = BY_CODE.get(code)
        names.append(code if vital is None else vital.name)
        if vital is None:
            known = ", ".join(f"{vital.codes[0]} {vital.name}" for vital in VITALS)
            yield Fault(f"vitals[{place}]", f"must be a vital sign that is known: {known}")
    for place in repeated(names):
        yield Fault(f"vitals[{place}]", f"must be another vital sign: {names[place]} stands before it")


def _of_limits(pathway: Pathway) -> Iterator[Fault]:
    for kind in _KINDS:
        codes = [limit.code for limit in getattr(pathway.starter_limits, kind)]
        for place, code in enumerate(codes):
            if code not in pathway.vitals:
                followed = ", ".join(pathway.vitals) or "none"
                yield Fault(f"starter_limits.{kind}[{place}].code", f"must be among vitals: {followed}")
        if kind in _ONCE_A_VITAL:
            for place in repeated(codes):
                problem = "must be another vital sign: this one has its limits before it"
                yield Fault(f"starter_limits.{kind}[{place}].code", problem)


def _of_settings(pathway: Pathway) -> Iterator[Fault]:
    if pathway.weight_change and not set(WEIGHT.codes) & set(pathway.vitals):
        yield Fault("weight_change", f"must be left out, as {WEIGHT.codes[0]} weight is not among vitals")
    if pathway.news2 is News2Scale.SCALE_2:
        yield Fault("news2", "must be scale_1 or left out: scale 2 is a doctor's prescription for one patient")
    for place in repeated(pathway.equipment):
        yield Fault(f"equipment[{place}]", "must be another kind: this one stands before it")
    if pathway.participation is not None:
        for place in repeated(asked.slug for asked in pathway.participation.benefit):
            yield Fault(f"participation.benefit[{place}].slug", "must be another one: this one stands before it")


def _of_plan(plan: Plan, path: str) -> Fault:
    """A fault of the starter plan as one of the pathway."""
    place = _PLACE.fullmatch(path)
    if path == "cadence.times":
        return Fault(path, "must be in the order of the day, each time once")
    if path == "cadence.weekdays":
        return Fault(path, "must name each day of the week once")
    if path.startswith("vitals["):
        return Fault(path, "must be the LOINC code of another vital sign that is followed")
    if place is None or place["kind"] not in _KINDS:
        return Fault(f"questionnaire.{path}", "must hold one of at_least and is_answer")
    kind, part = place["kind"], place["part"]
    limit = getattr(plan, kind)[int(place["number"])]
    vital = BY_CODE.get(limit.code)
    if vital is not None and part == "unit":
        problem = f"must be {' or '.join((vital.unit, *vital.units))}, as {limit.code} is {vital.name}"
    elif vital is not None and kind == "limits" and part is None:
        least, most = vital.impossible
        problem = (
            "must hold at least one limit, in the order red_low, yellow_low, yellow_high, red_high"
            f" with room for green, from {least:g} to {most:g} {vital.unit}"
        )
    else:
        problem = _PROBLEMS.get(part or kind, "must be such that a plan can be judged by it")
    return Fault(f"starter_limits.{path}", problem)
