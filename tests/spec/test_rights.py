"""Who may do what on the board. A role holds in the services that are the person's, and in no other.

Administrators see no patients, and nobody but a doctor signs plans. What a person may do is the sum of their roles.
"""

from __future__ import annotations

from typing import Final

import pytest

from schemas.people import Person, Right, Role

ROLES: Final = ("nurse", "doctor", "coordinator", "analyst", "administrator")
TABLE: Final = [
    ("see_list", "yes", "yes", "yes", "no", "no"),
    ("see_patient", "yes", "yes", "yes", "no", "no"),
    ("see_identity", "yes", "yes", "yes", "no", "no"),
    ("edit_identity", "yes", "no", "yes", "no", "no"),
    ("acknowledge", "yes", "yes", "no", "no", "no"),
    ("record", "yes", "yes", "yes", "no", "no"),
    ("register", "yes", "yes", "no", "no", "no"),
    ("manage_course", "yes", "yes", "yes", "no", "no"),
    ("try_plan", "yes", "yes", "no", "no", "no"),
    ("sign_plan", "no", "yes", "no", "no", "no"),
    ("see_statistics", "no", "no", "yes", "yes", "no"),
    ("see_access_log", "no", "no", "no", "no", "yes"),
    ("erase", "no", "no", "no", "no", "yes"),
    ("manage_users", "no", "no", "no", "no", "yes"),
]


def person(roles: str, services: str) -> Person:
    return Person(
        ref="one", name="One", roles=frozenset(map(Role, roles.split())), services=frozenset(services.split())
    )


def said(*, may: bool) -> str:
    return "yes" if may else "no"


@pytest.mark.parametrize(("right", *ROLES), TABLE)
def test_what_each_role_may_do_in_a_service_of_theirs(  # noqa: PLR0913, PLR0917 - one for each role
    right: str, nurse: str, doctor: str, coordinator: str, analyst: str, administrator: str
) -> None:
    wanted = dict(zip(ROLES, (nurse, doctor, coordinator, analyst, administrator), strict=True))
    assert {role: said(may=person(role, "north").may(Right(right), "north")) for role in ROLES} == wanted


@pytest.mark.parametrize(
    ("roles", "services", "right", "of_service", "may"),
    [
        ("nurse", "north", "see_patient", "north", "yes"),
        ("nurse", "north", "see_patient", "south", "no"),
        ("nurse", "north south", "see_patient", "south", "yes"),
        ("nurse", "", "see_patient", "north", "no"),
        ("nurse", "", "see_list", "", "yes"),  # of no service: a list without a row
        ("doctor", "north", "sign_plan", "south", "no"),
        ("analyst nurse", "north", "see_statistics", "north", "yes"),
        ("analyst nurse", "north", "acknowledge", "north", "yes"),
        ("analyst nurse", "north", "sign_plan", "north", "no"),
        ("administrator", "", "manage_users", "", "yes"),
        ("administrator", "north", "see_patient", "north", "no"),
    ],
)
def test_a_right_holds_in_the_persons_services(
    roles: str, services: str, right: str, of_service: str, may: str
) -> None:
    assert said(may=person(roles, services).may(Right(right), of_service or None)) == may


def test_the_table_names_every_right_and_every_role() -> None:
    assert [row[0] for row in TABLE] == [right.value for right in Right]
    assert list(ROLES) == [role.value for role in Role]
