"""Installed pathways, and a service's own beside and before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.pathways import load
from pipeline.pathways import PathwayError
from tests.pipeline.pathways.files import FILES, changed

if TYPE_CHECKING:
    from pathlib import Path


def test_every_installed_file_is_read() -> None:
    assert list(load()) == [file.stem for file in FILES]


def test_a_services_own_pathway_comes_beside_the_installed_and_before_one_of_its_slug(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(changed())
    (tmp_path / "copd-here.json").write_bytes(changed(("pathway", "copd"), ("version", 7)))
    (tmp_path / "notes.txt").write_text("no pathway")
    found = load(tmp_path)
    assert list(found) == sorted([*load(), "small"])
    assert (found["copd"].version, found["small"].version) == (7, 1)


def test_two_files_of_one_slug_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(changed())
    with pytest.raises(PathwayError) as error:
        load(tmp_path)
    assert str(error.value) == "b.json: pathway: must be the slug of this file alone in its folder"


def test_a_file_that_is_not_valid_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(changed(("version", 0)))
    with pytest.raises(PathwayError) as error:
        load(tmp_path)
    assert str(error.value) == "a.json: version: must be `int` >= 1"
