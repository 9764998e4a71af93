"""What templates and pages ask to be said there are words for, and no word stands that nobody asks for."""

from __future__ import annotations

import re
from pathlib import Path

from dashboards.board.words import _WORDS, known

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "dashboards/board/templates").glob("*.html"))
MODULES = sorted([*(ROOT / "agents/board").glob("*.py"), *(ROOT / "dashboards/board").glob("*.py")])
SAID = re.compile(r"\bt\(((?:[^()]|\([^()]*\))*)\)")  # what a template says: t("key", ...)
QUOTED = re.compile(r"""(~\s*)?["']([a-z_0-9.]+)["'](\s*~)?""")
ASKED = re.compile(r"""\b(?:voice|word|self)\(\s*"([a-z_0-9.]+)["]""")
# Keys that are put together, of a kind and a code: `zone.red`, `form.transfer`.
KINDS = re.compile(r"""f["']([a-z_0-9.]+[._])\{|["']([a-z_0-9.]+\.)["']\s*~|named\(\s*["']([a-z_0-9]+)["']""")


def test_everything_that_is_said_by_its_key_has_words() -> None:
    asked = {
        (path.name, key)
        for path in TEMPLATES
        for said in SAID.findall(path.read_text())
        for before, key, after in QUOTED.findall(said.partition(", ")[0] if "{" not in said else said)
        if not before and not after
    }
    asked |= {(path.name, key) for path in MODULES for key in ASKED.findall(path.read_text())}
    keys = {key for _, key in asked}
    assert len(keys) > 150
    assert sorted((name, key) for name, key in asked if not known(key) and "." in key) == []


def test_no_word_stands_that_nobody_asks_for() -> None:
    text = "\n".join(path.read_text() for path in (*TEMPLATES, *MODULES))
    literal = set(re.findall(r"""["']([A-Za-z_0-9./\[\]%-]+)["']""", text))
    kinds = tuple(kind or f"{coded}." for *put, coded in KINDS.findall(text) for kind in ["".join(put)])
    messages = {"refused", "missing", "csrf", "no_directory", "erased"}
    asked = {key for key in _WORDS if key in literal or key.startswith(kinds)}
    asked |= {f"{said}.{part}" for said in messages for part in ("title", "text")}
    assert sorted(set(_WORDS) - asked) == []
