"""The command line: `sonevakt`."""

from __future__ import annotations

from agents.commands.main import main

__all__ = ["main"]
