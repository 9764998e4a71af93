"""Signing in at an identity provider, over real HTTP: what is as agreed is let in, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from agents.http import serving
from agents.people.claims import ClaimsMap, RoleClaim, ServiceClaim, load_claims
from agents.people.oidc import Provider, ProviderError
from agents.settings import SettingsError
from schemas.people import Role
from tests.agents.people.conftest import NOW, Browser, Clock, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.agents.people.conftest import Answer, Board

CLIENT = "sonevakt"
SECRET = "client secret/of tests"  # noqa: S105 - made up
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
NEXT = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
CLAIMS = ClaimsMap(
    roles=RoleClaim(claim="groups", values={"follow-up-nurses": frozenset({Role.NURSE})}),
    services=ServiceClaim(claim="groups", values={"north-centre": frozenset({"north"})}),
)


@dataclass
class FakeProvider:
    """An identity provider that does as a test says."""

    url: str = ""
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    signs: Any = field(default_factory=lambda: KEY)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    by_hand: tuple[str, bytes] | None = None  # an algorithm that no library would sign with
    claims: dict[str, Any] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    described: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    token_body: bytes | None = None
    access_token: str = "access"  # noqa: S105 - made up
    asked: dict[str, str] = field(default_factory=dict)  # what the browser brought last
    exchanged: list[dict[str, str]] = field(default_factory=list)
    auth: list[str | None] = field(default_factory=list)
    keys_asked: int = 0
    shown_keys: dict[str, Any] | None = None

    def application(self) -> web.Application:
        """Return the provider's own server."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._describe),
                web.get("/keys", self._keys),
                web.post("/token", self._token),
            ]
        )
        return app

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.described,
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        self.keys_asked += 1
        if self.shown_keys is not None:
            return web.json_response(self.shown_keys)
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.exchanged.append(form)
        self.auth.append(request.headers.get("Authorization"))
        if self.token_body is not None or self.token_status != 200:
            return web.Response(status=self.token_status, body=self.token_body or b"{}")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        assert challenge.decode() == self.asked["code_challenge"]
        at = int(NOW.timestamp())
        claims = {
            "iss": self.url,
            "sub": "subject",
            "aud": CLIENT,
            "iat": at,
            "exp": at + 300,
            "nonce": self.asked["nonce"],
            "preferred_username": "nurse-7",
            "name": "Nurse Seven",
            "groups": ["follow-up-nurses", "north-centre", "cleaning"],
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if name not in self.left_out}
        token = _by_hand(kept, *self.by_hand) if self.by_hand else jwt.encode(self.header, kept, self.signs)
        return web.json_response({"access_token": self.access_token, "token_type": "Bearer", "id_token": token})

    def comes_back(self, address: str, **changed: str) -> str:
        """Return the address to which a browser that was sent to `address` comes back."""
        parts = urlsplit(address)
        self.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        state = changed.pop("state", self.asked["state"])
        more = "".join(f"&{name}={value}" for name, value in changed.items())
        return f"/login/callback?code=the-code&state={state}{more}"


def _by_hand(claims: dict[str, Any], algorithm: str, secret: bytes) -> str:
    parts = [base64.urlsafe_b64encode(msgspec.json.encode(part)) for part in ({"alg": algorithm, "kid": "one"}, claims)]
    signed = b".".join(part.rstrip(b"=") for part in parts)
    seal = hmac.new(secret, signed, hashlib.sha256).digest() if algorithm == "HS256" else b""
    return f"{signed.decode()}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    made = FakeProvider()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(made.application(), host="127.0.0.1", port=0))
        made.url = f"http://127.0.0.1:{port}"
        yield made


def provider(fake: FakeProvider, clock: Clock, *, secret: str | None = SECRET) -> Provider:
    return Provider(
        issuer=fake.url, client_id=CLIENT, client_secret=secret, claims=CLAIMS, now=clock, clock=clock.seconds
    )


@pytest.fixture
async def board(open_board: Callable[..., Awaitable[Board]], fake: FakeProvider) -> Board:
    clock = Clock()
    return await open_board(provider=provider(fake, clock))


async def signed_in(fake: FakeProvider, browser: Browser, **changed: str) -> Answer:
    begun = await browser.get("/login/oidc?next=/patients/p-north")
    assert begun.status == 303
    return await browser.get(fake.comes_back(str(begun.location), **changed))


async def test_who_comes_back_as_agreed_is_signed_in_with_their_roles_and_services(
    board: Board, fake: FakeProvider
) -> None:
    browser = board.browser()
    assert "/login/oidc" in (await browser.get("/login")).text
    answer = await signed_in(fake, browser)
    assert (answer.status, answer.location) == (303, "/patients/p-north")
    assert (await browser.get("/")).text == "home of nurse-7"
    assert (await browser.get("/patients/p-north")).text == "measurements"
    assert (await browser.get("/patients/p-south")).status == 403


async def test_the_provider_is_asked_as_the_standard_says(board: Board, fake: FakeProvider) -> None:
    await signed_in(fake, board.browser())
    asked = {name: value for name, value in fake.asked.items() if name not in {"state", "nonce", "code_challenge"}}
    redirect = f"{board.base}/login/callback"
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": redirect,
        "scope": "openid profile",
        "code_challenge_method": "S256",
    }
    (form,) = fake.exchanged
    assert len(form.pop("code_verifier")) >= 43
    assert form == {"grant_type": "authorization_code", "code": "the-code", "redirect_uri": redirect}
    basic = base64.b64encode(f"{CLIENT}:client+secret%2Fof+tests".encode()).decode()
    assert fake.auth == [f"Basic {basic}"]


async def test_each_attempt_has_a_state_a_nonce_and_a_verifier_of_its_own(board: Board, fake: FakeProvider) -> None:
    seen = []
    for _ in range(2):
        await signed_in(fake, board.browser())
        seen.append({fake.asked["state"], fake.asked["nonce"], fake.asked["code_challenge"]})
    assert len(seen[0] | seen[1]) == 6


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("another nonce", {"claims": {"nonce": "other"}}),
    ("no nonce", {"left_out": {"nonce"}}),
    ("for somebody else", {"claims": {"aud": "other"}}),
    ("for somebody else, by us", {"claims": {"aud": "other", "azp": CLIENT}}),
    ("for several, by another", {"claims": {"aud": [CLIENT, "other"], "azp": "other"}}),
    ("for several, and nobody says by whom", {"claims": {"aud": [CLIENT, "other"]}}),
    ("for nobody", {"left_out": {"aud"}}),
    ("another issuer", {"claims": {"iss": "https://elsewhere.example"}}),
    ("no issuer", {"left_out": {"iss"}}),
    ("expired", {"claims": {"exp": int(NOW.timestamp()) - 61}}),
    ("never expires", {"left_out": {"exp"}}),
    ("of the future", {"claims": {"iat": int(NOW.timestamp()) + 120}}),
    ("not yet", {"claims": {"nbf": int(NOW.timestamp()) + 120}}),
    ("about nobody", {"left_out": {"sub"}}),
    ("another access token", {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}),
    ("another's signature", {"signs": STRANGER}),
    ("an unknown key", {"signs": NEXT, "header": {"alg": "RS256", "kid": "two"}}),
    ("no signature", {"by_hand": ("none", b"")}),
    ("the public key as a secret", {"by_hand": ("HS256", KEY.as_pem(private=False))}),
    ("our own secret", {"by_hand": ("HS256", SECRET.encode())}),
    ("no role of ours", {"claims": {"groups": ["cleaning", "north-centre"]}}),
    ("no groups", {"left_out": {"groups"}}),
    ("groups of another form", {"claims": {"groups": {"follow-up-nurses": True}}}),
    ("no reference", {"left_out": {"preferred_username"}}),
    ("a national number for a reference", {"claims": {"preferred_username": "01017012345"}}),
    ("a reference that is none", {"claims": {"preferred_username": "nurse 7"}}),
    ("a refusal", {"token_status": 400}),
    ("no JSON", {"token_body": b"<html>"}),
    ("no token", {"token_body": b'{"access_token": "x"}'}),
    ("half a token", {"token_body": b'{"id_token": "a.b"}'}),
    ("a flood", {"token_body": b'{"id_token": "' + b"x" * 400_000 + b'"}'}),
]


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=[row[0] for row in WRONG])
async def test_nobody_is_let_in_by(board: Board, fake: FakeProvider, name: str, wrong: dict[str, Any]) -> None:
    for what, value in wrong.items():
        setattr(fake, what, value)
    browser = board.browser()
    answer = await signed_in(fake, browser)
    assert (answer.status, 'role="alert"' in answer.text) == (403, True), name
    assert (await browser.get("/patients/p-north")).status == 303
    assert board.metrics.registry.get_sample_value("sonevakt_sign_ins_total", {"outcome": "done"}) == 0


async def test_another_state_is_refused_before_the_provider_is_asked(board: Board, fake: FakeProvider) -> None:
    assert (await signed_in(fake, board.browser(), state="other")).status == 403
    assert fake.exchanged == []


async def test_an_answer_of_another_provider_is_refused(board: Board, fake: FakeProvider) -> None:
    assert (await signed_in(fake, board.browser(), iss="https://elsewhere.example")).status == 403
    assert fake.exchanged == []


async def test_who_did_not_begin_here_does_not_come_back_here(board: Board, fake: FakeProvider) -> None:
    attacker, victim = board.browser(), board.browser()
    begun = await attacker.get("/login/oidc")
    assert (await victim.get(fake.comes_back(str(begun.location)))).status == 403
    await victim.get("/login/oidc")  # begun, and not with that state
    assert (await victim.get(fake.comes_back(str(begun.location)))).status == 403
    assert fake.exchanged == []


async def test_the_same_way_back_is_not_taken_twice(board: Board, fake: FakeProvider) -> None:
    browser = board.browser()
    begun = await browser.get("/login/oidc")
    back = fake.comes_back(str(begun.location))
    assert (await browser.get(back)).status == 303
    assert (await browser.get(back)).status == 403
    assert len(fake.exchanged) == 1


async def test_what_the_provider_says_of_an_error_is_not_shown(board: Board) -> None:
    browser = board.browser()
    await browser.get("/login/oidc")
    answer = await browser.get("/login/callback?error=access_denied&error_description=%3Cscript%3E&state=x")
    assert (answer.status, "script" in answer.text, "access_denied" in answer.text) == (403, False, False)


async def test_keys_that_were_exchanged_are_asked_for_anew(
    open_board: Callable[..., Awaitable[Board]], fake: FakeProvider
) -> None:
    clock = Clock()
    board = await open_board(provider=provider(fake, clock))
    assert (await signed_in(fake, board.browser())).status == 303
    fake.keys, fake.signs, fake.header = [NEXT], NEXT, {"alg": "RS256", "kid": "two"}
    assert (await signed_in(fake, board.browser())).status == 403  # asked for a moment ago
    assert fake.keys_asked == 1
    clock.pass_(seconds=61)
    fake.claims = {"iat": int(clock.seconds()), "exp": int(clock.seconds()) + 300}
    assert (await signed_in(fake, board.browser())).status == 303
    assert fake.keys_asked == 2


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
async def test_a_provider_that_describes_itself_otherwise_is_not_gone_to(
    board: Board, fake: FakeProvider, described: dict[str, Any]
) -> None:
    fake.described = described
    assert (await board.browser().get("/login/oidc")).status == 502


@pytest.mark.parametrize("kept", [{}, {"keys": 1}, {"keys": [{}]}, {"keys": [{"kty": "RSA", "n": "x"}]}])
async def test_keys_that_are_none_let_nobody_in(board: Board, fake: FakeProvider, kept: dict[str, Any]) -> None:
    fake.shown_keys = kept
    assert (await signed_in(fake, board.browser())).status == 403


async def test_a_provider_that_is_away_is_told_and_passwords_still_work(
    open_board: Callable[..., Awaitable[Board]],
) -> None:
    away = FakeProvider(url="http://127.0.0.1:9")
    board = await open_board(provider=provider(away, Clock()))
    answer = await board.browser().get("/login/oidc", headers={"Accept-Language": "en"})
    assert (answer.status, "does not answer" in answer.text) == (502, True)
    assert (await board.browser().sign_in()).status == 303


async def test_a_client_without_a_secret_names_itself(fake: FakeProvider) -> None:
    public = provider(fake, Clock(), secret=None)
    address, underway = await public.begin("http://127.0.0.1/login/callback")
    back = fake.comes_back(address)
    person = await public.finish(back, "http://127.0.0.1/login/callback", underway)
    assert person.ref == "nurse-7"
    assert (fake.exchanged[0]["client_id"], fake.auth) == (CLIENT, [None])
    with pytest.raises(ProviderError, match="no_code"):
        await public.finish(back.replace("code=the-code&", ""), "http://127.0.0.1/login/callback", underway)


async def test_somebody_whom_the_user_file_disables_is_out_by_this_way_too(
    open_board: Callable[..., Awaitable[Board]], fake: FakeProvider
) -> None:
    board = await open_board(provider=provider(fake, Clock()), users={"nurse-1": user(), "nurse-7": user()})
    browser = board.browser()
    assert (await signed_in(fake, browser)).status == 303
    with board.users.changing() as users:
        users["nurse-7"] = msgspec.structs.replace(users["nurse-7"], disabled=True)
    assert (await browser.get("/patients/p-north")).status == 303
    assert (await signed_in(fake, browser)).status == 403


def test_the_claims_file_is_read_and_what_is_wrong_in_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_bytes(msgspec.json.encode(CLAIMS))
    assert load_claims(path) == CLAIMS
    path.write_bytes(b'{"roles": {"claim": "groups", "values": {"x": ["matron"]}}, "services": {}}')
    with pytest.raises(SettingsError, match=r"^claims.json: roles.values"):
        load_claims(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_claims(tmp_path / "nowhere.json")
