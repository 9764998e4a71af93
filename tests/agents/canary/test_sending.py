"""A canary posts as an app does: again while the gateway cannot take it, and never where it will not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from yarl import URL

from agents.canary.sending import RefusedError, Sending
from agents.http import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY = {"submission_id": "one"}


class Gateway:
    """Answers with what it is told to, in turn, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.asked: list[tuple[str, str, object]] = []

    def application(self) -> web.Application:
        async def take(request: web.Request) -> web.Response:
            self.asked.append((request.path, request.headers["Authorization"], await request.json()))
            return web.Response(status=self.answers.pop(0), headers={"Location": "http://elsewhere.example/"})

        app = web.Application()
        app.router.add_post("/{way:.*}", take)
        return app


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def sending(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sending]:
    monkeypatch.setattr("agents.canary.sending.AGAIN_S", 0.01)
    async with serving(gateway.application(), host="127.0.0.1", port=0) as port:
        found = Sending(URL(f"http://127.0.0.1:{port}/in"), "token", "127.0.0.1:9", "")
        yield found
        await found.close()


async def test_what_the_gateway_cannot_take_now_is_posted_again_as_it_was(gateway: Gateway, sending: Sending) -> None:
    gateway.answers = [503, 429, 500, 202]
    await sending.session(BODY)
    assert gateway.asked == [("/in/v1/submissions", "Bearer token", BODY)] * 4


@pytest.mark.parametrize("status", [401, 403, 404, 422, 301])
async def test_what_the_gateway_will_not_have_is_told_without_the_token(
    gateway: Gateway, sending: Sending, status: int
) -> None:
    gateway.answers = [status]
    with pytest.raises(RefusedError, match=f"the gateway answers {status}: look at SONEVAKT_GATEWAY_URL") as error:
        await sending.session(BODY)
    assert len(gateway.asked) == 1
    assert "Bearer" not in str(error.value)
