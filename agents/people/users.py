"""The local user file: who may sign in with a password, as what, and for which services.

JSON: reference -> name, roles, services, argon2id hash. Written whole, at once, for its owner's eyes alone; one writer
at a time. A board reads it again whenever it has changed, so what `sonevakt users` does holds from the next request on.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from agents.keys import write_private
from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.people import Person, Role
from schemas.types import Slug, StaffRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class User(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One person of the file.

    Attributes
    ----------
    password
        Its argon2id hash, with the parameters by which it was made.
    valid_from_at
        When the password was set, or the user disabled: a session from before it has ended.
    disabled
        May not sign in, and has no session any more.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    roles: Annotated[frozenset[Role], Meta(min_length=1)]
    services: frozenset[Slug] = frozenset()
    password: Annotated[str, Meta(pattern=r"^\$argon2id\$[ -~]{10,300}$")]
    valid_from_at: Annotated[datetime, Meta(tz=True)]
    disabled: bool = False

    def person(self, ref: str) -> Person:
        """Who is signed in, when this user is."""
        return Person(ref=ref, name=self.name, roles=self.roles, services=self.services)


Users = dict[str, User]
_FILE: Final = Codec[Users](dict[StaffRef, User])
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class UsersError(SettingsError):
    """The user file cannot be used, or not so; the text says what to do and holds nothing of the file's content."""


class UserFile:
    """The file at `path`, as it stands now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._users: Users = {}

    def read(self) -> Users:
        """Return everybody; raises UsersError."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if seen != self._seen:
                self._users = _FILE.decode(self.path.read_bytes())
                self._seen = seen
        except OSError as error:
            raise UsersError(
                f"{self.path.name}: cannot be read ({type(error).__name__}): `sonevakt users add` makes it"
            ) from None
        except UnreadableError as error:
            raise UsersError(f"{self.path.name}: is not as `sonevakt users` writes it ({error.field})") from None
        return self._users

    def of(self, ref: str) -> User | None:
        """Return the user of that reference, None where there is none; raises UsersError."""
        return self.read().get(ref)

    @contextmanager
    def changing(self) -> Iterator[Users]:
        """Give everybody, to be changed in place, and write what came of it; nobody else writes meanwhile.

        Raises
        ------
        UsersError
            The file is there and cannot be read.
        OSError
            It cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self.read()) if self.path.exists() else {}
            before = dict(users)
            yield users
            if users != before:
                write_private(self.path, msgspec.json.format(_ENCODER.encode(users), indent=2) + b"\n")
                self._seen = None


def load_users(path: Path) -> Users:
    """Return everybody in the file; raises UsersError where it is unreadable or lets nobody in."""
    users = UserFile(path).read()
    if all(user.disabled for user in users.values()):
        raise UsersError(f"{path.name}: lets nobody in: `sonevakt users add`")
    return users
