"""What every page of the board is made from: the read model, the rows, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents import wallclock
from agents.board.around import AllWell, NoDirectory
from agents.board.forms import LOCAL
from agents.board.named import UnavailableError, asking
from agents.board.rows import Rows
from dashboards.board import listing
from dashboards.board.pages import Voice
from dashboards.board.times import OSLO
from dashboards.board.views import Trouble
from dashboards.board.words import LANGUAGES, vital_word
from pipeline.triage.vitals import VITALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from agents.board.around import AccessLog, Confirming, Directory, Platform
    from agents.board.model import Model
    from agents.board.own_log import OwnLog
    from agents.board.reading import Reading
    from agents.board.viewing import Audience
    from agents.stores.port import TimeSeriesStore
    from dashboards.board.views import Storm
    from dashboards.board.words import Lang
    from schemas.assessments import PatientStatus
    from schemas.pathways import Pathway
    from schemas.people import Person
    from schemas.services import Service


@dataclass(kw_only=True)
class Desk:
    """Everything that the handlers share.

    Attributes
    ----------
    listing, history
        The readers of what the list and the histories rest on.
    access
        Where it is written down who saw or changed what.
    care, submissions
        Where acts and registrations go; None: this board only shows.
    log
        Where a patient's own registrations are read for a what-if.
    store
        Where older measurements are; None: there is none.
    """

    model: Model
    listing: Reading
    history: Reading
    access: AccessLog
    directory: Directory = field(default_factory=NoDirectory)
    platform: Platform = field(default_factory=AllWell)
    pathways: Mapping[str, Pathway] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    care: Confirming | None = None
    submissions: Confirming | None = None
    log: OwnLog | None = None
    store: TimeSeriesStore | None = None
    now: wallclock.Clock = wallclock.now
    tz: tzinfo = OSLO

    def __post_init__(self) -> None:
        """Make the rows."""
        self.rows = Rows(self.model)
        self._voices = {lang: Voice(lang, self.tz, self._names(lang)) for lang in LANGUAGES}

    def voice(self, lang: Lang) -> Voice:
        """Return the words of a language."""
        return self._voices[lang]

    def local(self) -> str:
        """Return now, as a form has it."""
        return self.now().astimezone(self.tz).strftime(LOCAL)

    def known_services(self) -> tuple[tuple[str, str], ...]:
        """Return every service that is configured or has patients, slug and name, by name."""
        known = set(self.services) | {status.service for status in self.model.all_statuses() if status.service}
        voice = self.voice("nb")
        return tuple(sorted(((slug, voice.named("service_name", slug)) for slug in known), key=lambda one: one[1]))

    def up_to_date(self) -> bool:
        """Whether the list shows all that the broker has."""
        return self.listing.up_to_date()

    def history_read(self) -> bool:
        """Whether charts and histories show all that the broker has."""
        return self.history.up_to_date()

    def banners(self, person: Person, now: datetime, voice: Voice, storms: Sequence[Storm] = ()) -> str:
        """Return what stands above every page: what is wrong with the platform, for somebody's services, and storms."""
        troubles = [Trouble(one.kind, one.since, one.service) for one in self.platform.troubles]
        return listing.banners(
            now,
            voice,
            up_to_date=self.up_to_date(),
            history_read=self.history_read(),
            unreadable=self.model.statuses.unreadable,
            troubles=[one for one in troubles if one.service is None or one.service in person.services],
            storms=storms,
        )

    async def names(self, audience: Audience, statuses: Iterable[PatientStatus]) -> dict[str, str]:
        """Return the names that an audience may see beside pseudonyms; none where the directory does not answer."""
        wanted = [status.patient for status in statuses if audience.sees_name(status)]
        if not wanted:
            return {}
        try:
            with asking():
                return {patient: one.name for patient, one in (await self.directory.many(wanted)).items()}
        except UnavailableError:  # the list by pseudonyms must stand
            return {}

    def _names(self, lang: Lang) -> dict[str, str]:
        """Configured things in words: services and pathways."""
        named = {f"service_name.{slug}": service.name for slug, service in self.services.items()}
        named |= {f"pathway.{slug}": getattr(one.title, lang) for slug, one in self.pathways.items()}
        return named | {f"code.{vital.codes[0]}": vital_word(vital.name, lang) for vital in VITALS}
