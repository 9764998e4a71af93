"""JSON Schema of every topic, made from the messages and committed: `make schemas` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.topics import TOPICS, Topic

FOLDER: Final = Path(__file__).parent / "json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document(topic: Topic) -> dict[str, Any]:
    """The JSON Schema of one topic's messages."""
    (reference,), components = msgspec.json.schema_components((topic.message,), ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": topic.name,
        "description": topic.meaning,
        **reference,
        "$defs": dict(sorted(components.items())),
    }


def documents() -> dict[str, str]:
    """File name -> text, for every topic that has messages of a kind."""
    return {
        f"{topic.name}.schema.json": json.dumps(document(topic), indent=2, ensure_ascii=False) + "\n"
        for topic in TOPICS
        if topic.message is not None
    }


def write(folder: Path = FOLDER) -> None:
    """Write every document into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
