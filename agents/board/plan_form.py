"""A plan as a form: every field that a clinician sets, from the newest plan or the pathway's starter values.

A field's name is the path of what it sets, as `limits.8480-6.red_low` or `change_limits.0.hours`, so that a fault of
the plan finds its field.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from pipeline.triage.plans import faults
from pipeline.triage.vitals import BY_CODE, VITALS, factor
from schemas.care import (
    AnswerRule,
    Cadence,
    ChangeLimit,
    Limit,
    News2Scale,
    Plan,
    RelativeLimit,
    SelfCare,
    SustainedLimit,
)
from schemas.types import Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agents.board.fields import Entered
    from dashboards.board.pages import Voice

ABSOLUTE: Final = ("red_low", "yellow_low", "yellow_high", "red_high")
RELATIVE: Final = ("red_below", "yellow_below", "yellow_above", "red_above")
CHANGE: Final = ("red_fall", "yellow_fall", "yellow_rise", "red_rise")
ZONES: Final = ("yellow", "red")
NUMBERED: Final = ("change_limits", "sustained_limits", "answer_rules")  # lines by number, not by vital sign
MORE: Final = 2  # empty lines after those that are there
MOST_LINES: Final = 40
MEASURES: Final = 20  # of one zone
_PATH: Final = re.compile(r"^(?P<list>\w+)(\[(?P<place>\d+)\])?(\.(?P<field>\w+))?$")
_SAID: Final = {"hours": "hours", "count": "count", "times": "times"}


class Cell(NamedTuple):
    """One input of a table."""

    name: str
    label: str
    value: str
    fault: str = ""


class Line(NamedTuple):
    """One line of a table: what it is about, and its inputs."""

    title: str
    unit: str
    cells: tuple[Cell, ...]
    chosen: str = ""  # of a line whose vital or question is chosen in it
    name: str = ""
    zone: str = ""


class PlanSheet(NamedTuple):
    """All tables of the form."""

    limits: tuple[Line, ...]
    relative: tuple[Line, ...]
    changes: tuple[Line, ...]
    sustained: tuple[Line, ...]
    answers: tuple[Line, ...]


def as_entered(plan: Plan, voice: Voice) -> dict[str, str]:  # noqa: C901 - one part of a plan after the other
    """Return a plan as what would be entered to make it."""
    found: dict[str, str] = {}

    def put(name: str, value: float | None, scale: float = 1.0) -> None:
        if value is not None:
            found[name] = voice.number(value * scale, 3).replace("\N{MINUS SIGN}", "-")

    for kind, edges, limits in (
        ("limits", ABSOLUTE, plan.limits),
        ("relative_limits", RELATIVE, plan.relative_limits),
    ):
        for limit in limits:
            vital = BY_CODE.get(limit.code)
            if vital is not None:
                for edge in edges:
                    put(f"{kind}.{vital.codes[0]}.{edge}", getattr(limit, edge), factor(vital, limit.unit) or 1.0)
    for place, change in enumerate(plan.change_limits):
        vital = BY_CODE.get(change.code)
        scale = (factor(vital, change.unit) or 1.0) if vital else 1.0
        found[f"change_limits.{place}.code"] = vital.codes[0] if vital else change.code
        found[f"change_limits.{place}.hours"] = str(change.hours)
        for edge in CHANGE:
            put(f"change_limits.{place}.{edge}", getattr(change, edge), scale)
    for place, target in enumerate(plan.sustained_limits):
        vital = BY_CODE.get(target.code)
        scale = (factor(vital, target.unit) or 1.0) if vital else 1.0
        found[f"sustained_limits.{place}.code"] = vital.codes[0] if vital else target.code
        put(f"sustained_limits.{place}.low", target.low, scale)
        put(f"sustained_limits.{place}.high", target.high, scale)
        found |= {
            f"sustained_limits.{place}.count": str(target.count),
            f"sustained_limits.{place}.of": str(target.of),
            f"sustained_limits.{place}.zone": target.zone,
        }
    for place, rule in enumerate(plan.answer_rules):
        found |= {f"answer_rules.{place}.link_id": rule.link_id, f"answer_rules.{place}.zone": rule.zone}
        if rule.at_least is not None:
            found[f"answer_rules.{place}.at_least"] = str(rule.at_least)
        if rule.is_answer is not None:
            found[f"answer_rules.{place}.is_answer"] = (
                str(rule.is_answer).lower() if isinstance(rule.is_answer, bool) else rule.is_answer
            )
    cadence = plan.cadence
    found |= {
        "cadence.times": " ".join(cadence.times),
        "cadence.daily_days": str(cadence.daily_days),
        "cadence.every_days": str(cadence.every_days),
        "cadence.grace_minutes": str(cadence.grace_minutes),
        "cadence.alert_days": str(cadence.alert_days),
        "answers_due": "1" if plan.answers_due else "",
        "weight_change": "1" if plan.weight_change else "",
        "news2": plan.news2.value if plan.news2 else "",
    }
    found |= {f"vitals.{vital.codes[0]}": "1" for vital in VITALS if set(vital.codes) & set(plan.vitals)}
    found |= {f"cadence.weekdays.{day}": "1" for day in cadence.weekdays}
    for zone in ("green", "yellow", "red"):
        found[f"self_care.{zone}"] = "\n".join(getattr(plan.self_care, zone))
    return found


def read(entered: Entered, *, version: int, valid_from_at: datetime, based_on: Plan | None) -> Plan | None:
    """Return the plan that was entered; None where something is wrong with it, which `entered` then says."""
    cadence = _cadence(entered)
    answers = _answers(entered)
    values: dict[str, Any] = {
        "version": version,
        "valid_from_at": valid_from_at,
        "vitals": tuple(vital.codes[0] for vital in VITALS if entered.tick(f"vitals.{vital.codes[0]}")),
        "limits": tuple(_of_vitals(entered, "limits", ABSOLUTE, Limit)),
        "relative_limits": tuple(_of_vitals(entered, "relative_limits", RELATIVE, RelativeLimit)),
        "change_limits": tuple(_changes(entered)),
        "sustained_limits": tuple(_sustained(entered)),
        "answer_rules": tuple(answers),
        "answers_due": entered.tick("answers_due"),
        "weight_change": entered.tick("weight_change"),
        "news2": News2Scale(scale) if (scale := entered.choice("news2", set(News2Scale), required=False)) else None,
        "cadence": cadence,
        "questionnaire": based_on.questionnaire if based_on else None,
        "questionnaire_version": based_on.questionnaire_version if based_on else None,
        "self_care": SelfCare(**{zone: _measures(entered, f"self_care.{zone}") for zone in ("green", "yellow", "red")}),
    }
    if entered.faults or cadence is None:
        return None
    # Read as every reader of the topic will: what it would refuse is refused here.
    plan = msgspec.convert(msgspec.to_builtins(Plan(**values)), Plan)
    places = _places(entered, plan)
    for path in faults(plan):
        _tell(entered, path, places)
    return None if entered.faults else plan


def _tell(entered: Entered, path: str, places: dict[str, str]) -> None:
    found = _PATH.match(path)
    if path.startswith("cadence"):
        entered.fault("cadence.times", "times")
        return
    held = found["list"] if found else path
    field = (found["field"] or "") if found else ""
    name = places.get(f"{held}[{found['place'] if found else ''}]", held)
    first = {"limits": ABSOLUTE[0], "relative_limits": RELATIVE[0], "change_limits": CHANGE[0]}.get(held, "low")
    if held == "answer_rules":
        entered.fault(f"{name}.at_least", "rule")
    else:
        entered.fault(f"{name}.{field or first}", _SAID.get(field, "order"))


def _places(entered: Entered, plan: Plan) -> dict[str, str]:
    """Which line of the form each limit of the plan comes from."""
    places = {f"limits[{n}]": f"limits.{one.code}" for n, one in enumerate(plan.limits)}
    places |= {f"relative_limits[{n}]": f"relative_limits.{one.code}" for n, one in enumerate(plan.relative_limits)}
    for kind, first in (("change_limits", "code"), ("sustained_limits", "code"), ("answer_rules", "link_id")):
        lines = [place for place in range(MOST_LINES) if entered.raw(f"{kind}.{place}.{first}")]
        places |= {f"{kind}[{n}]": f"{kind}.{place}" for n, place in enumerate(lines)}
    return places


def _of_vitals(entered: Entered, kind: str, edges: tuple[str, ...], limit: Any) -> list[Any]:  # noqa: ANN401 - a limit's class
    found = []
    for vital in VITALS:
        name = f"{kind}.{vital.codes[0]}"
        values = {
            edge: entered.number(f"{name}.{edge}", required=False, positive=limit is RelativeLimit) for edge in edges
        }
        if any(value is not None for value in values.values()):
            found.append(limit(code=vital.codes[0], unit=vital.unit, **values))
    return found


def _coded(entered: Entered, name: str) -> tuple[str, str] | None:
    code = entered.choice(f"{name}.code", {vital.codes[0] for vital in VITALS})
    return None if code is None else (code, BY_CODE[code].unit)


def _changes(entered: Entered) -> list[ChangeLimit]:
    found = []
    for place in range(MOST_LINES):
        name = f"change_limits.{place}"
        if not any(entered.raw(f"{name}.{field}") for field in ("code", "hours", *CHANGE)):
            continue
        coded, hours = _coded(entered, name), entered.whole(f"{name}.hours", 1, 2184)
        edges = {edge: entered.number(f"{name}.{edge}", required=False, positive=True) for edge in CHANGE}
        if coded is not None and hours is not None:
            found.append(ChangeLimit(code=coded[0], unit=coded[1], hours=hours, **edges))
    return found


def _sustained(entered: Entered) -> list[SustainedLimit]:
    found = []
    for place in range(MOST_LINES):
        name = f"sustained_limits.{place}"
        if not any(entered.raw(f"{name}.{field}") for field in ("code", "low", "high", "count", "of")):
            continue
        coded = _coded(entered, name)
        low = entered.number(f"{name}.low", required=False)
        high = entered.number(f"{name}.high", required=False)
        count, of = entered.whole(f"{name}.count", 1, 20), entered.whole(f"{name}.of", 1, 20)
        zone = entered.choice(f"{name}.zone", ZONES)
        if coded is None or count is None or of is None or zone is None:
            continue
        found.append(
            SustainedLimit(
                code=coded[0],
                unit=coded[1],
                low=low,
                high=high,
                count=count,
                of=of,
                zone="red" if zone == "red" else "yellow",
            )
        )
    return found


def _answers(entered: Entered) -> list[AnswerRule]:
    found = []
    for place in range(MOST_LINES):
        name = f"answer_rules.{place}"
        if not any(entered.raw(f"{name}.{field}") for field in ("link_id", "at_least", "is_answer")):
            continue
        question = entered.text(f"{name}.link_id", most=64)
        zone = entered.choice(f"{name}.zone", ZONES)
        at_least = entered.whole(f"{name}.at_least", -1_000_000, 1_000_000, required=False)
        said = entered.text(f"{name}.is_answer", required=False)
        answer: bool | str | None = {"true": True, "false": False}.get(said, said) if said else None
        if question is None or zone is None:
            continue
        if (at_least is None) == (answer is None):
            entered.fault(f"{name}.at_least", "rule")
            continue
        found.append(
            AnswerRule(link_id=question, zone="red" if zone == "red" else "yellow", at_least=at_least, is_answer=answer)
        )
    return found


def _cadence(entered: Entered) -> Cadence | None:
    times = tuple(re.split(r"[\s,;]+", entered.raw("cadence.times"))) if entered.raw("cadence.times") else ()
    if not times or len(times) > 24 or not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", one) for one in times):  # noqa: PLR2004 - as `schemas.care.Cadence`
        entered.fault("cadence.times", "times")
        times = ()
    daily, every = entered.whole("cadence.daily_days", 0, 3650), entered.whole("cadence.every_days", 1, 92)
    grace, alert = entered.whole("cadence.grace_minutes", 0, 10_080), entered.whole("cadence.alert_days", 0, 92)
    if not times or daily is None or every is None or grace is None or alert is None:
        return None
    return Cadence(
        times=times,
        daily_days=daily,
        every_days=every,
        weekdays=tuple(day for day in Weekday if entered.tick(f"cadence.weekdays.{day}")),
        grace_minutes=grace,
        alert_days=alert,
    )


def _measures(entered: Entered, name: str) -> tuple[str, ...]:
    lines = [line.strip() for line in entered.raw(name).splitlines() if line.strip()]
    if len(lines) > MEASURES or any(len(line) > 500 for line in lines):  # noqa: PLR2004 - as `schemas.types.ShortText`
        entered.fault(name, "long", most=500)
    return tuple(lines[:MEASURES])


def used(values: Mapping[str, str], kind: str, place: str) -> bool:
    """Whether something is entered in a numbered line: more than its zone, which always says one."""
    line = f"{kind}.{place}."
    return any(said for name, said in values.items() if name.startswith(line) and name != f"{line}zone")


def sheet(
    values: Mapping[str, str],
    faults_: Mapping[str, str],
    voice: Voice,
    beside: Mapping[str, str] = MappingProxyType({}),
) -> PlanSheet:
    """Return the tables of the form, filled in, with as many lines as `beside`, another plan, needs too."""

    def cells(name: str, fields: tuple[str, ...], of: str) -> tuple[Cell, ...]:
        return tuple(
            Cell(
                f"{name}.{field}",
                f"{of}: {voice(f'plan.{field}')}",
                values.get(f"{name}.{field}", ""),
                faults_.get(f"{name}.{field}", ""),
            )
            for field in fields
        )

    def of_vitals(kind: str, fields: tuple[str, ...]) -> tuple[Line, ...]:
        return tuple(
            Line(
                voice.vital(vital.name),
                voice.unit(vital.unit),
                cells(f"{kind}.{vital.codes[0]}", fields, voice.vital(vital.name)),
            )
            for vital in VITALS
        )

    def numbered(kind: str, first: str, fields: tuple[str, ...], title: str) -> tuple[Line, ...]:
        filled = [
            place for place in range(MOST_LINES) if used(values, kind, str(place)) or used(beside, kind, str(place))
        ]
        count = min(MOST_LINES, (max(filled) + 1 if filled else 0) + MORE)
        return tuple(
            Line(
                f"{title} {place + 1}",
                "",
                cells(f"{kind}.{place}", fields, f"{title} {place + 1}"),
                values.get(f"{kind}.{place}.{first}", ""),
                f"{kind}.{place}",
                values.get(f"{kind}.{place}.zone", "yellow"),
            )
            for place in range(count)
        )

    return PlanSheet(
        of_vitals("limits", ABSOLUTE),
        of_vitals("relative_limits", RELATIVE),
        numbered("change_limits", "code", ("hours", *CHANGE), voice("plan.change_limits")),
        numbered("sustained_limits", "code", ("low", "high", "count", "of"), voice("plan.sustained_limits")),
        numbered("answer_rules", "link_id", ("at_least", "is_answer"), voice("plan.answer_rules")),
    )
