"""The generated reference pages: `make docs` writes them anew, and a test says when they are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agents import metrics, settings
from agents.commands import looked_at
from schemas.topics import TOPICS

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name -> text."""
    return {
        "settings.md": settings.reference(),
        "metrics.md": metrics.reference() + looked_at.table(),
        "topics.md": topics(),
    }


def topics() -> str:
    """The topics as a table."""
    lines = [
        "# Topics",
        "",
        "Made from `schemas/topics.py`. Every key is a patient's pseudonym, but for `ticks`, which has none, and",
        "`dead-letter-acts`, where it is a dead letter's id. A dead letter past its days is gone from every list.",
        "",
        "| topic | written by | kept | meaning |",
        "|---|---|---|---|",
    ]
    for topic in TOPICS:
        kept = f"newest of each {topic.about}" if topic.compacted else f"{topic.retention_days} days"
        kept = "for ever" if topic.retention_days is None and not topic.compacted else kept
        lines.append(f"| `{topic.name}` | {topic.owner} | {kept} | {topic.meaning} |")
    return "\n".join(lines) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
