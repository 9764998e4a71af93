"""A report from its beginning to its end: read, worked out, shown, written."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from agents.report import reading
from agents.report.building import document
from agents.settings import SettingsError
from pipeline.outcomes.council.tables import Asked, told
from pipeline.outcomes.following import followed
from pipeline.outcomes.periods import ZONE
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from agents.stores.port import TimeSeriesStore
    from dashboards.report.views import Document
    from pipeline.outcomes.council.tables import Held, Told
    from schemas.council import Council
    from schemas.services import Service

CALENDAR: Final = ZoneInfo(ZONE)


class Wanted(NamedTuple):
    """What a report is to be about.

    Attributes
    ----------
    start, stop
        Midnights of the calendar; the report holds the first and not the second.
    services
        Empty: all.
    """

    start: datetime
    stop: datetime
    services: tuple[str, ...] = ()


class Configured(NamedTuple):
    """What configuration says of services and council."""

    services: Mapping[str, Service]
    council: Council

    @property
    def names(self) -> dict[str, str]:
        """How configured things are called on the page."""
        return {f"service.{slug}": one.name for slug, one in self.services.items()} | {
            f"before.{slug}": one.name for slug, one in self.services.items()
        }

    @property
    def within(self) -> dict[tuple[str, str], int]:
        """Minutes in which alarms are to be taken over, by service and zone: those of the ladders."""
        found = {}
        for slug, one in self.services.items():
            found[slug, Zone.RED.value] = one.ladder.red[-1].after_minutes
            found[slug, Zone.YELLOW.value] = one.ladder.yellow_minutes
        return found

    @property
    def targets(self) -> pd.DataFrame | None:
        """`frames.TARGETS`: those of the council's file, else the one of the services file."""
        rows = [
            (slug, _midnight(target.from_day), target.users)
            for slug, followed in self.council.services.items()
            for target in followed.targets
        ]
        told_of = {slug for slug, _, _ in rows}
        rows += [
            (slug, pd.Timestamp(0, tz="UTC"), one.target_patients)
            for slug, one in self.services.items()
            if one.target_patients is not None and slug not in told_of
        ]
        return pd.DataFrame(rows, columns=["service", "time", "users"]) if rows else None

    @property
    def nurses(self) -> pd.DataFrame | None:
        """`frames.NURSES`."""
        rows = [
            (slug, _midnight(one.from_day), _midnight(one.to_day), one.nurses)
            for slug, followed in self.council.services.items()
            for one in followed.nurses
        ]
        return pd.DataFrame(rows, columns=["service", "start", "stop", "nurses"]) if rows else None


async def made(store: TimeSeriesStore, configured: Configured, wanted: Wanted, made_at: datetime) -> Document:
    """Return the report.

    Raises
    ------
    SettingsError
        A service that is asked for never was responsible for anybody.
    ReadError
        The store does not answer.
    """
    held, tables = await worked_out(store, configured, wanted)
    return document(held, tables, configured.council, wanted.services, (wanted.start, wanted.stop), made_at)


async def worked_out(store: TimeSeriesStore, configured: Configured, wanted: Wanted) -> tuple[Held, Told]:
    """Return what was read, and the tables of the council out of it; raises as `made`."""
    council = configured.council
    held = await reading.held(store, wanted.start, wanted.stop, council.questionnaires)
    known_from = council.outcomes_known_from
    asked = Asked(
        wanted.start,
        wanted.stop,
        targets=configured.targets,
        nurses=configured.nurses,
        questionnaires=council.questionnaires,
        within=configured.within,
        known_from=None if known_from is None else _midnight(known_from),
    )
    known = set(followed(held.care_events, wanted.stop)["service"])
    for service in wanted.services:
        if service not in known:
            there = ", ".join(sorted(known)) or "none"
            raise SettingsError(f"no service {service} ever had a patient; there are {there}")
    if not known:
        raise SettingsError("nobody was followed by then: there is nothing to tell")
    return held, told(held, asked)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CALENDAR)
