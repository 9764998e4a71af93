"""Encounters out of a FHIR R4 bundle in JSON: of each Encounter the few elements that say when and what it was.

The patient is the id in `subject.reference` (`Patient/PSEUDONYM`) or, without one, the value of `subject.identifier`.
Admissions are of class IMP, ACUTE or NONAC, emergencies of class EMER [1]; any other class is not counted. Whether an
admission is acute is said by its class ACUTE or NONAC, else by its priority [2] or by coming from the emergency
department [3]; where none of them says it, it is refused.

[1] HL7 v3 ActCode, ActEncounterCode. [2] HL7 v3 ActPriority. [3] FHIR R4, Admit source, `emd`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from agents.encounters import fields
from agents.encounters.encounter import (
    Aside,
    Encounter,
    Kind,
    Passed,
    PassedRowError,
    Reason,
    Refused,
    RefusedRowError,
    Row,
)
from agents.recordings.events import RecordingError
from schemas.codec import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_PATIENT: Final = "Patient/"
_ADMISSIONS: Final = {"IMP": None, "ACUTE": True, "NONAC": False}
_EMERGENCY: Final = "EMER"
_NOT_COUNTED: Final = frozenset({"AMB", "FLD", "HH", "OBSENC", "PRENC", "SS", "VR"})
_ACUTE_PRIORITIES: Final = {"EM": True, "UR": True, "S": True, "EL": False, "R": False}
_FROM_EMERGENCY: Final = "emd"
_OF_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_OF_PRIORITY: Final = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
_OF_SOURCE: Final = "http://terminology.hl7.org/CodeSystem/admit-source"
# Norwegian national identity number, D number, two kinds of help number, immigration case: HL7 Norway, no-basis.
_NATIONAL: Final = tuple(f'"urn:oid:2.16.578.1.12.4.1.4.{kind}"' for kind in range(1, 6))
_TAKEN_PLACE: Final = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"})
_OFF: Final = frozenset({"cancelled", "entered-in-error"})
_PLANNED: Final = "planned"


class _Coding(Struct, frozen=True):
    system: str | None = None
    code: str | None = None


class _Concept(Struct, frozen=True):
    coding: tuple[_Coding, ...] = ()


class _Period(Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class _Identifier(Struct, frozen=True):
    value: str | None = None


class _Reference(Struct, frozen=True):
    reference: str | None = None
    identifier: _Identifier = _Identifier()


class _Hospitalization(Struct, frozen=True, rename="camel"):
    admit_source: _Concept = _Concept()


class _Encounter(Struct, frozen=True, rename="camel"):
    id: str | None = None
    status: str | None = None
    class_: _Coding = msgspec.field(name="class", default=_Coding())
    priority: _Concept = _Concept()
    subject: _Reference = _Reference()
    period: _Period = _Period()
    hospitalization: _Hospitalization = _Hospitalization()
    part_of: _Reference | None = None


class _Resource(Struct, frozen=True, rename="camel"):
    resource_type: str


class _Entry(Struct, frozen=True):
    resource: Raw = Raw()  # as it stands: each is read by itself, so that one that is wrong spoils no other


class _Bundle(Struct, frozen=True, rename="camel"):
    resource_type: str
    entry: tuple[_Entry, ...] = ()


def rows(text: bytes, now: datetime, contact: str) -> Iterator[Row]:
    """Yield every entry.

    Parameters
    ----------
    contact
        Where emergencies were seen: a class says that it was one, and not where.

    Raises
    ------
    RecordingError
        This is no bundle.
    """
    try:
        bundle = msgspec.json.decode(text, type=_Bundle)
    except UNREADABLE:
        bundle = _Bundle(resource_type="")
    if bundle.resource_type != "Bundle":
        raise RecordingError("this is no FHIR bundle in JSON")
    for number, entry in enumerate(bundle.entry, start=1):
        yield _row(number, entry.resource, now, contact)


def _row(number: int, resource: Raw, now: datetime, contact: str) -> Row:
    try:
        return _encounter(number, _read(resource), now, contact)
    except UNREADABLE:
        return Refused(number, Reason.INVALID)
    except RefusedRowError as error:
        return Refused(number, error.reason, error.field)
    except PassedRowError as error:
        return Passed(number, error.why)


def _read(resource: Raw) -> _Encounter:
    if not bytes(resource):
        raise PassedRowError(Aside.NO_ENCOUNTER)
    _without_national_numbers(resource)
    if msgspec.json.decode(resource, type=_Resource).resource_type != "Encounter":
        raise PassedRowError(Aside.NO_ENCOUNTER)
    return msgspec.json.decode(resource, type=_Encounter)


def _without_national_numbers(resource: Raw) -> None:
    text = msgspec.json.encode(msgspec.json.decode(resource)).decode()  # an escape could hide a digit
    if any(system in text for system in _NATIONAL):
        raise RefusedRowError(Reason.NATIONAL_NUMBER)
    fields.without_national_numbers(text)


def _encounter(number: int, told: _Encounter, now: datetime, contact: str) -> Encounter:
    if told.part_of is not None:
        raise PassedRowError(Aside.PART_OF_ANOTHER)
    kind, acute = _kind(told)
    status = fields.given(told.status, "status")
    if status == _PLANNED:
        raise PassedRowError(Aside.NOT_TAKEN_PLACE)
    if status not in _TAKEN_PLACE | _OFF:
        raise RefusedRowError(Reason.INVALID, "status")
    stands = status not in _OFF
    admission = kind is Kind.ADMISSION
    start = fields.instant(told.period.start, "period.start", now)
    end = None
    if admission and (status == "finished" or (not stands and told.period.end)):
        end = fields.instant(told.period.end, "period.end", now)
        if end < start:
            raise RefusedRowError(Reason.ENDS_BEFORE_IT_STARTS, "period.end")
    return Encounter(
        row=number,
        id=fields.encounter_id(told.id, "id"),
        patient=_patient(told.subject),
        kind=kind,
        start=start,
        end=end,
        acute=_acute(told, acute) if admission and stands else False,
        contact="" if admission else contact,
        stands=stands,
    )


def _kind(told: _Encounter) -> tuple[Kind, bool | None]:
    code = fields.given(told.class_.code, "class")
    if told.class_.system not in {None, _OF_CLASS}:
        raise RefusedRowError(Reason.INVALID, "class")
    if code in _ADMISSIONS:
        return Kind.ADMISSION, _ADMISSIONS[code]
    if code == _EMERGENCY:
        return Kind.EMERGENCY, None
    if code in _NOT_COUNTED:
        raise PassedRowError(Aside.NOT_COUNTED)
    raise RefusedRowError(Reason.INVALID, "class")


def _acute(told: _Encounter, by_class: bool | None) -> bool:  # noqa: FBT001 - what the class says, one of three
    if by_class is not None:
        return by_class
    for coding in told.priority.coding:
        if coding.system == _OF_PRIORITY and coding.code in _ACUTE_PRIORITIES:
            return _ACUTE_PRIORITIES[coding.code]
    if _Coding(_OF_SOURCE, _FROM_EMERGENCY) in told.hospitalization.admit_source.coding:
        return True
    raise RefusedRowError(Reason.ACUTE_NOT_SAID, "priority")


def _patient(subject: _Reference) -> str:
    if subject.reference is None:
        return fields.pseudonym(subject.identifier.value, "subject")
    _, found, name = subject.reference.rpartition(_PATIENT)
    if not found:
        raise RefusedRowError(Reason.INVALID, "subject")
    return fields.pseudonym(name, "subject")
