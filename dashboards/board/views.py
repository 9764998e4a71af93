"""What the pages show, as plain values: filled in by the board's process, put on the screen by the templates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from schemas.assessments import PatientStatus
from schemas.types import Zone


class Dot(NamedTuple):
    """One measured value as it was judged [the vital's unit]."""

    at: datetime
    value: float
    zone: Zone  # of this value; green where no reason names it
    center: float | None = None  # the patient's own normal before that day
    spread: float | None = None
    judged: bool = True  # False: quarantined, nothing rests on it


class Edges(NamedTuple):
    """A plan's limits for one vital sign, in force from an instant [the vital's unit]."""

    from_at: datetime
    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None


class Series(Struct, frozen=True, kw_only=True):
    """One vital sign over time; `dots` and `edges` oldest first."""

    vital: str
    unit: str
    dots: tuple[Dot, ...]
    edges: tuple[Edges, ...] = ()

    @property
    def newest(self) -> Dot:
        """The newest value on which something rests, else the newest of all."""
        return next((dot for dot in reversed(self.dots) if dot.judged), self.dots[-1])


class Taken(NamedTuple):
    """Who took an alert over."""

    by: str
    at: datetime
    reason_code: str


class Row(Struct, frozen=True, kw_only=True):
    """One patient on the list."""

    status: PatientStatus
    waits_since: datetime  # for staff: since the zone began, or since it worsened after somebody had taken it over
    series: tuple[Series, ...] = ()
    self_care: tuple[str, ...] = ()  # what the newest registration's zone asks of the patient, in the plan's words
    taken: Taken | None = None  # None: nobody has the open episode
    told: tuple[str, ...] = ()  # whom the pages about it reached


class Filters(Struct, frozen=True, kw_only=True):
    """What of the list is shown; an empty one shows all."""

    zone: str = ""
    service: str = ""
    municipality: str = ""
    pathway: str = ""
    phase: str = ""
    mine: bool = False
    q: str = ""
    found: str = ""  # the token of a search by name
    wall: bool = False


class Trouble(NamedTuple):
    """Something of the platform does not work: what, out of a closed set, and since when."""

    kind: str
    since: datetime | None = None
    service: str | None = None


class Storm(NamedTuple):
    """Many patients of a service turned red within minutes: one cause may stand behind it."""

    service: str
    patients: int
    since: datetime
    minutes: int


class Viewer(Struct, frozen=True, kw_only=True):
    """Who looks, and what of it matters to a page."""

    ref: str
    name: str
    may: frozenset[str] = frozenset()  # rights, for the patient shown or for any service of theirs
    csrf: str = ""


class Decision(Struct, frozen=True, kw_only=True):
    """One entry of the history of decisions: a registration judged, or a change that time or staff caused."""

    at: datetime
    kind: Literal["assessment", "zone_change"]
    zone: Zone
    reasons: tuple[str, ...]
    from_zone: Zone | None = None
    plan_version: int | None = None
    on_behalf: str | None = None
    entered_in_error: bool = False
    values: tuple[tuple[str, float, str], ...] = ()  # vital, value, unit
    answers: tuple[tuple[str, str], ...] = ()  # question, answer


class Happening(Struct, frozen=True, kw_only=True):
    """One thing that staff decided or did, or that happened to the patient."""

    at: datetime
    kind: str
    by: str | None = None
    parts: tuple[tuple[str, str], ...] = ()  # key of a word, text
    note: str | None = None


class PlanVersion(Struct, frozen=True, kw_only=True):
    """One signed version, in short."""

    version: int
    valid_from_at: datetime
    signed_at: datetime
    signed_by: str
    edges: tuple[tuple[str, str, Edges], ...]  # vital, unit, limits
    in_force: bool = False
    twice: bool = False  # another has the same number: two doctors signed at the same time, on two boards


class Lent(NamedTuple):
    """A device that is, or was, with a patient."""

    patient: str
    service: str | None
    device: str
    kind: str
    since: datetime
    returned: datetime | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """Who the patient is, for those who may see it."""

    name: str
    parts: tuple[tuple[str, str], ...] = ()  # key of a word, text


class Meeting(Struct, frozen=True, kw_only=True):
    """One patient on the list for the dialogue with the specialist."""

    status: PatientStatus
    why: tuple[str, ...]  # keys of words: alerts, still, unacknowledged, trial_ended, trial_ends, drift, notes
    reds: int = 0  # changes to red in the week
    yellows: int = 0
    reasons: tuple[str, ...] = ()
    notes: tuple[tuple[datetime, str], ...] = ()
    drift: tuple[str, ...] = ()


class Compared(NamedTuple):
    """Alerts per week of the patient's own last weeks, under the plan in force and under another."""

    days: int
    weeks: float
    lines: tuple[tuple[str, float, float], ...]  # key of a word, old, new
    added: tuple[date, ...]  # days with a yellow or red that there was none on
    gone: tuple[date, ...]


class Differing(NamedTuple):
    """A field of a plan's form that is not the same everywhere: where the form began, in the newer plan, as entered."""

    name: str
    label: str
    before: str
    now: str
    own: str
    changed: bool  # by whoever signed the newer plan


class Newer(NamedTuple):
    """A plan that was signed since a form was opened, beside what was entered in it."""

    version: int
    signed_by: str
    signed_at: datetime
    valid_from_at: datetime
    base: int | None  # the version that the form began with, 0: the pathway's starter values; None: not known any more
    lines: tuple[Differing, ...]


class Choice(NamedTuple):
    """One of several."""

    value: str
    text: str


class Field(Struct, frozen=True, kw_only=True):
    """One field of a form, as it is shown."""

    name: str
    label: str
    kind: Literal["text", "note", "choice", "radio", "instant", "number", "tick", "many", "words"]
    value: str = ""
    required: bool = True
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    unit: str = ""
    fault: str = ""
    most: int | None = None  # characters
    chosen: tuple[str, ...] = ()  # of several


class Form(Struct, frozen=True, kw_only=True):
    """A form, with what was entered and what is wrong with it."""

    slug: str
    title: str
    action: str
    fields: tuple[Field, ...]
    form_id: str
    submit: str
    hidden: tuple[tuple[str, str], ...] = ()
    open: bool = False
    first: bool = False  # it is what the page asks for
    trouble: str = ""  # what kept it from being done, where no field is wrong
