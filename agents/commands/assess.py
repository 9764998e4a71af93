"""The fold alone, over JSON lines."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click
import msgspec

from agents.recordings import jsonl
from pipeline.triage import Refused, step
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.codec import UNREADABLE, UnreadableError
from schemas.topics import ASSESSMENTS, PAGES, PATIENT_STATUS, ZONE_CHANGES

if TYPE_CHECKING:
    from pipeline.triage import Output, State

_encoder = msgspec.json.Encoder()


def run(lines: IO[bytes], out: IO[bytes]) -> int:
    """Read events, write what follows; a line that cannot be read is named on stderr and makes the exit code 1."""
    states: dict[str, State | None] = {}
    code = 0
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            event = jsonl.event(raw).message
        except UnreadableError as error:
            click.echo(f"line {number}: {error}", err=True)
            code = 1
            continue
        except UNREADABLE:
            click.echo(f"line {number}: is not an object with topic and message", err=True)
            code = 1
            continue
        states[event.patient], outputs = step(states.get(event.patient), event)
        for output in outputs:
            if isinstance(output, Refused):
                click.echo(f"line {number}: {output.reason.value}", err=True)
                code = 1
            else:
                out.write(_encoder.encode({"topic": _topic(output), "message": output}) + b"\n")
    return code


def _topic(output: Output) -> str:
    if isinstance(output, Assessment):
        return ASSESSMENTS.name
    if isinstance(output, ZoneChange):
        return ZONE_CHANGES.name
    return PATIENT_STATUS.name if isinstance(output, PatientStatus) else PAGES.name
