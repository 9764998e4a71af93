"""Services as a file says them, read and checked once at the start, because at night is too late for a typing error."""

from __future__ import annotations

from agents.services.faults import faults_of
from agents.services.reading import ServicesError, load_services

__all__ = ["ServicesError", "faults_of", "load_services"]
