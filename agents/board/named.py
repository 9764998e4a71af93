"""Asking the patient directory: whatever ails it is one error to the pages, and its kind alone is logged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from agents.directory.identity import ErasedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = structlog.get_logger()


class UnavailableError(Exception):
    """The directory does not answer, or what it holds cannot be opened; after a change, it may have been made."""


@contextmanager
def asking() -> Iterator[None]:
    """Ask the directory one thing.

    Raises
    ------
    agents.directory.identity.ErasedError
        The patient was erased, which is nobody's fault.
    UnavailableError
        Anything else went wrong.
    """
    try:
        yield
    except ErasedError:
        raise
    except Exception as error:  # noqa: BLE001 - those of its database, of each driver and of its keys have no common class
        _log.warning("directory_failed", error=type(error).__name__)
        raise UnavailableError from None
