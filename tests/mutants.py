"""Small changes to the decision core that no test notices: each is explained in docs/mutants.md, or it is a gap.

python -m tests.mutants

A pytest plugin too: every mutant is judged in a process that has run the tests once without it, so what was remembered
there is forgotten first, and Hypothesis draws the same examples for each.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).parents[1] / "docs" / "mutants.md"
UNNOTICED: Final = {"survived", "no tests", "suspicious", "not checked"}

settings.register_profile("mutants", derandomize=True)


def pytest_configure() -> None:
    """The same examples for every mutant."""
    settings.load_profile("mutants")


def pytest_sessionstart() -> None:
    """Forget what the code before this mutant has answered."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pipeline."):
            for found in list(vars(module).values()):
                if hasattr(found, "cache_clear"):
                    found.cache_clear()


def row(name: str) -> str:
    """How a row of the page begins that explains the mutant `name`: its module, the line, and what became of it."""
    diff = _mutmut("show", name).splitlines()
    was = " ".join(line[1:].strip() for line in diff if line.startswith("-") and not line.startswith("---"))
    now = " ".join(line[1:].strip() for line in diff if line.startswith("+") and not line.startswith("+++"))
    module = name.split(".")[2]
    return f"| {module} | `{_cell(was)}` | `{_cell(now)}` |"


def unnoticed() -> Iterator[str]:
    """The names of the mutants that lived through the newest run."""
    for line in _mutmut("results").splitlines():
        name, _, verdict = line.strip().partition(": ")
        if verdict in UNNOTICED:
            yield name


def _cell(line: str) -> str:
    return line.replace("|", "\\|")


def _mutmut(*words: str) -> str:
    return subprocess.run(  # noqa: S603 - the tool of the same environment
        [sys.executable, "-m", "mutmut", *words], check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    unexplained = [f"{name}\n  {row(name)}" for name in unnoticed() if row(name) not in page]
    sys.exit("\n".join(["Not explained in docs/mutants.md:", *unexplained]) if unexplained else 0)
