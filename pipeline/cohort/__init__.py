"""Simulated patients with known deteriorations, for the demo and for tests. Never real ones, and always called so."""

from __future__ import annotations

from pipeline.cohort.matching import Found, matched
from pipeline.cohort.simulation import Cohort, Deterioration, Event, live, simulate

__all__ = ["Cohort", "Deterioration", "Event", "Found", "live", "matched", "simulate"]
