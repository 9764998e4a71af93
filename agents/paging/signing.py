"""Signatures of webhooks, as the Standard Webhooks specification 1.0.0 gives them: `v1`, HMAC-SHA256.

A receiver checks with `verify` that a page comes from us, unchanged and now, before it wakes anybody.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
TOLERANCE: Final = timedelta(minutes=5)  # the specification's own
_PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # [B], the specification's own
_LATEST_UNIX: Final = 253_402_300_799  # the last second that a datetime can hold


class SecretError(ValueError):
    """A signing secret cannot be used; the text says what one looks like and holds nothing of it."""


class SignatureError(ValueError):
    """A webhook is not from us, was changed on its way, or is old; the text holds nothing of it."""


class SigningSecret:
    """A key shared with one receiver; it never shows itself.

    >>> SigningSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    SigningSecret(hidden)

    Raises
    ------
    SecretError
        It is shorter than 24 bytes or longer than 64.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if not _SHORTEST <= len(key) <= _LONGEST:
            raise SecretError(_advice())
        self._key = key

    @classmethod
    def parse(cls, text: str) -> SigningSecret:
        """Read `whsec_` and base64.

        Raises
        ------
        SecretError
            It is not so.
        """
        if not text.startswith(_PREFIX):
            raise SecretError(_advice())
        try:
            return cls(base64.b64decode(text[len(_PREFIX) :], validate=True))
        except binascii.Error:
            raise SecretError(_advice()) from None

    def __repr__(self) -> str:
        return "SigningSecret(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled, by which it would leave the process."""
        raise TypeError("a signing secret does not leave the process")

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """Return the signature header's text for a message sent at `timestamp` [s since 1970]."""
        signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
        return "v1," + base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()


def verify(
    headers: Mapping[str, str], body: bytes, secret: SigningSecret, now: datetime, tolerance: timedelta = TOLERANCE
) -> str:
    """Return the message's id, which is the same however often it is sent, when the message may be believed.

    Parameters
    ----------
    headers
        As received; names in any case.
    body
        The bytes as received, before any JSON is read.
    secret
        Shared with the sender.
    now
        The receiver's clock; with an offset.
    tolerance
        How far its timestamp may lie from `now`, so that an old one cannot be played again.

    Raises
    ------
    SignatureError
        A header is missing, the time too far off, or no `v1` signature fits.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, signatures = given[ID], int(given[TIMESTAMP]), given[SIGNATURE]
    except (KeyError, ValueError):
        raise SignatureError(f"needs the headers {ID}, {TIMESTAMP} (whole seconds) and {SIGNATURE}") from None
    if not 0 <= timestamp <= _LATEST_UNIX or abs(now.timestamp() - timestamp) > tolerance.total_seconds():
        raise SignatureError(f"{TIMESTAMP} is too far from this receiver's clock")
    expected = secret.sign(message_id, timestamp, body).encode()
    # A sender that changes its secret signs with both for a while.
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures.split(" ")):
        raise SignatureError(f"no {SIGNATURE} fits the message")
    return message_id


def _advice() -> str:
    return f"give {_PREFIX} and base64 of {_SHORTEST} to {_LONGEST} random bytes: openssl rand -base64 32"
