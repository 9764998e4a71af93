"""What InfluxDB's answer to a write means: taken, never to be taken, too much at once, or not yet."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from agents.stores.patience import NotYetError
from agents.stores.port import Problem, ReadError, ReadFault

UNREACHABLE: Final = "unreachable"
THROTTLED: Final = "throttled"
MISCONFIGURED: Final = "misconfigured"

_ADVICE: Final = {
    401: "InfluxDB does not know the token: check the token file",
    403: "InfluxDB's token may not do this: give it read and write on the bucket",
    404: "InfluxDB has no such organisation or bucket, or this is not its address: check them, or run store apply",
}
_DROPPED: Final = re.compile(r"\bdropped=(\d+)\Z")
_PROBLEMS: Final = (
    ("field type conflict", Problem.FIELD_TYPE),
    ("retention", Problem.BEYOND_RETENTION),
    ("time outside range", Problem.TIME_OUT_OF_RANGE),
)


class Refusal(NamedTuple):
    """Lines among those sent are refused: for what, and how many where the store says so."""

    problem: Problem
    lines: int | None


class TooLarge(NamedTuple):
    """The request as a whole is too large; its lines may be fine."""


def judge(status: int | None, body: bytes | str | None, retry_after: str | None = None) -> Refusal | TooLarge:
    """Return what an answer other than "stored" says about the lines sent.

    Only InfluxDB's own words refuse a line. A proxy's page or a misspelt address, whatever its status, says nothing
    about the points, so they are kept and sent again.

    Raises
    ------
    NotYetError
        Nothing is wrong with the lines: the same request may be taken later.
    """
    code, message = _said(body)
    partial = (status, code) == (422, "unprocessable entity")
    if partial or ((status, code) == (400, "invalid") and message.startswith("unable to parse")):
        # A message that it could not parse repeats the line, so only the other kind is searched for a number.
        dropped = _DROPPED.search(message) if partial else None
        problem = next((problem for text, problem in _PROBLEMS if text in message), Problem.REFUSED)
        return Refusal(problem, int(dropped[1]) if dropped else None)
    if status == 413:  # noqa: PLR2004 - HTTP's own numbers are names enough
        return TooLarge()
    raise not_yet(status, retry_after)


def not_yet(status: int | None, retry_after: str | None = None) -> NotYetError:
    """Return why a request with the answer `status` is to be asked again."""
    wait_s = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    if status == 429:  # noqa: PLR2004 - as above
        return NotYetError(THROTTLED, "InfluxDB asks to slow down: wait, or raise its limits", wait_s=wait_s)
    if status is not None and status >= 500:  # noqa: PLR2004 - as above
        return NotYetError(UNREACHABLE, f"InfluxDB answers {status}: see its own log", wait_s=wait_s)
    advice = _ADVICE.get(status or 0, f"this answers {status} and not as InfluxDB does: check the address")
    return NotYetError(MISCONFIGURED, advice)


def unreadable(status: int | None, body: bytes | str | None) -> ReadError:
    """Return what an answer other than rows says about a question."""
    code, message = _said(body)
    nowhere = "organization name" in message and message.endswith("not found")
    if (status, code) == (400, "invalid") and not nowhere:
        return ReadError(ReadFault.FAILED, "InfluxDB refuses the query: see its own log")
    problem = not_yet(404 if nowhere else status)
    reason = ReadFault.MISCONFIGURED if problem.outcome == MISCONFIGURED else ReadFault.UNREACHABLE
    return ReadError(reason, problem.problem)


def _said(body: bytes | str | None) -> tuple[str, str]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    return str(said.get("code", "")), str(said.get("message", ""))
