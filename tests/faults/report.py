"""What a run comes to: what was done, what is wrong, and the table for docs/guarantees.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS: Final = {"kills": "kill -9", "pauses": "pause past", "outages": "outage"}
LEAST: Final = {"kills": 40, "pauses": 6, "outages": 8}  # of ten minutes


@dataclass
class Report:
    """What happened, and what is wrong."""

    title: str = ""
    wrong: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    ends: list[str] = field(default_factory=list)  # what ended by itself, and why
    answers: Counter[int | None] = field(default_factory=Counter)  # of the gateway
    longest_s: float = 0.0  # until the gateway took something
    sessions: int = 0
    repeats: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    ahead: int = 0
    letters: int = 0
    decided_by_time: int = 0
    looked_at_whole: int = 0  # patients whose every field in the store was compared; 0: all
    troubled: int = 0
    bad_lines: int = 0
    recovery_s: dict[str, list[float]] = field(default_factory=dict)  # kill of the one worker -> next assessment
    seconds: float = 0.0
    paged: list[str] = field(default_factory=list)  # how long pages took
    growth: list[str] = field(default_factory=list)  # table of memory and states

    def hold_to(self, planned: Mapping[str, int], minutes: float, *, fewer: bool) -> None:
        """Fewer faults than were planned, or planned than a proof takes, is no proof."""
        for what, number in planned.items():
            if what not in KINDS:
                continue
            there = self.of(what)
            if there < number:
                self.wrong.append(f"{what}: {there} done of {number} planned")
            if not fewer and number < int(LEAST[what] * min(1.0, minutes / 10)):
                self.wrong.append(f"{what}: {number} planned, which is too few for {minutes:g} minutes")

    def of(self, what: str) -> int:
        """How many kills, pauses or outages there were."""
        return sum(times for name, times in self.done.items() if name.startswith(KINDS[what]))

    def lines(self) -> Iterator[str]:
        """The report: tables in Markdown, and what is wrong."""
        yield f"### {self.title}"
        yield ""
        yield "| what | times |"
        yield "|---|---|"
        yield f"| sessions and corrections handed in, each answered 202 | {self.sessions} |"
        for name, times in sorted(self.done.items()):
            yield f"| {name} | {times} |"
        yield f"| messages that nobody can work with | {self.letters} |"
        yield f"| pages; asked ahead of a backlog | {self.pages}; {self.ahead} |"
        yield f"| changes of zone by time alone, at instants known beforehand | {self.decided_by_time} |"
        yield f"| requests to the store in trouble; answered 422 for one line | {self.troubled}; {self.bad_lines} |"
        if self.looked_at_whole:
            whole = self.looked_at_whole
            yield f"| patients of whom every field in the store was compared; of others one of each point | {whole} |"
        yield f"| answers of the gateway | {_counted(self.answers)} |"
        yield f"| longest until the gateway took something | {self.longest_s:.1f} s |"
        yield f"| identical messages more than needed | {_counted(self.repeats)} |"
        for which, seconds in self.recovery_s.items():
            if seconds:
                yield (
                    f"| kill -9 of the only triage worker to its next assessment, {which} | median"
                    f" {median(seconds):.1f} s, longest {max(seconds):.1f} s of {len(seconds)} |"
                )
        for line, times in sorted(Counter(self.ends).items()):
            yield f"| {line} | {times} |"
        yield f"| seconds in all | {self.seconds:.0f} |"
        yield ""
        yield from self.paged
        yield ""
        yield from self.growth
        yield ""
        yield from self.wrong or ["nothing lost, nothing different"]


def _counted(times: Mapping[object, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(times.items(), key=str)) or "none"
