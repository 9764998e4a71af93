"""Triage: one patient's events in, zones with their reasons out. `step` is the whole of it."""

from __future__ import annotations

from pipeline.triage.rules import RULES, Rules
from pipeline.triage.state import State
from pipeline.triage.step import Output, Refused, step, unreadable, wakes_at

__all__ = ["RULES", "Output", "Refused", "Rules", "State", "step", "unreadable", "wakes_at"]
