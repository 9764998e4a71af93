"""Simulated patients with known deteriorations, for the demo and for tests. Never real ones, and always called so."""

from __future__ import annotations

from pipeline.cohort.events import Event
from pipeline.cohort.matching import Found, by_chance, matched
from pipeline.cohort.people import Deterioration, Patient
from pipeline.cohort.simulation import Cohort, live, simulate

__all__ = ["Cohort", "Deterioration", "Event", "Found", "Patient", "by_chance", "live", "matched", "simulate"]
