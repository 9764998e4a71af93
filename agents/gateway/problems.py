"""What the gateway answers when it takes nothing: a closed list of problems (RFC 9457), also shown on /docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.gateway.faults import Fault

PROBLEM_JSON: Final = "application/problem+json"


class ProblemKind(NamedTuple):
    """One kind of refusal: its name in the `type` URI, HTTP status, title, and what the vendor does about it."""

    name: str
    status: int
    title: str
    advice: str


NOT_JSON: Final = ProblemKind("not-json", 400, "Not JSON", "Send one JSON object, or an array of them, in UTF-8.")
EMPTY: Final = ProblemKind("empty", 400, "Nothing sent", "Send at least one object.")
UNAUTHORIZED: Final = ProblemKind(
    "unauthorized", 401, "No valid token", "Send your token as `Authorization: Bearer ...`."
)
NOT_FOUND: Final = ProblemKind("not-found", 404, "No such address", "Addresses are listed in this document.")
METHOD: Final = ProblemKind("method", 405, "Wrong method", "`Allow` lists the methods of this address.")
SLOW_BODY: Final = ProblemKind("slow-body", 408, "The body did not come in time", "Send it again over a better line.")
TOO_LARGE: Final = ProblemKind("too-large", 413, "Too large", "Send smaller batches.")
TOO_MANY_ITEMS: Final = ProblemKind("too-many-items", 413, "Too many items", "Send smaller batches.")
MEDIA_TYPE: Final = ProblemKind(
    "media-type", 415, "Wrong content type", "Send `Content-Type: application/json` in UTF-8."
)
CONTENT_ENCODING: Final = ProblemKind(
    "content-encoding", 415, "Encoded body", "Send the body as it is, without Content-Encoding."
)
INVALID: Final = ProblemKind(
    "invalid", 422, "Invalid content", "Correct the named fields; sent again unchanged, it is refused again."
)
RATE: Final = ProblemKind("rate", 429, "Too many items a minute", "Send the same again after `Retry-After` seconds.")
INTERNAL: Final = ProblemKind("internal", 500, "Error in the gateway", "Send the same again; nothing was acknowledged.")
UNAVAILABLE: Final = ProblemKind(
    "unavailable",
    503,
    "Cannot take it now",
    "Nothing was acknowledged: send all of it again after `Retry-After` seconds.",
)
BAD_REQUEST: Final = ProblemKind("bad-request", 400, "Unreadable request", "Send HTTP/1.1 as your library makes it.")

PROBLEMS: Final = (
    NOT_JSON,
    EMPTY,
    BAD_REQUEST,
    UNAUTHORIZED,
    NOT_FOUND,
    METHOD,
    SLOW_BODY,
    TOO_LARGE,
    TOO_MANY_ITEMS,
    MEDIA_TYPE,
    CONTENT_ENCODING,
    INVALID,
    RATE,
    INTERNAL,
    UNAVAILABLE,
)


class Refusal(Exception):  # noqa: N818 - the word for what it is; it is an answer and no defect
    """Nothing of the request was acknowledged.

    Parameters
    ----------
    kind
        One of `PROBLEMS`.
    faults
        Fields with what is wrong about each; never a value.
    headers
        Further headers of the answer.
    hang_up
        Whether the connection ends with the answer: the rest of a body that we refuse is not worth reading.
    """

    def __init__(
        self,
        kind: ProblemKind,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        hang_up: bool = False,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.faults = faults
        self.headers = dict(headers or {})
        self.hang_up = hang_up


def answer(refusal: Refusal) -> web.Response:
    """Return `refusal` as application/problem+json."""
    kind = refusal.kind
    body: dict[str, Any] = {
        "type": f"/docs#{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.advice,
    }
    if refusal.faults:
        body["errors"] = [{"field": fault.field, "problem": fault.problem} for fault in refusal.faults]
    response = web.Response(
        status=kind.status, body=msgspec.json.encode(body), content_type=PROBLEM_JSON, headers=refusal.headers
    )
    if refusal.hang_up:
        response.force_close()
    return response
