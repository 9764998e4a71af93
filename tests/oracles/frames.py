"""Frames worked out from the messages themselves: the last word on each registration and each change, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.storing.points import at_ms
from schemas.assessments import Assessment, ZoneChange

if TYPE_CHECKING:
    from collections.abc import Iterable


def latest(outputs: Iterable[Any]) -> list[Assessment]:
    """The last revision of every registration."""
    known: dict[Any, Assessment] = {}
    for output in outputs:
        if isinstance(output, Assessment):
            known[output.submission_id] = output
    return list(known.values())


def assessments(outputs: Iterable[Any]) -> list[tuple[Any, ...]]:
    """When each stands, its id, zone and revision."""
    return sorted(
        (at_ms(one.at), str(one.submission_id), one.zone.value, one.revision)
        for one in latest(outputs)
        if not one.entered_in_error
    )


def readings(outputs: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Time, vital sign, device, value, quality and score of each that was not withdrawn."""
    return sorted(
        (
            at_ms(reading.measured_at),
            reading.vital or reading.code,
            reading.device or "",
            reading.value,
            reading.quality.value,
            round(reading.deviation.score, 9) if reading.deviation else -99.0,
        )
        for one in latest(outputs)
        for reading in one.readings
        if not reading.withdrawn
    )


def answers(outputs: Iterable[Any]) -> list[tuple[Any, ...]]:
    """When each was given, to which question, and the number."""
    return sorted(
        (
            at_ms(one.at),
            str(one.submission_id),
            answer.questionnaire,
            answer.link_id,
            -99.0 if isinstance(answer.value, str) else float(answer.value),
        )
        for one in latest(outputs)
        for answer in one.answers
    )


def zone_changes(outputs: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Time, from and to of each that was not taken back."""
    known: dict[Any, ZoneChange] = {}
    for output in outputs:
        if isinstance(output, ZoneChange):
            known[output.zone_change_id] = output
    return sorted(
        (at_ms(one.at), one.from_zone.value, one.to_zone.value) for one in known.values() if not one.retracted
    )
