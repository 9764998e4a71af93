"""The triage list: who needs attention first, why, and since when.

Colour never says anything alone: each zone has a shape and a word. Whatever comes from outside is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import UTC, datetime
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dashboards.board.words import Lang, day_word, vital_word, word, zone_word
from schemas.assessments import BaselineStatus, PatientStatus, PhaseIssue
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from schemas.assessments import Reason

    Explain = Callable[[Iterable[Reason], Lang], Iterable[str]]

OSLO: Final = ZoneInfo("Europe/Oslo")
ATTENTION: Final = (Zone.RED, Zone.YELLOW, Zone.NO_DATA, Zone.NOT_MONITORED, Zone.GREEN)
_SYMBOLS: Final = {
    Zone.RED: "▲",
    Zone.YELLOW: "◆",
    Zone.NO_DATA: "○",
    Zone.NOT_MONITORED: "✕",
    Zone.GREEN: "●",
}
NOTHING: Final = "-"
_COLUMNS: Final = ("zone", "patient", "pathway", "service", "since", "last", "due", "reasons")
_OTHER: Final[dict[Lang, Lang]] = {"nb": "en", "en": "nb"}
_STYLE: Final = (resources.files(__package__) / "board.css").read_text(encoding="utf-8")
_SCRIPT: Final = (resources.files(__package__) / "board.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# The page runs its own two inline parts, by hash, and asks its own server: nothing else, whatever a field holds.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def followed(rows: Iterable[PatientStatus]) -> list[PatientStatus]:
    """Return the patients who are not ended, or not rightly so, in the order in which they need attention."""
    kept = [row for row in rows if row.phase is not Phase.ENDED or row.phase_faults]
    return sorted(kept, key=lambda row: (ATTENTION.index(row.zone), row.since_at, row.patient))


def overdue(row: PatientStatus, now: datetime) -> bool:
    """Return whether the next registration is past due; nothing is due from who is not monitored."""
    return row.zone is not Zone.NOT_MONITORED and row.due_at is not None and row.due_at < now


def render(  # noqa: PLR0913 - each is one thing that the page shows
    rows: Iterable[PatientStatus],
    now: datetime,
    lang: Lang,
    *,
    explain: Explain,
    tz: tzinfo = OSLO,
    up_to_date: bool = True,
    unreadable: int = 0,
) -> str:
    """Return the whole page.

    Parameters
    ----------
    rows
        Latest status of each patient, in any order.
    now
        The instant that the page shows.
    lang
        `nb` or `en`.
    explain
        Puts a patient's reasons into words.
    tz
        In which times are written.
    up_to_date
        False where the server does not hear of changes now; the page then says so above all.
    unreadable
        Patients whose latest status could not be read.
    """
    everyone = list(rows)
    shown = followed(everyone)
    other = _OTHER[lang]
    updated = now.astimezone(tz)
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<noscript><meta http-equiv="refresh" content="10"></noscript>
<title>{_t("title", lang)} - Sonevakt</title>
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#list">{_t("skip", lang)}</a>
<header>
<h1>{_t("title", lang)}</h1>
<p id="updated">{_t("updated", lang)} <time datetime="{_iso(now)}">{updated:%H:%M:%S}</time></p>
<a href="?lang={other}" lang="{other}" hreflang="{other}">{_t("other_language", lang)}</a>
</header>
<main>
<p id="offline" class="alarm" role="alert" hidden>{_t("offline", lang)} <time></time></p>
<div id="live">
{_alarms(lang, up_to_date=up_to_date, unreadable=unreadable)}{_counts(shown, len(everyone) - len(shown), lang)}
{_table(shown, now, lang, tz, explain)}
</div>
</main>
<footer><p>{_t("disclaimer", lang)}</p></footer>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _t(key: str, lang: Lang) -> str:
    return escape(word(key, lang))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _alarms(lang: Lang, *, up_to_date: bool, unreadable: int) -> str:
    said = [] if up_to_date else [_t("stale", lang)]
    if unreadable:
        said.append(f"{_t('unreadable', lang)} {unreadable}")
    return "".join(f'<p class="alarm" role="alert">{text}</p>\n' for text in said)


def _counts(shown: list[PatientStatus], ended: int, lang: Lang) -> str:
    zones = Counter(row.zone for row in shown)
    what = _t("one_patient" if len(shown) == 1 else "patients", lang)
    items = [f"<li><strong>{len(shown)}</strong> {what}</li>"]
    items += [f"<li><strong>{zones[zone]}</strong> {_zone(zone, lang)}</li>" for zone in ATTENTION]
    if ended:
        items.append(f"<li>{ended} {_t('ended', lang)}</li>")
    return f'<ul class="counts">{"".join(items)}</ul>'


def _table(shown: list[PatientStatus], now: datetime, lang: Lang, tz: tzinfo, explain: Explain) -> str:
    if not shown:
        return f'<p id="list">{_t("no_rows", lang)}</p>'
    head = "".join(f'<th scope="col">{_t(column, lang)}</th>' for column in _COLUMNS)
    body = "\n".join(_row(row, now, lang, tz, explain) for row in shown)
    return (
        f'<div class="scroll" id="list" tabindex="0" role="region" aria-label="{_t("title", lang)}">'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(row: PatientStatus, now: datetime, lang: Lang, tz: tzinfo, explain: Explain) -> str:
    late = f' <span class="mark">{_t("overdue_mark", lang)}</span>' if overdue(row, now) else ""
    reasons = "".join(f"<li>{escape(said)}</li>" for said in explain(row.reasons, lang))
    return (
        f'<tr class="{row.zone.value}"><td>{_zone(row.zone, lang)}</td>'
        f'<th scope="row" class="id">{escape(row.patient)}</th>'
        f"<td>{escape(row.pathway or NOTHING)}</td><td>{escape(row.service or NOTHING)}</td>"
        f'<td class="time">{_when(row.since_at, now, lang, tz)}</td>'
        f'<td class="time">{_when(row.last_submission_at, now, lang, tz)}</td>'
        f'<td class="time">{_when(row.due_at, now, lang, tz) if row.due_at else NOTHING}{late}</td>'
        f'<td><ul class="reasons">{reasons}</ul>{_marks(row, lang)}</td></tr>'
    )


def _zone(zone: Zone, lang: Lang) -> str:
    return (
        f'<span class="zone {zone.value}"><span aria-hidden="true">{_SYMBOLS[zone]}</span>'
        f" {escape(zone_word(zone, lang))}</span>"
    )


def _when(at: datetime | None, now: datetime, lang: Lang, tz: tzinfo) -> str:
    if at is None:
        return _t("never", lang)
    local, today = at.astimezone(tz), now.astimezone(tz)
    clock = f"{local:%H:%M}"
    year = f" {local.year}" if local.year != today.year else ""
    day = "" if local.date() == today.date() else f"{day_word(local.day, local.month, lang)}{year} "
    return f'<time datetime="{_iso(at)}">{escape(day)}{clock}</time>'


def _marks(row: PatientStatus, lang: Lang) -> str:
    marks = ""
    if row.episode is not None:
        marks += f'<span class="mark">{_t(f"episode.{row.episode.state.value}", lang)}</span>'
    if row.open_pages:
        marks += f'<span class="mark urgent">{_t("page_open", lang)}</span>'
    for fault in row.phase_faults:
        step = f"{_phase(fault.from_phase, lang)} → {_phase(fault.to_phase, lang)}"
        kind = "mark urgent" if fault.issue is PhaseIssue.OUT_OF_ORDER else "mark"
        marks += f'<span class="{kind}">{_t(f"phase_fault.{fault.issue.value}", lang)}: {step}</span>'
    for status, key in ((BaselineStatus.LEARNING, "learning"), (BaselineStatus.STALE, "stale_baseline")):
        vitals = [vital_word(name, lang) for name, known in row.baselines.items() if known is status]
        if vitals:
            marks += f'<span class="mark">{_t(key, lang)}: {escape(", ".join(vitals))}</span>'
    return marks


def _phase(phase: Phase | None, lang: Lang) -> str:
    return _t(f"phase.{phase.value if phase else 'none'}", lang)
