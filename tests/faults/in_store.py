"""What is in the store, held against every message that is to be stored: each point, each field, nothing more.

Of very many messages each point is held against its own by one field, and every field of some patients' points.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from agents.stores.flux import Query, points_query
from agents.stores.frames import table
from agents.storing.sink import STORED
from schemas.codec import Codec, UnreadableError
from tests.faults.compared import told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pandas as pd

    from agents.stores.influxdb import InfluxDBStore
    from agents.stores.port import Point
    from tests.faults.observed import Observed

Identity = tuple[str, tuple[tuple[str, str], ...], int]  # measurement, tags, time [ns]
Fields = dict[str, float | str]
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
MARKS: Final = {  # a field that every point of the measurement has
    "assessment": "revision",
    "reading": "revision",
    "answer": "revision",
    "zone_change": "retracted",
    "alert_reason": "zone_change_id",
    "plan_limit": "plan_version",
    "status": "revision",
    "page": "ask",
    "page_receipt": "ask",
    "care_event": "recorded",
}
WINDOW: Final = timedelta(days=20)  # asked for at once
_MARK: Final = """from(bucket: pBucket)
  |> range(start: pStart, stop: pStop)
  |> filter(fn: (r) => r._measurement == pMeasurement and r._field == pField)
  |> drop(columns: ["_start", "_stop", "_measurement", "_field"])
  |> group()"""


async def in_store(found: Observed, store: InfluxDBStore, some: Collection[str] | None = None) -> list[str]:
    """What the store lacks, has otherwise, or has and nobody said, in words.

    `some` are the patients of whose points every field is compared; None: of all.
    """
    if some is None:
        return await _whole(_said(found), store, [{}])
    wrong = await _marks(found, store)
    said = [one for one in _said(found) if dict(one[0][1])["patient"] in some]
    return wrong + await _whole(iter(said), store, [{"patient": patient} for patient in sorted(some)])


async def _whole(
    said: Iterator[tuple[Identity, Fields]], store: InfluxDBStore, whose: Collection[Mapping[str, str]]
) -> list[str]:
    """Every field of every point that carries the tags of one of `whose`."""
    wrong: list[str] = []
    measurements: defaultdict[str, dict[Identity, Fields]] = defaultdict(dict)
    for identity, fields in said:
        measurements[identity[0]].setdefault(identity, {}).update(fields)
    for measurement in TAGS:
        must = measurements[measurement]
        there: dict[Identity, Fields] = {}
        for start, stop in _windows([identity[2] for identity in must]) if len(whose) == 1 else _one(must):
            for tags in whose:
                query = points_query(store._bucket, measurement, start=start, stop=stop, tags=tags, fields=())
                rows = table(await store._ask(query))
                if rows is not None:
                    there.update(_points_of(measurement, rows))
        wrong += told(f"{measurement} not in the store", set(must) - set(there))
        wrong += told(f"{measurement} in the store that nobody said", set(there) - set(must))
        other = {
            (identity, *sorted(name for name in must[identity] if must[identity][name] != held.get(name)))
            for identity, held in there.items()
            if identity in must and held != must[identity]
        }
        wrong += told(f"{measurement} otherwise in the store than it was said last", other)
    return wrong


async def _marks(found: Observed, store: InfluxDBStore) -> list[str]:
    """One field of every point there is, by a hash of what the point is: names would take gigabytes."""
    must: defaultdict[str, dict[int, float | str]] = defaultdict(dict)
    spans: defaultdict[str, list[int]] = defaultdict(list)
    for identity, fields in _said(found):
        measurement, _, at_ns = identity
        must[measurement][hash(identity)] = fields[MARKS[measurement]]
        spans[measurement].append(at_ns)
    wrong: list[str] = []
    for measurement, mark in MARKS.items():
        left, nobody, other = must[measurement], set(), set()
        for start, stop in _windows(spans[measurement]):
            params = {"pBucket": store._bucket, "pMeasurement": measurement, "pField": mark}
            rows = table(await store._ask(Query(_MARK, {**params, "pStart": start, "pStop": stop})))
            for identity, held in _points_of(measurement, rows) if rows is not None else ():
                said = left.pop(hash(identity), None)
                if said is None:
                    nobody.add(identity)
                elif said != held["_value"]:
                    other.add(identity)
        missing = {identity for identity, _ in _said(found) if hash(identity) in left} if left else set()
        wrong += told(f"{measurement} not in the store", missing)
        wrong += told(f"{measurement} in the store that nobody said", nobody)
        wrong += told(f"{measurement} with another {mark} in the store than was said last", other)
    return wrong


def _said(found: Observed) -> Iterator[tuple[Identity, Fields]]:
    """Every point that the messages say, the last said last."""
    for topic, tells in STORED:
        codec = Codec[Any](topic.message)
        for record in found.records[topic.name]:
            for point in _points(record, codec, tells):
                identity = (point.measurement, tuple(sorted(point.tags.items())), point.at_ns)
                yield (
                    identity,
                    {name: one if isinstance(one, str) else float(one) for name, one in point.fields.items()},
                )


def _points(record: Any, codec: Codec[Any], tells: Any) -> list[Point]:  # noqa: ANN401 - aiokafka's record is untyped
    """What a record says; nothing where it is poison."""
    try:
        message = codec.decode(record.value)
    except UnreadableError:
        return []
    return tells(message) if record.key == message.patient.encode() else []


def _windows(at_ns: Collection[int]) -> Iterator[tuple[datetime, datetime]]:
    """Spans of time to ask for, around and between these times, and some to spare."""
    if at_ns:
        first, last = (datetime.fromtimestamp(one // 10**9, UTC) for one in (min(at_ns), max(at_ns)))
        begin, end = first - WINDOW, last + WINDOW
        starts = [begin + WINDOW * number for number in range((end - begin) // WINDOW + 1)]
        yield from pairwise([*starts, end + WINDOW])


def _one(identities: Collection[Identity]) -> Iterator[tuple[datetime, datetime]]:
    """The same as one span."""
    windows = list(_windows([identity[2] for identity in identities]))
    if windows:
        yield windows[0][0], windows[-1][1]


def _points_of(measurement: str, rows: pd.DataFrame) -> Iterator[tuple[Identity, Fields]]:
    """Identity and fields of each row."""
    times = rows.pop("_time").dt.as_unit("ns").astype("int64")
    names = list(rows.columns)
    for at_ns, row in zip(times, rows.itertuples(index=False, name=None), strict=True):
        held = {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124 - no NaN
        of = tuple((name, held.pop(name)) for name in TAGS[measurement] if name in held)
        yield (measurement, of, int(at_ns)), held
