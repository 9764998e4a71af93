"""Who is sending: vendors' bearer tokens, of which only SHA-256 digests are ever kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.types import Slug

if TYPE_CHECKING:
    from pathlib import Path

_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_FILE: Final = Codec[dict[str, tuple[str, ...]]](dict[Slug, tuple[_Digest, ...]])


class TokensError(SettingsError):
    """The tokens file cannot be used; the text says what to do and holds nothing of the file's content."""


@dataclass(frozen=True)
class Tokens:
    """Digests of the tokens that open the gateway, each with its vendor.

    A vendor may have several at once: the new one is added, the vendor changes over, the old one is taken out.
    """

    _digests: tuple[tuple[str, str], ...] = field(repr=False)  # (vendor, SHA-256 in hex)

    def vendor_of(self, token: str) -> str | None:
        """Return whose token this is, None if nobody's; takes equally long wherever it stands in the file."""
        offered = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        found: str | None = None
        for vendor, digest in self._digests:
            if hmac.compare_digest(digest, offered):
                found = vendor
        return found


def load_tokens(path: Path) -> Tokens:
    """Read the tokens file.

    Raises
    ------
    TokensError
        It cannot be read, is not as described in `GatewaySettings`, or lets nobody in.
    """
    advice = f"{path.name}: give a JSON object of vendor -> list of SHA-256 (64 hex digits, lower case) of its tokens"
    try:
        vendors = _FILE.decode(path.read_bytes())
    except OSError as error:
        raise TokensError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError:
        raise TokensError(advice) from None
    digests = tuple((vendor, digest) for vendor, held in vendors.items() for digest in held)
    if not digests:
        raise TokensError(f"{advice}; it holds none, so nobody could send")
    if len({digest for _, digest in digests}) < len(digests):
        raise TokensError(
            f"{path.name}: one token stands there twice, so its vendor would be a guess: give each its own"
        )
    return Tokens(digests)
