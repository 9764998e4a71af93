"""The triage list: who needs attention first, why, and who has it."""

from __future__ import annotations

from collections import Counter
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dashboards.board.pages import Voice, render
from dashboards.board.times import iso
from schemas.assessments import BaselineStatus, EpisodeState, PatientStatus
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from dashboards.board.views import Filters, Row, Storm, Trouble, Viewer
    from dashboards.board.words import Lang
    from schemas.assessments import Reason

    Explain = Callable[[Iterable[Reason], Lang], Iterable[str]]

ATTENTION: Final = (Zone.RED, Zone.YELLOW, Zone.NO_DATA, Zone.NOT_MONITORED, Zone.GREEN)
CHARTS: Final = 4  # in a row
_NAME: Final = f"[{token_hex(16)}]"  # where the name goes, and what no other text of a row can hold
_OPEN: Final = (EpisodeState.OPENED, EpisodeState.WORSENED)
_ALERTS: Final = (Zone.RED, Zone.YELLOW)


class Rendered(NamedTuple):
    """A row as HTML, in two parts between which the patient's name goes where it may be seen; and its place."""

    before: str
    after: str
    order: str
    search: str

    def html(self, name: str = "") -> str:
        """The row with a name, which is escaped already."""
        return f"{self.before}{name}{self.after}"


def listed(status: PatientStatus) -> bool:
    """Whether a patient stands on the list: not who is ended, unless not rightly so."""
    return status.phase is not Phase.ENDED or bool(status.phase_faults)


def unacknowledged(status: PatientStatus) -> bool:
    """Whether an alert stands that nobody has taken over."""
    episode = status.episode
    return episode is not None and episode.state in _OPEN and not episode.acknowledged


def overdue(status: PatientStatus, now: datetime) -> bool:
    """Whether the next registration is past due; nothing is due from who is not monitored."""
    return status.zone is not Zone.NOT_MONITORED and status.due_at is not None and status.due_at < now


def unanswered(status: PatientStatus, now: datetime) -> bool:
    """Whether staff should have looked by now."""
    waits = unacknowledged(status) or status.zone is Zone.NO_DATA
    return waits and status.respond_by_at is not None and status.respond_by_at < now


def order(status: PatientStatus, waits_since: datetime) -> str:
    """The patient's place, to be compared as text: zone, what nobody has, then who waits longest."""
    taken = 0 if unacknowledged(status) or status.zone not in _ALERTS else 1
    return f"{ATTENTION.index(status.zone)}{taken} {iso(waits_since)} {status.patient}"


def row(shown: Row, now: datetime, voice: Voice, explain: Explain) -> Rendered:
    """Render one row; it changes only when its patient does, or when something falls due."""
    status = shown.status
    place = order(status, shown.waits_since)
    html = render(
        "row.html",
        voice,
        row=shown,
        status=status,
        now=now,
        order=place,
        name=_NAME,
        reasons=tuple(explain(status.reasons, voice.lang)),
        overdue=overdue(status, now),
        late=unanswered(status, now),
        waits=unacknowledged(status),
        charts=shown.series[:CHARTS],
        baselines=_baselines(status),
    )
    before, _, after = html.partition(_NAME)
    return Rendered(before, after, place, status.patient.lower())


def _baselines(status: PatientStatus) -> list[tuple[str, list[str]]]:
    found = []
    for known, key in ((BaselineStatus.LEARNING, "learning"), (BaselineStatus.STALE, "stale_baseline")):
        vitals = [name for name, held in status.baselines.items() if held is known]
        if vitals:
            found.append((key, vitals))
    return found


class Summary(NamedTuple):
    """How many stand where, of all that the viewer's services have."""

    zones: dict[Zone, int]
    waiting: int  # unacknowledged
    total: int
    ended: int


def summed(statuses: Iterable[PatientStatus]) -> Summary:
    """Count the list."""
    everyone = list(statuses)
    shown = [one for one in everyone if listed(one)]
    zones = Counter(one.zone for one in shown)
    return Summary(
        {zone: zones[zone] for zone in ATTENTION},
        sum(map(unacknowledged, shown)),
        len(shown),
        len(everyone) - len(shown),
    )


def banners(  # noqa: PLR0913 - each is one thing that may be wrong
    now: datetime,
    voice: Voice,
    *,
    up_to_date: bool,
    history_read: bool,
    unreadable: int,
    troubles: Sequence[Trouble],
    storms: Sequence[Storm],
) -> str:
    """What stands above a page: what is wrong with the platform, and storms."""
    return render(
        "banners.html",
        voice,
        now=now,
        up_to_date=up_to_date,
        history_read=history_read,
        unreadable=unreadable,
        troubles=troubles,
        storms=storms,
    )


def counts(summary: Summary, voice: Voice, filters: Filters) -> str:
    """How many stand in each zone; each count leads to its patients."""
    return render("counts.html", voice, summary=summary, attention=ATTENTION, filters=filters)


def page(  # noqa: PLR0913 - each is one thing that the page shows
    rows: Iterable[str],
    now: datetime,
    voice: Voice,
    *,
    viewer: Viewer,
    filters: Filters,
    options: dict[str, list[tuple[str, str]]],
    summary: Summary,
    banners: str,
    version: str,
    shown: int,
    found: bool = False,
    **more: Any,  # noqa: ANN401 - what the frame shows
) -> str:
    """Return the whole page of the list."""
    return render(
        "list.html",
        voice,
        rows=rows,
        now=now,
        viewer=viewer,
        filters=filters,
        options=options,
        counts=counts(summary, voice, filters),
        summary=summary,
        banners=banners,
        version=version,
        shown=shown,
        found=found,
        **more,
    )
