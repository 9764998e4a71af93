"""The list for the weekly dialogue with the specialist, and that of equipment: per service, printable, by pseudonym."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.board.answering import DONE, demand, show
from agents.board.around import person_of
from agents.board.viewing import lang_of
from dashboards.board import listing
from dashboards.board.views import Meeting
from pipeline.triage.explain import explain
from schemas.people import Right
from schemas.types import Zone

if TYPE_CHECKING:
    from agents.board.desk import Desk
    from dashboards.board.pages import Voice
    from dashboards.board.views import Lent
    from schemas.assessments import PatientStatus

WEEK: Final = timedelta(days=7)
TRIAL_NEAR: Final = timedelta(days=7)  # a trial that ends within so long is brought up
_DRIFTS: Final = frozenset({"drift_high", "drift_low", "slow_rise", "slow_fall", "shift_high", "shift_low"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula


class MeetingPage:
    """Both lists."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        """Answer /meeting."""
        seen = await self._seen(request, "meeting_list")
        voice = self._desk.voice(lang_of(request))
        found = self._meetings(seen, voice)
        groups = [(service, list(ones)) for service, ones in groupby(found, key=lambda one: one.status.service or "")]
        return show(self._desk, request, "meeting.html", groups=groups, here="meeting")

    async def csv(self, request: web.Request) -> web.Response:
        """Answer /meeting.csv: the same, without names and with a column for the decision."""
        seen = await self._seen(request, "meeting_list")
        voice = self._desk.voice(lang_of(request))
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=";" if voice.lang == "nb" else ",")
        writer.writerow(
            [
                voice(key)
                for key in (
                    "col.patient",
                    "filter.service",
                    "filter.pathway",
                    "filter.phase",
                    "filter.zone",
                    "meeting.why",
                    "meeting.changes",
                    "col.why",
                    "meeting.notes_head",
                    "meeting.decision",
                )
            ]
        )
        for one in self._meetings(seen, voice):
            status = one.status
            writer.writerow(
                map(
                    _harmless,
                    (
                        status.patient,
                        voice.named("service_name", status.service),
                        voice.named("pathway", status.pathway),
                        voice(f"phase.{status.phase.value if status.phase else 'none'}"),
                        voice.zone(status.zone),
                        ", ".join(voice(f"meeting.{why}") for why in one.why),
                        f"{one.reds}/{one.yellows}",
                        " ".join(one.reasons),
                        " | ".join(note for _, note in one.notes),
                        "",
                    ),
                )
            )
        return web.Response(
            body="\N{ZERO WIDTH NO-BREAK SPACE}".encode() + out.getvalue().encode(),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": 'attachment; filename="meeting.csv"'},
        )

    async def equipment(self, request: web.Request) -> web.Response:
        """Answer /equipment: what is out, since when, with whom."""
        seen = await self._seen(request, "equipment_list")
        lent: list[Lent] = []
        for status in seen:
            lent += self._desk.model.patient(status.patient).course.lent(status.service or "")
        lent.sort(key=lambda one: (one.service or "", one.returned is not None, one.kind, one.since))
        groups = [(service or "", list(ones)) for service, ones in groupby(lent, key=lambda one: one.service)]
        return show(self._desk, request, "equipment.html", groups=groups, here="equipment")

    async def _seen(self, request: web.Request, action: str) -> list[PatientStatus]:
        """Everybody whom the person may see, ended ones too: their equipment may be out still."""
        desk, person = self._desk, person_of(request)
        if not any(person.may(Right.SEE_PATIENT, service) for service in person.services):
            await demand(desk, request, Right.SEE_PATIENT, "")
        await desk.access.add(person.ref, action, None, None, DONE)
        seen = [one for one in desk.model.all_statuses() if person.may(Right.SEE_PATIENT, one.service)]
        return sorted(seen, key=lambda one: (one.service or "", desk.rows.place(one)))

    def _meetings(self, seen: list[PatientStatus], voice: Voice) -> list[Meeting]:
        found = (self._meeting(status, voice) for status in seen if listing.listed(status))
        return [one for one in found if one.why]

    def _meeting(self, status: PatientStatus, voice: Voice) -> Meeting:
        now = self._desk.now()
        one = self._desk.model.patient(status.patient)
        reds, yellows = (len(one.alarms.since(now - WEEK, zone)) for zone in (Zone.RED, Zone.YELLOW))
        drift = tuple(explain((reason for reason in status.reasons if reason.rule in _DRIFTS), voice.lang))
        trial = status.trial_ends_at
        notes = tuple((event.at, note) for event, note in one.course.notes() if event.at >= now - WEEK)
        why = {
            "alerts": bool(reds or yellows),
            "still": not reds and not yellows and status.zone in {Zone.RED, Zone.YELLOW},
            "unacknowledged": listing.unacknowledged(status),
            "trial_ended": trial is not None and trial <= now,
            "trial_ends": trial is not None and now < trial <= now + TRIAL_NEAR,
            "drift": bool(drift),
            "notes": bool(notes),
        }
        return Meeting(
            status=status,
            why=tuple(key for key, so in why.items() if so),
            reds=reds,
            yellows=yellows,
            reasons=tuple(explain(status.reasons, voice.lang)),
            notes=notes,
            drift=drift,
        )


def _harmless(text: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text
