"""What an operating council follows, as a file says it, read and checked."""

from __future__ import annotations

from agents.council.reading import CouncilError, load_council

__all__ = ["CouncilError", "load_council"]
