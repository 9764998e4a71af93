"""The triage list shows who needs attention first, in words as well as colours, and escapes what it is given."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from msgspec import structs

from dashboards.board import listing, words
from dashboards.board.pages import ASSETS, CONTENT_SECURITY_POLICY, SYMBOLS, Voice
from dashboards.board.views import Dot, Edges, Filters, Row, Series, Storm, Taken, Trouble, Viewer
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
VOID = {"meta", "link", "br", "input"}
HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"
EPISODE = Episode(state=EpisodeState.OPENED, opened_at=NOW, worsened_at=NOW, zone_change_id=UUID(int=1))
SERIES = Series(
    vital="spo2",
    unit="%",
    dots=tuple(
        Dot(NOW - timedelta(days=3 - day), value, Zone.GREEN, 94, 1) for day, value in enumerate((94, 93, 88.5))
    ),
    edges=(Edges(NOW - timedelta(days=9), red_low=85, yellow_low=88),),
)


def in_words(reasons: Iterable[Reason], lang: words.Lang) -> list[str]:
    return [f"{lang} {reason.rule} {reason.code} {reason.detail} {reason.unit}" for reason in reasons]


def status(patient: str = "p-1", zone: Zone = Zone.GREEN, **fields: Any) -> PatientStatus:  # noqa: ANN401 - any field
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


def rendered(lang: words.Lang = "en", row: dict[str, Any] | None = None, **fields: Any) -> str:  # noqa: ANN401 - any field
    one = status(**fields)
    return listing.row(
        Row(**{"status": one, "waits_since": one.since_at, **(row or {})}), NOW, Voice(lang), in_words
    ).html()


class Page(HTMLParser):
    """HTML taken apart: well nested, its tags with attributes, its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(html: str = "", lang: words.Lang = "nb", **more: Any) -> str:  # noqa: ANN401 - what the page shows
    values: dict[str, Any] = {
        "viewer": Viewer(ref="nurse-1", name="Nurse One", may=frozenset({"see_list"})),
        "filters": Filters(),
        "options": {"service": [], "municipality": [], "pathway": [], "phase": []},
        "summary": listing.summed([]),
        "banners": "",
        "version": "1-1",
        "shown": 0,
        "here": "list",
        "other_language": "lang=en",
    }
    return listing.page([html], NOW, Voice(lang), **{**values, **more})


def test_who_needs_attention_stands_first_what_nobody_has_before_what_somebody_has_then_who_waits_longest() -> None:
    taken = structs.replace(EPISODE, state=EpisodeState.ACKNOWLEDGED, acknowledged=True)
    everyone = [
        status("green", Zone.GREEN),
        status("blue", Zone.NO_DATA),
        status("red-taken", Zone.RED, episode=taken, since_at=NOW - timedelta(days=9)),
        status("red-new", Zone.RED, episode=EPISODE),
        status("none", Zone.NOT_MONITORED),
        status("yellow", Zone.YELLOW),
        status("red-old", Zone.RED, episode=EPISODE, since_at=NOW - timedelta(days=2)),
    ]
    expected = ["red-old", "red-new", "red-taken", "yellow", "blue", "none", "green"]
    assert [one.patient for one in sorted(everyone, key=lambda one: listing.order(one, one.since_at))] == expected


def test_who_was_taken_over_and_worsened_waits_since_then_and_the_row_says_so() -> None:
    worse = structs.replace(EPISODE, state=EpisodeState.WORSENED)
    old = status("old", Zone.RED, episode=worse, since_at=NOW - timedelta(days=3))
    new = status("new", Zone.RED, episode=EPISODE, since_at=NOW - timedelta(hours=1))
    assert listing.order(old, NOW - timedelta(minutes=5)) > listing.order(new, new.since_at)
    html = rendered(zone=Zone.RED, episode=worse, row={"waits_since": NOW - timedelta(minutes=5)})
    assert "worsened, not acknowledged since 09:00" in " ".join(Page(html).text.split())
    assert "acknowledged since" not in " ".join(Page(rendered(zone=Zone.RED, episode=EPISODE)).text.split())


def test_every_zone_has_a_place_and_a_shape_of_its_own() -> None:
    assert set(listing.ATTENTION) == set(Zone)
    assert len(set(SYMBOLS.values())) == len(Zone)


def test_the_summary_counts_every_zone_even_those_that_are_empty_and_who_waits() -> None:
    everyone = [
        status("a", Zone.RED, episode=EPISODE),
        status("b", Zone.RED),
        status("c"),
        status("d", phase=Phase.ENDED),
    ]
    summary = listing.summed(everyone)
    assert [summary.zones[zone] for zone in listing.ATTENTION] == [2, 0, 0, 0, 1]
    assert (summary.waiting, summary.total, summary.ended) == (1, 3, 1)
    html = listing.counts(summary, Voice("en"), Filters(zone="red"))
    assert re.findall(r'href="/\?zone=(\w+)"', html) == [*(zone.value for zone in listing.ATTENTION), "unacknowledged"]
    assert "1 ended, not shown" in html


def test_who_is_ended_and_was_to_be_followed_again_is_listed() -> None:
    fault = PhaseFault(at=NOW, from_phase=Phase.ENDED, to_phase=Phase.FOLLOW_UP, issue=PhaseIssue.OUT_OF_ORDER)
    assert not listing.listed(status(phase=Phase.ENDED))
    assert listing.listed(status(phase=Phase.ENDED, phase_faults=(fault,)))
    assert "phase change not followed: ended → follow-up" in rendered(phase=Phase.ENDED, phase_faults=(fault,))


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("zone", list(Zone))
def test_a_zone_is_a_shape_and_a_word_and_not_a_colour_alone(zone: Zone, lang: words.Lang) -> None:
    text = Page(rendered(lang, zone=zone)).text
    assert text.split()[0] == SYMBOLS[zone]
    assert words.zone_word(zone, lang) in text


@pytest.mark.parametrize(
    "fields",
    [
        {"patient": HOSTILE},
        {"pathway": HOSTILE},
        {"service": HOSTILE},
        {"municipality": HOSTILE},
        {"baselines": {HOSTILE: BaselineStatus.LEARNING}},
        {"reasons": (Reason(rule=HOSTILE, zone=Zone.RED),)},
        {"row": {"self_care": (HOSTILE,)}, "zone": Zone.RED},
        {"row": {"taken": Taken(HOSTILE, NOW, HOSTILE)}, "episode": EPISODE},
        {"row": {"told": (HOSTILE,)}, "episode": EPISODE, "step": 0},
        {"row": {"series": (structs.replace(SERIES, vital=HOSTILE, unit=HOSTILE),)}},
    ],
)
def test_whatever_a_field_holds_is_text(fields: dict[str, Any]) -> None:
    html = rendered(**fields)
    taken_apart = Page(html)
    assert HOSTILE not in html
    assert "49" not in html
    assert [tag for tag, _ in taken_apart.tags if tag == "script"] == []
    assert not [attrs for _, attrs in taken_apart.tags if any(name.startswith("on") for name in attrs)]
    assert HOSTILE in taken_apart.text or any(
        HOSTILE in (value or "") for _, one in taken_apart.tags for value in one.values()
    )


def test_a_name_goes_where_the_pseudonym_stands_and_nothing_else_of_a_row_depends_on_it() -> None:
    row = listing.row(Row(status=status(), waits_since=NOW), NOW, Voice("en"), in_words)
    assert row.html("<b>Name</b>").replace("<b>Name</b>", "") == row.html()
    assert row.before.endswith("</a>")


def test_the_page_runs_nothing_inline_and_asks_nobody_else() -> None:
    html = page(rendered(row={"series": (SERIES,)}, episode=EPISODE, zone=Zone.RED))
    tags = Page(html).tags
    assert [attrs for tag, attrs in tags if tag in {"script", "style"} and "src" not in attrs] == []
    assert not [attrs for _, attrs in tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    addresses = [attrs.get(name) or "" for _, attrs in tags for name in ("src", "href", "action") if name in attrs]
    assert [one for one in addresses if not one.startswith(("/", "#", "?"))] == []
    assert "'unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("nb", "Beslutningsstøtte for helsepersonell. Ikke sertifisert som medisinsk utstyr."),
        ("en", "Decision support for health personnel. Not a certified medical device."),
    ],
)
def test_says_what_it_is_and_in_which_language(lang: words.Lang, said: str) -> None:
    html = page(lang=lang)
    assert said in html
    assert ("html", {"lang": lang}) in Page(html).tags


def banners(**wrong: Any) -> str:  # noqa: ANN401 - what may be wrong
    well: dict[str, Any] = {"up_to_date": True, "history_read": True, "unreadable": 0, "troubles": [], "storms": []}
    return listing.banners(NOW, Voice("en"), **{**well, **wrong})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"up_to_date": False}, "no contact with the message system"),
        ({"unreadable": 2}, "Call operations. Number: 2"),
        ({"history_read": False}, "Measurements are still being read"),
        ({"storms": [Storm("centre-north", 7, NOW, 15)]}, "7 patients turned red within 15 minutes"),
        *(
            ({"troubles": [Trouble(kind, NOW)]}, said)
            for kind, said in (
                ("broker", "message system does not answer"),
                ("triage", "Triage stands still"),
                ("paging", "but nobody is paged"),
                ("storing", "The list and the pages work."),
                ("store", "Charts are behind"),
                ("clock", "The clock stands still"),
                ("canary_late", "test alarm did not come through"),
                ("something-new", "something-new"),
            )
        ),
    ],
)
def test_whatever_is_wrong_is_said_in_words_above_the_list(wrong: dict[str, Any], said: str) -> None:
    assert banners().strip() == ""
    assert said in banners(**wrong)


def test_what_is_late_is_said_in_words() -> None:
    late = {"zone": Zone.NO_DATA, "due_at": NOW - timedelta(minutes=1)}
    assert "overdue" in rendered(**late)
    assert "overdue" not in rendered()
    assert not listing.overdue(status(zone=Zone.NOT_MONITORED, due_at=NOW - timedelta(minutes=1)), NOW)
    waiting = {"zone": Zone.RED, "episode": EPISODE, "respond_by_at": NOW - timedelta(minutes=1)}
    assert "Response overdue" in rendered(**waiting)
    assert "Respond by" in rendered(**{**waiting, "respond_by_at": NOW + timedelta(minutes=1)})
    taken = structs.replace(EPISODE, acknowledged=True, state=EpisodeState.ACKNOWLEDGED)
    assert not listing.unanswered(status(**{**waiting, "episode": taken}), NOW)


def test_who_has_an_alert_or_that_nobody_has_and_whom_pages_reached() -> None:
    html = rendered(zone=Zone.RED, episode=EPISODE, step=1, open_pages=1, row={"told": ("nurse-2",)})
    text = " ".join(Page(html).text.split())
    assert "not acknowledged" in text
    assert "step 2, paged nurse-2" in text
    assert "page not delivered" in text
    assert 'href="/patients/p-1#acknowledge"' in html
    acknowledged = structs.replace(EPISODE, acknowledged=True, state=EpisodeState.ACKNOWLEDGED)
    taken = rendered(zone=Zone.RED, episode=acknowledged, row={"taken": Taken("nurse-1", NOW, "device")})
    assert "nurse-1 08:05" not in taken  # the clock is Oslo's
    assert "nurse-1 09:05 faulty device" in " ".join(Page(taken).text.split())
    assert "#acknowledge" not in taken


def test_a_chart_says_in_words_what_it_shows_and_keeps_the_language_s_decimal_sign() -> None:
    weight = structs.replace(SERIES, vital="weight", unit="kg", edges=())
    (label,) = re.findall(r'aria-label="([^"]+)"', rendered(row={"series": (SERIES,)}))
    assert (
        label == "SpO₂: last 88\N{NO-BREAK SPACE}%, 3 measurements from 88 to 94, usual 94, red low 85, yellow low 88"
    )
    (label,) = re.findall(r'aria-label="([^"]+)"', rendered("nb", row={"series": (weight,)}))
    assert label == "vekt: sist 88,5\N{NO-BREAK SPACE}kg, 3 målinger fra 88,5 til 94, vanlig 94"


@pytest.mark.parametrize(("zone", "kind"), [(Zone.RED, "pr"), (Zone.YELLOW, "py"), (Zone.GREEN, "pg")])
def test_a_value_s_zone_shows_by_its_shape(zone: Zone, kind: str) -> None:
    dots = (*SERIES.dots[:-1], SERIES.dots[-1]._replace(zone=zone))
    html = rendered(row={"series": (structs.replace(SERIES, dots=dots),)})
    paths = dict(re.findall(r'<path class="(p[ryg])" d="([^"]+)"', html))
    assert set(paths) == {kind}
    assert ("a" in paths[kind], paths[kind].count("l")) == (
        (True, 0) if kind == "pg" else (False, 1 if kind == "pr" else 3)
    )


def test_a_value_on_which_nothing_rests_neither_flattens_a_chart_nor_stands_as_the_last() -> None:
    wrong = Dot(NOW, 9.0, Zone.GREEN, judged=False)
    shown = [
        rendered(row={"series": (structs.replace(SERIES, dots=dots),)}) for dots in (SERIES.dots, (*SERIES.dots, wrong))
    ]
    heights = [[y for _, y in re.findall(r"[ML](\d+) (\d+)", html.split('class="v" d="')[1])][:3] for html in shown]
    assert heights[0] == heights[1]
    assert ["<b>88</b>" in html for html in shown] == [True, True]


def test_what_delays_charts_alone_is_no_alarm() -> None:
    assert 'class="alarm"' in banners(troubles=[Trouble("paging", NOW), Trouble("store", NOW)])
    calm = banners(troubles=[Trouble("store", NOW), Trouble("storing", NOW)])
    assert ('class="alarm"' in calm, calm.count('class="notice"')) == (False, 2)


@pytest.mark.parametrize(("days", "said"), [(2, "trial period ends 3 Mar"), (-2, "trial period ended 27 Feb")])
def test_a_trial_that_is_over_is_said_to_be(days: int, said: str) -> None:
    html = rendered(trial_ends_at=NOW + timedelta(days=days))
    assert said in " ".join(Page(html).text.split())


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
    css = ASSETS["board.css"].decode()
    pairs = re.findall(r"background: (#\w+);(?: border-color: #\w+;)? color: (#\w+)", css)
    assert len(pairs) >= 8
    pairs += [
        ("#fff", "#1a1e24"),
        ("#fdf1f0", "#1a1e24"),
        ("#f4f5f7", "#4a535e"),
        ("#fdf1f0", "#8a1c12"),
        ("#e9f1fb", "#4a535e"),
    ]
    for ground, text in pairs:
        lighter, darker = sorted((luminance(ground), luminance(text)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ground, text)
