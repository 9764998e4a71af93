"""Every dashboard is whole: what each panel says of itself, its links, its variables; and its file is as it is made."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.board.words import LANGUAGES
from dashboards.grafana import units, words
from dashboards.grafana.bounds import Bounds, NoBounds
from dashboards.grafana.written import FOLDER, REFERENCE, dashboards, files
from tests.grafana.questions import of_annotations, of_panels, of_variable, panels, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.made import Made

MADE: Final = {made.path: made for made in dashboards()}
FILES: Final = {str(path.relative_to(FOLDER)): json.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.json"))}
CLINICAL: Final = [path for path in FILES if path.startswith("clinical/")]
OPERATORS: Final = [path for path in FILES if path.startswith("operations/")]
EVERY: Final = pytest.mark.parametrize("path", FILES)
_USED: Final = re.compile(r"\$(?:(\w+)|\{(\w+)[^}]*\})")
_RESERVED: Final = re.compile(
    r"\b(?!v\.)\w+\.(?:bucket|defaultBucket|organization|timeRangeStart|timeRangeStop|windowPeriod)\b"
)


def texts(held: object) -> Iterator[str]:
    """Every text within JSON."""
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict):
        for value in held.values():
            yield from texts(value)
    elif isinstance(held, list):
        for value in held:
            yield from texts(value)


def fields(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options of all of a panel's fields together, then those of each field that has its own."""
    config = panel["fieldConfig"]
    yield config["defaults"]
    for override in config["overrides"]:
        yield {one["id"]: one["value"] for one in override["properties"]}


def test_the_files_are_as_they_are_made() -> None:
    """`make dashboards` writes them anew."""
    wanted = files()
    assert set(wanted) == {*FOLDER.rglob("*.json"), REFERENCE}
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_every_clinical_dashboard_is_there_in_both_languages_and_the_core_in_english() -> None:
    assert sorted(FILES) == sorted(
        [
            *(f"clinical/{name}.{lang}.json" for name in _names() for lang in LANGUAGES),
            "operations/core.json",
        ]
    )
    assert len({dashboard["uid"] for dashboard in FILES.values()}) == len(FILES)
    assert all(len(dashboard["uid"]) <= 40 for dashboard in FILES.values())  # Grafana takes no more


def _names() -> tuple[str, ...]:
    return ("centre", "patient", "outcomes", "equipment", "operations")


@EVERY
def test_panels_have_ids_of_their_own_and_none_lies_on_another(path: str) -> None:
    every = FILES[path]["panels"]
    assert [number for number, times in Counter(panel["id"] for panel in every).items() if times > 1] == []
    for panel in every:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24, panel["title"]
    for one, other in combinations([panel["gridPos"] for panel in every], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@EVERY
def test_every_panel_has_a_title_a_description_a_unit_and_queries(path: str) -> None:
    every = panels(FILES[path])
    assert len(every) == len(MADE[path].tiles)
    for panel in every:
        assert panel["title"].strip()
        assert panel["description"].strip()
        assert panel["fieldConfig"]["defaults"]["unit"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs), panel["title"]


@EVERY
def test_every_panel_has_thresholds_or_a_reason_for_none(path: str) -> None:
    for tile, panel in zip(MADE[path].tiles, panels(FILES[path]), strict=True):
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None  # or Grafana would make them 80 and red
        match tile.bounds:
            case Bounds():
                assert len(steps) > 1, tile.name
                assert tile.bounds.source.strip()
                values = [step["value"] for step in steps[1:]]
                assert values == sorted(values)
                assert all(one["color"] != other["color"] for one, other in pairwise(steps[:2]))
            case NoBounds():
                assert len(steps) == 1, tile.name
                assert tile.bounds.reason.strip()


@pytest.mark.parametrize("path", CLINICAL)
def test_numbers_for_nurses_and_analysts_take_the_form_of_the_readers_browser(path: str) -> None:
    """Of Grafana's units, `locale` alone does; those without a decimal sign and without a word are no worse for it."""
    allowed = {unit.code for unit in units.FOR_READERS}
    for panel in panels(FILES[path]):
        for options in fields(panel):
            assert options.get("unit", "locale") in allowed, panel["title"]
            if options.get("unit") == "percentunit":
                assert options["decimals"] == 0, panel["title"]  # a percentage with a digit would have a point


@pytest.mark.parametrize("path", OPERATORS)
def test_what_operators_see_says_whence_its_thresholds_are(path: str) -> None:
    for tile, panel in zip(MADE[path].tiles, panels(FILES[path]), strict=True):
        assert panel["fieldConfig"]["defaults"]["unit"] in {unit.code for unit in units.FOR_OPERATORS}
        whence = tile.bounds.source if isinstance(tile.bounds, Bounds) else tile.bounds.reason
        assert whence in panel["description"]


@EVERY
def test_each_query_names_its_data_source_and_uses_variables_that_are_defined(path: str) -> None:
    dashboard = FILES[path]
    defined = [variable["name"] for variable in variables(dashboard)]
    assert len(set(defined)) == len(defined)
    asked = [*of_panels(dashboard), *of_annotations(dashboard)]
    own = {"__rate_interval", "__interval", "__range"}
    for question in asked:
        assert question.target["datasource"]["uid"] in {"influxdb", "prometheus"}, question.name
        assert question.target["datasource"]["uid"] == question.source
        assert _names_in(question.text) <= {*defined, *own}, question.name
        if question.source == "influxdb":
            assert not _RESERVED.search(question.text), question.name
    for place, variable in enumerate(variables(dashboard)):
        question = of_variable(dashboard, variable)
        assert _names_in(question.text) <= set(defined[:place]), variable["name"]  # those before it are chosen first
    everything = " ".join(texts([dashboard["panels"], dashboard["annotations"], dashboard["templating"]]))
    repeated = {panel.get("repeat") for panel in dashboard["panels"]}
    for name in defined:
        assert name in repeated or name in _names_in(everything), f"{name} is defined and not used"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_patient_who_is_shown_does_not_change_while_somebody_reads(lang: str) -> None:
    """Grafana puts the first of a list in place of what is not in it, whenever it asks for the list anew."""
    dashboard = FILES[f"clinical/patient.{lang}.json"]
    (patient,) = (one for one in variables(dashboard) if one["name"] == "patient")
    question = of_variable(dashboard, patient)
    assert patient["refresh"] == 1  # when the dashboard is opened, not when its time range moves on
    assert _names_in(question.text) == set()  # or another choice would ask for the list anew
    assert "v.timeRange" not in question.text
    assert question.most_points >= 20_000


def _names_in(text: str) -> set[str]:
    return {plain or braced for plain, braced in _USED.findall(text)}


@EVERY
def test_links_lead_to_dashboards_that_are_there_and_give_them_variables_that_they_have(path: str) -> None:
    dashboard = FILES[path]
    by_uid = {one["uid"]: one for one in FILES.values()}
    links = [
        *dashboard["links"],
        *(link for panel in panels(dashboard) for one in fields(panel) for link in _links(one)),
    ]
    assert links
    for link in links:
        assert link["title"].strip()
        url = link["url"]
        used = {name for name in _names_in(url) if not name.startswith("__")}
        assert used <= {variable["name"] for variable in variables(dashboard)}, url
        if url.startswith("${board}/"):
            continue  # where that leads is looked at with a board, in tests/stack
        target = by_uid[re.fullmatch(r"/d/([\w-]+)(?:\?.*)?", url)[1]]  # type: ignore[index] # or fail
        there = {variable["name"] for variable in variables(target)}
        given = set(re.findall(r"var-(\w+)=", url)) | set(re.findall(r"\$\{(\w+):queryparam\}", url))
        assert given <= there, url
        columns = set(re.findall(r"\$\{__data\.fields\.(\w+)\}", url))
        assert columns <= {"patient"}, url


@pytest.mark.parametrize("path", CLINICAL)
def test_links_above_a_dashboard_lead_on_with_services_and_no_patient_but_to_the_same_in_the_other_language(
    path: str,
) -> None:
    """The address of a dashboard for analysts holds no pseudonym, nor does what its browser keeps of it."""
    dashboard = FILES[path]
    *others, same = dashboard["links"]
    own = ["service", "municipality", "patient"] if "-patient-" in dashboard["uid"] else ["service", "municipality"]
    for link, wanted in [*((link, ["service", "municipality"]) for link in others), (same, own)]:
        assert link["includeVars"] is False, link["title"]
        assert re.findall(r"\$\{(\w+):queryparam\}", link["url"]) == wanted, link["title"]
        assert "var-" not in link["url"]


def _links(options: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = options.get("links", [])
    return found


def test_the_centre_leads_to_the_patient_and_both_to_the_board() -> None:
    for lang in LANGUAGES:
        centre, patient = FILES[f"clinical/centre.{lang}.json"], FILES[f"clinical/patient.{lang}.json"]
        for title_of, dashboard in (("worklist", centre), ("now", patient)):
            tile = next(one for one in MADE[f"clinical/{_name(dashboard)}.{lang}.json"].tiles if one.name == title_of)
            panel = next(one for one in panels(dashboard) if one["title"] == tile.said.title)
            urls = [link["url"] for options in fields(panel) for link in _links(options)]
            assert any(
                url.startswith(f"/d/sonevakt-patient-{lang}?var-patient=${{__data.fields.patient}}") for url in urls
            )
            assert "${board}/patients/${__data.fields.patient}" in urls


def _name(dashboard: dict[str, Any]) -> str:
    return str(dashboard["uid"]).split("-")[1]


@pytest.mark.parametrize("name", _names())
def test_both_languages_ask_the_same_and_say_everything_in_their_own_words(name: str) -> None:
    made = [MADE[f"clinical/{name}.{lang}.json"] for lang in LANGUAGES]
    for one, other in zip(made[0].tiles, made[1].tiles, strict=True):
        assert (one.name, one.unit, one.bounds) == (other.name, other.unit, other.bounds)
    asked = [[_without_words(question.text) for question in of_panels(json.loads(one.json()))] for one in made]
    assert asked[0] == asked[1]
    assert _said(made[0]) != _said(made[1])


def _without_words(query: str) -> str:
    """A query without the words that it puts in place of codes."""
    return re.sub(r'(\{key: "[^"]*", value: )"[^"]*"', r"\1", query)


def _said(made: Made) -> list[str]:
    return [tile.said.description for tile in made.tiles]


def test_every_word_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    of = words.Words.of

    def recorded(self: words.Words, key: str) -> str:
        used.add(key)
        return of(self, key)

    monkeypatch.setattr(words.Words, "of", recorded)
    dashboards()
    assert words.keys() <= used
