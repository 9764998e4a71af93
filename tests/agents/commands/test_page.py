"""`sonevakt page test` comes to whoever has the duty, through the whole way or from the command itself."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from contextlib import AsyncExitStack
from secrets import token_bytes
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.broker.embedded import EmbeddedBroker
from agents.commands.main import main
from agents.commands.page import PATIENT
from agents.http import serving
from agents.metrics import Metrics
from agents.paging.receiver import Receiver, service_paged_at
from agents.paging.signing import SigningSecret
from agents.settings import Settings
from pipeline.triage.rules import RULES
from pipeline.triage.step import step
from schemas.paging import Outcome, Receipt

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)


def page_test(*arguments: str, **environment: str) -> Result:
    env = {f"SONEVAKT_{name.upper()}": value for name, value in environment.items()}
    return CliRunner().invoke(main, ["page", "test", *arguments], env=env)


async def receiving(stack: AsyncExitStack, folder: Path, *, status: int | None = None) -> Receiver:
    """A receiver and, beside it, the services file that leads to it."""

    async def answers(service: str, page_id: str) -> int | None:
        del service, page_id
        return status

    key = token_bytes(32)
    receiver = Receiver({"lungs": SigningSecret(key)}, wallclock.now, answers)
    port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
    (folder / "secret").write_text(f"whsec_{b64encode(key).decode()}")
    service = service_paged_at("lungs", f"http://127.0.0.1:{port}/pages/lungs", "secret")
    (folder / "services.json").write_bytes(msgspec.json.encode({"lungs": service}))
    return receiver


async def test_directly_it_says_who_was_told_and_by_which_way(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        receiver = await receiving(stack, tmp_path)
        found = await asyncio.to_thread(
            page_test, "--service", "lungs", "--to", "lead", "--by", "phone", "--direct", services_file="services.json"
        )
    assert (found.exit_code, found.output.startswith("delivered: lead by phone, 1 attempt, ")) == (0, True)
    (taken,) = receiver.taken.values()
    assert (taken["test"], taken["patient"], taken["to"]) == (True, "page-test", "lead")


async def test_directly_a_receiver_that_refuses_is_exit_code_1(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        await receiving(stack, tmp_path, status=410)
        found = await asyncio.to_thread(page_test, "--service", "lungs", "--direct", services_file="services.json")
    assert found.exit_code == 1
    assert found.stderr.startswith("not delivered (refused): nurse by webhook, 1 attempt, ")


@pytest.mark.timeout(120)
async def test_through_the_broker_it_waits_for_the_receipt_of_the_running_process(tmp_path: Path) -> None:
    settings = Settings(partitions=3, session_timeout_s=6.0, services_file="services.json")
    async with AsyncExitStack() as stack:
        receiver = await receiving(stack, tmp_path)
        broker = stack.enter_context(EmbeddedBroker(partitions=3))
        environment = {
            "services_file": "services.json",
            "broker": f"kafka://{broker.bootstrap}",
            "partitions": "3",
        }
        alone = await asyncio.to_thread(page_test, "--service", "lungs", "--wait", "0.2", **environment)
        paging = await stack.enter_async_context(
            processes.paging(settings, broker.bootstrap, Metrics(CollectorRegistry()))
        )
        await stack.enter_async_context(processes.running(paging))
        found = await asyncio.to_thread(page_test, "--service", "lungs", **environment)

    assert (alone.exit_code, "no receipt within 0.2 s" in alone.stderr) == (1, True)
    assert (found.exit_code, found.output.startswith("delivered: nurse by webhook, 1 attempt, ")) == (0, True)
    assert {taken["patient"] for taken in receiver.taken.values()} == {"page-test"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--service", "lnugs"], "--service: there is none of that name; there are lungs"),
        (["--service", "lungs", "--to", "laed"], "--to: the service has no such duty; it has lead, next-nurse, nurse"),
        (["--service", "lungs", "--by", "fax"], "--by: nobody of the service has such a way; there are phone, webhook"),
        (["--service", "lungs"], "SONEVAKT_BROKER is embedded"),
    ],
)
async def test_a_mistake_in_use_is_one_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    async with AsyncExitStack() as stack:
        await receiving(stack, tmp_path)
    found = await asyncio.to_thread(page_test, *arguments, services_file="services.json")
    assert found.exit_code == 2
    assert found.stderr.startswith(f"sonevakt: {said}")
    assert found.stderr.count("\n") == 1


def test_without_a_services_file_nobody_can_be_told_directly() -> None:
    found = page_test("--service", "lungs", "--direct")
    assert found.exit_code == 2
    assert found.stderr.startswith("sonevakt: SONEVAKT_SERVICES_FILE must be set")


def test_triage_makes_nothing_of_the_receipt_of_a_test_page() -> None:
    receipt = Receipt(
        receipt_id=uuid4(),
        page_id=uuid4(),
        patient=PATIENT,
        ask=1,
        outcome=Outcome.DELIVERED,
        at=wallclock.now(),
        attempts=1,
    )
    assert step(None, receipt, RULES) == (None, ())
