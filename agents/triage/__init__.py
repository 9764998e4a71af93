"""The triage agent: patients' events in, assessments, zone changes, pages and statuses out."""

from __future__ import annotations

from agents.triage.fold import TriageFold

__all__ = ["TriageFold"]
