"""What follow-up leads to, for analysts and the operating council: pure functions from frames to frames.

Every function says what it estimates, how, and by whose method; `docs/outcomes.md` holds the definitions side by side.
Times of day and calendars are those of the zone that is named. Nothing here leaves the system before
`pipeline.outcomes.disclosure` has seen it.
"""

from __future__ import annotations
