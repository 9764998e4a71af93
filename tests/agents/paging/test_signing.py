"""A receiver can tell a page of ours from any other message."""

from __future__ import annotations

import base64
import pickle
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest
from yarl import URL

from agents.paging.notice import Notice
from agents.paging.signing import SecretError, SignatureError, SigningSecret, verify
from agents.paging.ways.webhook import WebhookWay, body_of
from tests.agents.paging.conftest import NOW, Ward, page, secret_of, service_with

NOTICE = Notice((page(),), "lungs", service_with("lungs", nurse=("webhook",)))
BODY = msgspec.json.encode(body_of(NOTICE))
WAY = WebhookWay(URL("https://vakt.example"), secret_of("lungs"))
HEADERS = WAY.headers(NOTICE, BODY, NOW)


def test_agrees_with_the_specifications_own_example() -> None:
    secret = SigningSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signed_message_is_believed_and_tells_its_id() -> None:
    assert verify(HEADERS, BODY, secret_of("lungs"), NOW) == str(page().page_id)


def test_one_fitting_signature_of_several_is_enough() -> None:
    headers = {**HEADERS, "webhook-signature": f"v1,AAAA v1a,BBBB {HEADERS['webhook-signature']}"}

    assert verify(headers, BODY, secret_of("lungs"), NOW)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("to", ["1772355601", "v1,AAAA", "", "æ", "²", "99999999999999999999", None])
def test_a_changed_or_missing_header_is_detected(changed: str, to: str | None) -> None:
    headers = {name: value for name, value in {**HEADERS, changed: to}.items() if value is not None}

    with pytest.raises(SignatureError):
        verify(headers, BODY, secret_of("lungs"), NOW)


def test_a_changed_body_and_another_secret_are_detected() -> None:
    with pytest.raises(SignatureError):
        verify(HEADERS, BODY.replace(b'"red"', b'"green"'), secret_of("lungs"), NOW)
    with pytest.raises(SignatureError):
        verify(HEADERS, BODY, secret_of("heart"), NOW)


@pytest.mark.parametrize("off", [timedelta(seconds=301), -timedelta(seconds=301)])
def test_an_old_or_early_message_is_not_believed(off: timedelta) -> None:
    assert verify(HEADERS, BODY, secret_of("lungs"), NOW + off * 0.99)
    with pytest.raises(SignatureError):
        verify(HEADERS, BODY, secret_of("lungs"), NOW + off)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_says_what_one_looks_like_and_nothing_of_itself(text: str) -> None:
    with pytest.raises(SecretError, match="openssl rand") as raised:
        SigningSecret.parse(text)

    assert not text or text == "whsec_" or text not in str(raised.value)


def test_a_secret_shows_itself_in_no_way() -> None:
    secret = secret_of("lungs")

    assert f"{secret} {secret!r}" == "SigningSecret(hidden) SigningSecret(hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


async def test_the_receiver_turns_a_forged_page_away(ward: Ward) -> None:
    receiver = await ward.receiver()
    forged = {**HEADERS, "webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()}
    async with aiohttp.ClientSession() as http:
        async with http.post(ward.addresses["lungs"], data=BODY, headers=forged) as response:
            status = response.status
        async with http.post(ward.addresses["lungs"].with_path("/pages/none"), data=b"", headers=HEADERS) as response:
            unknown = response.status

    assert (status, unknown, receiver.refused, len(receiver.taken)) == (401, 404, 1, 0)


def test_the_clock_of_a_message_is_whole_seconds() -> None:
    headers = WAY.headers(NOTICE, BODY, datetime(2026, 3, 1, 9, 0, 0, 999_000, tzinfo=UTC))

    assert headers["webhook-timestamp"] == "1772355600"
