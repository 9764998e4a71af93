"""The versions that the guards here were tested against; any other is refused."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERIFIED: Final = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}


class UnverifiedVersionError(RuntimeError):
    """A library is there in a version on which nobody has seen the guards hold."""


def check(installed: dict[str, str] | None = None) -> None:
    """Raise UnverifiedVersionError unless the verified versions are installed."""
    found = installed or {name: version(name) for name in VERIFIED}
    for name, wanted in VERIFIED.items():
        if found[name] != wanted:
            raise UnverifiedVersionError(
                f"{name} {found[name]} is not verified: install {wanted}, or run the fault suite on it and say so here"
            )
