"""The triage list shows who needs attention first, in words as well as colours, and escapes what it is given."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from dashboards.board.page import ATTENTION, CONTENT_SECURITY_POLICY, followed, overdue
from msgspec import structs

from dashboards.board import page as pages
from dashboards.board import words
from schemas.assessments import (
    BaselineStatus,
    Episode,
    EpisodeState,
    PatientStatus,
    PhaseFault,
    PhaseIssue,
    Reason,
)
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 3, 1, 8, 5, tzinfo=UTC)
VOID = {"meta", "link", "br"}


def in_words(reasons: Iterable[Reason], lang: words.Lang) -> list[str]:
    return [f"{lang} {reason.rule} {reason.code} {reason.detail} {reason.unit}" for reason in reasons]


render = partial(pages.render, explain=in_words)


def row(patient: str = "p-1", zone: Zone = Zone.GREEN, **fields: Any) -> PatientStatus:  # noqa: ANN401 - any field
    base = PatientStatus(
        patient=patient,
        revision=1,
        zone=zone,
        since_at=NOW - timedelta(hours=2),
        reasons=(Reason(rule="within_limits", zone=zone),),
        pathway="copd",
        service="centre-north",
        phase=Phase.FOLLOW_UP,
        last_submission_at=NOW - timedelta(hours=2),
        due_at=NOW + timedelta(days=1),
    )
    return structs.replace(base, **fields)


class Page(HTMLParser):
    """A page taken apart: well nested, its tags with attributes, its rows as texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open `tag`."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close `tag`, which must be the last one opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Add text to its row."""
        if "tr" in self.open:
            self.rows[-1] += data + " "


def test_who_needs_attention_stands_first_and_of_those_who_waits_longest() -> None:
    rows = [
        row("green", Zone.GREEN),
        row("blue", Zone.NO_DATA),
        row("red-new", Zone.RED),
        row("none", Zone.NOT_MONITORED),
        row("yellow", Zone.YELLOW),
        row("red-old", Zone.RED, since_at=NOW - timedelta(days=2)),
    ]
    expected = ["red-old", "red-new", "yellow", "blue", "none", "green"]
    assert [one.patient for one in followed(rows)] == expected
    shown = Page(render(rows, NOW, "en")).rows[1:]
    assert [next(name for name in expected if f" {name} " in text) for text in shown] == expected


def test_every_zone_has_a_place_in_the_order() -> None:
    assert set(ATTENTION) == set(Zone)


def test_the_summary_counts_every_zone_even_those_that_are_empty() -> None:
    html = render([row("a", Zone.RED), row("b", Zone.RED), row("c")], NOW, "en")
    counts = re.findall(r"<li><strong>(\d+)</strong> (?:<span class=\"zone (\w+)\")?", html)
    assert counts == [
        ("3", ""),
        ("2", "red"),
        ("0", "yellow"),
        ("0", "no_data"),
        ("0", "not_monitored"),
        ("1", "green"),
    ]


def test_who_is_ended_is_counted_and_not_listed() -> None:
    html = render([row("p-gone", Zone.NOT_MONITORED, phase=Phase.ENDED), row("p-here")], NOW, "en")
    assert "p-gone" not in html
    assert "1 ended, not shown" in html


@pytest.mark.parametrize(
    ("issue", "lang", "said"),
    [
        (PhaseIssue.OUT_OF_ORDER, "nb", "faseskifte ikke fulgt: avsluttet → oppfølging"),
        (PhaseIssue.OUT_OF_ORDER, "en", "phase change not followed: ended → follow-up"),
        (PhaseIssue.TRIAL_TOO_SHORT, "en", "short trial period: ended → follow-up"),
    ],
)
def test_who_is_ended_and_was_to_be_followed_again_is_listed(issue: PhaseIssue, lang: words.Lang, said: str) -> None:
    fault = PhaseFault(at=NOW, from_phase=Phase.ENDED, to_phase=Phase.FOLLOW_UP, issue=issue)
    html = render([row("p-lost", Zone.NOT_MONITORED, phase=Phase.ENDED, phase_faults=(fault,))], NOW, lang)
    (text,) = Page(html).rows[1:]
    assert said in text


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("zone", list(Zone))
def test_a_zone_is_a_shape_and_a_word_and_not_a_colour_alone(zone: Zone, lang: words.Lang) -> None:
    (text,) = Page(render([row(zone=zone)], NOW, lang)).rows[1:]
    symbol, said = text.split(" p-1 ")[0].split(maxsplit=1)
    assert symbol in "▲◆○✕●"
    assert said.strip() == words.zone_word(zone, lang)


HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.mark.parametrize(
    "fields",
    [
        {"patient": HOSTILE},
        {"pathway": HOSTILE},
        {"service": HOSTILE},
        {"baselines": {HOSTILE: BaselineStatus.LEARNING}},
        {"reasons": (Reason(rule=HOSTILE, zone=Zone.RED),)},
        {"reasons": (Reason(rule="quality", zone=Zone.RED, detail=HOSTILE),)},
        {"reasons": (Reason(rule="quality", zone=Zone.RED, code=HOSTILE, value=1, unit=HOSTILE),)},
    ],
)
def test_whatever_a_field_holds_is_text(fields: dict[str, Any]) -> None:
    html = render([row(**fields)], NOW, "nb")
    page = Page(html)
    assert HOSTILE in page.rows[1]
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert HOSTILE not in html


def test_the_policy_allows_the_page_s_own_parts_by_hash_and_nothing_else() -> None:
    html = render([], NOW, "nb")
    for tag in ("style", "script"):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(inline) == 1
        expected = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{expected}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    page = Page(render([row()], NOW, "nb"))
    assert not [attrs for _, attrs in page.tags if {"src", "style", "onclick"} & set(attrs)]
    assert not [attrs for _, attrs in page.tags if (attrs.get("href") or "?").partition("?")[0] not in {"", "#list"}]


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("nb", "Beslutningsstøtte for helsepersonell. Ikke et sertifisert medisinsk utstyr."),
        ("en", "Decision support for health personnel. Not a certified medical device."),
    ],
)
def test_says_what_it_is_and_in_which_language(lang: words.Lang, said: str) -> None:
    html = render([row()], NOW, lang)
    assert said in html
    assert ("html", {"lang": lang}) in Page(html).tags


def test_a_reader_of_the_page_by_ear_finds_headers_for_columns_and_rows() -> None:
    tags = Page(render([row(), row("p-2")], NOW, "nb")).tags
    scopes = [attrs["scope"] for tag, attrs in tags if tag == "th"]
    assert scopes == ["col"] * 8 + ["row"] * 2
    assert len([1 for tag, attrs in tags if attrs.get("aria-hidden")]) == 2 + len(Zone)


def test_a_list_that_is_not_up_to_date_says_so_above_all() -> None:
    assert 'class="alarm" role="alert">Listen er ikke oppdatert: ingen kontakt med meldingssystemet' in render(
        [row()], NOW, "nb", up_to_date=False
    )
    quiet = render([row()], NOW, "nb")
    assert [attrs for _, attrs in Page(quiet).tags if attrs.get("role") == "alert"] == [
        {"id": "offline", "class": "alarm", "role": "alert", "hidden": None}
    ]


def test_unreadable_statuses_are_told() -> None:
    assert "Call operations. Number: 2<" in render([row()], NOW, "en", unreadable=2)


def test_a_due_time_that_has_passed_is_said_in_words() -> None:
    late = row(zone=Zone.NO_DATA, due_at=NOW - timedelta(minutes=1))
    assert "overdue" in Page(render([late], NOW, "en")).rows[1]
    assert "overdue" not in Page(render([row()], NOW, "en")).rows[1]
    assert not overdue(structs.replace(late, zone=Zone.NOT_MONITORED), NOW)
    assert not overdue(row(due_at=None), NOW)


def test_what_is_not_there_yet_is_said_and_not_left_empty() -> None:
    bare = PatientStatus(patient="p-1", revision=1, zone=Zone.NOT_MONITORED, since_at=NOW, reasons=())
    (text,) = Page(render([bare], NOW, "en")).rows[1:]
    assert "none yet" in text
    assert "followed yet" in render([], NOW, "en")


def test_marks_what_is_being_learnt_and_pages_that_reached_nobody() -> None:
    marked = row(
        zone=Zone.RED,
        open_pages=1,
        baselines={
            "spo2": BaselineStatus.LEARNING,
            "weight": BaselineStatus.STALE,
            "systolic": BaselineStatus.ESTABLISHED,
        },
    )
    (text,) = Page(render([marked], NOW, "en")).rows[1:]
    assert "page not delivered" in text
    assert "learning: SpO₂" in text
    assert "outdated normal: weight" in text
    assert "systolic" not in text


@pytest.mark.parametrize(
    ("state", "nb", "en"),
    [
        (EpisodeState.OPENED, "ikke kvittert", "not acknowledged"),
        (EpisodeState.WORSENED, "forverret, ikke kvittert", "worsened, not acknowledged"),
        (EpisodeState.ACKNOWLEDGED, "kvittert", "acknowledged"),
        (EpisodeState.LEAVING, "på vei ut", "on the way out"),
    ],
)
def test_how_far_an_episode_has_come_is_said(state: EpisodeState, nb: str, en: str) -> None:
    episode = Episode(state=state, opened_at=NOW, worsened_at=NOW, zone_change_id=UUID(int=1))
    for lang, said in (("nb", nb), ("en", en)):
        assert said in Page(render([row(zone=Zone.RED, episode=episode)], NOW, lang)).rows[1]


@pytest.mark.parametrize(
    ("at", "nb", "en"),
    [
        (NOW - timedelta(hours=1), "08:05", "08:05"),
        (datetime(2026, 2, 28, 22, 30, tzinfo=UTC), "28. feb. 23:30", "28 Feb 23:30"),
        (datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "00:30", "00:30"),
        (datetime(2025, 7, 1, 10, 0, tzinfo=UTC), "1. juli 2025 12:00", "1 Jul 2025 12:00"),
    ],
)
def test_times_are_oslo_s_with_the_day_where_it_is_not_today(at: datetime, nb: str, en: str) -> None:
    for lang, expected in (("nb", nb), ("en", en)):
        html = render([row(since_at=at, last_submission_at=None)], NOW, lang)  # type: ignore[arg-type] # one of both
        assert f'<time datetime="{at.isoformat()}">{expected}</time>' in html


def test_the_same_rows_at_shifted_times_make_the_same_list() -> None:
    def words_only(shift: timedelta) -> str:
        rows = [row("a", Zone.RED), row("b", due_at=NOW - timedelta(minutes=1)), row("c")]
        shifted = [
            structs.replace(one, since_at=one.since_at + shift, due_at=(one.due_at or NOW) + shift) for one in rows
        ]
        return re.sub(r"<time.*?</time>", "", render(shifted, NOW + shift, "en"))

    assert words_only(timedelta(0)) == words_only(timedelta(days=400, hours=5))


def test_every_word_is_there_in_both_languages() -> None:
    assert all(len(texts) == 2 and all(texts) for texts in words._WORDS.values())


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_stands_out_from_its_ground_by_wcag_aa() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    html = render([], NOW, "nb")
    pairs = re.findall(r"background: (#\w+); color: (#\w+)", html)
    pairs += [(ground, text) for text, ground in re.findall(r"[^-]color: (#\w+); background: (#\w+)", html)]
    assert len(pairs) >= 8
    pairs += [("#fff", "#1b1f24"), ("#fdf0ef", "#1b1f24"), ("#f5f6f8", "#4a525c"), ("#f5f6f8", "#0b4f9e")]
    for ground, text in pairs:
        lighter, darker = sorted((luminance(ground), luminance(text)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ground, text)
