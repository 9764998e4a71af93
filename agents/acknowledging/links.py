"""The link in a page by which its reader acknowledges without signing in, signed so that nobody else can make one.

The address names neither patient nor zone: it holds the page's id and who was told. It holds no time either, so that a
page asked again is the same to the byte; for how long it is taken is counted from when the page was asked for.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from itsdangerous import BadData, URLSafeSerializer
from yarl import URL

from agents.loopback import is_loopback
from agents.settings import SettingsError, secret, variable
from schemas.types import StaffRef

if TYPE_CHECKING:
    from agents.settings import Settings

VALID_FOR: Final = timedelta(hours=24)  # our choice: three shifts, by which somebody else has long been told
SHORTEST_KEY: Final = 32  # [characters]; 24 random bytes in base64
PATH: Final = "a"  # short, for an SMS


class Link(NamedTuple):
    """What a link says."""

    page_id: UUID
    told: str


class ForgedError(ValueError):
    """A link that we did not make, or that was changed on its way."""


class Links:
    """Makes links and reads them.

    Parameters
    ----------
    board
        Where staff reach the board.
    key
        Of the installation; whoever changes it makes every link void.
    """

    def __init__(self, board: URL, key: str) -> None:
        self.board = board
        self._serializer = URLSafeSerializer(
            key, salt="sonevakt-acknowledge", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def __repr__(self) -> str:
        return "Links(hidden)"

    def of(self, page_id: UUID, told: str) -> str:
        """Return the address by which `told` acknowledges the page."""
        packed = base64.urlsafe_b64encode(page_id.bytes).rstrip(b"=").decode()
        return str(self.board / PATH / _text(self._serializer.dumps([packed, told])))

    def read(self, token: str) -> Link:
        """Return what a link says.

        Raises
        ------
        ForgedError
            It is not ours.
        """
        try:
            said: Any = self._serializer.loads(token)
            packed, told = msgspec.convert(said, tuple[str, StaffRef])
            page_id = UUID(bytes=base64.urlsafe_b64decode(packed + "=="))
        except (BadData, msgspec.ValidationError, ValueError):
            raise ForgedError("no link of ours") from None
        return Link(page_id, told)


def _text(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode()


def load_links(settings: Settings) -> Links | None:
    """Return what the settings say; None where pages carry no link.

    Raises
    ------
    SettingsError
        There is a key and nowhere to lead to, or one of the two cannot be used.
    """
    if not settings.link_key_file:
        return None
    if not settings.board_url:
        raise SettingsError(f"{variable('board_url')} must be set, as {variable('link_key_file')} is: links lead there")
    board = board_of(settings)
    key = secret("link_key_file", settings.link_key_file)
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"{variable('link_key_file')}: give a long random text: openssl rand -base64 32")
    return Links(board, key)


def board_of(settings: Settings) -> URL:
    """Return where staff reach the board.

    Raises
    ------
    SettingsError
        It is no address, or not encrypted on its way.
    """
    try:
        board = URL(settings.board_url.rstrip("/"))
        host = board.host or ""
    except ValueError:
        raise SettingsError(f"{variable('board_url')} is no address") from None
    if board.scheme != "https" and not is_loopback(host):
        raise SettingsError(f"{variable('board_url')} must be https; http only on this machine itself")
    return board
