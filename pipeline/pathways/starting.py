"""The plan that a doctor starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.care import Plan, SelfCare

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.pathways import Language, Pathway, Words


def starter_plan(pathway: Pathway, *, version: int, valid_from_at: datetime, language: Language) -> Plan:
    """A plan of the pathway's starter values, for a doctor to change to the patient's own and sign."""
    asked = pathway.questionnaire
    starter = pathway.starter_limits
    return Plan(
        version=version,
        valid_from_at=valid_from_at,
        vitals=pathway.vitals,
        limits=starter.limits,
        relative_limits=starter.relative_limits,
        change_limits=starter.change_limits,
        sustained_limits=starter.sustained_limits,
        answer_rules=asked.answer_rules if asked else (),
        answers_due=bool(asked and asked.answer_rules),
        weight_change=pathway.weight_change,
        news2=pathway.news2,
        cadence=pathway.cadence,
        questionnaire=asked.slug if asked else None,
        questionnaire_version=asked.version if asked else None,
        self_care=SelfCare(
            green=_said(pathway.self_care.green, language),
            yellow=_said(pathway.self_care.yellow, language),
            red=_said(pathway.self_care.red, language),
        ),
    )


def _said(measures: tuple[Words, ...], language: Language) -> tuple[str, ...]:
    return tuple(words.nb if language == "nb" else words.en for words in measures)
