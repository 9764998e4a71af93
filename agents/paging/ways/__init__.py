"""The ways by which a contact is reached, behind one small port: webhook, PagerDuty, and whatever apprise reaches."""

from __future__ import annotations

from agents.paging.ways.keys import Address, Ways, load_ways
from agents.paging.ways.way import Way

__all__ = ["Address", "Way", "Ways", "load_ways"]
