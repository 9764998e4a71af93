"""The services file: a JSON object of service -> how it is staffed, and how its people are reached.

It holds no secret: those stand in files that it names, which only the processes that need them read
(agents/paging/ways/keys.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from agents.services.faults import faults_of
from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.services import Service
from schemas.types import Slug

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = Codec[dict[str, msgspec.Raw]](dict[Slug, msgspec.Raw])
_SERVICE: Final = Codec[Service](Service)


class ServicesError(SettingsError):
    """The services file cannot be used: one line that names every wrong field, and no secret or address."""


def load_services(path: Path) -> dict[str, Service]:
    """Read and check the services file.

    Raises
    ------
    ServicesError
        It cannot be read, or would fail somebody at night: every fault, by its field.
    """
    try:
        entries = _FILE.decode(path.read_bytes())
    except OSError as error:
        raise ServicesError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError:
        raise ServicesError(f"{path.name}: give a JSON object of service -> name, contacts, ladder, roster") from None
    services: dict[str, Service] = {}
    faults: list[str] = []
    for name, raw in entries.items():
        try:
            services[name] = _SERVICE.decode(bytes(raw))
        except UnreadableError as error:
            faults.append(f"{name}{f'.{error.field}' if error.field else ''}: {error.problem}")
        else:
            faults += [f"{name}.{fault}" for fault in faults_of(services[name])]
    if faults:
        raise ServicesError(f"{path.name}: {'; '.join(faults)}")
    return services
