"""`sonevakt pathways`: what can be followed, as lines to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.pathways import PathwayError, read
from pipeline.triage.vitals import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from schemas.care import AnswerRule, Cadence, ChangeLimit, Limit, RelativeLimit, SustainedLimit
    from schemas.pathways import Pathway, Question, Words

    AnyLimit = Limit | RelativeLimit | ChangeLimit | SustainedLimit

STARTER: Final = "starter values: they hold for nobody until a doctor has set the patient's own and signed them"
_EDGES: Final = {  # field of a limit -> how it is read
    "red_low": "red at {} or below",
    "yellow_low": "yellow at {} or below",
    "yellow_high": "yellow at {} or above",
    "red_high": "red at {} or above",
    "red_below": "red {} below own normal",
    "yellow_below": "yellow {} below own normal",
    "yellow_above": "yellow {} above own normal",
    "red_above": "red {} above own normal",
    "red_fall": "red at a fall of {}",
    "yellow_fall": "yellow at a fall of {}",
    "yellow_rise": "yellow at a rise of {}",
    "red_rise": "red at a rise of {}",
    "low": "outside at {} or below",
    "high": "outside at {} or above",
}


def as_json(pathway: Pathway) -> str:
    """The pathway as a file to begin one's own from, its whole rhythm written out."""
    tree = msgspec.to_builtins(pathway) | {"cadence": msgspec.structs.asdict(pathway.cadence)}
    return msgspec.json.format(msgspec.json.encode(tree), indent=2).decode()


def listed(found: Mapping[str, Pathway]) -> Iterator[str]:
    """One line for every pathway."""
    width = max(map(len, found), default=0)
    for slug, pathway in found.items():
        vitals = ", ".join(map(_name, pathway.vitals)) or "no vital signs"
        yield f"{slug.ljust(width)}  version {pathway.version}  {_both(pathway.title)}: {vitals}"


def shown(pathway: Pathway) -> Iterator[str]:
    """All of one pathway."""
    yield f"{pathway.pathway}, version {pathway.version}: {_both(pathway.title)}"
    yield "for one diagnosis" if pathway.diagnosis_bound else "tied to no diagnosis"
    yield f"vital signs: {', '.join(map(_name, pathway.vitals)) or 'none'}"
    yield f"lent out: {', '.join(pathway.equipment) or 'nothing'}"
    yield f"start-up: {pathway.phases.start_up_days} days"
    yield f"registrations: {_rhythm(pathway.cadence)}"
    taken = pathway.participation
    if taken is not None:
        yield f"participation: {taken.sessions_a_week} sessions a week"
        yield from (f"  {asked.slug} at the start and every {asked.every_weeks} weeks" for asked in taken.benefit)
    yield ""
    yield STARTER
    yield from (f"  {line}" for line in _starter(pathway))
    if pathway.questionnaire is not None:
        asked = pathway.questionnaire
        yield ""
        yield f"questions: {asked.slug}, version {asked.version}"
        for question in asked.questions:
            yield f"  {question.link_id} ({_answers(question)}): {_both(question.text)}"
            rules = [rule for rule in asked.answer_rules if rule.link_id == question.link_id]
            yield from (f"    {_rule(rule)}" for rule in rules)
    yield ""
    yield "self-care, in words to begin from"
    for zone, measures in (
        ("green", pathway.self_care.green),
        ("yellow", pathway.self_care.yellow),
        ("red", pathway.self_care.red),
    ):
        yield from (f"  {zone}: {_both(words)}" for words in measures)


def faults_of(path: Path) -> Iterator[str]:
    """What is wrong with a file, one line for every field; raises OSError."""
    try:
        read(path.read_bytes(), str(path))
    except PathwayError as error:
        yield from (f"{error.name}: {fault}" for fault in error.faults)


def _starter(pathway: Pathway) -> Iterator[str]:
    starter = pathway.starter_limits
    yield from map(_limit, starter.limits)
    yield from map(_limit, starter.relative_limits)
    yield from map(_limit, starter.change_limits)
    yield from map(_limit, starter.sustained_limits)
    if pathway.weight_change:
        yield "the general rules on weight hold"
    yield f"NEWS2: {'raises no zone' if pathway.news2 is None else pathway.news2.value.replace('_', ' ')}"
    yield from (f"source: {source}" for source in starter.sources)


def _limit(limit: AnyLimit) -> str:
    given = msgspec.structs.asdict(limit)
    edges = ", ".join(told.format(f"{given[name]:g}") for name, told in _EDGES.items() if given.get(name) is not None)
    within = f", within {given['hours']} hours" if "hours" in given else ""
    often = f", {given['zone']} at {given['count']} of {given['of']} readings" if "of" in given else ""
    return f"{_name(limit.code)} [{limit.unit}]: {edges}{within}{often}"


def _rhythm(cadence: Cadence) -> str:
    first = f"daily for {cadence.daily_days} days, then " if cadence.daily_days else ""
    often = "every day" if cadence.every_days == 1 else f"every {cadence.every_days} days"
    return f"{first}{often} at {', '.join(cadence.times)}; overdue after {cadence.grace_minutes} minutes"


def _answers(question: Question) -> str:
    if question.kind == "choice":
        return ", ".join(option.value for option in question.options)
    return "yes or no" if question.kind == "boolean" else f"{question.least} to {question.most}"


def _rule(rule: AnswerRule) -> str:
    if rule.at_least is not None:
        return f"{rule.zone} at {rule.at_least} or more"
    answer = ("yes" if rule.is_answer else "no") if isinstance(rule.is_answer, bool) else rule.is_answer
    return f"{rule.zone} at {answer}"


def _name(code: str) -> str:
    return BY_CODE[code].name.replace("_", " ")


def _both(words: Words) -> str:
    return words.nb if words.nb == words.en else f"{words.nb} / {words.en}"
