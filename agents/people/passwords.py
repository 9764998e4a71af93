"""Passwords: which are strong enough, and whether one is right, as slowly where there is no such user.

Argon2id with the library's own parameters (RFC 9106, low memory: 64 MiB, three passes). The least length and what
counts as obvious are our choice, after NIST SP 800-63B: long, not guessable, and no rules about characters.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents.people.users import User

LEAST: Final = 12  # characters
MOST: Final = 256  # a longer one costs us, and no one
AT_ONCE: Final = 2  # hashes under way, 64 MiB each
_DIFFERENT: Final = 5  # different characters
_LEFT: Final = 5  # characters that must stay when what is obvious is taken out
_OBVIOUS: Final = (
    "password", "passord", "sonevakt", "sykehus", "sjukehus", "hospital", "kommune", "velkommen", "welcome", "letmein",
    "sommer", "vinter", "summer", "winter", "admin", "administrator", "qwertyuiop", "qwerty", "asdfghjkl", "asdf",
    "zxcvbnm", "hemmelig", "secret", "abcdefghijklmnop", "abcdef", "sykepleier", "nurse", "norge", "iloveyou",
)  # fmt: skip
_NUMBERS: Final = re.compile(r"[0-9!.@#$%&*_+=\- ]+")  # what people put at the end of a word


class WeakPasswordError(ValueError):
    """A password would be guessed; the text says what a better one has, and nothing of this one."""


def normal(password: str) -> str:
    """The same text however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password)


def check_strength(password: str, *, about: Collection[str] = ()) -> None:
    """Raise WeakPasswordError for a password that is too short or obvious.

    Parameters
    ----------
    about
        What anybody knows of the user: reference, name, services.
    """
    text = normal(password)
    if len(text) < LEAST:
        raise WeakPasswordError(f"a password has at least {LEAST} characters: four words that nobody says together do")
    if len(text) > MOST:
        raise WeakPasswordError(f"a password has at most {MOST} characters")
    if len(set(text)) < _DIFFERENT:
        raise WeakPasswordError(f"a password has at least {_DIFFERENT} different characters")
    left = text.lower()
    known = {word for one in about for word in re.split(r"\W+", one.lower()) if len(word) > 2}  # noqa: PLR2004 - shorter ones are in everything
    for word in sorted({*_OBVIOUS, *known}, key=len, reverse=True):
        left = left.replace(word, "")
    if len(_NUMBERS.sub("", left)) < _LEFT:
        raise WeakPasswordError("that password is among the first that are tried: take words that nobody says together")


class Passwords:
    """Makes hashes and compares with them; a few at once, for each takes memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(token_urlsafe())
        self._places = asyncio.Semaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """Return the hash to be kept."""
        return self._hasher.hash(normal(password))

    async def right(self, user: User | None, offered: str) -> bool:
        """Whether `offered` is the password of `user`, who may sign in; for nobody it takes equally long."""
        kept = self._nobody if user is None else user.password
        async with self._places:
            same = await asyncio.to_thread(self._same, kept, normal(offered[:MOST]))
        return same and user is not None and not user.disabled

    def outdated(self, user: User) -> bool:
        """Whether the hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(user.password)

    def _same(self, kept: str, offered: str) -> bool:
        try:
            return self._hasher.verify(kept, offered)
        except (VerificationError, InvalidHashError):
            return False
