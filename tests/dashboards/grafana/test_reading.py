"""What a reader sees: colours that mean one thing, words and not codes, and nothing that is well unless it is known."""

from __future__ import annotations

import json
import re
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.board.words import LANGUAGES
from dashboards.grafana import bounds, patient, words, zones
from dashboards.grafana.written import FOLDER
from schemas.types import Zone
from tests.grafana.questions import PIXELS, WIDTH, of_panels, panels

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES: Final = {str(path.relative_to(FOLDER)): json.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.json"))}
CLINICAL: Final = [path for path in FILES if path.startswith("clinical/")]
EVERY: Final = pytest.mark.parametrize("path", FILES)
GAP: Final = 8  # between two panels [pixels]
LEAST: Final = 60  # of a column whose width is not told [pixels]
# @grafana/data 12.3, themes/createVisualizationColors: of the dark and of the light theme; and the grounds of panels.
NAMED: Final = {
    "dark-green": ("#37872d", "#19730e"),
    "semi-dark-red": ("#e02f44", "#c4162a"),
}
GROUNDS: Final = ("#181b1f", "#ffffff")
LARGE: Final = 3.0  # WCAG 2.2, 1.4.3: the least contrast of large text
LIGHT, DARK = "#f7f8fa", "#202226"  # what Grafana writes on a coloured ground
BRIGHT: Final = 180  # from which brightness on it writes in the dark one


def options(panel: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each field that has options of its own, and those."""
    for override in panel["fieldConfig"]["overrides"]:
        yield override["matcher"]["options"], {one["id"]: one["value"] for one in override["properties"]}


def of_kind(path: str, kind: str) -> list[dict[str, Any]]:
    return [panel for panel in panels(FILES[path]) if panel["type"] == kind]


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def written_on(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return DARK if (299 * red + 587 * green + 114 * blue) / 1000 > BRIGHT else LIGHT


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_centre_begins_with_who_is_red_and_has_nobody_and_for_how_long(lang: str) -> None:
    said = words.Words(lang)  # type: ignore[arg-type] # one of them
    first, second, *_ = panels(FILES[f"clinical/centre.{lang}.json"])
    assert (first["title"], second["title"]) == (
        said.of("centre.oldest_red.title"),
        said.of("centre.reds_waiting.title"),
    )
    assert {first["gridPos"]["y"], second["gridPos"]["y"]} == {0}


@EVERY
def test_a_number_that_is_not_known_has_no_colour_that_says_well(path: str) -> None:
    for panel in of_kind(path, "stat"):
        config = panel["fieldConfig"]
        held = [config["defaults"]["mappings"], *(one["mappings"] for _, one in options(panel) if "mappings" in one)]
        for mappings in held:
            told = [one["options"] for one in mappings if one["type"] == "special"]
            assert [(one["match"], one["result"]["color"]) for one in told] == [("null+nan", bounds.PLAIN)], panel[
                "title"
            ]
            assert told[0]["result"]["text"].strip()


@EVERY
def test_no_query_makes_a_0_of_what_is_not_known(path: str) -> None:
    """A Flux query that makes up a row asks first whether the store knows of anybody: tests/stack/test_unknown.py."""
    shown = {panel["id"] for panel in of_kind(path, "stat")}
    for question in of_panels(FILES[path]):
        assert "vector(0)" not in question.text, question.name
        if question.source == "influxdb" and question.panel in shown:
            made_up = re.search(r"array\.from\(rows|\bzones\(\)", question.text)
            kept = (question.text.count("anybody(bucket:"), question.text.count("filter(fn: (r) => known)"))
            assert not made_up or kept == (1, 1), question.name


@pytest.mark.parametrize(("color", "theme"), list(product((bounds.GOOD, bounds.WARN, bounds.BAD), (0, 1))))
def test_the_colours_of_thresholds_can_be_read_on_either_ground_and_written_upon(color: str, theme: int) -> None:
    shown = NAMED.get(color, (color, color))[theme]
    assert contrast(shown, GROUNDS[theme]) >= LARGE
    assert contrast(shown, written_on(shown)) >= LARGE


@pytest.mark.parametrize("zone", Zone)
def test_the_colours_of_zones_can_be_written_upon(zone: Zone) -> None:
    assert contrast(zones.COLOURS[zone], written_on(zones.COLOURS[zone])) >= 4.5  # of small text too


@pytest.mark.parametrize("zone", Zone)
def test_the_colours_of_zones_in_charts_can_be_told_from_the_ground(zone: Zone) -> None:
    """No yellow can be told from white so well: there its word in the legend and its place must do."""
    dark, light = GROUNDS
    assert contrast(zones.CHARTED[zone], dark) >= LARGE
    assert contrast(zones.CHARTED[zone], light) >= LARGE or zone is Zone.YELLOW


def test_the_worse_a_zone_the_higher_it_is_drawn_and_each_in_its_own_colour() -> None:
    levels = {name: float(level) for name, level in re.findall(r'"(\w+)" then ([\d.]+)', zones.leveled())}
    assert sorted(levels, key=levels.__getitem__) == [zone.value for zone in sorted(Zone, key=zones.RANKS.__getitem__)]
    assert min(levels.values()) > 0  # or it could not be told from none
    for lang in LANGUAGES:
        for field in zones.levels(lang):
            assert field.options["color"] == {"mode": "fixed", "fixedColor": zones.CHARTED[Zone(field.name)]}
            (mapping,) = field.options["mappings"]  # type: ignore[misc, attr-defined] # as `levels` makes it
            named = {mapping["options"][f"{level:g}"]["text"]: zone for zone, level in levels.items()}
            assert named == {zones.named(Zone(zone), lang): zone for zone in levels}


@EVERY
def test_a_series_that_is_called_as_a_zone_has_its_colour(path: str) -> None:
    for panel in panels(FILES[path]):
        colors = zones.CHARTED if panel["type"] == "timeseries" else zones.COLOURS
        for name, own in options(panel):
            if name in set(Zone) and "color" in own:
                assert own["color"]["fixedColor"] == colors[Zone(name)], panel["title"]
        legends = [target.get("legendFormat") for target in panel["targets"]]
        if set(legends) & {"{{zone}}", "{{to_zone}}"}:
            assert set(Zone) <= {name for name, _ in options(panel)}, panel["title"]


def test_neither_readings_nor_answers_have_a_zones_colour() -> None:
    for lang in LANGUAGES:
        for panel in of_kind(f"clinical/patient.{lang}.json", "timeseries"):
            own = dict(options(panel))
            if "valid" in own:
                assert {"valid", "implausible"} <= set(own)
                colors = {own[name]["color"]["fixedColor"] for name in ("valid", "implausible")}
                assert not colors & {*zones.COLOURS.values(), *zones.CHARTED.values(), "red", "yellow", "green", "blue"}
    assert not set(patient.QUESTIONS) & {
        *zones.COLOURS.values(),
        *zones.CHARTED.values(),
        "red",
        "yellow",
        "green",
        "blue",
    }


def test_every_question_that_pathways_ask_by_number_or_yes_and_no_has_words() -> None:
    asked = set()
    for file in resources.files("pipeline.pathways").iterdir():
        if file.name.endswith(".json"):
            form = json.loads(file.read_text(encoding="utf-8"))["questionnaire"]
            asked |= {one["link_id"] for one in form["questions"] if one["kind"] in {"number", "boolean"}}
    for lang in LANGUAGES:
        assert asked == set(words.Words(lang).questions())


@pytest.mark.parametrize("path", CLINICAL)
def test_columns_and_series_are_called_with_a_capital(path: str) -> None:
    for panel in panels(FILES[path]):
        for name, own in options(panel):
            shown = own["displayName"]
            assert shown == shown[:1].upper() + shown[1:], (panel["title"], name)


@pytest.mark.parametrize("path", CLINICAL)
def test_codes_in_tables_have_words(path: str) -> None:
    for panel in of_kind(path, "table"):
        for name, own in options(panel):
            if name in {"zone", "to_zone", "rule", "vital", "phase", "equipment", "what", "taken", "deadline"}:
                assert own["mappings"], (panel["title"], name)
        hidden = {
            name for one in panel["transformations"] for name, out in one["options"]["excludeByName"].items() if out
        }
        shown = {name for name, _ in options(panel)}
        assert not shown & {"zone_rank", "share", "unacknowledged", "late"}, panel["title"]
        assert not shown & hidden


@EVERY
def test_no_column_stands_out_of_sight(path: str) -> None:
    """At the width in which dashboards are drawn."""
    for panel in of_kind(path, "table"):
        width = PIXELS * panel["gridPos"]["w"] / WIDTH - GAP
        told = [own.get("custom.width", LEAST) for _, own in options(panel)]
        assert panel["fieldConfig"]["defaults"]["custom"]["minWidth"] == LEAST
        assert sum(told) <= width, panel["title"]


@pytest.mark.parametrize("path", CLINICAL)
def test_times_in_tables_have_no_milliseconds(path: str) -> None:
    for panel in of_kind(path, "table"):
        for name, own in options(panel):
            if name in {"since", "due", "last_submission", "respond_by", "handed_out", "trial_ends", "_time"}:
                assert own["unit"] == "dateTimeAsLocal", (panel["title"], name)


@EVERY
def test_since_when_is_not_told_of_what_never_was(path: str) -> None:
    """A time that was never set is 0, which would be decades ago; a process has always started."""
    for question in of_panels(FILES[path]):
        for name, after in re.findall(r"(sonevakt_\w+_timestamp_seconds)([^,]*)", question.text):
            if name != "sonevakt_started_timestamp_seconds":
                assert "> 0" in after or "> bool 0" in after, question.name


@EVERY
def test_processes_are_called_by_what_they_are(path: str) -> None:
    for panel in panels(FILES[path]):
        for target in panel["targets"]:
            assert "instance" not in target.get("legendFormat", ""), panel["title"]
