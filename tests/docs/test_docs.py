"""Docs cannot rot: generated pages are fresh, links lead somewhere, commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.commands import main, reference
from schemas import generate
from tests.spec import behaviour

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)(#[^)]*)?\)")
COMMAND = re.compile(r"`sonevakt ([a-z][a-z-]*)(?: ([a-z]+))?")
TARGET = re.compile(r"`?make ([a-z-]+)")


@pytest.mark.parametrize("name", reference.pages())
def test_a_generated_page_is_fresh_or_make_docs_was_forgotten(name: str) -> None:
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == reference.pages()[name]


@pytest.mark.parametrize("name", generate.documents())
def test_a_json_schema_is_fresh_or_make_schemas_was_forgotten(name: str) -> None:
    assert (generate.FOLDER / name).read_text(encoding="utf-8") == generate.documents()[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = [found[1] for found in LINK.finditer(page.read_text(encoding="utf-8")) if "://" not in found[1]]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_told_of_exists(page: Path) -> None:
    told = {found[1] for found in COMMAND.finditer(page.read_text(encoding="utf-8"))}
    assert told - set(main.commands) - {"COMMAND"} == set()


def test_every_command_says_how_it_is_used() -> None:
    for name in main.commands:
        shown = CliRunner().invoke(main, [name, "--help"])
        assert shown.exit_code == 0
        assert "Usage" in shown.output


def test_every_target_that_readme_tells_of_is_in_the_makefile() -> None:
    told = {found[1] for found in TARGET.finditer((ROOT / "README.md").read_text(encoding="utf-8"))}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert told - targets == set()


def test_ci_calls_the_test_command_of_readme() -> None:
    assert "make test\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_page_on_behaviour_is_that_of_the_tables() -> None:
    assert behaviour.PAGE.read_text(encoding="utf-8") == behaviour.page()


def test_every_test_that_the_page_on_guarantees_names_is_there() -> None:
    named = set(re.findall(r"`(test_[a-z_]{12,})`", (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")))
    known = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in known] == []


def test_every_line_that_the_page_on_mutants_explains_is_there() -> None:
    page = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| (\w+) \| `(.+?)` \| `", page, re.MULTILINE)
    core = ROOT / "pipeline" / "triage"
    assert explained
    assert [
        line
        for name, line in explained
        if line.replace("\\|", "|") not in (core / f"{name}.py").read_text(encoding="utf-8")
    ] == []
