"""A follow-up service as data: who is told of an alert, by what way and after how long, and who is on duty when.

Configuration, of no patient. Where people work shifts the wall clock is that of the service.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.types import LocalTime, ShortText, Slug, StaffRef, TimeZone, Weekday

CANARY = "canary"  # reserved: the pathway of nobody ill, who tries the alarm path, and the duty that his pages go to
NURSE = "nurse"  # the duty that every ladder begins with, and that a service without a roster has
Minutes = Annotated[int, Meta(ge=0, le=1440)]
Language = Literal["nb", "en"]


class EscalationStep(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who is told next where nobody has acknowledged.

    Attributes
    ----------
    after_minutes
        Since a page was first asked for this worsening [min].
    to
        A duty on the roster, as `nurse` or `lead`.
    by
        One of that person's ways; None: their usual one.
    """

    after_minutes: Minutes
    to: Slug
    by: Slug | None = None


class Ladder(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How an unacknowledged alert goes on; the times are our own choice, a service sets its own (docs/adr/0009).

    Attributes
    ----------
    red
        The steps of a red episode, earliest first; the first is at once.
    repeat_minutes
        The last step is asked again after each of so many, for as long as nobody answers [min].
    yellow_minutes
        A yellow episode is on the worklist and due so long after it opened or worsened [min].
    """

    red: Annotated[tuple[EscalationStep, ...], Meta(min_length=1, max_length=10)] = (
        EscalationStep(after_minutes=0, to=NURSE),
        EscalationStep(after_minutes=5, to="next-nurse"),
        EscalationStep(after_minutes=15, to="lead"),
        EscalationStep(after_minutes=30, to="lead", by="phone"),
    )
    repeat_minutes: Annotated[int, Meta(ge=1, le=1440)] = 15
    yellow_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 240


class Shift(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who has which duty on these days, from `starts` to `ends`; an end that is not later is on the next day."""

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]
    starts: LocalTime
    ends: LocalTime
    duty: Annotated[dict[Slug, StaffRef], Meta(min_length=1, max_length=20)]


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody else has a duty in the one shift that starts on `day` at `starts`."""

    day: date
    starts: LocalTime
    duty: Annotated[dict[Slug, StaffRef], Meta(min_length=1, max_length=20)]


class Roster(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who is on duty when. At the end of a shift its duties pass to whoever has them in the next."""

    shifts: Annotated[tuple[Shift, ...], Meta(min_length=1, max_length=100)]
    exchanges: Annotated[tuple[Exchange, ...], Meta(max_length=1000)] = ()


class Webhook(Struct, frozen=True, kw_only=True, tag_field="kind", tag="webhook", forbid_unknown_fields=True):
    """A signed POST (Standard Webhooks) to a receiver of the service's own."""

    url: str
    secret_file: str
    timeout_s: Annotated[float, Meta(gt=0, le=10)] | None = None


class PagerDuty(Struct, frozen=True, kw_only=True, tag_field="kind", tag="pagerduty", forbid_unknown_fields=True):
    """PagerDuty Events API v2. The keys stand in files.

    Attributes
    ----------
    webhook_secret_file
        Of the webhook subscription by which PagerDuty tells who acknowledged; None: it tells nobody.
    """

    routing_key_file: str
    url: str = "https://events.pagerduty.com/v2/enqueue"
    webhook_secret_file: str | None = None
    timeout_s: Annotated[float, Meta(gt=0, le=10)] | None = None


class Apprise(Struct, frozen=True, kw_only=True, tag_field="kind", tag="apprise", forbid_unknown_fields=True):
    """Anything that the library apprise reaches: SMS gateways, e-mail, ntfy, Signal, calls. Its URL is a secret."""

    url_file: str
    timeout_s: Annotated[float, Meta(gt=0, le=30)] | None = None


Way = Webhook | PagerDuty | Apprise


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a person or a team is reached: named ways, of which one is the usual."""

    ways: Annotated[dict[Slug, Way], Meta(min_length=1, max_length=10)]
    usual: Slug | None = None  # None: the first


class Service(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One service, as a centre of a hospital and ten municipalities.

    Attributes
    ----------
    roster
        None: every duty falls to the contact of that name, or where there is none to the contact `nurse`.
    contacts
        Of everybody whom the roster names, or of duties.
    language
        In which its pages are written, where people read them.
    target_patients
        How many patients the service aims at.
    """

    name: ShortText
    time_zone: TimeZone = "Europe/Oslo"
    language: Language = "nb"
    municipalities: Annotated[tuple[Slug, ...], Meta(max_length=400)] = ()
    ladder: Ladder = Ladder()
    roster: Roster | None = None
    contacts: Annotated[dict[StaffRef, Contact], Meta(max_length=1000)] = {}
    target_patients: Annotated[int, Meta(ge=1)] | None = None


Services = dict[Slug, Service]
