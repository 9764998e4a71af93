"""Signing in by OpenID Connect: authorization code with PKCE, state and nonce.

Authlib makes the requests and checks the claims, joserfc the signature; the connection is aiohttp's, as everywhere.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlsplit

import aiohttp
import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped] # Authlib ships no types
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped] # the same
    parse_authorization_code_response,
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # the same
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped] # the same
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from agents.people.claims import ClaimsMap, NotOursError, person_of
from agents.people.origin import LOOPBACK
from schemas.codec import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from schemas.people import Person

ALGORITHMS: Final = ("RS256", "PS256", "ES256")  # asymmetric, so that only the provider can sign
LEEWAY_S: Final = 60  # between the provider's clock and ours [s]
TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)
ANSWER_BYTES: Final = 262_144
FORGET_S: Final = 3600.0  # how long the provider's description is held [s]
KEYS_ASKED_S: Final = 60.0  # its keys are asked for anew at most so often [s]


class ProviderError(Exception):
    """Nobody is signed in; `reason` is one of a closed list and holds nothing of the answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Description(Struct, frozen=True):
    """What the provider says of itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Tokens(Struct, frozen=True):
    """What it gives for a code."""

    id_token: str
    access_token: str | None = None


class Underway(Struct, frozen=True):
    """What the browser keeps for us, signed, while somebody is at the provider."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """One identity provider.

    Parameters
    ----------
    issuer, client_id, client_secret
        As agreed with the provider.
    claims
        Which claim says who somebody is and what they may do.
    clock
        A clock that never goes back [s].
    """

    def __init__(  # noqa: PLR0913 - what two parties agree on
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        claims: ClaimsMap,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._claims = claims
        self._now = now
        self._clock = clock
        self._described: tuple[float, Description] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._lock = asyncio.Lock()

    async def begin(self, redirect_uri: str) -> tuple[str, Underway]:
        """Return the provider's page to which the browser goes, and what to keep meanwhile; raises ProviderError."""
        described = await self._describe()
        underway = Underway(state=token_urlsafe(32), nonce=token_urlsafe(32), verifier=token_urlsafe(48))
        address: str = prepare_grant_uri(
            described.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._claims.scope,
            state=underway.state,
            nonce=underway.nonce,
            code_challenge=create_s256_code_challenge(underway.verifier),
            code_challenge_method="S256",
        )
        return address, underway

    async def finish(self, came_back_to: str, redirect_uri: str, underway: Underway) -> Person:
        """Return who came back; raises ProviderError wherever anything is not as it was agreed."""
        try:
            answer = parse_authorization_code_response(came_back_to, underway.state)
        except AuthlibBaseError:
            raise ProviderError("no_code") from None
        described = await self._describe()
        if answer.get("iss", described.issuer) != described.issuer:
            raise ProviderError("issuer")  # RFC 9207: another provider's answer
        tokens = await self._exchange(described, answer["code"], redirect_uri, underway)
        claims = await self._verified(described, tokens, underway.nonce)
        try:
            return person_of(claims, self._claims)
        except NotOursError as error:
            raise ProviderError(error.reason) from None

    async def _exchange(self, described: Description, code: str, redirect_uri: str, underway: Underway) -> Tokens:
        extra = {} if self._secret else {"client_id": self._client_id}
        body: str = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=underway.verifier, **extra
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._secret:  # both are form-encoded first (RFC 6749, 2.3.1)
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        tokens: Tokens = await self._ask("POST", described.token_endpoint, Tokens, data=body, headers=headers)
        return tokens

    async def _verified(self, described: Description, tokens: Tokens, nonce: str) -> dict[str, Any]:
        try:
            try:
                token = jwt.decode(tokens.id_token, await self._key_set(described), algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                token = jwt.decode(tokens.id_token, await self._key_set(described, anew=True), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise ProviderError("signature") from None
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": described.issuer},
                "aud": {"essential": True, "value": self._client_id},
            },
            params={"nonce": nonce, "client_id": self._client_id, "access_token": tokens.access_token},
        )
        try:
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_S)
        except (JoseError, AuthlibBaseError, TypeError, ValueError) as error:
            claim = getattr(error, "claim", None)
            raise ProviderError(f"claim_{claim}" if claim in _CHECKED else "claims") from None
        return dict(claims)

    async def _describe(self) -> Description:
        async with self._lock:
            if self._described is not None and self._clock() - self._described[0] < FORGET_S:
                return self._described[1]
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            described: Description = await self._ask("GET", address, Description)
            endpoints = (described.authorization_endpoint, described.token_endpoint, described.jwks_uri)
            if described.issuer != self._issuer or not all(map(_trusted, endpoints)):
                raise ProviderError("description")
            self._described = (self._clock(), described)
            return described

    async def _key_set(self, described: Description, *, anew: bool = False) -> KeySet:
        async with self._lock:
            if self._keys is not None:
                age = self._clock() - self._keys[0]
                if age < (KEYS_ASKED_S if anew else FORGET_S):
                    return self._keys[1]
            found = await self._ask("GET", described.jwks_uri, dict[str, Any])
            try:
                keys = KeySet.import_key_set(found)
            except (JoseError, KeyError, TypeError, ValueError):
                raise ProviderError("unreadable") from None
            self._keys = (self._clock(), keys)
            return keys

    async def _ask(self, method: str, address: str, kind: Any, **sent: Any) -> Any:  # noqa: ANN401 - as `kind` says
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as http,
                http.request(method, address, allow_redirects=False, **sent) as response,
            ):
                body = await _body(response)
                if response.status != 200:  # noqa: PLR2004 - the one status that is an answer
                    raise ProviderError("refused")
                return msgspec.json.decode(body, type=kind)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise ProviderError("unreachable") from None
        except UNREADABLE:
            raise ProviderError("unreadable") from None


_CHECKED: Final = frozenset({"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "at_hash"})


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_chunked(ANSWER_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise ProviderError("unreadable")
    return body


def _trusted(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
