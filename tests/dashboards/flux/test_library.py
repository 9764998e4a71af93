"""The Flux library as text: how calls are composed, and what must hold of every file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboards import flux
from dashboards.flux import tasks

PAGE = (Path(__file__).parents[3] / "docs" / "flux.md").read_text(encoding="utf-8")
DOCUMENTED = dict(re.findall(r"^\| `(\w+)\(([^)]*)\)` \|", PAGE, re.MULTILINE))
# Grafana replaces these wherever they stand behind a dot (docs/flux.md).
REPLACED = re.compile(r"\b\w+\.(bucket|defaultBucket|organization|timeRangeStart|timeRangeStop|windowPeriod)\b")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def parameters(name: str) -> list[str]:
    """The parameters of a function as its file has them, without defaults."""
    found = re.search(rf"^{name} = \((.*?)\) =>", flux.source(name), re.MULTILINE | re.DOTALL)
    assert found is not None
    without_defaults = re.sub(r"=(\[[^\]]*\]|\"[^\"]*\"|\([^)]*\) => \S+|\w+)", "", found[1])
    return [part.strip() for part in without_defaults.split(",") if part.strip()]


@pytest.mark.parametrize("name", flux.names())
def test_a_file_defines_the_function_of_its_name_and_says_what_it_means(name: str) -> None:
    text = flux.source(name)
    head = text[: text.index(f"\n{name} = ")]
    told = [line for line in head.splitlines() if line and not line.startswith("import ")]
    assert told[0].startswith(f"// {name}: ")
    assert all(line.startswith("//") for line in told)
    assert re.search(r"^// (Columns|Returns): ", head, re.MULTILINE)
    assert parameters(name) == [] or re.search(r"Parameters: ", head)


@pytest.mark.parametrize("name", flux.names())
def test_nothing_is_named_so_that_grafana_would_replace_it(name: str) -> None:
    assert REPLACED.findall(flux.source(name)) == []


@pytest.mark.parametrize("name", flux.names())
def test_every_function_that_a_function_calls_stands_before_it_once(name: str) -> None:
    text = flux.text(name)
    defined = re.findall(r"^(\w+) = ", text, re.MULTILINE)
    assert len(set(defined)) == len(defined)
    assert defined[-1] == name
    for place, one in enumerate(defined):
        words = set(re.findall(r"\b\w+\b", re.sub(r"//.*|\"[^\"]*\"", "", flux.source(one))))
        called = {other for other in words if other in flux.names() and f"{other}(" in flux.source(one)} - {one}
        assert called <= set(defined[:place])


@pytest.mark.parametrize("name", flux.names())
def test_imports_stand_first_and_comments_are_left_out(name: str) -> None:
    lines = flux.text(name).splitlines()
    imports = [place for place, line in enumerate(lines) if line.startswith("import ")]
    assert imports == list(range(len(imports)))
    assert not any(line.lstrip().startswith("//") for line in lines)


def test_a_value_of_a_call_stands_beside_its_text_and_never_in_it() -> None:
    query = flux.call("patientReadings", bucket="b", patient='x" or "1', vital="spo2", start=NOW, stop=NOW)

    assert query.text.endswith(
        "\npatientReadings(bucket: p_bucket, patient: p_patient, vital: p_vital, start: p_start, stop: p_stop)\n"
    )
    assert query.params == {"p_bucket": "b", "p_patient": 'x" or "1', "p_vital": "spo2", "p_start": NOW, "p_stop": NOW}
    assert "or" not in query.text.splitlines()[-1]


def test_a_panel_holds_the_expressions_that_grafana_replaces() -> None:
    text = flux.panel("patientsByZone", bucket="v.defaultBucket", at="v.timeRangeStop")
    assert text.endswith("\npatientsByZone(bucket: v.defaultBucket, at: v.timeRangeStop)\n")


@pytest.mark.parametrize("argument", ["at) |> drop", "At", "p_at", "at: now(), x"])
def test_an_argument_is_a_name_and_nothing_else(argument: str) -> None:
    with pytest.raises(ValueError, match="is no argument"):
        flux.panel("patientsByZone", **{argument: "now()"})
    with pytest.raises(ValueError, match="is no argument"):
        flux.call("patientsByZone", **{argument: NOW})


def test_a_function_that_there_is_not_is_not_composed() -> None:
    for compose in (flux.text, flux.call, flux.panel, flux.source):
        with pytest.raises(KeyError):
            compose("noSuchFunction")


@pytest.mark.parametrize(
    ("text", "literal"),
    [("plain", '"plain"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ("", '""'), ("å ø", '"å ø"')],
)
def test_a_text_of_a_task_is_quoted(text: str, literal: str) -> None:
    assert flux.literal(text) == literal


@pytest.mark.parametrize("text", ["${now()}", "a\nb", "a\x00"])
def test_a_text_that_flux_would_read_as_more_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="of a task"):
        flux.literal(text)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_a_task_runs_every_hour_at_a_minute_of_its_own(task: tasks.Task) -> None:
    script = tasks.script(task, "b", "Europe/Oslo")
    assert f'option task = {{name: "b: {task.name}", every: 1h, offset: {task.minute}m}}' in script
    assert script.endswith(f'\n{task.function}(bucket: "b", at: now(), zone: "Europe/Oslo")\n')
    assert len({one.minute for one in tasks.TASKS}) == len(tasks.TASKS)


def test_the_page_tells_of_functions_that_there_are_with_their_parameters() -> None:
    assert len(DOCUMENTED) > 25
    for name, told in DOCUMENTED.items():
        assert (name, told.split(", ")) == (name, parameters(name))


def test_every_function_that_no_other_calls_is_on_the_page() -> None:
    called = {
        other
        for name in flux.names()
        for other in flux.names()
        if other != name and re.search(rf"\b{other}\b", re.sub(r"//.*", "", flux.source(name)))
    }
    tasked = {task.function for task in tasks.TASKS}
    assert set(flux.names()) - called - tasked - set(DOCUMENTED) == set()
