"""Services are configuration: a pathway is read, checked, and made into the plan that a doctor starts from."""

from __future__ import annotations

from pipeline.pathways.fault import Fault
from pipeline.pathways.reading import PathwayError, read
from pipeline.pathways.starting import starter_plan

__all__ = ["Fault", "PathwayError", "read", "starter_plan"]
