"""What contradicts itself in a pathway's questionnaire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.pathways.fault import Fault, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.care import AnswerRule
    from schemas.pathways import Question, Questionnaire

_LEAST_OPTIONS: Final = 2


def faults(asked: Questionnaire) -> Iterator[Fault]:
    """Every fault of the questions and of the rules on their answers."""
    for place in repeated(question.link_id for question in asked.questions):
        yield Fault(f"questionnaire.questions[{place}].link_id", "must be the name of this question alone")
    for place, question in enumerate(asked.questions):
        yield from _of_question(question, f"questionnaire.questions[{place}]")
    by_id = {question.link_id: question for question in asked.questions}
    for place, rule in enumerate(asked.answer_rules):
        path = f"questionnaire.answer_rules[{place}]"
        if rule.link_id not in by_id:
            yield Fault(f"{path}.link_id", f"must be one of the questions: {', '.join(by_id)}")
        else:
            yield from _of_rule(rule, by_id[rule.link_id], path)
    for place in repeated((rule.link_id, rule.at_least, rule.is_answer) for rule in asked.answer_rules):
        yield Fault(f"questionnaire.answer_rules[{place}]", "must be the only rule on this answer")
    yield from _in_wrong_order(asked.answer_rules)


def _of_question(question: Question, path: str) -> Iterator[Fault]:
    choice, number = question.kind == "choice", question.kind == "number"
    for place in repeated(option.value for option in question.options):
        yield Fault(f"{path}.options[{place}].value", "must be the value of this option alone")
    if choice and len(question.options) < _LEAST_OPTIONS:
        yield Fault(f"{path}.options", "must hold at least two options, as the question is a choice")
    if question.options and not choice:
        yield Fault(f"{path}.options", f"must be left out, as the question is a {question.kind}")
    for name, end in (("least", question.least), ("most", question.most)):
        if number and end is None:
            yield Fault(f"{path}.{name}", "must be given, as the question is a number")
        if not number and end is not None:
            yield Fault(f"{path}.{name}", f"must be left out, as the question is a {question.kind}")
    if question.least is not None and question.most is not None and question.least >= question.most:
        yield Fault(f"{path}.most", "must be more than least")


def _of_rule(rule: AnswerRule, question: Question, path: str) -> Iterator[Fault]:
    if (rule.at_least is None) == (rule.is_answer is None):
        return  # a fault of the plan, whose check tells of it
    name = "is_answer" if rule.at_least is None else "at_least"
    if (question.kind == "number") != (name == "at_least"):
        other = "is_answer" if name == "at_least" else "at_least"
        yield Fault(f"{path}.{name}", f"must be {other}, as {question.link_id} is a {question.kind}")
    elif not _can_be_given(rule, question):
        yield Fault(f"{path}.{name}", f"must be {_answers(question)}, as {question.link_id} is a {question.kind}")


def _can_be_given(rule: AnswerRule, question: Question) -> bool:
    """Whether some answers break the rule and others do not."""
    if question.kind == "boolean":
        return isinstance(rule.is_answer, bool)
    if question.kind == "choice":
        return rule.is_answer in [option.value for option in question.options]
    least, limit, most = question.least, rule.at_least, question.most
    if least is None or limit is None or most is None:
        return True  # a fault of the question, told of there
    return least < limit <= most


def _answers(question: Question) -> str:
    if question.kind == "boolean":
        return "true or false"
    if question.kind == "choice":
        return "one of its options: " + ", ".join(option.value for option in question.options)
    return f"above {question.least} and at most {question.most}"


def _in_wrong_order(rules: tuple[AnswerRule, ...]) -> Iterator[Fault]:
    """A yellow rule on a number that a red one always comes before."""
    reds: dict[str, int] = {}
    for rule in rules:
        if rule.zone == "red" and rule.at_least is not None:
            reds[rule.link_id] = min(rule.at_least, reds.get(rule.link_id, rule.at_least))
    for place, rule in enumerate(rules):
        red = reds.get(rule.link_id)
        if rule.zone == "yellow" and rule.at_least is not None and red is not None and rule.at_least > red:
            yield Fault(f"questionnaire.answer_rules[{place}].at_least", f"must be less than that of the red: {red}")
