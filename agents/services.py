"""The services file: who is told of an alert, by what way, and who is on duty. Read and checked once, at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.services import Service
from schemas.types import Slug

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = Codec[dict[str, Service]](dict[Slug, Service])


class ServicesError(SettingsError):
    """The services file cannot be used; the text says where in it and what to do."""


def load_services(path: Path) -> dict[str, Service]:
    """Read the services file: a JSON object of service -> its ladder, roster and contacts.

    Raises
    ------
    ServicesError
        It cannot be read, or something in it is wrong.
    """
    try:
        return _FILE.decode(path.read_bytes())
    except OSError as error:
        raise ServicesError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError as error:
        raise ServicesError(f"{path.name}: {error.field or 'the file'}: {error.problem}") from None
