"""The tasks that keep the rollups: which there are, when they run, and their text, as InfluxDB runs it.

What comes late or is corrected is caught by writing the past anew, a part of it in every hour: within a day all days
back to 98 days before today, and within the next one their weeks. What comes later than that stays out until somebody
writes the period anew (`sonevakt store roll-up`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dashboards import flux

LATE_DAYS: Final = 98  # so far back what comes late is caught [d]: more than the fold's own history


class Task(NamedTuple):
    """One task: every hour, `minute` past it, `function` is called."""

    name: str
    function: str
    minute: int


TASKS: Final = (
    Task("days", "rollUpRecentDays", 2),
    Task("late days", "rollUpLateDays", 15),
    Task("weeks", "rollUpRecentWeeks", 30),
    Task("late weeks", "rollUpLateWeeks", 45),
)


def title(task: Task, bucket: str) -> str:
    """What InfluxDB knows a task by."""
    return f"{bucket}: {task.name}"


def script(task: Task, bucket: str, zone: str) -> str:
    """The text of a task over `bucket`, its days those of the time zone `zone`."""
    imports, _, rest = flux.text(task.function).partition("\n\n")
    option = f"option task = {{name: {flux.literal(title(task, bucket))}, every: 1h, offset: {task.minute}m}}"
    call = f"{task.function}(bucket: {flux.literal(bucket)}, at: now(), zone: {flux.literal(zone)})"
    return f"{imports}\n\n{option}\n\n{rest}\n{call}\n"
