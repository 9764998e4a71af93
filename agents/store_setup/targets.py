"""How many patients each service aims at, from the services file into the store, where dashboards find it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agents.stores.port import Point
from agents.storing.points import NO_NUMBER, at_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agents.stores.port import TimeSeriesStore
    from schemas.services import Service

MEASUREMENT: Final = "service"
LOOK_BACK: Final = timedelta(days=36_500)


async def apply(store: TimeSeriesStore, services: Mapping[str, Service], now: datetime) -> list[str]:
    """Write what has changed, so that each target stands from when it was first said; what was done, in words."""
    frame = await store.read(MEASUREMENT, start=now - LOOK_BACK, stop=now, fields=["target_patients", "name"])
    rows = frame.to_dict(orient="records")  # by time, so that the newest of a service comes last
    known = {row["service"]: {"target_patients": row["target_patients"], "name": row["name"]} for row in rows}
    points = []
    for name, service in sorted(services.items()):
        target = NO_NUMBER if service.target_patients is None else float(service.target_patients)
        fields: dict[str, float | str] = {"target_patients": target, "name": service.name}
        if known.get(name) != fields:
            points.append(Point(MEASUREMENT, {"service": name}, fields, at_ms(now)))
    await store.write(points)
    return [f"service {point.tags['service']} aims at {_said(point)}" for point in points]


def _said(point: Point) -> str:
    target = float(point.fields["target_patients"])
    return "no number of patients" if target < 0 else f"{target:.0f} patients"
