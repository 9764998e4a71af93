"""One post of a page to its receiver, and what its answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp

from schemas.paging import FailureReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yarl import URL

_SUCCESS: Final = range(200, 300)
# Answers below 500 that a moment later may be others. 409: by the Idempotency-Key draft, an attempt with this key is
# still under way there and may yet fail, so it is no delivery. 410 is none of them: only a person can mend it, and a
# receiver is never switched off by itself, so the fold's next ask finds it again.
_PASSING: Final = frozenset({408, 409, 425, 429})
_SERVER_ERROR: Final = 500


class Attempt(NamedTuple):
    """What became of one post."""

    reason: FailureReason | None  # None: delivered
    again: bool = False  # whether another attempt may go better
    wait_s: float = 0.0  # what the receiver asks us to wait before it [s]


def judge(status: int, retry_after: str | None) -> Attempt:
    """Return what an answer means.

    Parameters
    ----------
    status
        HTTP status.
    retry_after
        The header, if there is one; a date in it is passed over.

    Notes
    -----
    A redirect is a refusal: a page about a patient goes to the configured address and no other.
    """
    if status in _SUCCESS:
        return Attempt(None)
    wait_s = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    if status >= _SERVER_ERROR or status in _PASSING:
        return Attempt(FailureReason.SERVER_ERROR, again=True, wait_s=wait_s)
    return Attempt(FailureReason.REFUSED)


async def post(
    http: aiohttp.ClientSession, url: URL, body: bytes, headers: Mapping[str, str], timeout_s: float
) -> Attempt:
    """Post `body` once."""
    try:
        async with http.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            # The body is never read: it could be endless.
            return judge(response.status, response.headers.get("Retry-After"))
    except TimeoutError:
        return Attempt(FailureReason.TIMEOUT, again=True)
    except (aiohttp.ClientError, OSError):
        return Attempt(FailureReason.CONNECTION, again=True)


def open_http() -> aiohttp.ClientSession:
    """Return a client for all receivers: no cookies, no proxy of the environment, no limit that they would share."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        headers={"User-Agent": "sonevakt-paging"},
    )
