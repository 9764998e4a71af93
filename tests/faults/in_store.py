"""What is in the store, held against every message that is to be stored: each point, each field, nothing more."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from agents.stores.flux import points_query
from agents.stores.frames import table
from agents.storing.sink import STORED
from schemas.codec import Codec, UnreadableError
from tests.faults.compared import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from agents.stores.influxdb import InfluxDBStore
    from agents.stores.port import Point
    from tests.faults.observed import Observed

Identity = tuple[str, tuple[tuple[str, str], ...], int]  # measurement, tags, time [ns]
TAGS: Final = {
    "assessment": ("patient",),
    "reading": ("device", "patient", "vital"),
    "answer": ("patient", "question", "questionnaire"),
    "zone_change": ("from_zone", "patient", "to_zone"),
    "alert_reason": ("patient", "rule", "vital"),
    "plan_limit": ("patient", "vital"),
    "status": ("patient",),
    "page": ("patient", "zone"),
    "page_receipt": ("patient",),
    "care_event": ("device", "kind", "patient"),
}
WINDOW: Final = timedelta(days=20)  # asked for at once


async def in_store(found: Observed, store: InfluxDBStore) -> list[str]:
    """What the store lacks, has otherwise, or has and nobody said, in words."""
    wrong: list[str] = []
    measurements: defaultdict[str, dict[Identity, dict[str, float | str]]] = defaultdict(dict)
    for topic, tells in STORED:
        codec = Codec[Any](topic.message)
        for record in found.records[topic.name]:
            for point in _points(record, codec, tells):
                identity = (point.measurement, tuple(sorted(point.tags.items())), point.at_ns)
                fields = {name: text if isinstance(text, str) else float(text) for name, text in point.fields.items()}
                measurements[point.measurement].setdefault(identity, {}).update(fields)
    for measurement in TAGS:
        must = measurements[measurement]
        there = await _held(store, measurement, [identity[2] for identity in must])
        wrong += told(f"{measurement} not in the store", set(must) - set(there))
        wrong += told(f"{measurement} in the store that nobody said", set(there) - set(must))
        other = {
            (identity, *sorted(name for name in must[identity] if must[identity][name] != held.get(name)))
            for identity, held in there.items()
            if identity in must and held != must[identity]
        }
        wrong += told(f"{measurement} otherwise in the store than it was said last", other)
    return wrong


def _points(record: Any, codec: Codec[Any], tells: Any) -> list[Point]:  # noqa: ANN401 - aiokafka's record is untyped
    """What a record says; nothing where it is poison."""
    try:
        message = codec.decode(record.value)
    except UnreadableError:
        return []
    return tells(message) if record.key == message.patient.encode() else []


async def _held(store: InfluxDBStore, measurement: str, at_ns: Iterable[int]) -> dict[Identity, dict[str, float | str]]:
    """Every point of a measurement; `at_ns` are times around which to ask, and to spare in between."""
    days = {datetime.fromtimestamp(one // 10**9, UTC).date() for one in at_ns}
    if not days:
        return {}
    there: dict[Identity, dict[str, float | str]] = {}
    start = datetime.combine(min(days), datetime.min.time(), UTC) - WINDOW
    stop = datetime.combine(max(days), datetime.min.time(), UTC) + WINDOW
    while start < stop:
        query = points_query(
            store._bucket, measurement, start=start, stop=min(stop, start + WINDOW), tags={}, fields=()
        )
        rows = table(await store._ask(query))
        if rows is not None:
            _take(there, measurement, rows)
        start += WINDOW
    return there


def _take(there: dict[Identity, dict[str, float | str]], measurement: str, rows: pd.DataFrame) -> None:
    times = rows.pop("_time").dt.as_unit("ns").astype("int64")
    names = list(rows.columns)
    for at_ns, row in zip(times, rows.itertuples(index=False, name=None), strict=True):
        held = {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124 - no NaN
        tags = tuple((name, held.pop(name)) for name in TAGS[measurement] if name in held)
        there[measurement, tags, int(at_ns)] = held
