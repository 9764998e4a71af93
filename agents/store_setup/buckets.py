"""The raw bucket and its rollups: made where they are missing, kept for as long as the settings say.

A bucket is kept longer at once. Keeping it for less takes away what is older for good, so a person must say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agents.settings import Settings
    from agents.store_setup.asking import Asking, Json

DAY_S: Final = 86_400
# How much time InfluxDB keeps in one file, by for how long it keeps them at least [d]. Its own choice, a week, makes
# too many for points this sparse: what asks for everybody opens each. A file goes as a whole, once the last of it is
# too old, so in long ones points outlive their time by up to half a year: they are for what is kept for years.
SHARD_DAYS: Final = {1_095: 182, 180: 28}
DAILY: Final = "-daily"
WEEKLY: Final = "-weekly"


class Bucket(NamedTuple):
    """One bucket as it should be.

    Attributes
    ----------
    days
        How long its points are kept [d]; 0: for ever.
    """

    name: str
    days: int

    @property
    def rules(self) -> list[Json]:
        """What InfluxDB calls its retention rules."""
        rule: Json = {"type": "expire", "everySeconds": self.days * DAY_S}
        if self.shard_days is not None:
            rule["shardGroupDurationSeconds"] = self.shard_days * DAY_S
        return [rule]

    @property
    def shard_days(self) -> int | None:
        """How much time is in one file [d]; None: left to InfluxDB's own choice."""
        return next((shard for least, shard in SHARD_DAYS.items() if self.days == 0 or self.days >= least), None)


class Applied(NamedTuple):
    """A bucket's id, what was done about it, and what was not."""

    id: str
    changes: list[str]
    differences: list[str]


def wanted(settings: Settings) -> tuple[Bucket, Bucket, Bucket]:
    """The raw bucket, and those of days and of weeks."""
    name = settings.influxdb_bucket
    return (
        Bucket(name, settings.influxdb_retention_days),
        Bucket(name + DAILY, settings.influxdb_daily_retention_days),
        Bucket(name + WEEKLY, settings.influxdb_weekly_retention_days),
    )


async def apply(influxdb: Asking, bucket: Bucket, *, shorten: bool) -> Applied:
    """Make `bucket`, or make it as it should be; keep it for less where `shorten` says so."""
    found = (await influxdb.get("buckets", orgID=influxdb.org_id, name=bucket.name)).get("buckets", [])
    if not found:
        body = {"orgID": influxdb.org_id, "name": bucket.name, "retentionRules": bucket.rules}
        made = await influxdb.post("buckets", body)
        return Applied(made["id"], [f"made bucket {bucket.name}, kept {_long(bucket.days)}"], [])
    there = found[0]
    is_s, is_shard_s = _kept(there)
    wants_s = bucket.days * DAY_S
    wants_shard_s = bucket.rules[0].get("shardGroupDurationSeconds", is_shard_s)
    if (is_s, is_shard_s) == (wants_s, wants_shard_s):
        return Applied(there["id"], [], [])
    shorter = wants_s != 0 and (is_s == 0 or wants_s < is_s)
    if shorter and not shorten:
        told = (
            f"bucket {bucket.name} is kept {_long(is_s // DAY_S)}, settings say {bucket.days} days:"
            " run it with --shorten to take away for good what is older"
        )
        return Applied(there["id"], [], [told])
    await influxdb.patch(f"buckets/{there['id']}", {"retentionRules": bucket.rules})
    if is_s == wants_s:
        return Applied(there["id"], [f"bucket {bucket.name}: {bucket.shard_days} days in a file from now on"], [])
    told = f"bucket {bucket.name} is kept {_long(bucket.days)}, was {_long(is_s // DAY_S)}"
    return Applied(there["id"], [told], [])


def _kept(bucket: Json) -> tuple[int, int]:
    """How long its points are kept, and how much time is in one file [s]."""
    rules = bucket.get("retentionRules") or [{}]
    return int(rules[0].get("everySeconds", 0)), int(rules[0].get("shardGroupDurationSeconds", 0))


def _long(days: int) -> str:
    return f"{days} days" if days else "for ever"
