"""What a canary cannot fly without is said in one sentence at the start."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents import processes
from agents.canary.heartbeat import load_address
from agents.canary.settings import signing_secrets
from agents.metrics import Metrics
from agents.settings import Settings, SettingsError
from schemas.services import Contact, PagerDuty, Service, Webhook

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9101/pages/joint-centre"


def service(**contacts: Contact) -> dict[str, Service]:
    return {"joint-centre": Service(name="Joint centre", contacts=contacts)}


def webhook(name: str) -> Contact:
    return Contact(ways={"webhook": Webhook(url=URL, secret_file=name)})


def test_the_secret_of_each_service_lies_beside_the_services_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"whsec_{b64encode(b'k' * 32).decode()}\n")
    assert list(signing_secrets(service(canary=webhook("secret")), tmp_path)) == ["joint-centre"]


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({}, "names no service"),
        (service(), "joint-centre needs a contact `canary`"),
        (service(nurse=webhook("secret")), "joint-centre needs a contact `canary`"),
        (
            service(canary=Contact(ways={"pagerduty": PagerDuty(routing_key_file="key")})),
            "joint-centre needs a contact `canary`",
        ),
        (service(canary=webhook("nowhere")), "secret_file cannot be read"),
        (service(canary=webhook("bad")), "secret_file: give whsec_"),
    ],
)
def test_what_is_wrong_with_a_canary_s_contact_is_named(
    tmp_path: Path, services: dict[str, Service], said: str
) -> None:
    (tmp_path / "bad").write_text("secret-text")
    with pytest.raises(SettingsError, match=said) as error:
        signing_secrets(services, tmp_path)
    assert "secret-text" not in str(error.value)


@pytest.mark.parametrize("missing", ["services_file", "gateway_url", "canary_token_file"])
async def test_what_is_not_set_is_named(missing: str) -> None:
    settings = Settings(services_file="s", gateway_url="https://gateway.example", canary_token_file="t")  # noqa: S106
    settings = msgspec.structs.replace(settings, **{missing: ""})
    with pytest.raises(SettingsError, match=f"SONEVAKT_{missing.upper()} must be set"):
        async with processes.canary(settings, "127.0.0.1:9", Metrics(CollectorRegistry())):
            pass


@pytest.mark.parametrize(
    "text", ["https://outside.example/ping/1", "http://127.0.0.1:8/x", "http://localhost/x", "http://[::1]/x"]
)
def test_a_heartbeat_goes_by_https_or_to_this_machine(tmp_path: Path, text: str) -> None:
    (tmp_path / "url").write_text(f"{text}\n")
    assert str(load_address(str(tmp_path / "url"))) == text


@pytest.mark.parametrize(
    "text", ["", "http://outside.example/x", "outside.example", "ftp://127.0.0.1/x", "https://", "http://[/"]
)
def test_no_other_address_is_taken_or_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "url").write_text(text)
    with pytest.raises(SettingsError, match="SONEVAKT_HEARTBEAT_URL_FILE: the file") as error:
        load_address(str(tmp_path / "url"))
    assert "outside.example" not in str(error.value)
