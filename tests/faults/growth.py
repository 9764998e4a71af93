"""How large the processes and the states were as time went on: neither may grow with what has passed through."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Final

from agents import wallclock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.faults.product import Product

EVERY_S: Final = 2.0
PARTS: Final = 10
MIB: Final = 2**20


class Growth:
    """Resident memory of every process of a product, read from the kernel while it runs."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, str, int]] = []  # (seconds since 1970, process, bytes)

    async def watch(self, product: Product) -> None:
        """Read for ever."""
        while True:
            at = wallclock.now().timestamp()
            for member in product.members:
                size = resident(member.pid)
                if size:
                    self._seen.append((at, member.name, size))
            await asyncio.sleep(EVERY_S)

    def lines(self, first: float, last: float, states: Iterable[tuple[float, int]]) -> Iterator[str]:
        """A table of equal parts of the time from `first` to `last` [s since 1970].

        `states` are the states that were written: when [s since 1970], and of how many bytes.
        """
        names = sorted({name for _, name, _ in self._seen})
        most: defaultdict[tuple[int, str], int] = defaultdict(int)
        sizes: defaultdict[int, list[int]] = defaultdict(list)
        for at, name, size in self._seen:
            most[_part(at, first, last), name] = max(most[_part(at, first, last), name], size)
        for at, size in states:
            sizes[_part(at, first, last)].append(size)
        yield (
            "| minute | " + " | ".join(f"{name} at most [MiB]" for name in names) + " | states written | mean [bytes] |"
        )
        yield "|---|" + "---|" * (len(names) + 2)
        for part in range(PARTS):
            ends = (last - first) / 60 * (part + 1) / PARTS
            written = sizes[part]
            memory = " | ".join(f"{most[part, name] / MIB:.0f}" for name in names)
            yield f"| {ends:.1f} | {memory} | {len(written)} | {mean(written) if written else 0:.0f} |"


def _part(at: float, first: float, last: float) -> int:
    """Which part of the time an instant lies in; -1: before all, `PARTS`: after all."""
    return min(PARTS, max(-1, int((at - first) // ((last - first) / PARTS))))


def resident(pid: int | None) -> int:
    """Bytes of a process that lie in memory; 0: there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
    return 1024 * int(found[0]) if found else 0
