"""Tokens that may do what their holder needs and nothing else, each in a file of its own.

InfluxDB tells a token once. Its description there names the role and a fingerprint of the token, by which a file is
known again; what has no file any more is taken away.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agents.store_setup.asking import Asking, Json

FINGERPRINT: Final = 16  # hex digits of the token's SHA-256, of 64 random bytes: tells nothing of it
FILE: Final = "influxdb.token"
_OWNER_ALONE: Final = 0o600


class Role(NamedTuple):
    """What one kind of holder may do.

    Attributes
    ----------
    reads, writes
        Places among the raw bucket (0), that of days (1) and that of weeks (2).
    """

    name: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]


ROLES: Final = (
    Role("writer", reads=(), writes=(0,)),  # storing
    Role("reader", reads=(0, 1, 2), writes=()),  # board, reconcile, commands
    Role("grafana", reads=(0, 1, 2), writes=()),
    Role("analyst", reads=(0, 1, 2), writes=()),
    Role("tasks", reads=(0, 1, 2), writes=(1, 2)),  # rollups that are written by hand
)


def file_of(folder: Path, role: Role) -> Path:
    """Where the token of a role stands: a folder of its own, which can be given to its holder alone."""
    return folder / role.name / FILE


async def apply(
    influxdb: Asking, folder: Path, bucket: str, bucket_ids: tuple[str, ...], *, renew: frozenset[str] = frozenset()
) -> list[str]:
    """Make the tokens that are missing, and those in `renew` anew; what was done, in words without any token."""
    known = (await influxdb.get("authorizations", orgID=influxdb.org_id)).get("authorizations", [])
    changes: list[str] = []
    for role in ROLES:
        ours = f"sonevakt {role.name} of {bucket}"
        mine = [one for one in known if one.get("description", "").split(" #")[0] == ours]
        may = _permissions(influxdb.org_id, bucket_ids, role)
        changes += await _apply(influxdb, file_of(folder, role), role.name, ours, may, mine, renew=role.name in renew)
    return changes


async def _apply(  # noqa: PLR0913, PLR0917 - what a token hangs on
    influxdb: Asking,
    path: Path,
    name: str,
    ours: str,
    may: frozenset[tuple[str, ...]],
    mine: list[Json],
    *,
    renew: bool,
) -> list[str]:
    held = _read(path)
    good = [one for one in mine if held and not renew and _is(one, f"{ours} #{fingerprint(held)}", may)]
    if good:
        changes = [f"closed the file of the {name} token to others"] if _close(path) else []
    else:
        made = await influxdb.post(
            "authorizations", {"orgID": influxdb.org_id, "description": ours, "permissions": _as_json(may)}
        )
        _write(path, made["token"])
        told = {"description": f"{ours} #{fingerprint(made['token'])}"}
        await influxdb.patch(f"authorizations/{made['id']}", told)
        changes = [f"made the {name} token, in {path}"]
    old = [one for one in mine if not good or one["id"] != good[0]["id"]]
    for one in old:
        await influxdb.delete(f"authorizations/{one['id']}")
    if old:
        changes.append(f"took away {len(old)} old {name} token{'s' if len(old) > 1 else ''}")
    return changes


def fingerprint(token: str) -> str:
    """By what a token is known again."""
    return sha256(token.encode()).hexdigest()[:FINGERPRINT]


def _permissions(org_id: str, bucket_ids: tuple[str, ...], role: Role) -> frozenset[tuple[str, ...]]:
    reads = {("read", "buckets", bucket_ids[place], org_id) for place in role.reads}
    return frozenset(reads | {("write", "buckets", bucket_ids[place], org_id) for place in role.writes})


def _as_json(permissions: frozenset[tuple[str, ...]]) -> list[Mapping[str, object]]:
    return [
        {"action": action, "resource": {"type": kind, "id": ident, "orgID": org_id}}
        for action, kind, ident, org_id in sorted(permissions)
    ]


def _is(authorization: Json, description: str, may: frozenset[tuple[str, ...]]) -> bool:
    """Whether InfluxDB knows a token by that description, lets it in, and lets it do exactly this."""
    held = frozenset(
        (one["action"], one["resource"]["type"], one["resource"].get("id", ""), one["resource"].get("orgID", ""))
        for one in authorization.get("permissions", [])
    )
    return authorization["description"] == description and authorization.get("status") == "active" and held == may


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _close(path: Path) -> bool:
    """Close a file to others; whether it was open."""
    was_open = stat.S_IMODE(path.stat().st_mode) != _OWNER_ALONE
    path.chmod(_OWNER_ALONE)
    return was_open


def _write(path: Path, token: str) -> None:
    """Write a token so that nobody else can read it at any moment, and no half of it ever stands there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
