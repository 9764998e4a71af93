"""The generated reference pages: `make docs` writes them anew, and a test says when they are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agents import metrics, settings
from agents.commands import looked_at
from agents.frames.catalogue import FRAMES, VERSION
from pipeline.triage.vitals import VITALS
from schemas.topics import TOPICS

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name -> text."""
    return {
        "frames.md": frames(),
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


def frames() -> str:
    """The frames for analysts, column by column."""
    lines = [
        "# Frames",
        "",
        "Made from `agents/frames/catalogue.py`. How they are read and exported: [analysts.md](../analysts.md).",
        "",
        f"Version {VERSION}. Instants are UTC with whole milliseconds. What is not known is missing, in every column.",
        "Of a code all words are told; a name is one of an open set. What is marked as private leaves in an export as",
        "a key that holds for that export alone, unless pseudonyms are asked for.",
    ]
    for frame in FRAMES.values():
        lines += [
            "",
            f"## `{frame.name}`",
            "",
            f"{frame.meaning} A period has {frame.period}. Left out: {frame.leaves_out}.",
            "",
            "| column | kind | unit | private | meaning |",
            "|---|---|---|---|---|",
        ]
        for column in frame.columns:
            words = f" One of {', '.join(f'`{code}`' for code in column.codes)}." if column.codes else ""
            private = "yes" if column.private else ""
            meaning = f"{column.meaning}{words}"
            lines.append(f"| `{column.name}` | {column.kind.value} | {column.unit or ''} | {private} | {meaning} |")
    lines += ["", "## Vital signs", "", "| `vital` | LOINC | `unit` (UCUM) |", "|---|---|---|"]
    lines += [f"| `{vital.name}` | {', '.join(vital.codes)} | {vital.unit} |" for vital in VITALS]
    return "\n".join(lines) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
