"""Both languages say everything, each in its own form."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from dashboards.report.views import HIDDEN, Both, Measured, Text
from dashboards.report.voice import LANGUAGES, WORDS, Voice

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "agents/report").glob("*.py"),
    *(ROOT / "dashboards/report").glob("*.py"),
    *(ROOT / "dashboards/report/templates").glob("*.html"),
]
NB, EN = Voice("nb"), Voice("en")


def test_every_key_has_both_languages_with_the_same_places_to_fill_in() -> None:
    for key, texts in WORDS.items():
        assert all(texts), key
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert places[0] == places[1], key


def test_norwegian_is_not_english() -> None:
    alike = {key for key, (nb, en) in WORDS.items() if nb == en and len(nb) > 5}
    assert alike <= {key for key in WORDS if key.startswith(("month.", "kind.", "interval", "chart."))}


@pytest.mark.parametrize(
    ("value", "kind", "nb", "en"),
    [
        (1234.0, "count", "1\N{NARROW NO-BREAK SPACE}234", "1,234"),
        (0.1234, "share", "12,3\N{NO-BREAK SPACE}%", "12.3%"),
        (2.5, "rate", "2,50", "2.50"),
        (-0.25, "score", "\N{MINUS SIGN}0,2", "\N{MINUS SIGN}0.2"),
        (-0.001, "rate", "0,00", "0.00"),
        (None, "rate", "\N{EN DASH}", "\N{EN DASH}"),
        (HIDDEN, "count", "skjult", "hidden"),
        (float("inf"), "ratio", "uten grense", "no limit"),
    ],
)
def test_numbers_have_the_form_of_the_language(value: float, kind: str, nb: str, en: str) -> None:
    assert (NB.cell(value, kind), EN.cell(value, kind)) == (nb, en)  # type: ignore[arg-type] # one of the kinds


def test_intervals_periods_and_days_are_in_words() -> None:
    assert NB.cell((0.5, 1.25), "ratio_interval") == "0,50 til 1,25"
    assert EN.cell((0.5, HIDDEN), "ratio_interval") == "hidden"
    assert EN.cell(Measured(0.5, "share"), "score") == "50.0%"
    assert [voice.period("2026-Q2") for voice in (NB, EN)] == ["2. kvartal 2026", "Q2 2026"]
    assert [voice.period("2026-10") for voice in (NB, EN)] == ["okt. 2026", "Oct 2026"]
    assert [voice.day(date(2026, 5, 17)) for voice in (NB, EN)] == ["17. mai 2026", "17 May 2026"]
    assert NB.tick(0.25, "share") == "25\N{NO-BREAK SPACE}%"
    assert EN.tick(7.5, "rate") == "7.5"


def test_a_name_that_is_configured_stands_for_its_code_and_a_code_without_words_is_shown() -> None:
    named = Voice("nb", {"service.lungs": "Lungesenteret"})
    assert named.text(Text("lungs", "service")) == "Lungesenteret"
    assert named.text(Text("hearts", "service")) == "hearts"
    assert named.text(Both("en pasient", "a patient")) == "en pasient"


def test_no_word_stands_that_nobody_asks_for() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    literal = set(re.findall(r"""["']([A-Za-z_0-9.]+)["']""", text))
    patterns = [
        re.compile(re.escape(found).replace("X", "[a-z_0-9]+") + "$")
        for found in (re.sub(r"\{[^}]+\}", "X", one) for one in re.findall(r'f"([a-z_0-9.{}\[\]]+)"', text))
        if found != "X"
    ]
    # Of a kind and a code, of a name and what the page adds to it.
    kinds = (
        "zone.",
        "task.",
        "check.",
        "quality.",
        "kind.",
        "total.",
        "month.",
        "column.",
        "title.",
        "figure.",
        "period.",
    )
    ends = (".heading", ".title")
    asked = {
        key
        for key in WORDS
        if key in literal
        or key.startswith(kinds)
        or any(pattern.match(key) for pattern in patterns)
        or (key.endswith(ends) and key.rpartition(".")[0] in literal)
        or any(key.endswith(ends) and pattern.match(key.rpartition(".")[0]) for pattern in patterns)
    }
    assert sorted(set(WORDS) - asked) == []


def test_there_are_two_languages() -> None:
    assert LANGUAGES == ("nb", "en")
