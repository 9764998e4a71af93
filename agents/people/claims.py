"""Which claims of an identity provider say who somebody is, and what they are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.people import Person, Role
from schemas.types import Slug

if TYPE_CHECKING:
    from pathlib import Path

_Name = Annotated[str, Meta(min_length=1, max_length=200)]


class RoleClaim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim, and what each of its values makes somebody."""

    claim: _Name
    values: Annotated[dict[_Name, frozenset[Role]], Meta(min_length=1, max_length=1000)]


class ServiceClaim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim, and which services each of its values opens."""

    claim: _Name
    values: Annotated[dict[_Name, frozenset[Slug]], Meta(min_length=1, max_length=1000)]


class ClaimsMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The claims file.

    Attributes
    ----------
    ref
        The claim that holds the reference to staff: no national number.
    name
        The claim that holds the name that the board shows.
    scope
        What is asked for.
    """

    roles: RoleClaim
    services: ServiceClaim
    ref: _Name = "preferred_username"
    name: _Name = "name"
    scope: _Name = "openid profile"


_FILE: Final = Codec[ClaimsMap](ClaimsMap)


class NotOursError(Exception):
    """The provider knows them, and here they are nobody; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def load_claims(path: Path) -> ClaimsMap:
    """Read the claims file; raises SettingsError naming what is wrong in it."""
    try:
        return _FILE.decode(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError as error:
        raise SettingsError(f"{path.name}: {error}: docs/security.md shows its form") from None


def person_of(claims: dict[str, Any], mapped: ClaimsMap) -> Person:
    """Return who the claims are about.

    Raises
    ------
    NotOursError
        `no_role`: none of their values is one of ours. `reference`: what names them is no reference, or is missing.
    """
    roles = {
        role
        for value in _values(claims.get(mapped.roles.claim))
        for role in mapped.roles.values.get(value, frozenset())
    }
    services = {
        service
        for value in _values(claims.get(mapped.services.claim))
        for service in mapped.services.values.get(value, frozenset())
    }
    if not roles:
        raise NotOursError("no_role")
    try:
        return msgspec.convert(
            {
                "ref": claims.get(mapped.ref),
                "name": claims.get(mapped.name) or claims.get(mapped.ref),
                "roles": list(roles),
                "services": list(services),
            },
            Person,
        )
    except msgspec.ValidationError:
        raise NotOursError("reference") from None


def _values(claim: object) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    return [value for value in claim if isinstance(value, str)] if isinstance(claim, list) else []
