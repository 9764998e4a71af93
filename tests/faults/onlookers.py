"""What those who only look on see once all has settled: nothing unaccounted for, and a board that is up to date.

Neither is part of what the clean run compares: they write nothing that a patient's care depends on. But a
reconciliation that stands still after a kill, or that misses what is there, is as bad as none.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


async def wrong(asked: Mapping[str, str], since: datetime, within_s: float) -> list[str]:
    """What is not as it must be, after at most so long.

    Parameters
    ----------
    asked
        Where each of them answers, by its name; none on a run that loses messages on purpose.
    since
        Up to when everything must be accounted for.
    """
    deadline = monotonic() + within_s
    found = [f"{name} was not asked" for name in asked]
    while found and monotonic() < deadline:
        found = [line for name, address in asked.items() for line in await _of(name, address, since)]
        if found:
            await asyncio.sleep(1)
    return found


async def _of(name: str, address: str, since: datetime) -> list[str]:
    try:
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{address}/readyz") as answer:
                if answer.status != 200:
                    return [f"{name} is not ready: {await answer.text()}"]
            if name != "reconcile":
                return []
            async with http.get(f"{address}/metrics") as answer:
                return list(_unaccounted(await answer.text(), since))
    except aiohttp.ClientError as error:
        return [f"{name} does not answer: {type(error).__name__}"]


def _unaccounted(metrics: str, since: datetime) -> list[str]:
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    missing = {one.labels["step"]: one.value for one in samples if one.name == "sonevakt_unaccounted"}
    until = max((one.value for one in samples if one.name == "sonevakt_accounted_until_timestamp_seconds"), default=0)
    found = [f"reconcile: {number:g} not {step}" for step, number in missing.items() if number]
    if not missing:
        found.append("reconcile says nothing")
    if until < since.timestamp():
        found.append(f"reconcile has accounted for nothing after {since.timestamp() - until:.0f} s before the end")
    return found
