"""A page of the docs as what it tells its reader to type: its fenced blocks, by heading, and the commands in them."""

from __future__ import annotations

import re
import shlex
from itertools import dropwhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADING = re.compile(r"^#{1,6} (?P<title>.+)$")
FENCE = re.compile(r"^\s*```(?P<kind>\w*)$")
ASSIGNED = re.compile(r"\w+=.*")
SUBSTITUTED = re.compile(r"\$\(([^()]+)\)")
INLINE = re.compile(r"`([^`]+)`")


class Block(NamedTuple):
    """What stands between two fences; `kind` is the word behind the first, `heading` the nearest above."""

    heading: str
    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Every block of `page`, in order."""
    found: list[Block] = []
    heading, kind, lines = "", None, []
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = FENCE.match(line)
        if kind is not None and fence:
            found.append(Block(heading, kind, "\n".join(lines) + "\n"))
            kind = None
        elif kind is not None:
            lines.append(line)
        elif fence:
            kind, lines = fence["kind"], []
        elif title := HEADING.match(line):
            heading = title["title"]
    assert kind is None, f"a block of {page.name} has no end"
    return found


def prose(page: Path) -> str:
    """The page without its blocks."""
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines(keepends=True):
        if FENCE.match(line.rstrip("\n")):
            inside = not inside
        elif not inside:
            lines.append(line)
    return "".join(lines)


def commands(text: str) -> Iterator[list[str]]:
    """Every simple command in a piece of shell, word by word: enough for what a page tells its reader to type."""
    whole = text.replace("\\\n", " ")
    for inner in SUBSTITUTED.findall(whole):
        yield from commands(inner)
    for line in SUBSTITUTED.sub("_", whole).splitlines():
        for words in _split(line):
            called = list(dropwhile(ASSIGNED.fullmatch, words))
            if called:
                yield called


def _split(line: str) -> Iterator[list[str]]:
    """The commands of one line; what is quoted is one word, whatever stands in it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;") or word in {"do", "done", "then", "fi"}:
            yield words
            words = []
        else:
            words.append(word)
    yield words
