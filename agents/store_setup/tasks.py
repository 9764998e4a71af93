"""The tasks of the rollups, in InfluxDB.

A task runs with the rights of the user who made it, whatever its maker's token may do, and since InfluxDB 2.7.1 only an
owner of the organisation may write from a task (influxdata/influxdb#24077). So they belong to a user of their own, who
has no password, and no token once they are made: nobody can act as that user but the tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.store_setup.asking import asking
from dashboards.flux import tasks as rollups

if TYPE_CHECKING:
    from agents.store_setup.asking import Asking, Json

USER: Final = "-rollups"  # behind the bucket's name


async def apply(influxdb: Asking, address: str, bucket: str, zone: str) -> list[str]:
    """Make the tasks that are missing, and give those that differ their text; what was done, in words."""
    user_id, changes = await _user(influxdb, bucket + USER)
    changes += await _disown(influxdb, user_id)
    found = await _found(influxdb)
    missing: list[Json] = []
    for task in rollups.TASKS:
        name, text = rollups.title(task, bucket), rollups.script(task, bucket, zone)
        there = found.get(name)
        if there is None or there.get("ownerID") != user_id:
            if there is not None:
                await influxdb.delete(f"tasks/{there['id']}")
            missing.append({"orgID": influxdb.org_id, "flux": text, "status": "active"})
            changes.append(f"made task {name}")
        elif there["flux"] != text or there["status"] != "active":
            await influxdb.patch(f"tasks/{there['id']}", {"flux": text, "status": "active"})
            changes.append(f"changed task {name}")
    if missing:
        await _make(influxdb, address, user_id, missing)
    return changes


async def _user(influxdb: Asking, name: str) -> tuple[str, list[str]]:
    """The id of the tasks' user, who owns the organisation and cannot sign in; and what was done about it."""
    found = (await influxdb.get("users", name=name)).get("users", [])
    changes = []
    if found:
        user_id = str(found[0]["id"])
    else:
        user_id = str((await influxdb.post("users", {"name": name}))["id"])
        changes.append(f"made user {name}, who cannot sign in, for the tasks")
    owners = await influxdb.get(f"orgs/{influxdb.org_id}/owners")
    if user_id not in {owner["id"] for owner in owners.get("users", [])}:
        await influxdb.post(f"orgs/{influxdb.org_id}/owners", {"id": user_id})
    return user_id, changes


async def _disown(influxdb: Asking, user_id: str) -> list[str]:
    """Take away every token of the tasks' user: a run that was killed before its end left one."""
    known = (await influxdb.get("authorizations", orgID=influxdb.org_id)).get("authorizations", [])
    left = [one["id"] for one in known if one["userID"] == user_id]
    for ident in left:
        await influxdb.delete(f"authorizations/{ident}")
    return [f"took away {len(left)} left token{'s' if len(left) > 1 else ''} of the tasks' user"] if left else []


async def _found(influxdb: Asking) -> dict[str, Json]:
    """Every task by name; InfluxDB lists them page by page, each after the last of the one before."""
    found: dict[str, Json] = {}
    after: dict[str, str] = {}
    while True:
        page = (await influxdb.get("tasks", orgID=influxdb.org_id, limit="100", **after)).get("tasks", [])
        found |= {task["name"]: task for task in page}
        if len(page) < 100:  # noqa: PLR2004 - the same 100
            return found
        after = {"after": page[-1]["id"]}


async def _make(influxdb: Asking, address: str, user_id: str, tasks: list[Json]) -> None:
    """Make tasks as the user whose they are, by a token that is gone afterwards."""
    may = [{"action": action, "resource": {"type": "tasks", "orgID": influxdb.org_id}} for action in ("read", "write")]
    lent = await influxdb.post(
        "authorizations",
        {"orgID": influxdb.org_id, "userID": user_id, "description": "sonevakt store apply", "permissions": may},
    )
    try:
        async with asking(address, influxdb.org, lent["token"], org_id=influxdb.org_id) as own:
            for task in tasks:
                await own.post("tasks", task)
    finally:
        await influxdb.delete(f"authorizations/{lent['id']}")
