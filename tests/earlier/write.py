"""Write down what this version writes: `python -m tests.earlier.write`, where a version has changed.

What is there already stays as it is.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from pipeline.triage.state import STATE_VERSION, encode
from schemas.codec import encode as to_json
from schemas.types import SCHEMA_VERSION
from tests.earlier import shape, simulated

FOLDER: Final = Path(__file__).parent
MANIFEST: Final = FOLDER / "MANIFEST"


def files() -> dict[str, bytes]:
    """Path -> content of everything that this version writes."""
    found: dict[str, bytes] = {}
    for topic, messages in simulated.messages().items():
        for name, message in messages.items():
            found[f"messages/{SCHEMA_VERSION}/{topic}/{name}.json"] = to_json(message)
    found[f"states/{STATE_VERSION}/fields.txt"] = shape.text().encode()
    for name, walk in simulated.WALKS.items():
        state = simulated.state_of(walk())
        means = {**simulated.meaning(state), "judges_80_percent": simulated.judged(state)}
        path = f"states/{STATE_VERSION}/{name}"
        found[f"{path}.msgpack"] = encode(state)
        found[f"{path}.json"] = (json.dumps(means, indent=1) + "\n").encode()
    return found


def kept() -> dict[str, str]:
    """Path -> digest, as the manifest says."""
    lines = MANIFEST.read_text("utf-8").splitlines() if MANIFEST.exists() else []
    return {path: digest for digest, path in (line.split("  ") for line in lines)}


def digests() -> dict[str, str]:
    """Path -> digest of every file that is there."""
    there = [path for kind in ("messages", "states") for path in (FOLDER / kind).rglob("*") if path.is_file()]
    return {str(path.relative_to(FOLDER)): sha256(path.read_bytes()).hexdigest() for path in sorted(there)}


def write() -> None:
    """Add the files that are not there."""
    for path, content in files().items():
        target = FOLDER / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    known = {**digests(), **kept()}
    MANIFEST.write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(known.items())), "utf-8")


if __name__ == "__main__":
    write()
